/** What is NATS' own: subjects, queue groups, headers, sizes, dead letters of a queue group. */
import assert from "node:assert/strict";
import { headers } from "@nats-io/transport-node";
import { ConnectorError } from "../../src/base/errors.ts";
import { failure, request, until } from "../support/mq.ts";
import { NatsServer } from "../support/nats.ts";
import { withServer } from "../support/own-server.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import { bench, withBench } from "./nats-support.ts";

await bench("a bare client and a connector hear each other, headers included", async (bench) => {
  const { id, client } = bench;
  const inputs: Readonly<Record<string, unknown>>[] = [];
  const { connector } = await bench.make({}, { [`${id}.in.*`]: ({ input }) => inputs.push(input) });
  const given = headers();
  given.append("one", "1");
  given.append("two", "a");
  given.append("two", "b");
  given.append("__proto__", "p");
  client.publish(`${id}.in.a`, '{"n":1,"subject":"mine"}', { headers: given, reply: "nobody" });
  client.publish(`${id}.in.b`, "no JSON");
  client.publish(`${id}.in.c`);
  client.publish(`${id}.in.d`, "[1]");
  await until("both messages", () => inputs.length === 2 && connector.counts().discarded === 2);
  const [first, second] = inputs;
  assert.equal(first.subject, `${id}.in.a`);
  assert.deepEqual(first.body, { n: 1, subject: "mine" });
  assert.deepEqual(Object.entries(first.headers as object), [
    ["one", "1"],
    ["two", ["a", "b"]],
    ["__proto__", "p"],
  ]);
  assert.deepEqual([second.body, second.headers], [[1], {}]);

  const heard: unknown[] = [];
  client.subscribe(`${id}.out`, {
    callback: (_, message) =>
      void heard.push([message.string(), [...message.headers ?? []], message.reply]),
  });
  await client.flush();
  const given2 = { a: "x", n: 1.5, yes: true, none: null, many: ["1", 2] };
  await connector.write(request(`${id}.out`, { text: "é\ud83d\ude00" }, given2));
  await connector.write({ ...request(`${id}.out`, null), options: { message_id: "7" } });
  await until("both", () => heard.length === 2);
  assert.deepEqual(heard, [
    [
      '{"text":"é😀"}',
      [["a", ["x"]], ["n", ["1.5"]], ["yes", ["true"]], ["many", ["1", "2"]]],
      "",
    ],
    ["null", [["Nats-Msg-Id", ["7"]]], ""],
  ]);
});

await bench("what the protocol cannot carry is a permanent error", async (bench) => {
  const { connector } = await bench.make();
  const bad: readonly (readonly [string, Record<string, unknown>?])[] = [
    ["a b"],
    ["a.*"],
    ["a.>"],
    ["a..b"],
    [""],
    ["a\r\nPUB b 0"],
    [bench.id, { "a b": "x" }],
    [bench.id, { "a:b": "x" }],
    [bench.id, { "": "x" }],
    [bench.id, { a: "x\r\ny" }],
    [bench.id, { a: "é" }],
    [bench.id, { a: { b: 1 } }],
    [bench.id, { a: [["x"]] }],
  ];
  for (const [target, headers] of bad) {
    await assert.rejects(
      async () => await connector.write(request(target, {}, headers)),
      (error) => error instanceof ConnectorError && error.permanent,
      JSON.stringify([target, headers]),
    );
  }
  assert.equal(connector.counts().published, 0);
});

await bench(
  "a flow without an operation gets all subjects but those of NATS itself",
  async (bench) => {
    const { id, client, manager } = bench;
    const seen: unknown[] = [];
    const keep = ({ input }: { input: Readonly<Record<string, unknown>> }) => {
      const subject = String(input.subject);
      if (subject.includes(id) || /^[_$]/.test(subject)) seen.push(subject);
    };
    await bench.make({}, { ">": keep });
    await bench.make({ queue: { name: id } }, { "*.>": keep });
    client.subscribe(`${id}.asks`, { callback: (_, message) => void message.respond("1") });
    await client.request(`${id}.asks`, "2");
    await manager.getAccountInfo();
    client.publish(`${id}.last`, "3");
    await until("the last", () => seen.filter((subject) => subject === `${id}.last`).length === 2);
    assert.deepEqual(
      seen.toSorted(),
      [`asks`, `asks`, `last`, `last`].map((name) => `${id}.${name}`),
    );
  },
);

