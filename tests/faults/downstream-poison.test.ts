/** The entries of "Downstream" about failing messages that cannot be copied as they are. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  double,
  long,
  nestedTable,
  type RawMessage,
  RawPublisher,
  short,
  table,
  value,
} from "../support/amqp-raw.ts";
import type { Broker } from "./broker.ts";
import { type Bench, codeOf, downstreamOfBroker, until } from "./downstream.ts";

type Properties = RawMessage["properties"];

/** Headers of this many kilobytes. */
function headersOf(kilobytes: number): Buffer {
  const names = Array.from({ length: kilobytes }, (_, n) => `h${n}`);
  return table(
    Object.fromEntries(names.map((name) => [name, value("S", long("x".repeat(1_000)))])),
  );
}

/** What a copy cannot have in its header. Each is sent in another message. */
const oddities: Readonly<Record<string, Properties>> = {
  "20 KB of headers": [["headers", headersOf(20)]],
  "a timestamp of 2^64-1": [["timestamp", Buffer.alloc(8, 0xff)]],
  "a header below all whole numbers": [["headers", table({ h: value("d", double(-1e300)) })]],
  "a header of bytes": [["headers", table({ h: value("x", long(Buffer.alloc(900, 1))) })]],
  "a type that is not UTF-8": [["type", short(Buffer.alloc(255, 0xff))]],
  "an id that is not UTF-8": [["messageId", short(Buffer.alloc(255, 0xff))]],
};

const flows = `
  flow "fail" {
    from {
      connector = "broker"
      operation = "poison"
    }
    transform {
      kind       = "input.kind"
      headers    = "input.headers"
      properties = "input.properties"
    }
    to {
      connector = "probe"
      target    = "fail"
    }
  }
  type "flat" {
    n = number()
  }
  flow "check" {
    from {
      connector = "broker"
      operation = "deep"
    }
    validate {
      input = "flat"
    }
    to { connector = "probe" }
  }
  flow "good" {
    from {
      connector = "broker"
      operation = "good"
    }
    to { connector = "probe" }
  }
`;

async function serve(bench: Bench, broker: Broker, consumer: string): Promise<void> {
  await bench.serve(bench.mq("broker", broker.port, bench.queue + consumer) + flows);
}

async function publishAll(
  bench: Bench,
  broker: Broker,
  copies: number,
  body: (kind: string) => Buffer,
): Promise<void> {
  const publisher = await RawPublisher.connect(broker.port);
  for (let copy = 0; copy < copies; copy++) {
    for (const [kind, properties] of Object.entries(oddities)) {
      const message = { exchange: bench.id, routingKey: "poison", properties, body: body(kind) };
      await publisher.publish(message);
    }
  }
  publisher.close();
  await broker.publish({ exchange: bench.id, routingKey: "good" }, "good");
}

const dlq = `
  consumer {
    prefetch = 10
    dlq {
      max_retries = 2
      retry_delay = "200ms"
    }
  }
`;

