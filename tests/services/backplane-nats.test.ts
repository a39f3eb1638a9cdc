/** NATS as a backplane: the contract suite on this machine's server, and faults on one of its own. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, nanos } from "@nats-io/transport-node";
import { testBackplane } from "../../src/testing/mod.ts";
import { drivers } from "../../src/connectors/mq/drivers/mod.ts";
import { BackplaneSubjects } from "../../src/connectors/mq/drivers/nats/backplane/subjects.ts";
import { found } from "../../src/connectors/mq/drivers/nats/topology.ts";
import type { MqOptions } from "../../src/connectors/mq/options.ts";
import { until } from "../support/mq.ts";
import { NatsServer, SHARED_NATS } from "../support/nats.ts";
import { Proxy } from "../support/proxy.ts";
import { service, serviceTest } from "../support/services.ts";
import { pause } from "../support/socket-probe.ts";
import { refusal, refusedOpen, type Where, withInstances } from "./backplane-support.ts";

const shared = await service("nats");
if (shared.ok) {
  const proxy = await Proxy.open(4222);
  const { backplane } = drivers.nats;
  const services = new Set<string>();
  testBackplane({
    test: (name, run) => void test(name, run),
    name: "NATS",
    create: async (context) => {
      services.add(context.service);
      const options = { host: "127.0.0.1", port: proxy.port } as MqOptions;
      return (await backplane!.load()).createBackplane(options, context);
    },
    outage: {
      stop: () => {
        proxy.refuse();
        proxy.cut();
      },
      start: () => proxy.accept(),
    },
    patience: 8000,
  });
  after(async () => {
    proxy.close();
    await removeKeys(services);
  });
} else {
  test.skip(`NATS as a backplane (${shared.reason})`, () => undefined);
}

/** Removes the streams of keys. */
async function removeKeys(services: Iterable<string>): Promise<void> {
  const client = await connect({ servers: SHARED_NATS });
  const { streams } = await jetstreamManager(client);
  for (const service of services) {
    await found(streams.delete(new BackplaneSubjects(service).stream));
  }
  await client.close();
}

/** The service that the user `narrow` may link. */
const ALLOWED = "weir-test-allowed";

/** Users of accounts with JetStream and without it. */
const ACCOUNTS = `accounts {
  full {
    jetstream: enabled
    users: [
      { user: "weir", password: "good" }
      { user: "narrow", password: "good", permissions: {
        publish: "weir.${ALLOWED}.>", subscribe: "weir.${ALLOWED}.>"
      } }
    ]
  }
  plain { users: [{ user: "plain", password: "good" }] }
}`;

let opening: Promise<NatsServer> | undefined;
const own = (): Promise<NatsServer> =>
  opening ??= NatsServer.open({ settings: [ACCOUNTS, "max_payload: 65536"] });
after(async () => await (await opening)?.end());

/** Registers a test with a server of this file's own. */
async function onOwn(name: string, run: (server: NatsServer) => Promise<void>): Promise<void> {
  await serviceTest("nats-server", `NATS: ${name}`, async () => {
    const server = await own();
    await server.ensure();
    await run(server);
  });
}

function at(port: number, user = "weir", password = "good"): Where {
  return { driver: "nats", host: "127.0.0.1", port, user, password };
}

await onOwn("wrong credentials end a start", async ({ port }) => {
  await withInstances(async (instances) => {
    const message = await refusedOpen(await instances.make(at(port, "weir", "wrong")));
    assert.match(message, /refuses the credentials/);
    assert.doesNotMatch(message, /wrong/);
  });
});

await onOwn("a user without the rights to the subjects ends a start", async ({ port }) => {
  await withInstances(async (instances) => {
    const message = await refusedOpen(await instances.make(at(port, "narrow")));
    assert.match(message, /needs the permissions publish = \["weir\.weir-test-\w+\.>"\]/);
  });
});

await onOwn("the rights that it names are enough; keys say what else they need", async (server) => {
  await withInstances(async (instances) => {
    const one = await instances.join(at(server.port, "narrow"));
    await one.backplane.subscribe(["room"]);
    await one.publish("room", "heard");
    await one.hears("room", "heard");
    const error = await refusal(one.backplane.keys!.add("key", "value", 1000));
    assert.match(error.message, /let the server have JetStream and its user the rights to it/);
  }, ALLOWED);
});

await onOwn("keys without JetStream say what to do, and messages pass", async ({ port }) => {
  await withInstances(async (instances) => {
    const one = await instances.join(at(port, "plain"));
    for (
      const call of [() => one.backplane.keys!.get("k"), () => one.backplane.keys!.remove("k", "")]
    ) {
      const error = await refusal(call());
      assert.match(error.message, /JetStream is not enabled.*or name a store for dedupe/);
      assert.equal(error.unknown, false);
    }
    // A flow whose keys are in a database needs none of the broker's.
    assert.equal(one.backplane.keys?.missing, true);
    await one.backplane.subscribe(["room"]);
    await one.publish("room", "heard");
    await one.hears("room", "heard");
  });
});

