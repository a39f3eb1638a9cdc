/** `weir check --connect` tries the rights of a backplane: what is missing, and that nothing is left. */
import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { until } from "../support/mq.ts";
import { NatsServer } from "../support/nats.ts";
import { PASSWORD, withServer } from "../support/own-server.ts";
import { RedisServer, withRedis } from "../support/redis.ts";
import { serviceTest } from "../support/services.ts";
import {
  linkedConfig,
  linksInstances,
  refusesInstances,
  type Uses,
} from "./backplane-check-support.ts";

const SERVICE = "my shop";
const PREFIX = "weir:my%20shop:";
const LINK = `&${PREFIX}* +ping +publish +subscribe +unsubscribe`;
const KEYS = `~${PREFIX}k:* +get +set +del +eval`;
const HISTORY = `~${PREFIX}h:* +info +eval +hget +hset +del +xadd +xlen +xrange +zscore +zadd ` +
  "+zremrangebyscore +pexpire +publish";

await serviceTest("redis-server", "check --connect says which rights Redis lacks", async () => {
  const opening = RedisServer.open({ password: PASSWORD });
  await withServer(opening, async ({ port }) => {
    const secret = encodeURIComponent(PASSWORD);
    const ask = (...command: readonly string[]) =>
      withRedis(`redis://:${secret}@127.0.0.1:${port}`, (client) => client.sendCommand(command));
    const bus = [
      'driver = "redis"',
      'host = "127.0.0.1"',
      `port = ${port}`,
      'username = "weir"',
      `password = ${JSON.stringify(PASSWORD)}`,
    ];
    const all = { dedupe: true, history: true };
    // The rules of a user, what it uses, what is missing, and whether the grant is that of the docs.
    const cases:
      readonly (readonly [rules: string, uses: Uses, RegExp, grants: readonly string[]])[] = [
        ["+ping", {}, /NOPERM .*publish/, [LINK]],
        [`&${PREFIX}* +ping +publish +subscribe`, {}, /NOPERM .*unsubscribe/, [LINK]],
        [`&${PREFIX}* +publish +subscribe +unsubscribe`, {}, /NOPERM .*ping/, [LINK]],
        ["&other:* +ping +publish +subscribe +unsubscribe", {}, /NOPERM .*channel/, [LINK]],
        [LINK, { dedupe: true }, /NOPERM .*, or name a store for dedupe/, [KEYS]],
        [`${LINK} ${KEYS} -del`, { dedupe: true }, /ACL failure in script: .*'del'/i, [KEYS]],
        [LINK, { history: true }, /NOPERM .*; for the history of rooms/, [HISTORY]],
        [`${LINK} ${HISTORY} -xrange`, { history: true }, /ACL failure in script: .*'xrange'/i, [
          HISTORY,
        ]],
        [`${LINK} ${HISTORY} -pexpire`, { history: true }, /'pexpire'/i, [HISTORY]],
        [LINK, all, /NOPERM .*dedupe; NOPERM .*history/, [KEYS, HISTORY]],
      ];
    for (const [rules, uses, expected, grants] of cases) {
      await ask("ACL", "SETUSER", "weir", "reset", "on", `>${PASSWORD}`, "resetchannels");
      await ask("ACL", "SETUSER", "weir", ...rules.split(" "));
      const config = linkedConfig(SERVICE, bus, uses);
      const error = await refusesInstances(config);
      assert.match(error, expected);
      assert.ok(!error.includes(PASSWORD), error);
      // What it says is enough.
      const lines = [...error.matchAll(/ACL (SETUSER weir(?: [&~+][^ ,;]+)+)/g)].map(([, line]) =>
        line
      );
      assert.deepEqual(lines, grants.map((grant) => `SETUSER weir ${grant}`), error);
      for (const line of lines) await ask("ACL", ...line.split(" "));
      await linksInstances(config);
    }
    // What a user may not remove is gone after a second.
    const left = async () => String(await ask("KEYS", "*"));
    await until("the end of all keys", async () => await left() === "");
    assert.deepEqual(await ask("PUBSUB", "CHANNELS"), []);
  });
});

