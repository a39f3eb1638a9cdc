import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, createServer, type Server } from "node:net";
import { ConnectorError, type FlowError } from "../../src/base/errors.ts";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { invalid, rejected } from "../../src/flow/error-handling.ts";
import { failure, flow, refusing, request, until } from "../support/mq.ts";
import { topicTable } from "../support/topic-table.ts";
import {
  type Bench,
  bench,
  connectionsOf,
  disconnect,
  publisherDefaults,
  queueDefaults,
  tellBroker,
} from "./rabbitmq-support.ts";

await bench("an event goes through the exchange to the flows that want it", async (bench) => {
  const events: FlowEvent[] = [];
  const { connector } = await bench.consume({}, (event) => events.push(event), "order.*");
  await connector.write(request("order.created", { id: 7, exchange: "mine" }, { trace: "t" }));
  await connector.write(request("user.created", { id: 8 }));
  await connector.write(request("order.deleted", "text"));
  await until("two events", () => events.length === 2);
  const [{ operation, payload, input }, second] = events;
  assert.equal(operation, "order.created");
  assert.deepEqual(payload, { id: 7, exchange: "mine" });
  assert.deepEqual(
    [input.id, input.body, input.headers, input.routing_key, input.exchange],
    [7, payload, { trace: "t" }, "order.created", bench.exchange],
  );
  const properties = input.properties as Record<string, unknown>;
  assert.equal(properties.content_type, "application/json");
  assert.equal(properties.delivery_mode, 2);
  assert.equal(typeof properties.message_id, "string");
  assert.equal(second.payload, "text");
  await until("the acks", () => connector.counts().acked === 2);
  assert.equal(connector.counts().published, 3);
});

await bench("patterns mean what the broker means", async (bench) => {
  const channel = await bench.client.acquire();
  await channel.confirmSelect();
  await channel.exchangeDeclare({ exchange: bench.exchange, type: "topic" });
  for (const [pattern, taken, refused] of topicTable) {
    const { queue } = await channel.queueDeclare({ exclusive: true });
    await channel.queueBind({ exchange: bench.exchange, queue, routingKey: pattern });
    for (const routingKey of [...taken, ...refused]) {
      await channel.basicPublish({ exchange: bench.exchange, routingKey }, routingKey);
    }
    const found: string[] = [];
    for (let m = await channel.basicGet({ queue, noAck: true }); m !== undefined;) {
      found.push(m.routingKey);
      m = await channel.basicGet({ queue, noAck: true });
    }
    assert.deepEqual(found, taken, pattern);
    await channel.queueDelete({ queue });
  }
  await channel.close();
});

await bench("without a named queue every instance gets every event", async (bench) => {
  const seen: string[] = [];
  await bench.consume({}, () => seen.push("one"));
  const { connector } = await bench.consume({}, () => seen.push("two"));
  await connector.write(request("k", 1));
  await until("both", () => seen.length === 2);
  assert.deepEqual(seen.sort(), ["one", "two"]);
});

await bench("instances share a named queue", async (bench) => {
  const seen: unknown[] = [];
  const one = await bench.consume(bench.named(), ({ payload }) => seen.push(payload));
  const two = await bench.consume(bench.named(), ({ payload }) => seen.push(payload));
  for (let n = 0; n < 20; n++) await one.connector.write(request("k", n));
  await until("all", () => seen.length >= 20);
  const acked = () => one.connector.counts().acked + two.connector.counts().acked;
  await until("the acks", () => acked() === 20);
  assert.equal(new Set(seen).size, 20);
  assert.ok(one.connector.counts().acked > 0 && two.connector.counts().acked > 0);
});

await bench("a named queue keeps messages while there is no consumer", async (bench) => {
  const first = await bench.consume(bench.named(), () => undefined);
  await first.connector.stop();
  await first.connector.drain();
  await first.connector.write(request("k", "kept"));
  await first.connector.close();
  const seen: unknown[] = [];
  await bench.consume(bench.named(), ({ payload }) => seen.push(payload));
  await until("the message", () => seen.length === 1);
  assert.deepEqual(seen, ["kept"]);
});

