/** JetStream: the stream and the consumer that a connector makes, and what becomes of them. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { AckPolicy, type ConsumerConfig } from "@nats-io/jetstream";
import { ConnectorError } from "../../src/base/errors.ts";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { failure, flow, type Made, makeMq, request, until } from "../support/mq.ts";
import { NatsServer } from "../support/nats.ts";
import { PASSWORD, withServer } from "../support/own-server.ts";
import { serviceTest } from "../support/services.ts";
import { type Bench, bench } from "./nats-support.ts";

/** How a start fails that never can succeed. */
function refused(words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof ConnectorError && error.permanent && words.test(error.message);
}

/** The subjects of a consumer, without the id. */
function filters(config: ConsumerConfig, { id }: Bench): readonly string[] {
  const { filter_subject, filter_subjects = [] } = config;
  const all = filter_subject === undefined ? filter_subjects : [filter_subject];
  return all.map((subject) => subject.replace(`${id}.`, ""));
}

await bench("one message goes to all flows whose operations match, once", async (bench) => {
  const { id } = bench;
  const seen: string[] = [];
  const take = (operation: string) => ({ input }: FlowEvent) =>
    seen.push(`${operation} ${input.subject}`.replaceAll(`${id}.`, ""));
  const operations = ["*.b", "a.*", "a.b", "x.y.>"];
  const { connector } = await bench.make(
    bench.stream(),
    Object.fromEntries(operations.map((operation) => [`${id}.${operation}`, take(operation)])),
  );
  for (const subject of ["a.b", "a.c", "c.b", "c.d", "x.y.z"]) {
    await connector.write(request(`${id}.${subject}`, {}));
  }
  // The one without a flow may be counted before the last one has come.
  await until("all", () => connector.counts().acked >= 4 && seen.includes("x.y.> x.y.z"));
  assert.deepEqual(seen.toSorted(), [
    "*.b a.b",
    "*.b c.b",
    "a.* a.b",
    "a.* a.c",
    "a.b a.b",
    "x.y.> x.y.z",
  ]);
  // The server refuses filters that overlap.
  assert.deepEqual(filters(await bench.consumer(), bench), ["*.*", "x.y.>"]);
});

await bench("other operations change the consumer, which goes on where it was", async (bench) => {
  const { id } = bench;
  const seen: string[] = [];
  const versions: readonly (readonly string[])[] = [["a", "b"], ["b"], ["b", "c"], [">"]];
  let former: Made | undefined;
  for (const [n, operations] of versions.entries()) {
    if (former !== undefined) await bench.close(former);
    const run = ({ input }: FlowEvent) => seen.push(`${n}: ${input.subject}`.replace(`${id}.`, ""));
    former = await bench.make(
      bench.stream(),
      Object.fromEntries(operations.map((operation) => [`${id}.${operation}`, run])),
    );
    assert.deepEqual(filters(await bench.consumer(), bench), operations);
    await former.connector.write(request(`${id}.b`, {}));
    await until("its event", () => seen.includes(`${n}: b`));
  }
  assert.deepEqual(seen, ["0: b", "1: b", "2: b", "3: b"]);
});

await bench("a second message with the same id is dropped by the stream", async (bench) => {
  const { id } = bench;
  const { connector } = await bench.make(bench.stream());
  const write = async (message_id: string | undefined, payload: number) =>
    await connector.write({ ...request(`${id}.a`, payload), options: { message_id } });
  await write("one", 1);
  await write("one", 2);
  await write("two", 3);
  await write(undefined, 4);
  await write(undefined, 5);
  assert.deepEqual((await bench.kept()).map((message) => message.json()), [1, 3, 4, 5]);
  assert.equal(connector.counts().published, 5);
});

