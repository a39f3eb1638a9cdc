/** Redis as a backplane: the rules of the contract, and faults of a server of the test's own. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { backplaneTests } from "../../src/testing/mod.ts";
import { backplaneError, Linked, makeBackplane } from "../support/backplane.ts";
import { until } from "../support/mq.ts";
import { PASSWORD } from "../support/own-server.ts";
import { Proxy } from "../support/proxy.ts";
import { MASTER, RedisSentinel } from "../support/redis-sentinel.ts";
import { RedisServer, SHARED, withRedis } from "../support/redis.ts";
import { serviceTest } from "../support/services.ts";

/** A proxy before the Redis of this machine. */
const shared = await Proxy.open(Number(new URL(SHARED).port));
after(() => shared.close());

const rules = backplaneTests({
  name: "redis",
  create: (context) =>
    makeBackplane({ driver: "redis", url: [`redis://127.0.0.1:${shared.port}`] }, context),
  outage: {
    stop() {
      shared.refuse();
      shared.cut();
    },
    start: () => shared.accept(),
  },
});
for (const { rule, title, run } of rules) {
  await serviceTest("redis", `redis: ${rule}: ${title}`, async () => {
    assert.equal(await run(), undefined);
  });
}

/** A service whose name means something to Redis. */
const SERVICE = "shop: *[a]";
const COMMANDS = "+ping +publish +subscribe +unsubscribe";
const users = {
  linked: `on >${PASSWORD} &weir:shop%3A%20%2A%5Ba%5D:* ~weir:shop%3A%20%2A%5Ba%5D:k:* ` +
    `${COMMANDS} +get +set +del +eval`,
  keeping: `on >${PASSWORD} &weir:shop%3A%20%2A%5Ba%5D:* ~weir:shop%3A%20%2A%5Ba%5D:h:* ` +
    `${COMMANDS} +info +eval +hget +hset +del +xadd +xlen +xrange +zscore +zadd ` +
    "+zremrangebyscore +pexpire",
  keyless: `on >${PASSWORD} &weir:shop%3A%20%2A%5Ba%5D:* ${COMMANDS}`,
  other: `on >${PASSWORD} &weir:other:* ~weir:other:* +@all`,
  mute: `on >${PASSWORD} allchannels +ping +subscribe +unsubscribe`,
  clinging: `on >${PASSWORD} allchannels +ping +publish +subscribe`,
  lifeless: `on >${PASSWORD} allchannels +publish +subscribe +unsubscribe`,
};

/** The server of all tests, and the proxy before it. */
let place: Promise<readonly [RedisServer, Proxy]> | undefined;
after(async () => {
  const [server, proxy] = await place ?? [];
  proxy?.close();
  await server?.end();
});

/** A test with instances of one service on the server, and a proxy before it. */
async function faultTest(
  name: string,
  run: (bench: {
    readonly server: RedisServer;
    readonly proxy: Proxy;
    /** An instance that is open. */
    join(username?: string, password?: string): Promise<Linked>;
    /** Asks the server as its operator. */
    ask(...command: string[]): Promise<unknown>;
  }) => Promise<void>,
): Promise<void> {
  await serviceTest("redis-server", name, async () => {
    place ??= RedisServer.open({ password: PASSWORD, users }).then(async (server) =>
      [server, await Proxy.open(server.port)] as const
    );
    const [server, proxy] = await place;
    const made: Linked[] = [];
    const secret = encodeURIComponent(PASSWORD);
    try {
      await run({
        server,
        proxy,
        async join(username = "linked", password = PASSWORD) {
          const address = { host: "127.0.0.1", port: proxy.port, username, password };
          const linked = await Linked.make({ driver: "redis", ...address }, SERVICE);
          made.push(linked);
          await linked.open();
          return linked;
        },
        ask: (...command) =>
          withRedis(
            `redis://:${secret}@127.0.0.1:${server.port}`,
            (client) => client.sendCommand(command),
          ),
      });
    } finally {
      for (const { backplane } of made) await backplane.close();
      proxy.resume();
      await proxy.accept();
      await server.ensure();
    }
  });
}

