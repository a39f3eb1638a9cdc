/** The entries of "Downstream" about a broker that works again, and about messages that fail. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { DatabaseSync } from "node:sqlite";
import type { Broker } from "./broker.ts";
import { type Bench, codeOf, downstreamOfBroker, pause, until } from "./downstream.ts";

const consuming = `
  flow "consume" {
    from { connector = "broker" }
    to { connector = "probe" }
  }
`;

/** What was published is where it must be: handled, waiting, dead or discarded. */
async function accounted(bench: Bench, broker: Broker, published: number): Promise<void> {
  const { acked, dead_lettered, discarded } = await bench.counts("broker");
  const queued = await broker.count(bench.id);
  assert.equal(acked + dead_lettered + discarded + queued, published);
}

/** Consumes from a named queue and one of its own, and runs `fault`; both go on afterwards. */
async function survives(
  bench: Bench,
  broker: Broker,
  fault: () => Promise<unknown>,
): Promise<void> {
  await bench.serve(
    bench.mq("broker", broker.port, bench.queue) + bench.mq("own", broker.port) + `
      flow "consume" {
        from { connector = "broker" }
        to {
          connector = "probe"
          target    = "named"
        }
      }
      flow "consume own" {
        from { connector = "own" }
        to {
          connector = "probe"
          target    = "own"
        }
      }
    `,
  );
  const send = (n: number) => broker.publish({ exchange: bench.id, routingKey: "k" }, n);
  const arrived = async (n: number, ...targets: readonly string[]): Promise<boolean> => {
    const deliveries = await bench.probe.deliveries();
    return targets.every((target) =>
      deliveries.some((delivery) => delivery.target === target && delivery.payload === n)
    );
  };
  await send(1);
  await until("both", () => arrived(1, "named", "own"));
  await fault();
  let n = 1;
  await until("the events after it", async () => {
    await send(++n);
    await pause(100);
    return await arrived(n, "named", "own");
  }, 30_000);
  await bench.recovered();
  // Nothing that was confirmed for the named queue is missing.
  for (let i = 2; i <= n; i++) await until(`number ${i}`, () => arrived(i, "named"));
  await until("the acks", async () => await broker.count(bench.id) === 0);
}

await downstreamOfBroker("broker restarted → re-declared, re-consumed", async (bench, broker) => {
  await survives(bench, broker, async () => {
    await broker.stop();
    await until("trouble", async () => (await bench.ready()).status === 503);
    await broker.start();
    await until(
      "the test's own connection",
      () => broker.count(bench.id).then(() => true, () => false),
    );
  });
  assert.equal((await bench.counts("own")).gaps, 1);
  const gap = /new queue; events since the former one was lost are missing/;
  assert.equal((await bench.logged(gap)).length, 1);
});

await downstreamOfBroker(
  "connection closed by the operator → re-declared, re-consumed",
  async (bench, broker) => {
    await survives(bench, broker, async () => {
      assert.equal(await broker.closeConnections(), 2);
    });
    assert.equal((await bench.counts("own")).gaps, 1);
  },
);

await downstreamOfBroker("queue deleted → re-declared, re-consumed", async (bench, broker) => {
  await bench.serve(bench.mq("broker", broker.port, bench.queue) + consuming);
  await broker.client.queueDelete(bench.id);
  await until("trouble", async () => (await bench.ready()).status === 503);
  await bench.recovered();
  await broker.publish({ exchange: bench.id, routingKey: "k" }, "after");
  await bench.probe.received(1);
  assert.deepEqual(await bench.probe.payloads(), ["after"]);
});

/** Events that fail, each in its own way, and good ones. */
const failing = `
  type "good" {
    n = number()
  }
  flow "check" {
    from {
      connector = "broker"
      operation = "checked"
    }
    validate {
      input = "good"
    }
    to { connector = "probe" }
  }
  flow "compute" {
    from {
      connector = "broker"
      operation = "computed"
    }
    transform {
      n = "input.n + 1"
    }
    to { connector = "probe" }
  }
  flow "fail" {
    from {
      connector = "broker"
      operation = "poison"
    }
    to {
      connector = "probe"
      target    = "fail"
    }
  }
`;

const dlq = (retries: number, delay: string) => `
  consumer {
    prefetch = 1
    dlq {
      max_retries = ${retries}
      retry_delay = "${delay}"
    }
  }
`;