await bench("one delivery serves all flows, and failing ones are repeated", async (bench) => {
  const { connector } = await bench.make(bench.named());
  const runs = { a: 0, b: 0 };
  connector.subscribe("k.*", flow(() => ++runs.a));
  connector.subscribe(
    "#",
    flow(() => {
      if (++runs.b < 2) throw failure();
    }),
  );
  connector.subscribe("k.x", flow(() => assert.fail("its filter is false"), () => false));
  await connector.start();
  await connector.consume();
  await connector.write(request("k.x", 1));
  await until("the ack", () => connector.counts().acked === 1);
  assert.deepEqual(runs, { a: 2, b: 2 });
  assert.equal(await bench.count(bench.queue), 0);
});

await bench(
  "without dlq a poison message is delivered three times and discarded",
  async (bench) => {
    let runs = 0;
    const { connector, log } = await bench.consume(bench.named(), () => {
      runs++;
      throw failure();
    });
    await connector.write(request("k", 1));
    await until("the end", () => connector.counts().discarded === 1);
    assert.equal(runs, 3);
    assert.match(
      log.at(-1)![1],
      /message k was discarded: flow_failed: flow "test" failed \(ref 0badc0de\)/,
    );
    assert.equal(await bench.count(bench.queue), 0);
  },
);

await bench(
  "with dlq a poison message waits in the broker, then is a dead letter",
  async (bench) => {
    const dlq = { max_retries: 2, retry_delay: 200 };
    const seen: unknown[] = [];
    const keys = new Set<unknown>();
    const { connector } = await bench.consume(bench.named({ prefetch: 1, dlq }), (event) => {
      seen.push(event.payload);
      keys.add(`${event.operation} ${event.input.exchange} ${JSON.stringify(event.input.headers)}`);
      if (event.payload === "poison") throw failure();
    });
    await connector.write(request("k.poison", "poison", { mine: 1 }));
    await connector.write(request("k.good", "good", { mine: 1 }));
    await until("the dead letter", () => connector.counts().dead_lettered === 1);
    assert.deepEqual(seen, ["poison", "good", "poison", "poison"]);
    assert.equal(connector.counts().retried, 2);
    assert.equal(await bench.count(bench.queue), 0);
    const letter = await bench.client.basicGet({ queue: `${bench.queue}.dlq`, noAck: true });
    assert.equal(letter?.body, "poison");
    assert.equal(letter?.contentType, "application/json");
    const { mine, ...headers } = letter?.headers ?? {};
    assert.equal(mine, 1);
    assert.equal(headers["x-weir-routing-key"], "k.poison");
    assert.equal(headers["x-weir-exchange"], bench.exchange);
    assert.match(headers["x-weir-reason"], /flow "test" failed/);
    const [first] = keys;
    assert.match(String(first), new RegExp(`^k.poison ${bench.exchange} .*"mine":1`));
  },
);

await bench("dead letters can go through an exchange of their own", async (bench) => {
  const dlq = {
    exchange: `${bench.id}.other`,
    queue: `${bench.id}.other`,
    max_retries: 0,
    retry_delay: 1000,
  };
  const { connector } = await bench.consume({ consumer: { prefetch: 10, dlq } }, () => {
    throw failure();
  });
  await connector.write(request("k.dead", { n: 1 }));
  await until("the dead letter", () => connector.counts().dead_lettered === 1);
  const letter = await bench.client.basicGet({ queue: `${bench.id}.other`, noAck: true });
  assert.equal(letter?.routingKey, "k.dead");
  assert.deepEqual(letter?.body, { n: 1 });
});

const NOW = new Date().toISOString();