await faultTest("the rights of the docs are enough, whatever the name", async ({ join }) => {
  const [one, two] = [await join(), await join()];
  await two.backplane.subscribe(["room:*"]);
  await one.publish("room:*", "hello");
  await two.hears("room:*", "hello");
  two.backplane.unsubscribe(["room:*"]);
  const { keys } = one.backplane;
  assert.equal(await keys?.add("k", "v", 1_000), undefined);
  assert.equal(await keys?.replace("k", "v", "w", 1_000), true);
  assert.equal(await keys?.get("k"), "w");
  await keys?.remove("k", "w");
  assert.equal(await keys?.get("k"), undefined);
});

const KEEP = { size: 3, ttl: 60_000 };
const encoder = new TextEncoder();

await faultTest(
  "the rights of the docs are enough for history, and it tells which",
  async (bench) => {
    const [one, bare] = [await bench.join("keeping"), await bench.join("keyless")];
    const messages = [{ message: encoder.encode("a"), id: "x" }];
    const { history } = one.backplane;
    const appended = await history?.append("r/*{}", messages, KEEP);
    assert.deepEqual(appended?.offsets, [1]);
    assert.deepEqual((await history?.append("r/*{}", messages, KEEP))?.offsets, [undefined]);
    const read = await history?.read("r/*{}", KEEP, 9);
    assert.deepEqual(read?.messages?.map((bytes) => new TextDecoder().decode(bytes)), ["a"]);
    for (
      const refused of [
        bare.backplane.history?.append("r", messages, KEEP),
        bare.backplane.history?.read("r", KEEP, 0),
      ]
    ) {
      const { message } = await backplaneError(Promise.resolve(refused));
      assert.match(
        message,
        /NOPERM .*; for the history of rooms grant .*: ACL SETUSER keyless ~weir:.*:h:\* \+info/,
      );
    }
  },
);

await faultTest(
  "history goes on in another epoch at a server with another run_id",
  async (bench) => {
    const { server, proxy, join, ask } = bench;
    const one = await join("keeping");
    const messages = [{ message: encoder.encode("a") }, { message: encoder.encode("b") }];
    const history = () => {
      assert.ok(one.backplane.history !== undefined);
      return one.backplane.history;
    };
    const { epoch } = await history().append("r", messages, KEEP);
    const info = String(await ask("INFO", "server"));
    assert.ok(epoch.startsWith(`${/run_id:(\w+)/.exec(info)?.[1]}-`), epoch);
    // A server whose data outlive it, as after a failover: only its run_id is another one.
    const [state] = await ask("KEYS", "*h:{r}:s") as readonly string[];
    await ask("HSET", state, "e", `${"0".repeat(40)}-old`);
    const later = await history().append("r", [{ message: encoder.encode("c") }], KEEP);
    assert.notEqual(later.epoch, epoch);
    assert.deepEqual(later.offsets, [3]);
    const old = { epoch: `${"0".repeat(40)}-old`, offset: 2 };
    assert.equal((await history().read("r", KEEP, old)).messages, undefined);
    assert.equal((await history().read("r", KEEP, 9)).messages?.length, 3);
    // A state that was evicted takes all with it.
    await ask("DEL", state);
    const fresh = await history().read("r", KEEP, 9);
    assert.deepEqual([fresh.newest.offset, fresh.messages], [0, []]);
    assert.notEqual(fresh.newest.epoch, later.epoch);
    // While it stalls, an append fails within two seconds, and may have been done.
    proxy.stall();
    const began = performance.now();
    const { unknown } = await backplaneError(history().append("r", messages, KEEP));
    assert.equal(unknown, true);
    assert.ok(performance.now() - began < 4_000);
    proxy.resume();
    await server.restart();
    await until("up again", () => one.ups > 1);
    const anew = await history().append("r", messages, KEEP);
    assert.notEqual(anew.epoch, fresh.newest.epoch);
  },
);

