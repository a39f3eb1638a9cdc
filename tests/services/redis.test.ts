/** What is Redis' own among the brokers: groups, claims, foreign entries, subscriptions. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import type { Buffer } from "node:buffer";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { promisify } from "node:util";
import { ConnectorError } from "../../src/base/errors.ts";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { failure, flow, request, until } from "../support/mq.ts";
import { Proxy } from "../support/proxy.ts";
import { bench } from "./redis-support.ts";

const CLI = "/usr/bin/redis-cli";

/** A way to the Redis of this machine that changes what it says. */
async function openFilter(change: (text: string) => string) {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect({ port: 6379, host: "127.0.0.1" });
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    client.on("close", () => redis.destroy()).on("data", (bytes: Buffer) => redis.write(bytes));
    redis.on("close", () => client.destroy()).on("data", (bytes: Buffer) => {
      client.write(change(bytes.toString("latin1")), "latin1");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

await bench("a channel and a glob deliver once for each, with what they are", async (bench) => {
  const { name } = bench;
  const seen: FlowEvent[] = [];
  const { connector } = await bench.make();
  for (const operation of [`${name}.a`, `${name}.*`]) {
    connector.subscribe(operation, flow((event) => seen.push(event)));
  }
  await connector.start();
  await connector.consume();
  await connector.write(request(`${name}.a`, { id: 7, _channel: "mine" }));
  await until("both", () => seen.length === 2);
  assert.deepEqual(seen.map(({ operation }) => operation).sort(), [`${name}.*`, `${name}.a`]);
  for (const { operation, input } of seen) {
    const _pattern = operation.endsWith("*") ? operation : null;
    const body = { id: 7, _channel: "mine" };
    assert.deepEqual(input, { id: 7, body, _channel: `${name}.a`, _pattern });
  }
});

await bench("entries of others are objects of their fields; headers are texts", async (bench) => {
  const seen: FlowEvent[] = [];
  const { connector } = await bench.consume(bench.streams(), (event) => seen.push(event));
  await bench.add({ sensor: "a", __proto__x: "1", "h.trace": "t" });
  await bench.add({ body: "no json", sensor: "b" });
  await bench.add({ body: "{" });
  await connector.write(request(bench.name, [1], { trace: "t", n: 1, list: [true], none: null }));
  await until("the entries", () => seen.length === 3);
  assert.deepEqual(seen.map(({ payload }) => payload), [
    { sensor: "a", __proto__x: "1" },
    { body: "no json", sensor: "b" },
    [1],
  ]);
  assert.deepEqual(seen.map(({ input }) => input.headers), [
    { trace: "t" },
    {},
    { trace: "t", n: "1", list: "[true]", none: "null" },
  ]);
  assert.match(String(seen[0].input._id), /^\d+-\d+$/);
  assert.equal(seen[0].input._stream, bench.name);
  await until("the ack", async () => await bench.pending() === 0);
  assert.deepEqual([connector.counts().discarded, connector.counts().acked], [1, 3]);
});

await bench("several streams share the places of one connector", async (bench) => {
  const names = ["a", "b", "c"].map((end) => `${bench.name}.${end}`);
  const seen: unknown[] = [];
  let [now, most] = [0, 0];
  const { connector } = await bench.make(bench.streams({ prefetch: 2 }));
  for (const name of names) {
    connector.subscribe(
      name,
      flow(async ({ payload, operation }) => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 1));
        seen.push(`${operation} ${payload}`);
        now--;
      }),
    );
  }
  await connector.start();
  try {
    const all = names.flatMap((name) => [1, 2, 3, 4, 5].map((n) => [name, n] as const));
    for (const [name, n] of all) await connector.write(request(name, n));
    await connector.consume();
    await until("all acks", () => connector.counts().acked === all.length);
    assert.deepEqual(seen.sort(), all.map(([name, n]) => `${name} ${n}`).sort());
    assert.equal(most, 2);
  } finally {
    await bench.client.del(names);
  }
});

await bench("what cannot become a dead letter is kept until it can", async (bench) => {
  const { client, name } = bench;
  const stream = `${name}.dead`;
  await client.set(stream, "no stream");
  const dlq = { max_retries: 0, retry_delay: 1, stream };
  const { connector, log } = await bench.consume(bench.streams({ dlq, claim_after: 600 }), () => {
    throw failure();
  });
  await connector.write(request(name, "poison"));
  await until(
    "the refusal",
    () => log.some(([, text]) => /could not be moved: .*WRONGTYPE/.test(text)),
  );
  await until("the entry", async () => await bench.pending() === 1);
  await client.del(stream);
  await until("the dead letter", () => connector.counts().dead_lettered === 1);
  assert.deepEqual([await client.xLen(stream), await bench.pending()], [1, 0]);
});