/** What the flows of three connectors see: the first two always fail, and have one retry. */
async function lettersOf(
  bench: Bench,
  driver: string,
  exchange: string | undefined,
): Promise<readonly unknown[]> {
  const { id, exchange: main, queue } = bench;
  const dead = `${id}.other`;
  const dlq = { max_retries: 1, retry_delay: 20 };
  const seen: unknown[] = [];
  const runtime = {};
  const consumers: readonly [string, string, object | undefined, FlowError | undefined][] = [
    [main, queue, { ...dlq, queue: dead, exchange }, failure()],
    [dead, dead, dlq, rejected("dead", false)],
    [`${id}.third`, `${dead}.dlq`, undefined, undefined],
  ];
  const all = await Promise.all(consumers.map(async ([exchange, queue, dlq, error]) => {
    const { connector } = await bench.make(
      {
        driver,
        exchange: { name: exchange, type: "topic", durable: true },
        queue: { ...queueDefaults, name: queue },
        consumer: { prefetch: 1, dlq },
      },
      id,
      runtime,
    );
    const run = ({ operation, input }: FlowEvent): void => {
      // When it became a dead letter differs.
      const { "x-weir-time": time = NOW, ...headers } = input.headers as Record<string, string>;
      assert.match(time, /^20\d\d-\d\d-\d\dT[\d:.]+Z$/);
      seen.push([queue, operation, input.exchange, headers, input.body]);
      if (error !== undefined) throw error;
    };
    connector.subscribe("#", flow(run));
    return connector;
  }));
  for (const connector of all) await connector.start();
  for (const connector of all) await connector.consume();
  await all[0].write(request("order.new", { n: 1 }, { mine: true }));
  await until("the last letter", () => all[2].counts().acked === 1);
  for (const connector of all) await connector.close();
  return seen;
}

for (const way of ["straight", "through an exchange"]) {
  await bench(`dead letters that come ${way} are those of the memory broker`, async (bench) => {
    const exchange = way === "straight" ? undefined : `${bench.id}.other`;
    const seen = await lettersOf(bench, "rabbitmq", exchange);
    assert.equal(seen.length, 5);
    assert.deepEqual(seen, await lettersOf(bench, "memory", exchange));
    const letter = {
      mine: true,
      "x-weir-routing-key": "order.new",
      "x-weir-exchange": bench.exchange,
      "x-weir-reason": 'flow_failed: flow "test" failed (ref 0badc0de)',
      "x-weir-flow": "test",
      "x-weir-retries": 1,
    };
    const from = exchange ?? bench.exchange;
    const at = [`${bench.id}.other`, "order.new", from, letter, { n: 1 }];
    assert.deepEqual(seen.slice(2, 4), [at, at]);
  });
}

await bench("what cannot succeed is not repeated, and the next ones pass", async (bench) => {
  const dlq = { max_retries: 5, retry_delay: 60_000 };
  const seen: unknown[] = [];
  const { connector } = await bench.consume(bench.named({ dlq }), ({ payload }) => {
    seen.push(payload);
    if (payload === 1) throw failure(true);
  });
  const body = Buffer.from([0xff, 0xfe, 0x7b]);
  const publisher = bench.client.createPublisher({ confirm: true });
  for (const contentType of ["application/json", "application/octet-stream", undefined]) {
    const envelope = { exchange: bench.exchange, routingKey: "k.bytes", contentType };
    await publisher.send(envelope, body);
  }
  await publisher.send({ exchange: bench.exchange, routingKey: "k.text" }, "{no json");
  await publisher.send({ exchange: bench.exchange, routingKey: "k.empty" }, Buffer.alloc(0));
  await publisher.send({ exchange: bench.exchange, routingKey: "k.good" }, '{"plain":"text"}');
  await publisher.close();
  await connector.write(request("k", 1));
  await connector.write(request("k", 2));
  await until("the dead letters", () => connector.counts().dead_lettered === 6);
  await until("the good ones", () => seen.length === 3);
  assert.deepEqual(seen, [{ plain: "text" }, 1, 2]);
  assert.equal(connector.counts().retried, 0);
  // They are published side by side: any of them may be the first.
  const refused: unknown[] = [];
  for (let left = 6; left > 0; left--) {
    const letter = await bench.client.basicGet({ queue: `${bench.queue}.dlq`, noAck: true });
    if (letter?.headers?.["x-weir-routing-key"] !== "k.bytes") continue;
    assert.match(letter.headers["x-weir-reason"], /not JSON/);
    refused.push(letter.body);
  }
  assert.deepEqual(refused, [body, body, body]);
});