await bench(
  "a queue group shares messages, and each of them goes to all flows of one instance",
  async (bench) => {
    const { id } = bench;
    const seen: string[] = [];
    const flows = (name: string) =>
      Object.fromEntries(
        [`${id}.*.b`, `${id}.a.*`, `${id}.a.b`].map((operation) => [
          operation,
          ({ operation: key }: { operation: string }) =>
            seen.push(`${name} ${operation} ${key}`.replaceAll(`${id}.`, "")),
        ]),
      );
    const options = { queue: { name: `${id}.group` } };
    const one = await bench.make(options, flows("one"));
    const two = await bench.make(options, flows("two"));
    for (let n = 0; n < 20; n++) await one.connector.write(request(`${id}.a.b`, n));
    await one.connector.write(request(`${id}.c.b`, 0));
    // The covering pattern matches it, and no flow does.
    await one.connector.write(request(`${id}.c.d`, 0));
    const consumed = () => one.connector.counts().consumed + two.connector.counts().consumed;
    await until("all", () => consumed() === 22);
    const all = seen.map((line) => line.slice(4));
    for (const operation of ["*.b", "a.*", "a.b"]) {
      assert.equal(all.filter((line) => line === `${operation} a.b`).length, 20, operation);
    }
    assert.equal(seen.length, 61);
    assert.deepEqual([one, two].map(({ connector }) => connector.counts().consumed > 0), [
      true,
      true,
    ]);
  },
);

await bench(
  "an instance of a queue group that stops handles what is on its way to it",
  async (bench) => {
    const { id, client } = bench;
    const seen = new Set<unknown>();
    const make = () =>
      bench.make({ queue: { name: id } }, { [`${id}.a`]: ({ payload }) => seen.add(payload) });
    const [one] = await Promise.all([make(), make()]);
    for (let n = 0; n < 2000; n++) {
      client.publish(`${id}.a`, String(n));
      if (n === 1000) void bench.close(one);
      if (n % 100 === 0) await client.flush();
    }
    await until("all", () => seen.size === 2000);
  },
);

await bench("dead letters of a queue group are kept in a stream of their own", async (bench) => {
  const { id, client } = bench;
  const { connector } = await bench.make(
    { queue: { name: `${id}.group` }, consumer: { prefetch: 10, ...bench.dlq() } },
    {
      [`${id}.a`]: () => {
        throw failure();
      },
    },
  );
  client.publish(`${id}.a`, '{"n":1}');
  await until("the dead letter", () => connector.counts().dead_lettered === 1);
  const name = `${id}_group_DLQ`.replaceAll(".", "_");
  const [letter] = await bench.kept(name);
  assert.equal(letter.subject, `${id}-dead`);
  assert.deepEqual(letter.json(), { n: 1 });
  assert.equal(letter.header.get("x-weir-routing-key"), `${id}.a`);
  assert.equal(letter.header.get("x-weir-retries"), "1");
});

await serviceTest(
  "nats-server",
  "a message that is too large for the server is a permanent error",
  () =>
    withServer(
      NatsServer.open({ settings: ["max_payload: 1024"] }),
      ({ url }) =>
        withBench(url, async (bench) => {
          const { id } = bench;
          const core = await bench.make();
          const stream = await bench.make(bench.stream());
          for (const { connector } of [core, stream]) {
            await connector.write(request(`${id}.a`, "x".repeat(900)));
            const large: readonly (readonly [string, Record<string, unknown>?])[] = [
              ["x".repeat(1023)],
              ["x".repeat(900), { h: "y".repeat(200) }],
            ];
            for (const [body, headers] of large) {
              await assert.rejects(
                async () => await connector.write(request(`${id}.a`, body, headers)),
                (error) =>
                  error instanceof ConnectorError && error.permanent &&
                  /it has more than the 1024 bytes that the broker takes/.test(error.message),
              );
            }
            assert.equal(connector.counts().published, 1);
          }
        }),
    ),
);

await bench("what is published has arrived, however often the connection is cut", async (bench) => {
  const { id, client } = bench;
  const heard = new Set<number>();
  client.subscribe(`${id}.n`, {
    callback: (_, message) => void heard.add(message.json<{ n: number }>().n),
  });
  await client.flush();
  const proxy = await Proxy.open(4222);
  try {
    const { connector } = await bench.make({ url: [`nats://127.0.0.1:${proxy.port}`] });
    const arrived: number[] = [];
    let failed = 0;
    let n = 0;
    for (let cut = 0; cut < 4; cut++) {
      await until("the connection", () => connector.health() === undefined);
      const sent: Promise<void>[] = [];
      // Before the cut, in its turn, and while the connector does not know of it yet.
      for (let turn = 0; turn < 30; turn++) {
        const one = ++n;
        if (turn === 10) await sent[0];
        const written = (async () => await connector.write(request(`${id}.n`, { n: one })))();
        sent.push(written.then(() => void arrived.push(one), () => void failed++));
        if (turn === 15) proxy.cut();
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      await Promise.all(sent);
    }
    await client.flush();
    await until("all messages", () => arrived.every((one) => heard.has(one)));
    assert.ok(arrived.length > 0 && failed > 0, `${arrived.length} arrived, ${failed} failed`);
  } finally {
    proxy.close();
  }
});