await downstreamOfBroker(
  "failing messages that cannot be copied (20 KB of headers, a timestamp of 2^64-1, …) → they get all their attempts, then become dead letters with what fits and a note; the next ones pass",
  async (bench, broker) => {
    await serve(bench, broker, dlq);
    const kinds = Object.keys(oddities);
    const copies = 5;
    const count = copies * kinds.length;
    await publishAll(bench, broker, copies, (kind) => Buffer.from(JSON.stringify({ kind })));
    await until("the good one", async () => (await bench.probe.payloads()).includes("good"));
    await until(
      "the dead letters",
      async () => (await bench.counts("broker")).dead_lettered === count,
      30_000,
    );
    const { consumed, retried, acked, discarded } = await bench.counts("broker");
    assert.deepEqual({ consumed, retried, acked, discarded }, {
      consumed: 3 * count + 1,
      retried: 2 * count,
      acked: 1,
      discarded: 0,
    });
    assert.equal(await broker.count(bench.id), 0);
    // Each attempt sees the same headers and properties.
    const seen = (await bench.probe.deliveries()).filter(({ target }) => target === "fail");
    const kindsSeen = Map.groupBy(
      seen.map(({ payload }) => payload as { readonly kind: string }),
      ({ kind }) => kind,
    );
    assert.equal(kindsSeen.size, kinds.length);
    for (const [kind, payloads] of kindsSeen) {
      assert.equal(payloads.length, 3 * copies, kind);
      const [first, ...others] = payloads.map((payload) => JSON.stringify(payload));
      for (const other of others) assert.ok(other === first, kind);
    }
    const notes = new Map<string, string>();
    for (let n = 0; n < count; n++) {
      const letter = await broker.take(`${bench.id}.dlq`);
      assert.ok(letter !== undefined);
      const { kind } = JSON.parse(String(letter.body));
      assert.equal(letter.headers?.["x-weir-routing-key"], "poison");
      assert.match(letter.headers?.["x-weir-reason"], /flow "fail" failed \(ref \w+\)/);
      notes.set(kind, letter.headers?.["x-weir-left-out"]);
      if (kind !== "20 KB of headers") continue;
      const kept = Object.keys(letter.headers).filter((name) => /^h\d/.test(name));
      assert.ok(kept.length >= 4, `${kept}`);
    }
    assert.match(String(notes.get("20 KB of headers")), /^header h\d+, header h/);
    // Several are at work at once, so that they come in any order.
    const others = [...notes].filter(([kind]) => kind !== "20 KB of headers").sort();
    assert.deepEqual(others, [
      ["a header below all whole numbers", "header h"],
      ["a header of bytes", "header h"],
      ["a timestamp of 2^64-1", "timestamp"],
      ["a type that is not UTF-8", "type"],
      ["an id that is not UTF-8", "messageId"],
    ]);
    const told = await bench.logged(
      /message poison was moved to the dead-letter queue .*; left out: /,
    );
    assert.equal(told.length, count);
  },
);

/** A header that nests deep by its kind. */
const deepHeaders: Readonly<Record<string, Buffer>> = {
  "5000 lists": nestedTable("A", 5_000),
  "20 000 lists": nestedTable("A", 20_000),
  "5000 tables": nestedTable("F", 5_000),
  "66 lists": nestedTable("A", 66),
};

async function publishDeepHeaders(bench: Bench, broker: Broker): Promise<void> {
  const publisher = await RawPublisher.connect(broker.port);
  for (const [kind, header] of Object.entries(deepHeaders)) {
    const properties: Properties = [
      ["contentType", short("application/json")],
      ["headers", table({ h: header, kind: value("S", long(kind)) })],
      ["type", short("deep")],
    ];
    const body = Buffer.from(JSON.stringify({ kind }));
    await publisher.publish({ exchange: bench.id, routingKey: "deep", properties, body });
  }
  publisher.close();
  await broker.publish({ exchange: bench.id, routingKey: "good" }, "good");
}

await downstreamOfBroker(
  "messages whose headers nest 66, 5000 and 20 000 deep → they become dead letters without that header and with a note; the connection stays and the next ones pass",
  async (bench, broker) => {
    await serve(bench, broker, dlq);
    const kinds = Object.keys(deepHeaders);
    await publishDeepHeaders(bench, broker);
    await until("the good one", async () => (await bench.probe.payloads()).includes("good"));
    await until(
      "the dead letters",
      async () => (await bench.counts("broker")).dead_lettered === kinds.length,
    );
    const { consumed, retried, acked, discarded } = await bench.counts("broker");
    assert.deepEqual({ consumed, retried, acked, discarded }, {
      consumed: kinds.length + 1,
      retried: 0,
      acked: 1,
      discarded: 0,
    });
    const left = new Set(kinds);
    for (const _ of kinds) {
      const letter = await broker.take(`${bench.id}.dlq`);
      assert.ok(letter !== undefined);
      assert.ok(left.delete(letter.headers?.kind));
      assert.deepEqual(letter.body, { kind: letter.headers?.kind });
      assert.equal(letter.contentType, "application/json");
      assert.equal(letter.type, "deep");
      const { "x-weir-time": time, ...headers } = letter.headers ?? {};
      assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.deepEqual(headers, {
        kind: letter.body.kind,
        "x-weir-routing-key": "deep",
        "x-weir-exchange": bench.id,
        "x-weir-reason": "its headers nest deeper than 64",
        "x-weir-retries": 0,
        "x-weir-left-out": "header h",
      });
    }
    assert.equal(await broker.count(bench.id), 0);
    assert.deepEqual(await bench.logged(/is away|lost its channel/), []);
    const told = await bench.logged(/its headers nest deeper than 64; left out: header h/);
    assert.equal(told.length, kinds.length);
  },
);