await bench("what a dead consumer had in hand is claimed, with its count", async (bench) => {
  const { client, name, group } = bench;
  await client.xGroupCreate(name, group, "0", { MKSTREAM: true });
  const id = await bench.add({ body: '"left"' });
  await client.xReadGroup(group, "dead", { key: name, id: ">" });
  await client.xClaim(name, group, "dead", 0, id, { IDLE: 60_000, RETRYCOUNT: 2 });
  // One that has ended its process again and again.
  const deadly = await bench.add({ body: '"deadly"' });
  await client.xReadGroup(group, "dead", { key: name, id: ">" });
  await client.xClaim(name, group, "dead", 0, deadly, { IDLE: 60_000, RETRYCOUNT: 9 });
  const seen: unknown[] = [];
  const dlq = { max_retries: 3, retry_delay: 1, stream: `${name}.dead` };
  const { connector } = await bench.consume(bench.streams({ dlq }), ({ payload }) => {
    seen.push(payload);
    throw failure();
  });
  await until("the dead letters", () => connector.counts().dead_lettered === 2);
  // Two deliveries before, this process' first is the third: the second retry.
  assert.deepEqual(seen, ["left", "left"]);
  assert.equal(connector.counts().claimed, 2);
  const letters = await client.xRange(`${name}.dead`, "-", "+") ?? [];
  const facts = letters.map(({ message }) =>
    ["body", "h.x-weir-retries", "h.x-weir-reason"].map((field) => message[field])
  ).sort();
  assert.deepEqual(facts[0], ['"deadly"', "9", "it was delivered 10 times, and not settled"]);
  assert.deepEqual(facts[1].slice(0, 2), ['"left"', "3"]);
  assert.equal(await bench.pending(), 0);
});

await bench("what a living one works on is renewed, and not claimed", async (bench) => {
  const runs: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const consume = (name: string) =>
    bench.consume(bench.streams({ claim_after: 1500 }), async () => {
      runs.push(name);
      await promise;
    });
  const made = [await consume("first")];
  await made[0].connector.write(request(bench.name, 1));
  await until("the first run", () => runs.length === 1);
  const began = performance.now();
  made.push(await consume("second"));
  await until("a renewal", async () => {
    const [entry] = await bench.client.xPendingRange(bench.name, bench.group, "-", "+", 1);
    return entry.millisecondsSinceLastDelivery < performance.now() - began - 300;
  });
  resolve();
  await until("the ack", async () => await bench.pending() === 0);
  assert.deepEqual(runs, ["first"]);
  assert.deepEqual(made.map(({ connector }) => connector.counts().claimed), [0, 0]);
});

await bench("a redelivery finds its entry trimmed: it is discarded, and told", async (bench) => {
  const { connector, log } = await bench.consume(
    bench.streams({ dlq: { max_retries: 5, retry_delay: 200 } }),
    () => {
      throw failure();
    },
  );
  await connector.write(request(bench.name, 1));
  await until("the failure", () => connector.counts().retried === 1);
  await bench.client.xTrim(bench.name, "MAXLEN", 0);
  await until("the end", () => connector.counts().discarded === 1);
  assert.match(
    log.at(-1)![1],
    /was discarded: the stream has no such entry any more: it was trimmed/,
  );
});

await bench("a claim finds entries trimmed: they are counted", async (bench) => {
  const { client, name, group } = bench;
  await client.xGroupCreate(name, group, "0", { MKSTREAM: true });
  await bench.add({ body: '"of one that lives"' });
  await client.xReadGroup(group, "living", { key: name, id: ">" });
  for (const n of [1, 2, 3]) await bench.add({ body: String(n) });
  const left = await client.xReadGroup(group, "dead", {
    key: name,
    id: ">",
  }) as unknown as readonly { readonly messages: readonly { readonly id: string }[] }[];
  const ids = left[0].messages.map(({ id }) => id);
  await client.xClaimJustId(name, group, "dead", 0, ids, { IDLE: 60_000 });
  await client.xTrim(name, "MAXLEN", 1);
  const seen: unknown[] = [];
  const { connector } = await bench.consume(bench.streams(), ({ payload }) => seen.push(payload));
  await until("the acks", async () => await bench.pending() === 0);
  assert.deepEqual([seen, connector.counts().discarded], [[3], 2]);
});

