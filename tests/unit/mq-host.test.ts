/** Memory connectors of one runtime share exchanges and queues, as connectors of one RabbitMQ do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { ManualClock } from "../support/clock.ts";
import { failure, flow, type Made, makeMq, request } from "../support/mq.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { reportOf } from "./testing-support.ts";

type Options = Readonly<Record<string, unknown>>;

/** Makes connectors of one runtime, each with flows on these operations, and what these have seen. */
async function withBrokers(
  all: Readonly<Record<string, { readonly options: Options; readonly run?: () => unknown }>>,
  use: (brokers: Readonly<Record<string, Made["connector"]>>, seen: string[]) => Promise<void>,
  clock = new ManualClock(),
): Promise<void> {
  const runtime = {};
  const seen: string[] = [];
  const made: Record<string, Made["connector"]> = {};
  for (const [name, { options, run }] of Object.entries(all)) {
    const { connector } = await makeMq({ driver: "memory", ...options }, name, clock, runtime);
    made[name] = connector;
    if (run === undefined) continue;
    const handle = ({ operation, input }: FlowEvent): unknown => {
      const headers = input.headers as Options;
      seen.push(`${name} ${operation} ${input.exchange} ${JSON.stringify(headers)}`);
      return run();
    };
    connector.subscribe("#", flow(handle));
  }
  for (const connector of Object.values(made)) await connector.consume();
  try {
    await use(made, seen);
  } finally {
    for (const connector of Object.values(made)) await connector.close();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

const refuse = (): never => {
  throw failure(true);
};
const done = (): void => {};
const dlq = (more: Options): Options => ({ prefetch: 10, dlq: { max_retries: 0, ...more } });

/** The headers that its dead letter has. */
const LETTER = '"x-weir-routing-key":"order.new","x-weir-exchange":"amq.topic",' +
  '"x-weir-reason":"flow_failed: flow \\"test\\" failed (ref 0badc0de)",' +
  '"x-weir-flow":"test","x-weir-retries":0,"x-weir-time":"2026-01-01T00:00:00.000Z"';

test("dead letters reach the connector whose queue they are moved to, as they were published", async () => {
  const work = { queue: { name: "work" }, consumer: dlq({ queue: "dead" }) };
  await withBrokers({
    a: { options: work, run: refuse },
    b: { options: { queue: { name: "dead" }, exchange: { name: "others" } }, run: done },
  }, async ({ a }, seen) => {
    a.write(request("order.new", { id: 1 }, { trace: "t" }));
    await turn();
    assert.deepEqual(seen, [
      'a order.new amq.topic {"trace":"t"}',
      `b order.new amq.topic {"trace":"t",${LETTER}}`,
    ]);
    assert.equal(a.counts().dead_lettered, 1);
  });
});

test("an exchange of dead letters leads to their queue and to all that is bound to it", async () => {
  const work = { queue: { name: "work" }, consumer: dlq({ queue: "dead", exchange: "morgue" }) };
  await withBrokers({
    a: { options: work, run: refuse },
    b: { options: { queue: { name: "dead" }, exchange: { name: "others" } }, run: done },
    c: { options: { exchange: { name: "morgue" } }, run: done },
  }, async ({ a }, seen) => {
    a.write(request("order.new", { id: 1 }));
    await turn();
    const moved = `order.new morgue {${LETTER}}`;
    assert.deepEqual(seen, ["a order.new amq.topic {}", `c ${moved}`, `b ${moved}`]);
  });
});

test("what one connector publishes reaches the queues of others on the same exchange", async () => {
  await withBrokers({
    publisher: { options: { exchange: { name: "orders" } } },
    same: { options: { exchange: { name: "orders" } }, run: done },
    other: { options: { exchange: { name: "bills" } }, run: done },
    direct: { options: { publisher: { exchange: "" } } },
    named: { options: { queue: { name: "mail" } }, run: done },
  }, async ({ publisher, direct }, seen) => {
    publisher.write(request("new", {}));
    direct.write(request("mail", {}));
    direct.write(request("new", {}));
    await turn();
    assert.deepEqual(seen, ["same new orders {}", "named mail  {}"]);
  });
});

test("connectors with one queue share its messages, and both end when it is empty", async () => {
  const options = { queue: { name: "work" } };
  await withBrokers({ a: { options, run: done }, b: { options, run: done } }, async (all, seen) => {
    for (const n of [1, 2, 3, 4]) {
      all.a.write(request(`k${n}`, {}));
      await turn();
    }
    assert.deepEqual(seen.map((one) => one.slice(0, 4)).sort(), ["a k2", "a k4", "b k1", "b k3"]);
    all.a.write(request("last", {}));
    await Promise.all([all.a.drain(), all.b.drain()]);
    assert.equal(seen.length, 5);
  });
});

test("what a connector leaves in a queue at its end is for the others of that queue", async () => {
  const options = { queue: { name: "work" } };
  await withBrokers({ a: { options, run: done }, b: { options, run: done } }, async (all, seen) => {
    all.a.write(request("left", {}));
    await all.a.close();
    await turn();
    assert.deepEqual(seen, ["b left amq.topic {}"]);
    assert.equal(all.a.counts().discarded, 0);
  });
});

test("a connector without flows has no queue", async () => {
  const options = { publisher: { exchange: "", mandatory: true } };
  await withBrokers({
    sender: { options },
    idle: { options: { queue: { name: "mail" } } },
  }, ({ sender }) => {
    assert.throws(() => sender.write(request("mail", {})), /no queue takes the routing key "mail"/);
    return Promise.resolve();
  });
});

test("a dead letter has all its attempts in the queue that it is moved to", async () => {
  const dead = { queue: { name: "dead" }, exchange: { name: "others" } };
  const refuseForNow = (): never => {
    throw failure(false);
  };
  const again = (queue: string) => ({
    consumer: { dlq: { max_retries: 1, retry_delay: 0, queue } },
  });
  await withBrokers({
    a: { options: { queue: { name: "work" }, ...again("dead") }, run: refuseForNow },
    b: { options: { ...dead, ...again("deader") }, run: refuseForNow },
  }, async ({ a, b }, seen) => {
    a.write(request("x", {}));
    await turn();
    assert.deepEqual(seen.map((one) => one[0]), ["a", "a", "b", "b"]);
    assert.deepEqual([a.counts().retried, b.counts().retried], [1, 1]);
  });
});

test("another address, virtual host or runtime is another broker", async () => {
  const options = { queue: { name: "work" } };
  await withBrokers({
    here: { options, run: done },
    host: { options: { ...options, host: "far" }, run: done },
    vhost: { options: { ...options, url: ["amqp://localhost/other"] }, run: done },
    same: { options: { url: ["amqp://someone@localhost:5672/%2f"] } },
  }, async ({ host, vhost, same }, seen) => {
    await withBrokers({ alone: { options } }, async ({ alone }) => {
      for (const one of [host, vhost, same, alone]) one.write(request("x", {}));
      await turn();
      assert.deepEqual(seen.map((one) => one.split(" ")[0]).sort(), ["here", "host", "vhost"]);
    });
  });
});

test("in a test of a configuration, dead letters start the flow of another connector", async () => {
  const flows = `connector "orders" {
  type   = "mq"
  driver = "rabbitmq"
  queue { name = "orders" }
  consumer {
    dlq {
      queue       = "dead"
      max_retries = 2
      retry_delay = "1m"
    }
  }
}
connector "dead" {
  type   = "mq"
  driver = "rabbitmq"
  exchange { name = "dead" }
  queue { name = "dead" }
}
flow "order" {
  from {
    connector = "orders"
    operation = "order.*"
  }
  to { connector = "mail" }
}
flow "bury" {
  from { connector = "dead" }
  transform {
    key    = "input.routing_key"
    reason = "input.headers['x-weir-reason']"
    id     = "input.id"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
test "a dead letter" {
  client "admin" {}
  mock "mail" { error = "is full" }
  given "orders" {
    operation = "order.new"
    data      = { id = 7 }
  }
  advance { by = "1m" }
  expect "admin" { nothing = true }
  advance { by = "1m" }
  expect "admin" { data = { key = "order.new", id = 7 } }
  expect "mail" { count = 3 }
  expect "orders" {
    error = "flow_failed"
    count = 3
  }
}
`;
  assert.equal(await reportOf(flows), "ok      a dead letter");
});

test("a test gives a message to one connector that only a flow of another takes", async () => {
  const config = `connector "orders" {
  type     = "mq"
  driver   = "memory"
  exchange { name = "shop" }
}
connector "bills" {
  type     = "mq"
  driver   = "memory"
  exchange { name = "shop" }
}
flow "bill" {
  from {
    connector = "bills"
    operation = "order.*"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
test "given" {
  client "ada" {}
  given "orders" {
    operation = "order.new"
    data      = { id = 7 }
  }
  expect "ada" { data = { id = 7 } }
}
`;
  assert.equal(await reportOf(config), "ok      given");
});

/** The warnings of `weir check` for two connectors, each with a flow. */
async function warningsOf(a: string, b: string, to: string): Promise<readonly string[]> {
  const connector = (name: string, body: string) =>
    `connector "${name}" {\n type = "mq"\n driver = "memory"\n${body}\n}\n`;
  const consuming = (name: string, to: string) =>
    `flow "of ${name}" {\n from {\n connector = "${name}"\n operation = "x"\n}\n${to}\n}\n`;
  const text = connector("a", a) + connector("b", b) + consuming("a", to) + consuming("b", to);
  const { warnings } = await loadConfig(text, { embedded: false });
  return warnings.map(({ message }) => message);
}

test("check knows that connectors of one broker start each other's flows", async () => {
  const nothing = "response {}";
  const never = (name: string) =>
    `flow "of ${name}" never starts: no flow publishes "x" on connector "${name}" (mq)`;
  assert.deepEqual(await warningsOf("", "", nothing), [never("a"), never("b")]);
  const dead = 'queue { name = "q" }\nconsumer {\n dlq { queue = "dead" }\n}';
  assert.deepEqual(await warningsOf(dead, 'queue { name = "dead" }', nothing), [never("a")]);
  const back = (target: string) => `to {\n connector = "a"\n target = "${target}"\n}`;
  const other = 'exchange { name = "other" }';
  assert.deepEqual(await warningsOf("", other, back("y")), [never("a"), never("b")]);
  const loop = (name: string) =>
    `flow "of ${name}", to: what it publishes starts its own flow again: of ${name} → of ${name}`;
  assert.deepEqual(await warningsOf("", other, back("x")), [loop("a"), never("b")]);
  assert.deepEqual(await warningsOf("", "", back("x")), [loop("a"), loop("b")]);
});