await bench("a body that is not JSON is discarded where there is no dlq", async (bench) => {
  const { connector, log } = await bench.consume({}, () => undefined);
  const publisher = bench.client.createPublisher({ confirm: true });
  await publisher.send({ exchange: bench.exchange, routingKey: "k.bad" }, "nonsense");
  await publisher.close();
  await until("the end", () => connector.counts().discarded === 1);
  assert.match(log.at(-1)![1], /message k\.bad was discarded: its body is not JSON/);
});

await bench(
  "what no flow takes is acked, rejected or redelivered as the filters say",
  async (bench) => {
    const { connector, log } = await bench.make(bench.named({
      dlq: { max_retries: 0, retry_delay: 20 },
    }));
    connector.subscribe("quiet", refusing("ack"));
    connector.subscribe("no", refusing("ack"));
    connector.subscribe("no", refusing("reject"));
    connector.subscribe("again", refusing("reject"));
    connector.subscribe("again", refusing("requeue", 1));
    connector.subscribe("again", refusing("requeue", 3));
    await connector.start();
    await connector.consume();
    await connector.write(request("quiet", 0));
    await connector.write(request("no", 1));
    await until("the rejection", () => connector.counts().dead_lettered === 1);
    await connector.write(request("again", 2));
    await until("the end", () => connector.counts().dead_lettered === 2);
    const { acked, consumed, retried } = connector.counts();
    assert.deepEqual({ acked, consumed, retried }, { acked: 1, consumed: 6, retried: 3 });
    assert.match(
      log.at(-1)![1],
      /message again was moved to the dead-letter queue .*: no flow takes it$/,
    );
    for (const routingKey of ["no", "again"]) {
      const letter = await bench.client.basicGet({ queue: `${bench.queue}.dlq`, noAck: true });
      const { "x-weir-routing-key": key, "x-weir-reason": reason } = letter?.headers ?? {};
      assert.deepEqual([key, reason], [routingKey, "no flow takes it"]);
    }
    assert.equal(await bench.count(bench.queue), 0);
    assert.equal(await bench.count(`${bench.queue}.retry`), 0);
  },
);

await bench(
  "a message that no filter takes here is redelivered to all consumers of the queue",
  async (bench) => {
    const one = await bench.make(bench.named({ prefetch: 1 }));
    one.connector.subscribe("k", refusing("requeue", 1000));
    await one.connector.start();
    await one.connector.consume();
    await one.connector.write(request("k", { n: 1 }, { mine: true }));
    await until("the requeue", () => one.connector.counts().retried === 1);
    const seen: unknown[] = [];
    const two = await bench.consume(bench.named(), ({ payload, operation, input }) => {
      seen.push([operation, payload, (input.headers as Record<string, unknown>).mine]);
    });
    await until("the other instance", () => two.connector.counts().acked === 1, 60_000);
    assert.deepEqual(seen, [["k", { n: 1 }, true]]);
  },
);

await bench(
  "without a named queue what no flow takes is tried here, then discarded",
  async (bench) => {
    const { connector, log } = await bench.make();
    connector.subscribe("k", refusing("requeue", 1));
    connector.subscribe("no", refusing("reject"));
    await connector.start();
    await connector.consume();
    await connector.write(request("k", 1));
    await connector.write(request("no", 1));
    await until("the end", () => connector.counts().discarded === 2);
    assert.equal(connector.counts().retried, 1);
    assert.match(log.at(-1)![1], /message k was discarded: no flow takes it/);
  },
);