await downstreamOfBroker(
  "poison message → N attempts with delay, then the dead-letter queue; the next ones pass",
  async (bench, broker) => {
    const options = bench.queue + dlq(2, "1s");
    await bench.serve(bench.mq("broker", broker.port, options) + failing);
    const began = performance.now();
    await broker.publish({ exchange: bench.id, routingKey: "poison" }, { n: 1 });
    await broker.publish({ exchange: bench.id, routingKey: "checked" }, { n: 2 });
    await until("the dead letter", async () => (await bench.counts("broker")).dead_lettered === 1);
    assert.ok(performance.now() - began > 1990, "two delays");
    // Only one message may be at work: the good one did not wait for the poison.
    assert.deepEqual(await bench.probe.targets(), ["fail", undefined, "fail", "fail"]);
    const { consumed, retried, acked } = await bench.counts("broker");
    assert.deepEqual({ consumed, retried, acked }, { consumed: 4, retried: 2, acked: 1 });
    const letter = await broker.take(`${bench.id}.dlq`);
    assert.equal(letter?.headers?.["x-weir-routing-key"], "poison");
    assert.match(letter?.headers?.["x-weir-reason"], /flow "fail" failed \(ref \w+\)/);
    assert.ok(
      (await bench.logged(
        /message poison was moved to the dead-letter queue .* flow "fail"/,
        "error",
      ))
        .length > 0,
    );
    await accounted(bench, broker, 2);
  },
);

await downstreamOfBroker(
  "poison message without dlq → 3 deliveries 1 s apart, then rejected, logged with routing key and reason, counted",
  async (bench, broker) => {
    await bench.serve(bench.mq("broker", broker.port, bench.queue) + failing);
    await broker.publish({ exchange: bench.id, routingKey: "poison" }, { n: 1 });
    const times: number[] = [];
    for (let delivery = 1; delivery <= 3; delivery++) {
      await bench.probe.received(delivery);
      times.push(performance.now());
    }
    await until("the end", async () => (await bench.counts("broker")).discarded === 1);
    for (const gap of [times[1] - times[0], times[2] - times[1]]) {
      assert.ok(gap > 900 && gap < 3000, `${gap} ms between deliveries`);
    }
    assert.equal((await bench.probe.deliveries()).length, 3);
    assert.ok(
      (await bench.logged(/message poison was discarded: flow_failed: flow "fail" failed/, "error"))
        .length > 0,
    );
    await accounted(bench, broker, 1);
  },
);

await downstreamOfBroker(
  "what cannot succeed (no JSON, validation, an expression's error) is not repeated; the next ones pass",
  async (bench, broker) => {
    const options = bench.queue + dlq(5, "1m");
    await bench.serve(bench.mq("broker", broker.port, options) + failing);
    const send = (routingKey: string, body: unknown) =>
      broker.publish({ exchange: bench.id, routingKey }, body);
    await send("checked", Buffer.from("{no json"));
    await send("checked", Buffer.from([0xff, 0xfe]));
    await send("checked", { n: "no number" });
    await send("computed", { n: null });
    await send("checked", { n: 1 });
    await send("computed", { n: 1 });
    await until("the dead letters", async () => (await bench.counts("broker")).dead_lettered === 4);
    await bench.probe.received(2);
    await until("the acks", async () => (await bench.counts("broker")).acked === 2);
    assert.deepEqual(await bench.probe.payloads(), [{ n: 1 }, { n: 2 }]);
    assert.equal((await bench.counts("broker")).retried, 0);
    const reasons: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      reasons.push((await broker.take(`${bench.id}.dlq`))?.headers?.["x-weir-reason"]);
    }
    const [text, bytes, type, expression] = reasons.map(String);
    assert.deepEqual([text, bytes], ["its body is not JSON", "its body is not JSON"]);
    assert.match(type, /flow "check": the data is not a valid good: n /);
    assert.match(expression, /flow "compute" failed \(ref \w+\)/);
    await accounted(bench, broker, 6);
  },
);

await downstreamOfBroker(
  "same message id again → one effect where dedupe says so",
  async (bench, broker) => {
    const storing = `
      flow "store" {
        from { connector = "broker" }
        dedupe {
          key   = "input.properties.message_id"
          ttl   = "10m"
          store = "db"
        }
        to {
          connector = "db"
          target    = "notes"
        }
      }
    `;
    await bench.serve(
      await bench.database("CREATE TABLE notes (text TEXT);") +
        bench.mq("broker", broker.port, bench.queue) + storing,
    );
    const send = (messageId: string, text: string) =>
      broker.publish({ exchange: bench.id, routingKey: "k", messageId }, { text });
    await Promise.all([send("one", "a"), send("one", "a"), send("two", "b")]);
    await until("three acks", async () => (await bench.counts("broker")).acked === 3);
    await broker.closeConnections();
    await bench.recovered();
    await send("two", "b");
    await send("three", "c");
    await until("five acks", async () => (await bench.counts("broker")).acked === 5, 30_000);
    const database = new DatabaseSync(bench.file);
    const rows = database.prepare("SELECT text FROM notes ORDER BY text").all();
    database.close();
    assert.deepEqual(rows.map(({ text }) => text), ["a", "b", "c"]);
    await accounted(bench, broker, 5);
  },
);

