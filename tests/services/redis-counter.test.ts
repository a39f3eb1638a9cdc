/** A plugin of a stranger's, on a real Redis: run by the command, and held to the contract. */
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { runtime } from "../faults/stage.ts";
import { until } from "../support/mq.ts";
import { openStage, root, type Stage } from "../support/process.ts";
import {
  type CounterNames,
  openRedis,
  type RedisClient,
  RedisServer,
  SHARED,
  withNames,
  withRedis,
} from "../support/redis.ts";
import { service, serviceTest } from "../support/services.ts";
import { openCrowd } from "../support/team.ts";
import { WebClient } from "../support/web-client.ts";
import { childrenOf, gone } from "../support/workers.ts";
import { readConfigFiles, testConfig, testConnector } from "../../src/testing/mod.ts";

const folder = join(root, "tests/fixtures/redis-counter");

/** A test with the command, whose counters are removed afterwards. */
async function commandTest(
  name: string,
  run: (stage: Stage, names: CounterNames) => Promise<void>,
): Promise<void> {
  await serviceTest("redis", `counter: ${name}, on ${runtime}`, () =>
    withNames(async (names) => {
      const stage = await openStage(runtime);
      try {
        await run(stage, names);
        stage.assertSound();
      } finally {
        await stage.end();
      }
    }));
}

await commandTest("check, check --connect and test", async (stage, { env }) => {
  const good = "good: 2 connectors, 3 flows, 5 tests\n";
  const checked = await stage.weir(["check", folder], { env });
  assert.deepEqual([checked.code, checked.stdout, checked.stderr], [0, good, ""]);
  const probed = await stage.weir(["check", "--connect", folder], { env });
  assert.deepEqual([probed.code, probed.stdout, probed.stderr], [
    0,
    `connector "counters": 127.0.0.1:6379 answers\n${good}`,
    "",
  ]);
  // Nothing listens there, and the tests need nothing.
  const away = { env: { ...env, REDIS_URL: "redis://127.0.0.1:1" } };
  const refused = await stage.weir(["check", "--connect", folder], away);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /connector "counters": .*ECONNREFUSED/);
  const tested = await stage.weir(["test", folder], away);
  assert.deepEqual([tested.code, tested.stderr], [0, ""]);
  assert.match(tested.stdout, /\n5 tests, all passed\n$/);
});

await commandTest("what can never work is no start", async (stage, { env }) => {
  const wrong = { ...env, REDIS_URL: "redis://nobody:wrong@127.0.0.1" };
  const refused = await stage.weir(["run", folder], { env: wrong });
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /connector "counters": WRONGPASS /);
  assert.doesNotMatch(refused.stderr, /nobody|wrong@/);
  const alone = { ...env, REDIS_URL: "memory:" };
  const unshared = await stage.weir(["run", folder, "--workers", "2"], { env: alone });
  assert.equal(unshared.code, 3, unshared.stderr);
  assert.match(unshared.stderr, /connector "counters".*each worker would have its own counters/);
});

await commandTest("two clients count, and see what others count", async (stage, names) => {
  const weir = await stage.run([folder], { env: names.env });
  const [ada, bob] = [
    await WebClient.open(weir.addresses[0]),
    await WebClient.open(weir.addresses[0]),
  ];
  const count = (client: WebClient, by?: number) =>
    client.request({ type: "message", data: { counter: "visits", by } });
  assert.deepEqual((await count(ada)).data, { value: 1 });
  assert.deepEqual((await count(bob, 5)).data, { value: 6 });
  for (const client of [ada, bob]) {
    assert.deepEqual(await client.message(), { name: "visits", value: 1, amount: 1 });
    assert.deepEqual(await client.message(), { name: "visits", value: 6, amount: 5 });
  }
  const change = { name: "orders", value: 40, amount: 2 };
  await withRedis(SHARED, async (redis) => {
    assert.equal(await redis.get(`${names.prefix}visits`), "6");
    await redis.set(`${names.prefix}orders`, "40");
    await redis.publish(names.channel, "not a change");
    await redis.publish(names.channel, JSON.stringify(change));
  });
  for (const client of [ada, bob]) assert.deepEqual(await client.message(), change);
  const answer = await ada.request({ type: "ask", data: { counter: "orders" } });
  assert.deepEqual(answer.data, { value: 40 });
  const failure = await ada.request({
    type: "message",
    data: { counter: "visits", by: Number.MAX_SAFE_INTEGER },
  });
  assert.equal(failure.code, "flow_failed");
  assert.deepEqual((await ada.request({ type: "ask", data: { counter: "visits" } })).data, {
    value: 6,
  });
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0);
  assert.match(weir.stderr, /discarded a message of weir-test-\S+ that is not a change/);
  assert.match(weir.stderr, /connector "counters": .* beyond 2\^53/);
});