await bench(
  "a stream or consumer that an operator deletes is made again, and nothing is lost",
  async (bench) => {
    const { id, manager } = bench;
    const seen = new Map<number, number>();
    const made = await bench.make(bench.stream(), {
      [`${id}.*`]: ({ payload }) => seen.set(Number(payload), (seen.get(Number(payload)) ?? 0) + 1),
    });
    const publish = async (from: number) => {
      for (let n = from; n < from + 10; n++) {
        const written = async () => await made.connector.write(request(`${id}.a`, n));
        // A stream that is away takes nothing, and says so.
        await until(`${n}`, () => written().then(() => true, () => false));
      }
      await until("all of them", () => seen.size === from + 10);
    };
    await publish(0);
    await manager.consumers.delete(id, id);
    await publish(10);
    await manager.streams.delete(id);
    await publish(20);
    assert.equal(made.connector.health(), undefined);
    // A new stream has what was published since; a new consumer of the old one begins before its end.
    assert.ok([...seen].every(([n, times]) => times === 1 || n < 20), JSON.stringify([...seen]));
    // So does a connector that only publishes.
    const sender = await bench.make({ stream: { name: `${id}-out`, subjects: [`${id}-out`] } });
    await manager.streams.delete(`${id}-out`);
    await assert.rejects(async () => await sender.connector.write(request(`${id}-out`, 1)));
    const again = async () => await sender.connector.write(request(`${id}-out`, 1));
    await until("its stream", () => again().then(() => true, () => false));
    const warnings = made.log.filter(([level]) => level === "warn").map(([, text]) => text);
    assert.deepEqual(warnings.map((text) => text.replaceAll(id, "ID")), [
      "the consumer ID of the stream ID is gone; makes it again",
      "the stream ID is gone; makes it again",
      "the consumer ID of the stream ID is gone; makes it again",
    ]);
  },
);

await bench("an existing stream gets what is written, and keeps the rest", async (bench) => {
  const { id, manager } = bench;
  await manager.streams.add({ name: id, subjects: [`${id}.a`], max_bytes: 5000, max_msgs: 7 });
  const { log } = await bench.make(bench.stream({}, { max_age: 60_000 }));
  const { subjects, max_age, duplicate_window, max_bytes, max_msgs } = await bench.config();
  assert.deepEqual(
    { subjects, max_age, duplicate_window, max_bytes, max_msgs },
    {
      subjects: [`${id}.>`],
      max_age: 60e9,
      duplicate_window: 60e9,
      max_bytes: 5000,
      max_msgs: 7,
    },
  );
  assert.deepEqual(log.map(([, text]) => text.replace(id, "ID")), [
    "changed subjects, max_age, duplicate_window of the stream ID",
  ]);
  // What is not written stays.
  await bench.make({ stream: { name: id } });
  assert.deepEqual((await bench.config()).max_age, 60e9);
});

await bench("what the server refuses ends the start and is named", async (bench) => {
  const { id, manager } = bench;
  const other = `${id}-other`;
  await manager.streams.add({ name: other, subjects: [`${id}.taken.>`] });
  await manager.streams.add({ name: id, subjects: [`${id}.a`, `${id}.b`] });
  await assert.rejects(
    bench.make(bench.stream()),
    refused(/the stream "\S+" has other properties, and cannot be changed: subjects overlap/),
  );
  const stream = { name: id, subjects: [`${id}.a`, `${id}.b`] };
  const flows = { [`${id}.a`]: () => {} };
  await manager.consumers.add(id, { durable_name: "pushed", deliver_subject: `${id}-x` });
  await assert.rejects(
    bench.make({ stream, queue: { name: "pushed" } }, flows),
    refused(/the consumer "pushed" pushes its messages; name another queue, or delete it/),
  );
  await manager.consumers.add(id, { durable_name: "none", ack_policy: AckPolicy.None });
  await assert.rejects(
    bench.make({ stream, queue: { name: "none" } }, flows),
    refused(/the consumer "none" has the ack policy "none"; name another queue, or delete it/),
  );
});

await bench(
  "a reader of dead letters waits for the stream, which the other connector makes",
  async (bench) => {
    const { id } = bench;
    const seen: unknown[] = [];
    const queue = { name: "readers" };
    const { connector: reader, log } = await bench.make(
      { stream: { name: `${id}_DLQ` }, queue },
      { [`${id}-dead`]: ({ input }) => seen.push(input.headers) },
    );
    const missing = `the stream "${id}_DLQ" does not exist; write its subjects, and it is made`;
    const words = `failed to declare what it needs in JetStream: ${missing}`;
    assert.equal(reader.health(), words);
    assert.equal(log.length, 0, "another connector that starts at the same time is no news");
    await until("its name in the log", () => log.some(([, text]) => text === words));
    const { connector } = await bench.make(bench.stream({ ...bench.dlq({ max_retries: 0 }) }), {
      [`${id}.a`]: () => {
        throw failure();
      },
    });
    await until("it is ready", () => reader.health() === undefined);
    await connector.write(request(`${id}.a`, 1));
    await until("the dead letter", () => seen.length === 1);
    assert.equal(log.filter(([level]) => level === "warn").length, 1);
    assert.ok(log.some(([, text]) => text === "has what it needs in JetStream"));
  },
);