await serviceTest("nats-server", "check --connect says which permissions NATS lacks", async () => {
  const own = "weir.my%20shop.>";
  const api = (...questions: string[]) =>
    questions.map((one) => `$JS.API.STREAM.${one}.weir_my%20shop`);
  const questions = api("INFO", "CREATE", "UPDATE", "MSG.GET", "MSG.DELETE");
  const users: Readonly<Record<string, readonly [publish: string[], subscribe: string[]]>> = {
    mute: [["other.>"], [own]],
    deaf: [[own], ["other.>"]],
    link: [[own], [own]],
    keyless: [["weir.my%20shop.topic.>", "weir.my%20shop.trial.>", ...questions], [
      own,
      "_INBOX.>",
    ]],
    few: [[own, ...api("INFO", "CREATE", "MSG.GET")], [own, "_INBOX.>"]],
    all: [[own, ...questions], [own, "_INBOX.>"]],
  };
  const listed = Object.entries(users).map(([user, [publish, subscribe]]) =>
    `{ user: "${user}", password: "good", permissions: {
      publish: ${JSON.stringify(publish)}, subscribe: ${JSON.stringify(subscribe)}
    } }`
  );
  const settings = [`accounts {
    full {
      jetstream: enabled
      users: [{ user: "admin", password: "good" }, ${listed.join(", ")}]
    }
    plain { users: [{ user: "plain", password: "good" }] }
  }`];
  await withServer(NatsServer.open({ settings }), async ({ port }) => {
    const config = (user: string, uses: Uses = {}) =>
      linkedConfig(SERVICE, [
        'driver = "nats"',
        'host = "127.0.0.1"',
        `port = ${port}`,
        `user = "${user}"`,
        'password = "good"',
      ], uses);
    const link =
      /Violation for (Publish|Subscription) to "weir\.my%20shop\.trial\.\w+"; its user needs the permissions publish = \["weir\.my%20shop\.>"\] and subscribe = \["weir\.my%20shop\.>"\]$/;
    assert.equal(link.exec(await refusesInstances(config("mute")))?.[1], "Publish");
    assert.equal(link.exec(await refusesInstances(config("deaf")))?.[1], "Subscription");
    await linksInstances(config("link"));
    const keys = (needs: string) =>
      `connector "bus": cannot link the instances: for the keys of dedupe its user also needs ` +
      `the permissions ${needs}, or name a store for dedupe`;
    const inbox = 'subscribe = ["_INBOX.>"]';
    const admin = await connect({ servers: `127.0.0.1:${port}`, user: "admin", pass: "good" });
    const { streams } = await jetstreamManager(admin);
    const names = async () => (await streams.list().next()).map(({ config }) => config.name);
    const dedupe = { dedupe: true };
    try {
      assert.equal(
        await refusesInstances(config("link", dedupe)),
        keys(`publish = ${JSON.stringify(questions)} and ${inbox}`),
      );
      assert.equal(
        await refusesInstances(config("few", dedupe)),
        keys(`publish = ${JSON.stringify(api("UPDATE", "MSG.DELETE"))}`),
      );
      assert.equal(
        await refusesInstances(config("keyless", dedupe)),
        keys('publish = ["weir.my%20shop.key.>"]'),
      );
      await linksInstances(config("all", dedupe));
      assert.deepEqual(await names(), []);
      // A stream that is there keeps its settings and what is in it.
      const made = { name: "weir_my%20shop", subjects: ["weir.my%20shop.key.>"], max_age: 0 };
      const before = await streams.add(made);
      await admin.request("weir.my%20shop.key.a", "1 value");
      await linksInstances(config("all", dedupe));
      const after = await streams.info(made.name);
      assert.deepEqual([after.config, after.state.messages], [before.config, 1]);
      assert.match(
        await refusesInstances(config("plain", dedupe)),
        /the keys of dedupe: .*JetStream is not enabled.*; name a store for dedupe$/,
      );
    } finally {
      await admin.close();
    }
  });
});
