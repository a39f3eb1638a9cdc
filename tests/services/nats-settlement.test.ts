/** JetStream: how messages are settled, redelivered and buried. */
import assert from "node:assert/strict";
import { jetstream } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { failure, flow, request, until } from "../support/mq.ts";
import { Proxy } from "../support/proxy.ts";
import { SHARED_NATS } from "../support/nats.ts";
import { type Bench, bench } from "./nats-support.ts";

const fails = () => {
  throw failure();
};

/** What the server says of its consumer. */
async function standing({ id, manager }: Bench) {
  const { num_ack_pending, num_pending } = await manager.consumers.info(id, id);
  return { inHand: num_ack_pending, waiting: num_pending };
}

await bench(
  "a dead letter has what the message had, and why; it means nothing to its stream",
  async (bench) => {
    const { id, client } = bench;
    const options = bench.stream(bench.dlq({ max_retries: 0 }));
    const { connector } = await bench.make(options, { [`${id}.*`]: fails });
    const given = headers();
    given.append("Nats-Msg-Id", "seven");
    given.append("Nats-Expected-Stream", id);
    given.append("trace", "t");
    given.append("trace", "u");
    given.append("x-weir-reason", "forged");
    for (let n = 0; n < 2; n++) {
      // The second one is dropped by the stream, not by that of the dead letters.
      await jetstream(client).publish(`${id}.a`, `{"n":${n}}`, { headers: given });
    }
    client.publish(`${id}.b`, "no JSON");
    await until("the dead letters", () => connector.counts().dead_lettered === 2);
    const letters = await bench.kept(`${id}_DLQ`);
    assert.deepEqual(letters.map((letter) => letter.string()), ['{"n":0}', "no JSON"]);
    const [{ header, subject }, second] = letters;
    assert.equal(subject, `${id}-dead`);
    assert.deepEqual(
      [...header].map(([name, values]) => [name, name.endsWith("time") ? "" : values.join()])
        .filter(([name]) => name !== "Nats-Msg-Id"),
      [
        ["x-weir-message-id", "seven"],
        ["trace", "t,u"],
        ["x-weir-routing-key", `${id}.a`],
        ["x-weir-reason", 'flow_failed: flow "test" failed (ref 0badc0de)'],
        ["x-weir-flow", "test"],
        ["x-weir-retries", "0"],
        ["x-weir-time", ""],
      ],
    );
    assert.match(header.get("x-weir-time"), /^\d{4}-\d\d-\d\dT\S+Z$/);
    assert.equal(second.header.get("x-weir-reason"), "its body is not JSON");
    await until("the acks", async () => (await standing(bench)).inHand === 0);
  },
);

await bench(
  "queues of one stream share the stream of dead letters, or use one that is there",
  async (bench) => {
    const { id, manager } = bench;
    await manager.streams.add({ name: `${id}-kept`, subjects: [`${id}-kept.*`] });
    const make = (queue: string, subject?: string) =>
      bench.make({
        ...bench.stream(bench.dlq({ max_retries: 0, subject })),
        queue: { name: `${id}-${queue}` },
      }, { [`${id}.a`]: fails });
    const made = [
      await make("one"),
      await make("two"),
      await make("three", `${id}-kept.dead`),
      await make("four", `${id}.dead`),
    ];
    await made[0].connector.write(request(`${id}.a`, 1));
    const buried = () => made.every(({ connector }) => connector.counts().dead_lettered === 1);
    await until("all four", buried);
    const subjects = async (name: string) =>
      (await bench.kept(name)).map(({ subject }) => subject.replace(id, "")).toSorted();
    assert.deepEqual(await subjects(`${id}_DLQ`), ["-one.dlq", "-two.dlq"]);
    assert.deepEqual(await subjects(`${id}-kept`), ["-kept.dead"]);
    assert.deepEqual(await subjects(id), [".a", ".dead"]);
    // An operator has deleted it.
    await manager.streams.delete(`${id}_DLQ`);
    await made[0].connector.write(request(`${id}.a`, 2));
    await until(
      "the second",
      () => made.every(({ connector }) => connector.counts().dead_lettered === 2),
    );
    assert.deepEqual(await subjects(`${id}_DLQ`), ["-one.dlq", "-two.dlq"]);
  },
);

await bench(
  "a dead letter whose headers do not fit any more is kept without them",
  async (bench) => {
    const { id, client } = bench;
    const options = bench.stream(bench.dlq({ max_retries: 0 }));
    const { connector, log } = await bench.make(options, { [`${id}.a`]: fails });
    const given = headers();
    const most = client.info?.max_payload ?? 0;
    given.append("h", "x".repeat(1000));
    const body = JSON.stringify("y".repeat(most - 1100));
    await jetstream(client).publish(`${id}.a`, body, { headers: given });
    await until("the dead letter", () => connector.counts().dead_lettered === 1);
    const [letter] = await bench.kept(`${id}_DLQ`);
    assert.deepEqual([letter.string() === body, letter.header.has("h")], [true, false]);
    assert.ok(log.some(([, text]) => /; left out: its headers$/.test(text)));
  },
);

