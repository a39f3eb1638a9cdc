/** The broker in memory routes as Redis and NATS do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { natsRouting } from "../../src/connectors/mq/drivers/nats/routing.ts";
import { redisRouting } from "../../src/connectors/mq/drivers/redis/routing.ts";
import type { Delivery } from "../../src/messaging/broker.ts";
import { MemoryBroker, type MemoryRouting } from "../../src/messaging/memory/mod.ts";
import { runConfigTests } from "../../src/testing/config.ts";
import { ManualClock } from "../support/clock.ts";
import { keepingLogger } from "../support/mq.ts";

interface Played {
  readonly routing: MemoryRouting;
  /** The operations of its flows. */
  readonly flows?: readonly (string | undefined)[];
  /** Gives each message up. */
  readonly refuses?: true;
}

type Brokers = Readonly<Record<string, MemoryBroker>>;

/** Makes connectors of one runtime, and what has arrived at them: name, key, and metadata. */
async function play(
  all: Readonly<Record<string, Played>>,
  use: (brokers: Brokers, seen: string[], clock: ManualClock) => void | Promise<void>,
): Promise<void> {
  const [runtime, clock, seen, lost] = [{}, new ManualClock(), [] as string[], [] as string[]];
  const brokers: Record<string, MemoryBroker> = {};
  for (const [name, { routing, flows = [] }] of Object.entries(all)) {
    brokers[name] = new MemoryBroker(routing, {
      ...{ name, clock, runtime, logger: keepingLogger([]), operations: flows },
      consumesHere: () => true,
      lost: (key) => lost.push(key),
      mostRetries: () => 0,
    });
  }
  for (const [name, { refuses }] of Object.entries(all)) {
    await brokers[name].consume((delivery) => {
      seen.push(describe(name, delivery));
      if (refuses) {
        const why = { reason: "no", flows: [], retries: 0, time: 0 };
        return void delivery.deadLetter(why);
      }
      delivery.ack();
    });
  }
  await use(brokers, seen, clock);
  for (const broker of Object.values(brokers)) await broker.close();
  assert.deepEqual(lost, []);
}