/** A client and the broker publish to the connector "out" with these blocks, at this port. */
async function relays(
  bench: Bench,
  broker: Broker,
  out: string,
  port: number = broker.port,
): Promise<void> {
  const flow = (name: string, source: string) => `
    flow "${name}" {
      from {
        ${source}
      }
      to {
        connector = "out"
        target    = "input.to"
      }
    }
  `;
  await bench.serve(
    bench.mq("broker", broker.port, bench.queue + dlq(0, "1s")) +
      bench.mq("out", port, out) +
      flow("relay", 'connector = "broker"') +
      flow("publish", 'connector = "ws"\n operation = "publish"'),
  );
}

/** Both sources have what they sent to `to` fail: the client is told, the message not acked. */
async function fails(bench: Bench, broker: Broker, to: string, reason: RegExp): Promise<void> {
  const client = await bench.open();
  assert.equal(codeOf(await client.request({ type: "publish", data: { to } })), "flow_failed");
  await broker.publish({ routingKey: bench.id }, { to });
  await until("the dead letter", async () => (await bench.counts("broker")).dead_lettered === 1);
  assert.equal((await bench.counts("broker")).acked, 0);
  assert.equal((await bench.counts("out")).published, 0);
  const told = await bench.logged(reason);
  assert.ok(told.length >= 2, JSON.stringify(await bench.server.log()));
}

await downstreamOfBroker(
  "publish nacked → flow fails, upstream not acked",
  async (bench, broker) => {
    // A queue that is full and says so.
    const queue = `${bench.id}.full`;
    const limits = { "x-max-length": 1, "x-overflow": "reject-publish" } as const;
    await broker.client.queueDeclare({ queue, durable: true, arguments: limits });
    await broker.publish({ routingKey: queue }, "first");
    await until("a full queue", async () => await broker.count(queue) === 1);
    await relays(bench, broker, 'publisher {\n exchange = ""\n }');
    await fails(bench, broker, queue, /could not publish ".*\.full": message rejected by server/);
    const client = await bench.open();
    await broker.take(queue);
    await until("room", async () => await broker.count(queue) === 0);
    const answer = await client.request({ type: "publish", data: { to: queue } });
    assert.equal(codeOf(answer), undefined);
  },
);

await downstreamOfBroker(
  "publish unroutable → flow fails, upstream not acked",
  async (bench, broker) => {
    await relays(bench, broker, 'publisher {\n exchange = ""\n mandatory = true\n }');
    await fails(bench, broker, "nowhere", /no queue takes the routing key "nowhere"/);
  },
);

await downstreamOfBroker(
  "publish unconfirmed → flow fails, upstream not acked",
  async (bench, broker) => {
    const gate = await openGate(broker.port);
    bench.onEnd(() => gate.close());
    await relays(bench, broker, 'publisher {\n exchange = ""\n }', gate.port);
    const queue = `${bench.id}.target`;
    await broker.client.queueDeclare({ queue, durable: true });
    gate.silence(true);
    // A broker that says nothing at all is found before the deadline of a confirmation. The first
    // message may still wait for its channel.
    const silent = /it says nothing any more \(no heartbeat\)|has not opened a channel within 5 s/;
    await fails(bench, broker, queue, silent);
    gate.silence(false);
    const client = await bench.open();
    await until("the return", async () => {
      const again = await client.request({ type: "publish", data: { to: queue } });
      return codeOf(again) === undefined;
    });
    await accounted(bench, broker, 1);
  },
);

/** A way to the broker on which its answers can be held back. */
async function openGate(target: number): Promise<{
  readonly port: number;
  silence(silent: boolean): void;
  close(): void;
}> {
  const sockets = new Set<Socket>();
  const answers = new Set<Socket>();
  const server = createServer((client) => {
    const broker = connect({ host: "127.0.0.1", port: target });
    answers.add(broker);
    for (const [from, to] of [[client, broker], [broker, client]]) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.on("data", (bytes) => to.write(bytes));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    silence(silent) {
      for (const socket of answers) {
        if (silent) socket.pause();
        else socket.resume();
      }
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