await bench(
  "what accept refuses and what is not valid are dead letters with a reason",
  async (bench) => {
    const violations = [{ path: "id", message: "is missing" }];
    const errors: Readonly<Record<string, FlowError>> = {
      reject: rejected("guard", true),
      requeue: rejected("guard", false),
      invalid: invalid("orders", "order", violations),
    };
    const dlq = { max_retries: 2, retry_delay: 20 };
    const { connector } = await bench.consume(bench.named({ dlq }), ({ operation }) => {
      throw errors[operation];
    });
    const reasons: Record<string, unknown> = {};
    for (const [n, routingKey] of Object.keys(errors).entries()) {
      await connector.write(request(routingKey, 1));
      await until(routingKey, () => connector.counts().dead_lettered === n + 1);
      const letter = await bench.client.basicGet({ queue: `${bench.queue}.dlq`, noAck: true });
      reasons[routingKey] = [connector.counts().retried, letter?.headers?.["x-weir-reason"]];
    }
    assert.deepEqual(reasons, {
      reject: [0, 'rejected: flow "guard" rejected the event'],
      requeue: [2, 'rejected: flow "guard" rejected the event'],
      invalid: [
        2,
        'validation_failed: flow "orders": the data is not a valid order: id is missing',
      ],
    });
  },
);

await bench("no more than prefetch messages are at work", async (bench) => {
  let atWork = 0;
  let most = 0;
  const { connector } = await bench.consume(bench.named({ prefetch: 2 }), async () => {
    most = Math.max(most, ++atWork);
    await new Promise((resolve) => setTimeout(resolve, 20));
    atWork--;
  });
  for (let n = 0; n < 8; n++) await connector.write(request("k", n));
  await until("all", () => connector.counts().acked === 8);
  assert.equal(most, 2);
});

await bench("drain waits for messages at work and their acks, and takes no more", async (bench) => {
  let started = 0;
  let ended = 0;
  const { connector } = await bench.consume(bench.named({ prefetch: 1 }), async () => {
    started++;
    await new Promise((resolve) => setTimeout(resolve, 100));
    ended++;
  });
  for (let n = 0; n < 3; n++) await connector.write(request("k", n));
  await until("the first", () => started === 1);
  await connector.stop();
  await connector.drain();
  assert.equal(ended, started);
  assert.equal(connector.counts().acked, ended);
  await connector.close();
  assert.equal(await bench.count(bench.queue), 3 - ended);
});

await bench("drain returns a message that waits for a retry to its queue", async (bench) => {
  const { connector } = await bench.consume(bench.named(), () => {
    throw failure();
  });
  await connector.write(request("k", 1));
  await until("the retry", () => connector.counts().retried === 1);
  await connector.stop();
  await connector.drain();
  await connector.close();
  assert.equal(connector.counts().discarded, 0);
  assert.equal(await bench.count(bench.queue), 1);
});

await bench("publishing fails where nothing takes a mandatory message", async (bench) => {
  const publisher = { ...publisherDefaults, mandatory: true };
  const { connector } = await bench.consume({ publisher }, () => undefined, "order.*");
  await connector.write(request("order.a", 1));
  const results = await Promise.allSettled([
    connector.write(request("user.a", 1)),
    connector.write(request("order.b", 1)),
  ]);
  assert.deepEqual(results.map(({ status }) => status), ["rejected", "fulfilled"]);
  await assert.rejects(
    async () => await connector.write(request("user.a", 1)),
    (error) => error instanceof ConnectorError && /no queue takes/.test(error.message),
  );
});

await bench(
  "publishing to an exchange that is not there fails, and then goes on",
  async (bench) => {
    const publisher = { ...publisherDefaults, exchange: `${bench.id}.other` };
    const { connector } = await bench.make({ publisher });
    await connector.start();
    await assert.rejects(async () => await connector.write(request("k", 1)), /NOT_FOUND/);
    await bench.client.exchangeDeclare({ exchange: `${bench.id}.other`, type: "topic" });
    await connector.write(request("k", 1));
  },
);

await bench("persistent, confirms and the default exchange do what they say", async (bench) => {
  const publisher = { exchange: "", persistent: false, confirms: false, mandatory: false };
  const { connector } = await bench.make({ publisher });
  await connector.start();
  await bench.client.queueDeclare({ queue: bench.queue, durable: true });
  await connector.write(request(bench.queue, { n: 1 }));
  await until("the message", async () => await bench.count(bench.queue) === 1);
  const message = await bench.client.basicGet({ queue: bench.queue, noAck: true });
  assert.equal(message?.durable, false);
  assert.deepEqual(message?.body, { n: 1 });
});