function describe(name: string, { content }: Delivery): string {
  if ("reason" in content) throw new Error(content.reason);
  const { key, metadata: { headers: _, ...rest } } = content;
  return [name, key, ...Object.values(rest).map(String)].join(" ");
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

function message(routingKey: string, messageId?: string) {
  return { routingKey, body: "{}", headers: {}, messageId };
}

const redis = (more: Partial<Parameters<typeof redisRouting>[0]> = {}): MemoryRouting =>
  redisRouting({
    ...{ address: "a", database: 0, longestKey: 512, prefetch: 10, mode: "channel" },
    ...{ group: undefined, deadLetterStream: undefined },
    ...more,
  });
const nats = (more: Partial<Parameters<typeof natsRouting>[0]> = {}): MemoryRouting =>
  natsRouting({
    ...{ address: "a", longestKey: 512, prefetch: 10, queue: undefined, stream: undefined },
    ...{ deadLetterSubject: undefined },
    ...more,
  });

test("Redis: a channel reaches each subscription by itself, on every instance", async () => {
  await play({
    a: { routing: redis(), flows: ["news.art", "news.*", "news.*", undefined, "n?ws.[a-b]rt"] },
    b: { routing: redis({ database: 1 }), flows: ["news.art"] },
    streams: { routing: redis({ group: "g", mode: "stream" }), flows: ["news.art"] },
    elsewhere: { routing: redis({ address: "b" }), flows: [undefined] },
  }, async ({ a }, seen) => {
    a.publish(message("news.art"));
    await turn();
    assert.deepEqual(seen.sort(), [
      "a * news.art *",
      "a n?ws.[a-b]rt news.art n?ws.[a-b]rt",
      "a news.* news.art news.*",
      "a news.art news.art null",
      "b news.art news.art null",
    ]);
  });
});

test("Redis: an entry of a stream goes to each group once, and what one leaves is for the others", async () => {
  const group = (group: string, database = 0) => redis({ group, database, mode: "stream" });
  await play({
    a: { routing: group("g"), flows: ["jobs", "mail"] },
    b: { routing: group("g"), flows: ["jobs"] },
    other: { routing: group("h"), flows: ["jobs"] },
    database: { routing: group("g", 1), flows: ["jobs"] },
    sender: { routing: redis({ mode: "stream" }) },
  }, async ({ a, sender }, seen) => {
    sender.publish(message("jobs"));
    sender.publish(message("mail"));
    await turn();
    const time = Date.parse("2026-01-01T00:00:00Z");
    assert.deepEqual(
      seen.sort().map((one) => one.replace(/^[ab] jobs/, "one jobs")),
      [
        `a mail mail ${time}-1`,
        `one jobs jobs ${time}-0`,
        `other jobs jobs ${time}-0`,
      ].sort((x, y) => x < y ? -1 : 1),
    );
    seen.length = 0;
    sender.publish(message("jobs"));
    await a.close();
    await turn();
    assert.deepEqual(seen.map((one) => one.slice(0, 6)).sort(), ["b jobs", "other "]);
  });
});

test("Redis: dead letters are in their stream", async () => {
  const stream = { mode: "stream", deadLetterStream: "dead" } as const;
  await play({
    a: { routing: redis({ ...stream, group: "g" }), flows: ["jobs"], refuses: true },
    dead: { routing: redis({ mode: "stream", group: "g" }), flows: ["dead"] },
  }, async ({ a }, seen) => {
    a.publish(message("jobs"));
    await turn();
    assert.deepEqual(seen.map((one) => one.split(" ").slice(0, 3).join(" ")), [
      "a jobs jobs",
      "dead dead dead",
    ]);
  });
});

test("NATS: a subject reaches each subscription by itself, and one of a queue group in turn", async () => {
  await play({
    a: { routing: nats(), flows: ["a.b", "a.*", "a.>", "b"] },
    one: { routing: nats({ queue: "g" }), flows: ["a.*", "a.>"] },
    two: { routing: nats({ queue: "g" }), flows: [undefined] },
    other: { routing: nats({ queue: "h" }), flows: ["a.b"] },
  }, async ({ one }, seen) => {
    for (const _ of [1, 2]) one.publish(message("a.b"));
    await turn();
    const each = ["a a.* a.b", "a a.> a.b", "a a.b a.b", "other a.b a.b"];
    assert.deepEqual(
      seen.sort(),
      [...each, ...each, "one a.b a.b", "two a.b a.b"].sort(),
    );
  });
});

const orders = { name: "ORDERS", subjects: ["order.*", "bill.>"] };

test("JetStream: consumers of one name share a stream; core messages reach it too", async () => {
  const stream = (queue: string) => nats({ queue, stream: orders });
  await play({
    a: { routing: stream("w"), flows: ["order.*"] },
    b: { routing: stream("w"), flows: ["order.*"] },
    other: { routing: stream("v"), flows: ["order.new", undefined] },
    core: { routing: nats(), flows: ["order.new", "other"] },
  }, async ({ a, core }, seen) => {
    core.publish(message("order.new"));
    core.publish(message("other"));
    await turn();
    assert.deepEqual(seen.map((one) => one.replace(/^[ab] /, "one ")).sort(), [
      "core order.new order.new",
      "core other other",
      "one order.new order.new",
      "other order.new order.new",
    ]);
    assert.throws(() => a.publish(message("other")), /^Error: no stream takes the subject$/);
    a.publish(message("bill.x.y"));
  });
});

test("JetStream: an id that a stream has had is dropped for two minutes, and at no core subscriber", async () => {
  await play({
    a: { routing: nats({ queue: "w", stream: orders }), flows: ["order.*"] },
    core: { routing: nats(), flows: ["order.*"] },
  }, async ({ a }, seen, clock) => {
    for (const id of ["1", "1", "2", undefined, undefined]) a.publish(message("order.new", id));
    await turn();
    const count = (name: string) => seen.filter((one) => one.startsWith(name)).length;
    assert.deepEqual([count("a"), count("core")], [4, 5]);
    await clock.advance(119_999);
    a.publish(message("order.new", "1"));
    await clock.advance(1);
    a.publish(message("order.new", "1"));
    await turn();
    assert.deepEqual([count("a"), count("core")], [5, 7]);
  });
});

test("JetStream: dead letters are sent to their subject, and a connector without flows keeps its stream", async () => {
  const routing = nats({ queue: "w", stream: orders, deadLetterSubject: "bill.dead" });
  await play({
    a: { routing, flows: ["order.*"], refuses: true },
    dead: { routing: nats({ queue: "d", stream: orders }), flows: ["bill.dead"] },
  }, async ({ a }, seen) => {
    a.publish(message("order.new"));
    await turn();
    assert.deepEqual(seen, ["a order.new order.new", "dead bill.dead bill.dead"]);
  });
  const idle = nats({ queue: "w", stream: orders });
  await play({ idle: { routing: idle } }, ({ idle }) => idle.publish(message("order.new")));
});

test("what comes from outside comes in where the connector listens", async () => {
  await play({
    reads: { routing: redis({ group: "g", mode: "channel" }), flows: ["jobs"] },
    hears: { routing: redis({ mode: "stream" }), flows: ["jobs"] },
    subscribes: { routing: nats(), flows: ["jobs"] },
    kept: { routing: nats({ queue: "w", stream: orders }), flows: ["order.new"] },
  }, async ({ reads, hears, subscribes, kept }, seen) => {
    assert.equal(reads.receive(message("jobs")), true);
    assert.equal(hears.receive(message("jobs")), true);
    assert.equal(subscribes.receive(message("jobs")), true);
    assert.equal(kept.receive(message("order.old")), false, "a stream alone starts no flow");
    for (const broker of [reads, hears, subscribes]) {
      assert.equal(broker.receive(message("unknown")), false);
    }
    await turn();
    assert.deepEqual(seen.map((one) => one.split(" ")[0]), ["reads", "hears", "subscribes"]);
  });
});

/** Each driver: its connector, which publishes elsewhere, what a flow listens to, and what is given. */
const givenRows: readonly (readonly [title: string, block: string, from: string, given: string])[] =
  [
    [
      "RabbitMQ",
      'driver = "rabbitmq"\n publisher { exchange = "other" }',
      "order.*",
      "order.new",
    ],
    ["Redis", 'driver = "redis"\n publisher { mode = "stream" }', "order.*", "order.new"],
    ["NATS", 'driver = "nats"', "order.>", "order.new.today"],
    ["NATS", 'driver = "nats"\n queue { name = "g" }', "order.new", "order.new"],
    [
      "NATS",
      'driver = "nats"\n queue { name = "g" }\n stream {\n name = "S"\n subjects = ["order.*"]\n }',
      "order.*",
      "order.new",
    ],
    [
      "Redis",
      'driver = "redis"\n queue { name = "g" }\n publisher { mode = "channel" }',
      "orders",
      "orders",
    ],
  ];

for (const [title, block, from, given] of givenRows) {
  test(`${title}, ${from}: a message that is given comes in where the connector listens, and is redelivered`, async () => {
    const { passed, report } = await runConfigTests(`connector "orders" {
  type = "mq"
  ${block}
}
connector "ws" {
  type = "websocket"
  port = 0
}
flow "order" {
  from {
    connector = "orders"
    operation = "${from}"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
test "given" {
  client "ada" {}
  mock "ws" {
    error = "is full"
    times = 1
  }
  given "orders" {
    operation = "${given}"
    data      = { id = 7 }
  }
  expect "orders" { error = "flow_failed" }
  expect "ada" { nothing = true }
  advance { by = "1s" }
  expect "ada" { data = { id = 7 } }
}
`);
    assert.ok(passed, report);
    assert.match(report, new RegExp(`^orders \\(${title}\\): played by a broker in memory$`, "m"));
  });
}
