/** RabbitMQ as a backplane: the contract suite on this machine's broker, and faults on one of its own. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Connection } from "rabbitmq-client";
import { createRuntime } from "../../src/runtime/mod.ts";
import { testBackplane } from "../../src/testing/mod.ts";
import { drivers } from "../../src/connectors/mq/drivers/mod.ts";
import { exchangeOf } from "../../src/connectors/mq/drivers/rabbitmq/backplane/names.ts";
import type { MqOptions } from "../../src/connectors/mq/options.ts";
import { evaluate } from "../support/erlang.ts";
import { until } from "../support/mq.ts";
import { Proxy } from "../support/proxy.ts";
import { RabbitServer } from "../support/rabbitmq.ts";
import { service, serviceTest } from "../support/services.ts";
import { pause } from "../support/socket-probe.ts";
import { linkedConfig, linksInstances, refusesInstances } from "./backplane-check-support.ts";
import { refusal, refusedOpen, type Where, withInstances } from "./backplane-support.ts";

const shared = await service("rabbitmq");
if (shared.ok) {
  const proxy = await Proxy.open(5672);
  const { backplane } = drivers.rabbitmq;
  const services = new Set<string>();
  testBackplane({
    test: (name, run) => void test(name, run),
    name: "RabbitMQ",
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
    patience: 10_000,
  });
  after(async () => {
    proxy.close();
    const client = new Connection("amqp://guest:guest@127.0.0.1:5672");
    // They stay until the broker ends.
    for (const one of services) await client.exchangeDelete({ exchange: exchangeOf(one) });
    await client.close();
  });
} else {
  test.skip(`RabbitMQ as a backplane (${shared.reason})`, () => undefined);
}

/** The service that the user `narrow` may link. */
const ALLOWED = "weir-test-allowed";
const LARGEST = 65_536;

let opening: Promise<RabbitServer> | undefined;
async function own(): Promise<RabbitServer> {
  const server = await RabbitServer.open({ settings: [`max_message_size = ${LARGEST}`] });
  const pattern = `^weir\\.${ALLOWED}($|\\.)`;
  await server.control("add_user", "narrow", "good");
  await server.control("set_permissions", "narrow", pattern, pattern, pattern);
  return server;
}
after(async () => await (await opening)?.end());

/** Registers a test with a broker of this file's own. */
async function onOwn(name: string, run: (server: RabbitServer) => Promise<void>): Promise<void> {
  await serviceTest("rabbitmq-server", `RabbitMQ: ${name}`, async () => {
    const server = await (opening ??= own());
    await server.ensure();
    await run(server);
  });
}

function at(port: number, username = "guest", password = "guest"): Where {
  return { driver: "rabbitmq", host: "127.0.0.1", port, username, password };
}

await onOwn("wrong credentials end a start", async ({ port }) => {
  await withInstances(async (instances) => {
    const message = await refusedOpen(await instances.make(at(port, "guest", "wrong")));
    assert.match(message, /ACCESS_REFUSED/);
    assert.doesNotMatch(message, /wrong/);
  });
});

await onOwn("a user without the rights to the exchange ends a start", async ({ port }) => {
  await withInstances(async (instances) => {
    const message = await refusedOpen(await instances.make(at(port, "narrow", "good")));
    assert.match(
      message,
      /ACCESS_REFUSED - configure access to exchange 'weir\.weir-test-\w+'.*; its user needs \^weir\\\.weir-test/,
    );
  });
});

await onOwn("rights to the names of the service are enough", async ({ port }) => {
  await withInstances(async (instances) => {
    const one = await instances.join(at(port, "narrow", "good"));
    await one.backplane.subscribe(["room"]);
    await one.publish("room", "heard");
    await one.hears("room", "heard");
  }, ALLOWED);
});

await onOwn("a user without the right to publish ends a start", async (server) => {
  const own = `^weir\\.${ALLOWED}($|\\.)`;
  await server.control("set_permissions", "narrow", own, `^weir\\.${ALLOWED}\\.`, own);
  try {
    await withInstances(async (instances) => {
      const message = await refusedOpen(await instances.make(at(server.port, "narrow", "good")));
      assert.match(message, /ACCESS_REFUSED - write access to exchange/);
    }, ALLOWED);
  } finally {
    await server.control("set_permissions", "narrow", own, own, own);
  }
});