await commandTest(
  "the clients of two workers see each change once",
  async (stage, { env, channel }) => {
    const weir = await stage.run([folder, "--workers", "2"], { env, leader: true });
    const { clients } = await openCrowd({ weir }, 8);
    for (const client of clients) {
      client.say({ type: "message", id: "n", data: { counter: "visits" } });
    }
    const values = clients.map((_, index) => index + 1);
    const acked = await Promise.all(clients.map(async (client) => {
      const heard = await client.hearMany(clients.length + 1);
      const changes = heard.filter(({ type }) => type === "message").map(({ data }) => data);
      assert.deepEqual(changes, values.map((value) => ({ name: "visits", value, amount: 1 })));
      const [{ data }] = heard.filter(({ type }) => type === "ack");
      return (data as { readonly value: number }).value;
    }));
    assert.deepEqual(acked.sort((a, b) => a - b), values);
    // The next change is the next message of everybody, so nobody got one twice.
    const next = { name: "orders", value: 7, amount: 7 };
    await withRedis(SHARED, (redis) => redis.publish(channel, JSON.stringify(next)));
    for (const client of clients) {
      assert.deepEqual(await client.hear(), { type: "message", data: next });
    }
    weir.signal("SIGINT");
    assert.equal((await weir.ended()).code, 0);
  },
);

await commandTest("another worker subscribes when one is gone", async (stage, names) => {
  const weir = await stage.run([folder, "--workers", "2"], { env: names.env, leader: true });
  const change = { name: "orders", value: 7, amount: 7 };
  await withRedis(SHARED, async (redis) => {
    // The oldest worker subscribes. Of the first two it can be either, so two are killed in turn.
    for (let round = 0; round < 2; round++) {
      const [oldest] = await childrenOf(weir.pid);
      process.kill(oldest, "SIGKILL");
      await gone(oldest);
      let client: WebClient | undefined;
      // A thread of a killed process can hold its port for a moment, and resets who connects there.
      const connect = async (): Promise<void> => {
        const opened = await WebClient.open(weir.addresses[0]).catch(() => undefined);
        client = opened;
        void opened?.closed.then(() => client === opened && (client = undefined));
      };
      // What is published before the other worker subscribes reaches nobody.
      await until("a change is heard", async () => {
        if (client === undefined) await connect();
        await redis.publish(names.channel, JSON.stringify(change));
        return (client?.waiting ?? 0) > 0;
      }, 20_000);
      assert.deepEqual(await client?.message(), change);
      client?.close();
      // The replacement is there before the next one is killed.
      const { clients } = await openCrowd({ weir }, 8);
      for (const one of clients) one.destroy();
    }
  });
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0);
});

if ((await service("redis-server")).ok) {
  const server = await RedisServer.open();
  /** What increments have published, as the payloads that asked for them. */
  const published: unknown[] = [];
  let watcher: RedisClient;
  const watch = async (): Promise<void> => {
    watcher = await openRedis(server.url);
    await watcher.subscribe("changes", (text) => {
      published.push({ by: JSON.parse(text).amount });
    });
  };
  await watch();
  after(async () => {
    watcher.destroy();
    await server.end();
  });

  testConnector({
    test,
    module: new URL("../fixtures/connectors/redis-counter.ts", import.meta.url),
    type: "counter",
    config: `connector "c" {
      type    = "counter"
      url     = "${server.url}"
      channel = "changes"
    }`,
    mistakes: [
      'connector "c" {\n type = "counter"\n url = "localhost:6379"\n}',
      'connector "c" {\n type = "counter"\n channel = ""\n}',
    ],
    destination: {
      to: 'operation = "increment"\n target = "visits"\n amount = "input.by"',
      payload: { by: 2 },
      received: () => published,
      values: [{ by: 1 }, { by: -7 }, { by: 0 }, { by: 2 ** 50 }],
      refused: { payload: { by: "many" } },
    },
    source: {
      operation: "changed",
      payload: { name: "visits", value: 3, amount: 1 },
      values: [
        { name: "visits", value: 3, amount: 1 },
        { name: "Zähler 漢字 🙂 \"'\\\n", value: -3, amount: Number.MIN_SAFE_INTEGER },
        { name: "", value: 0, amount: 0 },
      ],
      emit: (payload) =>
        withRedis(server.url, (client) => client.publish("changes", JSON.stringify(payload))),
    },
    outage: {
      stop() {
        watcher.destroy();
        return server.stop();
      },
      async start() {
        await server.start();
        await watch();
      },
    },
  });
} else {
  await serviceTest("redis-server", "counter: keeps the contract", () => {});
}

await testConfig(test, await readConfigFiles(folder));