await downstreamOfBroker(
  "messages whose headers nest 66, 5000 and 20 000 deep where there is no dlq → they are rejected, logged and counted; the connection stays and the next ones pass",
  async (bench, broker) => {
    await serve(bench, broker, "");
    const count = Object.keys(deepHeaders).length;
    await publishDeepHeaders(bench, broker);
    await until("the good one", async () => (await bench.probe.payloads()).includes("good"));
    await until(
      "the end of the others",
      async () => (await bench.counts("broker")).discarded === count,
    );
    assert.equal(await broker.count(bench.id), 0);
    assert.deepEqual(await bench.logged(/is away|lost its channel/), []);
    const told = await bench.logged(/message deep was discarded: its headers nest deeper than 64/);
    assert.equal(told.length, count);
  },
);

await downstreamOfBroker(
  "thirty messages whose bodies nest 200 000 deep → they become dead letters as quickly as others of their size; the next ones pass",
  async (bench, broker) => {
    await serve(bench, broker, dlq);
    const count = 30;
    let dead = 0;
    const took = async (body: Buffer): Promise<number> => {
      const start = performance.now();
      for (let n = 0; n < count; n++) {
        await broker.publish({ exchange: bench.id, routingKey: "deep" }, body);
      }
      dead += count;
      await until(
        "the dead letters",
        async () => (await bench.counts("broker")).dead_lettered === dead,
        60_000,
      );
      return performance.now() - start;
    };
    const flat = await took(Buffer.from("x".repeat(400_000)));
    const deep = Buffer.from(`${"[".repeat(200_000)}${"]".repeat(200_000)}`);
    const time = await took(deep);
    // A body that is parsed and written again holds the server up for a second on Bun.
    assert.ok(time < 5 * (flat + 1_000), `${time} ms after ${flat} ms`);
    await broker.publish({ exchange: bench.id, routingKey: "good" }, "good");
    await until("the good one", async () => (await bench.probe.payloads()).includes("good"));
    assert.equal(await broker.count(bench.id), 0);
    const queue = `${bench.id}.dlq`;
    for (let n = 0; n < count; n++) await broker.take(queue);
    const letter = await broker.take(queue);
    assert.equal(letter?.headers?.["x-weir-reason"], "its body nests deeper than 64");
    assert.equal(letter.headers["x-weir-left-out"], undefined);
    const told = await bench.logged(
      /message deep was moved to the dead-letter queue .*nests deeper than 64/,
    );
    assert.equal(told.length, count);
  },
);

await downstreamOfBroker(
  "a flow's headers that do not fit into a frame → that flow fails, other publishes on the connection go on",
  async (bench, broker) => {
    const publish = `
      flow "publish" {
        from {
          connector = "ws"
          operation = "publish"
        }
        to {
          connector = "broker"
          target    = "good"
          headers   = { h = "input.h" }
        }
      }
    `;
    await bench.serve(bench.mq("broker", broker.port, bench.queue) + flows + publish);
    const client = await bench.open();
    const other = await bench.open();
    const answers: unknown[] = [];
    for (let n = 0; n < 50; n++) {
      const [bad, good] = await Promise.all([
        client.request({ type: "publish", data: { h: "x".repeat(9_000) } }),
        other.request({ type: "publish", data: { h: "x" } }),
      ]);
      assert.equal(codeOf(bad), "flow_failed");
      answers.push(codeOf(good));
    }
    assert.deepEqual(answers, Array(50).fill(undefined));
    const { published } = await bench.counts("broker");
    assert.equal(published, 50);
    await bench.probe.received(50);
    const told = await bench.logged(/could not publish "good": its headers take \d+ bytes/);
    assert.equal(told.length, 50);
  },
);