await onOwn("a stream of keys that an operator deletes is made anew", async ({ port }) => {
  await withInstances(async (instances) => {
    const one = await instances.join(at(port));
    const keys = one.backplane.keys!;
    const client = await connect({ servers: `127.0.0.1:${port}`, user: "weir", pass: "good" });
    const { streams } = await jetstreamManager(client);
    for (const again of [() => keys.get("key"), () => keys.add("key", "new", 60_000)]) {
      await keys.add("key", "value", 60_000);
      await streams.delete(new BackplaneSubjects(instances.service).stream);
      assert.equal(await again(), undefined);
    }
    assert.equal(await keys.get("key"), "new");
    await client.close();
  });
});

await onOwn("keys last longer than the stream was made for", async ({ port }) => {
  await withInstances(async (instances) => {
    const one = await instances.join(at(port));
    await one.backplane.keys!.add("short", "value", 1000);
    await one.backplane.keys!.add("long", "value", 86_400_000);
    const client = await connect({ servers: `127.0.0.1:${port}`, user: "weir", pass: "good" });
    const { streams } = await jetstreamManager(client);
    const { config } = await streams.info(new BackplaneSubjects(instances.service).stream);
    assert.equal(config.max_age, nanos(86_460_000));
    await client.close();
  });
});

await onOwn("messages larger than max_payload arrive whole and in order", async ({ port }) => {
  await withInstances(async (instances) => {
    const [one, two, three] = [
      await instances.join(at(port)),
      await instances.join(at(port)),
      await instances.join(at(port)),
    ];
    await three.backplane.subscribe(["large", "other"]);
    const large = (seed: number) =>
      Uint8Array.from({ length: 1_500_000 }, (_, i) => (i * seed + (i >> 8)) % 251);
    await Promise.all([
      one.publish("large", "before"),
      one.publish("large", large(3)),
      one.publish("other", large(5)),
      two.publish("large", large(7)),
      one.publish("large", "after"),
    ]);
    await three.hears("large", "after");
    while (three.heard.length < 5) await pause(10);
    const found = three.heard.map(([topic, { length }]) => `${topic} ${length}`);
    assert.deepEqual(found.filter((text) => text !== "large 1500000").sort(), [
      "large 5",
      "large 6",
      "other 1500000",
    ]);
    const bytes = three.heard.filter(([, { length }]) => length === 1_500_000);
    for (const seed of [3, 5, 7]) {
      const same = bytes.filter(([, message]) => message[1] === seed);
      assert.deepEqual(same.map(([, message]) => message), [large(seed)]);
    }
    const error = await refusal(one.publish("large", new Uint8Array(17 * 2 ** 20)));
    assert.match(error.message, /a message has 17825792 bytes/);
    assert.equal(error.unknown, false);
  });
});

await onOwn(
  "a server that stalls is found, and what was not confirmed is unknown",
  async (server) => {
    const proxy = await Proxy.open(server.port);
    try {
      await withInstances(async (instances) => {
        const one = await instances.join(at(proxy.port));
        const two = await instances.join(at(server.port));
        await one.backplane.subscribe(["room"]);
        proxy.stall();
        const began = performance.now();
        const errors = await Promise.all([
          refusal(one.publish("room", "lost")),
          refusal(one.backplane.subscribe(["other"])),
        ]);
        assert.deepEqual(errors.map(({ unknown }) => unknown), [true, true]);
        await one.disconnected();
        assert.ok(performance.now() - began < 6000, "the stall is found late");
        assert.equal((await refusal(one.publish("room", "never"))).unknown, false);
        await pause(Math.max(0, 10_000 - (performance.now() - began)));
        proxy.resume();
        await one.connected();
        await two.publish("other", "not subscribed");
        await two.publish("room", "back");
        await one.hears("room", "back");
        assert.deepEqual(one.texts("other"), []);
        assert.equal(one.states.length, 3);
      });
    } finally {
      proxy.close();
    }
  },
);

await onOwn("close() ends an open() that waits for an answer", async (server) => {
  const proxy = await Proxy.open(server.port);
  proxy.stall();
  try {
    await withInstances(async (instances) => {
      const one = await instances.make(at(proxy.port));
      const opening = one.open();
      await until("a connection", () => proxy.connections > 0);
      await one.backplane.close();
      await opening;
      proxy.resume();
      assert.deepEqual([one.states, one.log], [[], []]);
    });
  } finally {
    proxy.close();
  }
});

await onOwn("after a SIGKILL and a restart all subscriptions are in force", async (server) => {
  await withInstances(async (instances) => {
    const all = [await instances.join(at(server.port)), await instances.join(at(server.port))];
    const topics = Array.from({ length: 3000 }, (_, i) => `room ${i}`);
    await all[0].backplane.subscribe(topics);
    await all[1].backplane.keys!.add("key", "value", 60_000);
    for (const end of [() => server.kill(), () => server.stop()]) {
      await end();
      for (const one of all) await one.disconnected();
      assert.equal((await refusal(all[1].publish("room 0", "lost"))).unknown, false);
      await server.start();
      for (const one of all) await one.connected();
      const text = crypto.randomUUID();
      await Promise.all(topics.map((topic) => all[1].publish(topic, text)));
      for (const topic of topics) await all[0].hears(topic, text);
      assert.equal(await all[0].backplane.keys!.get("key"), "value");
    }
  });
});