await onOwn("check --connect says which permissions are missing", async (server) => {
  const service = "a.test+shop";
  const own = "^weir\\.a\\.test\\+shop($|\\.)";
  const config = linkedConfig(service, [
    'driver = "rabbitmq"',
    'host = "127.0.0.1"',
    `port = ${server.port}`,
    'username = "narrow"',
    'password = "good"',
  ]);
  const hint = `; its user needs ${own} in its permissions to configure, to write and to read ` +
    "(rabbitmqctl set_permissions)";
  const cases = [
    [["^$", "^$", "^$"], `configure access to exchange 'weir.${service}'`],
    [[own, own, "^$"], `read access to exchange 'weir.${service}'`],
    [[own, "^weir\\.a\\.test\\+shop\\.", own], `write access to exchange 'weir.${service}'`],
  ] as const;
  for (const [permissions, refused] of cases) {
    await server.control("set_permissions", "narrow", ...permissions);
    const error = await refusesInstances(config);
    assert.ok(error.includes(`ACCESS_REFUSED - ${refused}`), error);
    assert.ok(error.endsWith(hint), error);
  }
  await server.control("set_permissions", "narrow", own, own, own);
  await linksInstances(config);
  const left = [
    await server.control("list_exchanges", "name", "--no-table-headers"),
    await server.control("list_queues", "name", "--no-table-headers"),
  ];
  assert.ok(!left.join("\n").includes(`weir.${service}`), left.join("\n"));
  // A start needs no more than these.
  const runtime = await createRuntime(config);
  await runtime.close();
  await linksInstances(config);
});

await onOwn(
  "a message larger than max_message_size is refused, and others pass",
  async (server) => {
    await withInstances(async (instances) => {
      const one = await instances.join(at(server.port));
      await one.backplane.subscribe(["room"]);
      const large = new Uint8Array(LARGEST + 1);
      // What the broker takes at most, it says when it has closed the channel.
      const first = await refusal(one.publish("room", large));
      assert.match(first.message, /larger than configured max size 65536/);
      await one.disconnected();
      await one.connected();
      const second = await refusal(one.publish("room", large));
      assert.match(second.message, /a message has 65537 bytes, and the broker takes 65536/);
      assert.equal(second.unknown, false);
      await one.publish("room", large.subarray(1));
      await until("the message", () => one.heard.length === 1);
      assert.equal(one.states.length, 3);
    });
  },
);

await onOwn(
  "a broker that stalls is found, and what was not confirmed is unknown",
  async (server) => {
    const proxy = await Proxy.open(server.port);
    try {
      await withInstances(async (instances) => {
        const one = await instances.join(at(proxy.port));
        const two = await instances.join(at(server.port));
        await one.backplane.subscribe(["room"]);
        proxy.stall();
        const began = performance.now();
        const lost = refusal(one.publish("room", "lost"));
        await refusal(one.backplane.subscribe(["other"]));
        assert.equal((await lost).unknown, true);
        await one.disconnected();
        assert.ok(performance.now() - began < 8000, "the stall is found late");
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

await onOwn("a broker that takes no messages fails what is published", async (server) => {
  await withInstances(async (instances) => {
    const one = await instances.join(at(server.port));
    await one.backplane.subscribe(["room"]);
    await server.control("set_vm_memory_high_watermark", "0");
    try {
      assert.equal((await refusal(one.publish("room", "waits"))).unknown, true);
      assert.match(one.backplane.health() ?? "", /accepts no messages/);
      assert.equal((await refusal(one.publish("room", "never"))).unknown, false);
      await refusal(one.backplane.subscribe(["other"]));
    } finally {
      await server.control("set_vm_memory_high_watermark", "0.6");
    }
    await until("health", () => one.backplane.health() === undefined);
    await one.publish("room", "heard");
    await one.hears("room", "heard");
    // What was on its way when it began comes late.
    assert.deepEqual(one.texts("room"), ["waits", "heard"]);
    assert.deepEqual(one.states, ["up"]);
  });
});

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
    const topics = Array.from({ length: 500 }, (_, i) => `room ${i}`);
    await all[0].backplane.subscribe(topics);
    await server.kill();
    for (const one of all) await one.disconnected();
    assert.equal((await refusal(all[1].publish("room 0", "lost"))).unknown, false);
    await server.start();
    for (const one of all) await one.connected();
    await Promise.all(topics.map((topic) => all[1].publish(topic, "back")));
    for (const topic of topics) await all[0].hears(topic, "back");
  });
});

await onOwn("a queue that an operator deletes is declared anew", async (server) => {
  await withInstances(async (instances) => {
    const one = await instances.join(at(server.port));
    await one.backplane.subscribe(["room"]);
    const queues = await server.control("list_queues", "name", "--no-table-headers");
    const queue = queues.split("\n").find((name) => name.startsWith(`weir.${instances.service}.`));
    assert.ok(queue !== undefined, queues);
    await evaluate(
      await server.node(),
      `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>)),
      rabbit_amqqueue:delete(Q, false, false, <<"test">>).`,
    );
    await one.disconnected();
    await one.connected();
    await one.publish("room", "heard");
    await one.hears("room", "heard");
    assert.deepEqual(one.texts("room"), ["heard"]);
  });
});