await bench("consumers that are gone are removed, others are not", async (bench) => {
  const { client, name, group } = bench;
  await client.xGroupCreate(name, group, "0", { MKSTREAM: true });
  for (const consumer of ["weir:gone", "weir:pending", "foreign"]) {
    await client.xGroupCreateConsumer(name, group, consumer);
  }
  const id = await bench.add({ body: "1" });
  await client.xReadGroup(group, "weir:pending", { key: name, id: ">" });
  const members = async () =>
    (await client.xInfoConsumers(name, group)).map(({ name }) => String(name)).sort();
  await new Promise((resolve) => setTimeout(resolve, 50));
  // It claims nothing, and finds out who is gone.
  await client.xClaimJustId(name, group, "weir:pending", 0, id);
  const { connector } = await bench.consume(bench.streams({ claim_after: 20 }), () => {});
  await until("the claim", () => connector.counts().acked === 1);
  await until("the others to be gone", async () => (await members()).length === 2);
  const [foreign, own] = await members();
  assert.equal(foreign, "foreign");
  assert.match(own, /^weir:[^:]+:\d+:\w{8}$/);
  await connector.stop();
  await connector.drain();
  await connector.close();
  assert.deepEqual(await members(), ["foreign"]);
});

for (const what of ["group", "stream"]) {
  await bench(`a ${what} that an operator deletes is made again, and told`, async (bench) => {
    const seen = new Set<unknown>();
    const { connector, log } = await bench.consume(
      bench.streams(),
      ({ payload }) => seen.add(payload),
    );
    await connector.write(request(bench.name, 1));
    await until("the first", () => seen.size === 1);
    const { client, name, group } = bench;
    await (what === "group" ? client.xGroupDestroy(name, group) : client.del(name));
    await connector.write(request(bench.name, 2));
    await until("the second", () => seen.size === 2);
    await until("the acks", async () => await bench.pending() === 0);
    assert.match(log.map(([, text]) => text).join(), /the group workers of the stream .* was gone/);
    assert.equal(connector.health(), undefined);
  });
}

await bench("a subscriber whose connection is cut 50 times is never deaf", async (bench) => {
  const proxy = await Proxy.open(6379);
  try {
    const heard = new Set<unknown>();
    const made = await bench.consume(
      { host: "127.0.0.1", port: proxy.port },
      ({ payload }) => heard.add(payload),
      `${bench.name}*`,
    );
    for (let n = 1; n <= 50; n++) {
      proxy.cut();
      await until(`${n} to be heard`, async () => {
        await bench.client.publish(bench.name, String(n));
        return heard.has(n);
      });
    }
    const { gaps } = made.connector.counts();
    assert.ok(gaps >= 40 && gaps <= 51, String(gaps));
    const lines = made.log.map(([level, text]) => `${level} ${text.replace(/:.*/, "")}`);
    assert.ok(lines.includes("warn the broker 127.0.0.1"), lines.join("\n"));
    assert.ok(
      lines.some((line) => /^warn listens to its channels again; events .* missing$/.test(line)),
    );
  } finally {
    proxy.close();
  }
});

await bench(
  "a subscription that hears nothing is made again, though its connection lives",
  async (bench) => {
    let deaf = false;
    const { port, close } = await openFilter((text) =>
      deaf
        ? text.replaceAll(/>3\r\n\$7\r\nmessage\r\n\$\d+\r\n[^\r]+\r\n\$\d+\r\n[^\r]*\r\n/g, "")
        : text
    );
    try {
      const heard: unknown[] = [];
      const { connector, log } = await bench.consume(
        { host: "127.0.0.1", port },
        ({ payload }) => heard.push(payload),
      );
      await bench.client.publish(bench.name, "1");
      await until("the first", () => heard.length === 1);
      deaf = true;
      await bench.client.publish(bench.name, "2");
      await until("the loss", () => log.some(([, text]) => text.includes("has not answered")));
      deaf = false;
      await until("the next subscription", () => connector.counts().gaps > 0);
      await bench.client.publish(bench.name, "3");
      await until("the last", () => heard.length > 1);
      assert.deepEqual(heard, [1, 3]);
    } finally {
      close();
    }
  },
);