await faultTest("who may not connect, publish or listen is told at the start", async ({ join }) => {
  const rights =
    /the backplane 127\.0\.0\.1:\d+ refuses: NOPERM .*; grant .*: ACL SETUSER \w+ &weir:shop%3A%20%2A%5Ba%5D:\* \+ping/;
  const table: readonly (readonly [Parameters<typeof join>, RegExp])[] = [
    [["linked", "wrong"], /refuses: WRONGPASS .*[^.]; check its user and its password$/],
    [["nobody"], /refuses: WRONGPASS .*[^.]; check its user and its password$/],
    [["other"], rights],
    [["mute"], rights],
    [["clinging"], rights],
    [["lifeless"], rights],
  ];
  for (const [user, expected] of table) {
    await assert.rejects(join(...user), (error) => {
      assert.ok(error instanceof ConnectorError && error.permanent, String(error));
      assert.match(error.message, expected);
      assert.ok(!error.message.includes(PASSWORD));
      return true;
    });
  }
});

await faultTest("who may use no keys links instances, and each use fails", async ({ join }) => {
  const { backplane } = await join("keyless");
  const error = await backplaneError(backplane.keys?.get("k") ?? Promise.resolve());
  assert.match(error.message, /^NOPERM .*: ACL SETUSER keyless ~weir:\S*:k:\* \+get/);
  // A flow whose keys are in a database needs none of the broker's.
  assert.equal(backplane.keys?.missing, true);
  assert.equal(error.unknown, false);
});

await faultTest("a cut is a down and an up, and is logged once", async ({ join, proxy }) => {
  const [one, two] = [await join(), await join()];
  for (const { backplane } of [one, two]) await backplane.subscribe(["a"]);
  proxy.refuse();
  proxy.cut();
  await Promise.all([one.down(), two.down()]);
  const error = await backplaneError(one.publish("a", "lost"));
  assert.equal(error.unknown, false);
  assert.match(error.message, /^the backplane 127\.0\.0\.1:\d+ is away: /);
  assert.equal(one.backplane.health(), error.message);
  await proxy.accept();
  await Promise.all([one.up(2), two.up(2)]);
  await one.publish("a", "back");
  await Promise.all([one.hears("a", "back"), two.hears("a", "back")]);
  assert.deepEqual(two.heard, ["a: back"]);
  const told = one.log.filter(({ level }) => level !== "debug").map(({ text }) => text);
  assert.equal(told.length, 2, told.join("\n"));
  assert.match(told[0], /^the backplane 127\.0\.0\.1:\d+ is away; reconnecting: /);
  assert.match(told[1], /^the backplane 127\.0\.0\.1:\d+ is back$/);
});

await faultTest(
  "a stall is found, and what was sent into it is unknown",
  async ({ join, proxy }) => {
    const [one, two] = [await join(), await join()];
    await two.backplane.subscribe(["a"]);
    proxy.stall();
    const [published, subscribed, kept] = await Promise.all([
      backplaneError(one.publish("a", "stalled")),
      backplaneError(two.backplane.subscribe(["b"])),
      backplaneError(one.backplane.keys?.get("k") ?? Promise.resolve()),
    ]);
    for (const error of [published, subscribed, kept]) {
      assert.match(error.message, /^no answer came within 2 s$/);
      assert.equal(error.unknown, true);
    }
    await Promise.all([one.down(), two.down()]);
    assert.match(String(one.backplane.health()), /has not answered within/);
    proxy.resume();
    await Promise.all([one.up(2), two.up(2)]);
    for (const topic of ["b", "a"]) await one.publish(topic, "again");
    await two.hears("a", "again");
    assert.ok(!two.heard.includes("b: again"), "a subscription that failed is in force");
  },
);