await bench("a connection closed by the operator is restored, with all queues", async (bench) => {
  const own: unknown[] = [];
  const shared: unknown[] = [];
  const one = await bench.consume({}, ({ payload }) => own.push(payload));
  await bench.consume(bench.named(), ({ payload }) => shared.push(payload));
  const pids = await connectionsOf(bench.id);
  assert.equal(pids.length, 2);
  await Promise.all(pids.map((pid) => disconnect(pid)));
  await until("the outage", () => one.log.some(([, text]) => /is away/.test(text)));
  await until("the return", () => one.connector.counts().gaps === 1);
  await until("a good connection", () => one.connector.health() === undefined);
  await one.connector.write(request("k", "after"));
  await until("the event", () => own.length === 1 && shared.length === 1);
  assert.equal(one.log.filter(([level]) => level === "warn").length, 2, JSON.stringify(one.log));
});

await bench("a queue that the operator deletes is declared again", async (bench) => {
  const seen: unknown[] = [];
  const { connector } = await bench.consume(bench.named(), ({ payload }) => seen.push(payload));
  await bench.client.queueDelete(bench.queue);
  await until("the queue", async () => {
    await connector.write(request("k", "after"));
    return seen.length > 0;
  });
});

await bench("a message at work when the connection breaks is delivered again", async (bench) => {
  let runs = 0;
  const { connector, log } = await bench.consume(bench.named(), async () => {
    if (++runs === 1) await until("the outage", () => connector.health() !== undefined);
  });
  await connector.write(request("k", 1));
  await until("the delivery", () => runs === 1);
  const [pid] = await connectionsOf(bench.id);
  await disconnect(pid);
  await until("the second delivery", () => connector.counts().acked === 1);
  assert.equal(runs, 2);
  assert.ok(log.some(([, text]) => /message k may be redelivered/.test(text)));
  assert.equal(await bench.count(bench.queue), 0);
});

await bench("nothing is lost where connections break and messages fail", async (bench) => {
  const dlq = { max_retries: 1000, retry_delay: 20 };
  const runs = new Map<unknown, number>();
  const done = new Set<unknown>();
  const { connector } = await bench.consume(bench.named({ dlq }), async ({ payload }) => {
    const run = (runs.get(payload) ?? 0) + 1;
    runs.set(payload, run);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (run < 3) throw failure();
    done.add(payload);
  });
  const numbers = Array.from({ length: 3000 }, (_, n) => n);
  const publisher = bench.client.createPublisher({ confirm: true });
  for (const n of numbers) {
    await publisher.send({ exchange: bench.exchange, routingKey: "k", durable: true }, String(n));
  }
  await publisher.close();
  for (let round = 0; round < 2; round++) {
    let pid = "";
    await until("a connection", async () => {
      [pid = ""] = await connectionsOf(bench.id);
      return pid !== "";
    });
    assert.ok(done.size < numbers.length, "all was done before the connection broke");
    await disconnect(pid);
    await until("the return", () => connector.health() === undefined);
  }
  await until("all", () => done.size === numbers.length, 30_000);
  await until("the acks", async () => await bench.count(bench.queue) === 0);
  assert.equal(await bench.count(`${bench.queue}.retry`), 0);
  assert.equal(await bench.count(`${bench.queue}.dlq`), 0);
});

await bench("wrong credentials end the start, and the password is not shown", async (bench) => {
  const url = ["amqp://guest:wrong-secret@127.0.0.1:5672"];
  const { connector, log } = await bench.make({ url, host: undefined });
  await assert.rejects(() => connector.start(), (error) => {
    assert.ok(error instanceof ConnectorError);
    assert.match(error.message, /ACCESS_REFUSED/);
    assert.doesNotMatch(`${error.stack} ${String(error.cause)}`, /wrong-secret/);
    return true;
  });
  assert.deepEqual(log, []);
  await assert.rejects(async () => await connector.write(request("k", 1)), /not connected/);
});