await bench("what was sent on a connection that was lost comes on the next one", async (bench) => {
  const proxy = await Proxy.open(6379);
  try {
    const seen: unknown[] = [];
    // Nobody would claim it before the test has ended.
    const { connector } = await bench.consume(
      { ...bench.streams({ claim_after: 3_600_000 }), host: "127.0.0.1", port: proxy.port },
      ({ payload }) => seen.push(payload),
    );
    await connector.write(request(bench.name, "before"));
    await until("the first", () => seen.length === 1);
    const cut = proxy.cutWhen({ direction: "to client", sequence: "marker", deliver: false });
    await bench.add({ body: '"marker"' });
    await cut;
    await until("the marker", () => seen.length === 2);
    await until("the ack", async () => await bench.pending() === 0);
    assert.deepEqual(seen, ["before", "marker"]);
  } finally {
    proxy.close();
  }
});

await bench("a publish whose connection dies may have been stored, and fails", async (bench) => {
  const proxy = await Proxy.open(6379);
  try {
    const publisher = { mode: "stream" };
    const { connector } = await bench.make({ host: "127.0.0.1", port: proxy.port, publisher });
    await connector.start();
    void proxy.cutWhen({ direction: "to server", sequence: "stored" });
    await assert.rejects(
      Promise.resolve(connector.write(request(bench.name, "stored"))),
      /^ConnectorError: .*; the message may have been stored$/,
    );
    await until("the entry", async () => await bench.client.xLen(bench.name) === 1);
    await until("the connection", () => connector.health() === undefined);
    await connector.write(request(bench.name, "again"));
    assert.equal(await bench.client.xLen(bench.name), 2);
    // What the server has refused is surely not stored.
    await bench.client.set(`${bench.name}.dead`, "no stream");
    await assert.rejects(
      Promise.resolve(connector.write(request(`${bench.name}.dead`, 1))),
      (error: Error) => /WRONGTYPE/.test(error.message) && !/stored/.test(error.message),
    );
  } finally {
    proxy.close();
  }
});

await bench(
  "a key that is no stream is an error at start, and one of check --connect",
  async (bench) => {
    const { client, name } = bench;
    await client.set(name, "text");
    const { connector } = await bench.make(bench.streams());
    connector.subscribe(name, flow(() => {}));
    await assert.rejects(connector.start(), (error: Error) => {
      assert.match(error.message, /cannot start: WRONGTYPE/);
      return error instanceof ConnectorError && error.permanent;
    });
    const reported: unknown[] = [];
    const report = (problem: unknown) => reported.push(problem);
    const request = {
      operation: undefined,
      target: name,
      options: {},
      fields: undefined,
      named: [],
      report,
    };
    const sources = [name, `${name}.other`].map((operation) => ({ operation, report }));
    const found = await connector.probe([request], sources);
    assert.match(
      found,
      /^the broker 127.0.0.1:6379 answers: \w+ \d+\.\d+\.\d+; the stream "\S+\.other" is not there yet$/,
    );
    const message = `names the key "${name}", which is a string and no stream`;
    assert.deepEqual(reported, [
      { attribute: "operation", message },
      { attribute: "target", message },
    ]);
  },
);

await bench("redis-cli talks to flows, and reads what they publish", async (bench) => {
  const { name } = bench;
  const cli = async (...args: string[]) => (await promisify(execFile)(CLI, args)).stdout.trim();
  const seen: unknown[] = [];
  const channels = await bench.consume({}, ({ payload }) => seen.push(payload), `${name}.*`);
  const streams = await bench.consume(bench.streams(), ({ payload }) => seen.push(payload));
  assert.equal(await cli("PUBLISH", `${name}.cli`, '{"via":"channel"}'), "1");
  await cli("XADD", name, "*", "body", '{"via":"stream"}', "h.from", "cli");
  await cli("XADD", name, "*", "via", "fields");
  await until("all", () => seen.length === 3);
  assert.deepEqual(
    new Set(seen.map((one) => JSON.stringify(one))),
    new Set(
      ["channel", "stream", "fields"].map((via) => JSON.stringify({ via })),
    ),
  );
  await streams.connector.write(request(name, { via: "weir" }, { from: "flow" }));
  await until("the last", () => seen.length === 4);
  const last = (await cli("XREVRANGE", name, "+", "-", "COUNT", "1")).split("\n");
  assert.deepEqual(last.slice(1), ["body", '{"via":"weir"}', "h.from", "flow"]);
  assert.equal(channels.connector.counts().acked, 1);
}, "redis-cli");