await bench(
  "a message that ends the process each time becomes a dead letter without another try",
  async (bench) => {
    const { id, client, manager } = bench;
    const options = bench.stream(bench.dlq());
    const { connector: former } = await bench.make(options, { [`${id}.a`]: () => {} });
    await former.stop();
    await jetstream(client).publish(`${id}.a`, "1");
    // Deliveries that nobody settles, as those of a process that ends; the server counts them.
    const consumer = await jetstream(client).consumers.get(id, id);
    const allowed = 1 + 5;
    for (let n = 0; n <= allowed; n++) (await consumer.next())?.nak();
    let ran = 0;
    const { connector, log } = await bench.make(options, { [`${id}.a`]: () => ran++ });
    await until("the dead letter", () => connector.counts().dead_lettered === 1);
    assert.equal(ran, 0);
    assert.ok(log.some(([, text]) => /it was delivered 8 times, and not settled$/.test(text)));
    assert.equal((await manager.streams.info(`${id}_DLQ`)).state.messages, 1);
  },
);

await bench(
  "no process has more in hand than prefetch, and says that it works on it",
  async (bench) => {
    const { id, client } = bench;
    const working: string[] = [];
    client.subscribe(`$JS.ACK.${id}.>`, {
      callback: (_, message) => void working.push(message.string()),
    });
    let begun = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { connector } = await bench.make(bench.stream({ prefetch: 3 }), {
      [`${id}.a`]: async () => {
        begun++;
        await promise;
      },
    });
    for (let n = 0; n < 10; n++) await connector.write(request(`${id}.a`, n));
    await until("three flows", () => begun === 3);
    assert.deepEqual(await standing(bench), { inHand: 3, waiting: 7 });
    // Before the server would deliver them again.
    await until("a word", () => working.length >= 3);
    assert.deepEqual([begun, ...new Set(working)], [3, "+WPI"]);
    resolve();
    await until("all", async () => {
      const { inHand, waiting } = await standing(bench);
      return inHand + waiting === 0;
    });
    assert.deepEqual([begun, connector.counts().acked], [10, 10]);
  },
);

await bench("what ends while the connection is away is acked when it is back", async (bench) => {
  const { id } = bench;
  const proxy = await Proxy.open(4222);
  try {
    let begun = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { connector } = await bench.make(
      { ...bench.stream(), url: [SHARED_NATS.replace("4222", String(proxy.port))] },
      {
        [`${id}.a`]: async () => {
          begun++;
          await promise;
        },
      },
    );
    for (let n = 0; n < 5; n++) await connector.write(request(`${id}.a`, n));
    await until("the flows", () => begun === 5);
    proxy.refuse();
    proxy.cut();
    await until("the loss", () => connector.health() !== undefined);
    resolve();
    await until("the acks", () => connector.counts().acked === 5);
    assert.equal((await standing(bench)).inHand, 5);
    await proxy.accept();
    await until("the server has them", async () => (await standing(bench)).inHand === 0);
    await connector.write(request(`${id}.a`, 5));
    await until("the next", () => connector.counts().acked === 6);
    assert.equal(begun, 6);
  } finally {
    proxy.close();
  }
});

await bench("a connector that stops finishes what it has, and leaves the rest", async (bench) => {
  const { id } = bench;
  const seen: unknown[] = [];
  const make = () =>
    bench.make(bench.stream({ prefetch: 4 }), {
      [`${id}.a`]: async ({ payload }) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        seen.push(payload);
      },
    });
  const first = await make();
  await Promise.all(
    Array.from({ length: 30 }, (_, n) => first.connector.write(request(`${id}.a`, n))),
  );
  await until("some", () => seen.length > 5);
  await bench.close(first);
  assert.ok(seen.length < 30);
  // Nothing waits until the server delivers it again, which would be after ten seconds. It reads
  // what was sent last a moment later.
  await until("nothing in hand", async () => (await standing(bench)).inHand === 0, 3000);
  const second = await make();
  await until("the others", () => seen.length === 30);
  assert.equal(new Set(seen).size, 30);
  assert.equal(first.connector.counts().acked + second.connector.counts().acked, 30);
});

await bench(
  "a connector that replaces another one changes nothing for it before it starts",
  async (bench) => {
    const { id } = bench;
    const seen: string[] = [];
    const former = await bench.make(bench.stream(), { [`${id}.a`]: () => seen.push("former") });
    const next = await bench.unstarted(bench.stream());
    next.connector.subscribe(`${id}.>`, flow(() => seen.push("next")));
    await next.connector.prepare();
    assert.equal((await bench.consumer()).filter_subject, `${id}.a`);
    await former.connector.write(request(`${id}.a`, 1));
    await until("the first", () => seen.length === 1);
    await bench.close(former);
    await next.connector.start();
    await next.connector.consume();
    await next.connector.write(request(`${id}.b`, 2));
    await until("the second", () => seen.length === 2);
    assert.deepEqual(seen, ["former", "next"]);
    assert.deepEqual(next.log.map(([level]) => level), ["info"]);
  },
);