await bench(
  "two instances share a consumer; one without flows makes no consumer",
  async (bench) => {
    const { id, manager } = bench;
    const seen: string[] = [];
    const make = (name: string) =>
      bench.make(bench.stream({ prefetch: 1 }), {
        [`${id}.a`]: async ({ payload }) => {
          await new Promise((resolve) => setTimeout(resolve, 2));
          seen.push(`${name} ${payload}`);
        },
      });
    const sender = await bench.make(bench.stream());
    await assert.rejects(manager.consumers.info(id, id));
    const [one, two] = await Promise.all(["one", "two"].map(make));
    const numbers = Array.from({ length: 40 }, (_, n) => n);
    await Promise.all(numbers.map((n) => sender.connector.write(request(`${id}.a`, n))));
    await until("all", () => seen.length === 40);
    assert.deepEqual(new Set(seen.map((line) => Number(line.slice(4)))).size, 40);
    assert.ok([one, two].every(({ connector }) => connector.counts().acked > 5));
  },
);

await bench("check --connect looks at JetStream, and changes nothing", async (bench) => {
  const { id, manager } = bench;
  const { connector } = await bench.make();
  assert.match(await connector.probe([], []), /^the broker \S+ answers$/);
  const probe = async (options: Readonly<Record<string, unknown>>) => {
    const made = await bench.unstarted({ ...bench.stream(), ...options });
    const found: unknown[] = [];
    const report = (problem: { readonly message: string }) =>
      found.push(problem.message.replaceAll(id, "ID"));
    const requests = [`${id}.a`, "nobody.takes.it", undefined]
      .map((target) => ({
        operation: undefined,
        target,
        options: {},
        fields: undefined,
        named: [],
        report,
      }));
    const sources = [`${id}.a`, `x.${id}`, undefined].map((operation) => ({ operation, report }));
    const said = await made.connector.probe(requests, sources);
    return [said.replaceAll(id, "ID").replace(/^.* answers/, ""), ...found];
  };
  const wrong = [
    'has "x.ID", which is not a subject of the stream "ID"',
    'has the target "nobody.takes.it", which no stream takes',
  ];
  assert.deepEqual(await probe({}), ["; the stream ID will be made", ...wrong]);
  // What the stream will have is not known.
  const [absent, ...unknown] = await probe({ stream: { name: id } });
  assert.match(String(absent), /^; the stream ID does not exist; it is not ready before/);
  assert.deepEqual(unknown, []);
  await assert.rejects(manager.streams.info(id));
  await manager.streams.add({ name: id, subjects: [`${id}.a`] });
  assert.deepEqual(await probe({}), ["; the stream ID has 0 messages", ...wrong]);
  assert.deepEqual((await bench.config()).subjects, [`${id}.a`]);
});

/** What the documentation says that a connector needs, as lists of the server. */
function permissions(page: string): string {
  const [, publish, subscribe] = /^publish = \[([^\]]+)\]\nsubscribe = \[([^\]]+)\]$/m.exec(page) ??
    [];
  const user = `user: weir, password: ${JSON.stringify(PASSWORD)}`;
  const rules = `publish: { allow: [${publish}] }, subscribe: { allow: [${subscribe}] }`;
  // Somebody else may look.
  return `authorization { users: [{ ${user}, permissions: { ${rules} } }, { user: peer, password: p }] }`;
}

await serviceTest(
  "nats-server",
  "a stream and its dead letters need the permissions of the documentation alone",
  async () => {
    const page = await readFile(new URL("../../docs/nats.md", import.meta.url), "utf8");
    await withServer(NatsServer.open({ settings: [permissions(page)] }), async ({ url }) => {
      const dlq = { subject: "dead.jobs", max_retries: 1, retry_delay: 10 };
      const options = {
        ...{ driver: "nats", url: [url], user: "weir", password: PASSWORD },
        ...{ queue: { name: "workers" }, consumer: { prefetch: 2, dlq } },
      };
      const stream = { name: "JOBS", subjects: ["jobs.>"] };
      // One filter, several, another stream, none: each is another request.
      const rounds = [["jobs.mail"], ["jobs.mail", "jobs.other"], undefined];
      for (const [n, operations] of rounds.entries()) {
        const changed = { ...stream, max_age: 60_000 + n };
        const { connector } = await makeMq({ ...options, stream: changed });
        for (const operation of operations ?? [undefined]) {
          connector.subscribe(
            operation,
            flow(() => {
              throw failure();
            }),
          );
        }
        try {
          await connector.start();
          await connector.consume();
          await connector.write(request("jobs.mail", n));
          await until("the dead letter", () => connector.counts().dead_lettered === 1);
          assert.equal(connector.health(), undefined);
          await connector.stop();
        } finally {
          await connector.close();
        }
      }
    });
  },
);