await bench("an unknown vhost ends the start", async (bench) => {
  const { connector } = await bench.make({ vhost: "nowhere" });
  await assert.rejects(() => connector.start(), /vhost nowhere not found/);
});

await bench("an exchange or queue with other properties ends the start", async (bench) => {
  await bench.client.exchangeDeclare({ exchange: bench.exchange, type: "fanout" });
  const one = await bench.make();
  await assert.rejects(() => one.connector.start(), /PRECONDITION_FAILED/);
  await bench.client.queueDeclare({ queue: bench.queue, durable: true, autoDelete: true });
  const two = await bench.make({ ...bench.named(), exchange: undefined });
  two.connector.subscribe("k", flow(() => undefined));
  await assert.rejects(() => two.connector.start(), /PRECONDITION_FAILED/);
});

await bench("a queue that another connection has alone is waited for", async (bench) => {
  await bench.client.queueDeclare({ queue: bench.queue, durable: true, exclusive: true });
  const seen: unknown[] = [];
  const options = { queue: { ...queueDefaults, name: bench.queue, exclusive: true } };
  const { connector, log } = await bench.consume(options, ({ payload }) => seen.push(payload));
  assert.match(connector.health()!, /failed to consume: .*RESOURCE_LOCKED/);
  await bench.client.queueDelete(bench.queue);
  await until("the queue", () => connector.health() === undefined);
  await connector.write(request("k", 1));
  await until("the event", () => seen.length === 1);
  assert.equal(log.length, 2, JSON.stringify(log));
});

await bench("a broker that is away is tried again, and says so once", async (bench) => {
  const probe = createServer();
  const port = await listen(probe, 0);
  await new Promise((resolve) => probe.close(resolve));
  const seen: unknown[] = [];
  const { connector, log } = await bench.make({ port });
  connector.subscribe(undefined, flow(({ payload }) => seen.push(payload)));
  await connector.start();
  await connector.consume();
  assert.match(connector.health()!, new RegExp(`127.0.0.1:${port} is away`));
  const before = Date.now();
  await assert.rejects(async () => await connector.write(request("k", 1)), ConnectorError);
  assert.ok(Date.now() - before < 5000);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(log.length, 1, JSON.stringify(log));
  const proxy = forwardTo5672();
  await listen(proxy, port);
  try {
    await until("the broker", () => connector.health() === undefined);
    await until("the event", async () => {
      await connector.write(request("k", 1));
      return seen.length > 0;
    });
  } finally {
    await connector.stop();
    await connector.drain();
    await connector.close();
    await new Promise((resolve) => proxy.close(resolve));
  }
});

await bench("close leaves no connection", async (bench) => {
  const { connector } = await bench.consume(bench.named(), () => undefined);
  await connector.write(request("k", 1));
  assert.equal((await connectionsOf(bench.id)).length, 1);
  await connector.stop();
  await connector.drain();
  await connector.close();
  assert.equal((await connectionsOf(bench.id)).length, 0);
});

await bench("STOPS THE BROKER: after its restart the next event arrives", async (bench) => {
  const own: unknown[] = [];
  const shared: unknown[] = [];
  const { connector, log } = await bench.consume({}, ({ payload }) => own.push(payload));
  await bench.consume(bench.named(), ({ payload }) => shared.push(payload));
  await tellBroker("rabbit:stop().");
  try {
    await until("the outage", () => connector.health() !== undefined);
    await assert.rejects(async () => await connector.write(request("k", "lost")), ConnectorError);
  } finally {
    await tellBroker("rabbit:start().");
  }
  await until("the return", () => connector.counts().gaps === 1, 60_000);
  await connector.write(request("k", "after"));
  await until("the event", () => own.length === 1 && shared.length === 1, 30_000);
  assert.deepEqual([own, shared], [["after"], ["after"]]);
  assert.equal(log.filter(([, text]) => /is away/.test(text)).length, 1);
});

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A broker that begins to answer when the test wants it to. */
function forwardTo5672(): Server {
  return createServer((socket) => {
    const broker = connect({ host: "127.0.0.1", port: 5672 });
    for (const [from, to] of [[socket, broker], [broker, socket]]) {
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  });
}