await faultTest("a restart and a kill are outlived", async ({ join, server }) => {
  const [one, two] = [await join(), await join()];
  await two.backplane.subscribe(["a"]);
  for (const [times, end] of [[2, () => server.stop()], [3, () => server.kill()]] as const) {
    await end();
    await Promise.all([one.down(), two.down()]);
    await server.start();
    await Promise.all([one.up(times), two.up(times)]);
    await one.publish("a", `time ${times}`);
    await two.hears("a", `time ${times}`);
  }
});

await faultTest("a listener that the server throws out comes back", async ({ join, ask }) => {
  const one = await join();
  await one.backplane.subscribe(["a"]);
  await ask("CLIENT", "KILL", "TYPE", "pubsub");
  await one.up(2);
  await one.publish("a", "back");
  await one.hears("a", "back");
});

await faultTest("a listener that is too slow is thrown out", async ({ join, proxy, ask }) => {
  const [one, two] = [await join(), await join()];
  await one.backplane.subscribe(["a"]);
  await ask("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
  try {
    proxy.stall();
    const seen = until("the end of its connection", async () => {
      await ask("PUBLISH", "weir:shop%3A%20%2A%5Ba%5D:t:a", "x".repeat(1_000_000));
      return await ask("PUBSUB", "NUMSUB", "weir:shop%3A%20%2A%5Ba%5D:t:a")
        .then((counts) => (counts as unknown[])[1] === 0);
    });
    await Promise.all([seen, one.down(), two.down()]);
  } finally {
    await ask("CONFIG", "SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60");
  }
  proxy.resume();
  await Promise.all([one.up(2), two.up(2)]);
  // A large one passes.
  await two.backplane.publish("a", new Uint8Array(4_000_000).fill(65));
  await until("the large message", () => one.heard.some(({ length }) => length === 4_000_003));
});

await faultTest("keys that the server refuses to store fail at once", async ({ join, ask }) => {
  const { backplane: { keys } } = await join();
  assert.ok(keys !== undefined);
  await ask("CONFIG", "SET", "maxmemory", "1");
  try {
    const error = await backplaneError(keys.add("k", "v", 1_000));
    assert.match(error.message, /^OOM/);
    assert.equal(error.unknown, false);
  } finally {
    await ask("CONFIG", "SET", "maxmemory", "0");
  }
  await ask("REPLICAOF", "127.0.0.1", "1");
  try {
    const error = await backplaneError(keys.add("k", "v", 1_000));
    assert.match(error.message, /^READONLY/);
    assert.equal(error.unknown, false);
  } finally {
    await ask("REPLICAOF", "NO", "ONE");
  }
});

await faultTest("close ends what is on its way", async ({ join, proxy }) => {
  const one = await join();
  proxy.stall();
  const publishing = backplaneError(one.publish("a", "late"));
  await one.backplane.close();
  assert.equal((await publishing).unknown, true);
  assert.deepEqual(one.calls, ["up"]);
});

await serviceTest("redis-server", "instances follow Sentinels to another master", async () => {
  const group = await RedisSentinel.open();
  const made: Linked[] = [];
  try {
    for (let count = 0; count < 2; count++) {
      const url = [`redis://127.0.0.1:${group.port}`];
      const linked = await Linked.make({ driver: "redis", url, sentinel: MASTER }, SERVICE);
      made.push(linked);
      await linked.open();
      await linked.backplane.subscribe(["a"]);
    }
    await group.failOver();
    for (const linked of made) await linked.up(2);
    // Both have left the former master when it is gone.
    const master = await group.master();
    for (const server of group.servers) if (server !== master) await server.stop();
    const [one, two] = made;
    await one.publish("a", "after");
    await Promise.all([one.hears("a", "after"), two.hears("a", "after")]);
    assert.equal(await one.backplane.keys?.add("k", "v", 1_000), undefined);
  } finally {
    for (const { backplane } of made) await backplane.close();
    await group.end();
  }
});

test("a backplane that was never open says so", async () => {
  const { backplane } = await Linked.make({ driver: "redis", host: "127.0.0.1", port: 1 }, "shop");
  assert.equal(backplane.health(), "the backplane is not open");
  await backplane.close();
});
