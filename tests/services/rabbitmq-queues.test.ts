/** Queues of both types, bindings that come and go, the nodes of a cluster, what a check asks. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import type { Socket } from "node:net";
import { promisify } from "node:util";
import type { ProbeRequest, ProbeSource } from "../../src/contract/probe.ts";
import { ConnectorError, TimeoutError } from "../../src/base/errors.ts";
import { addressOf } from "../../src/connectors/mq/amqp-address.ts";
import {
  BrokerConnection,
  closeChannel,
} from "../../src/connectors/mq/drivers/rabbitmq/connection.ts";
import type { MqOptions } from "../../src/connectors/mq/options.ts";
import { failure, flow, keepingLogger, type LogLine, request, until } from "../support/mq.ts";
import { keptPort } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import { hosts } from "../support/socket-hosts.ts";
import { ack, openClient } from "../support/talk.ts";
import { type Bench, bench, queueDefaults, tellBroker, withBench } from "./rabbitmq-support.ts";

/** More often than RabbitMQ 4 returns a message to a quorum queue by default. */
const MANY = 25;

await bench(
  "a quorum queue: what was returned often is not dropped, and its dead letters are as safe",
  async (bench) => {
    const dlq = { max_retries: 1, retry_delay: 20 };
    const { queue, ...options } = bench.named({ dlq }) as { queue: object };
    const { connector } = await bench.make({ queue: { ...queue, type: "quorum" }, ...options });
    const seen: unknown[] = [];
    connector.subscribe(
      "k",
      flow(({ payload, input }) => {
        seen.push([payload, (input.headers as Record<string, unknown>).mine]);
        throw failure();
      }),
    );
    await connector.start();
    await connector.write(request("k", 1, { mine: true }));
    const channel = await bench.client.acquire();
    let returned = 0;
    await channel.basicConsume({ queue: bench.queue }, ({ deliveryTag }) => {
      if (++returned <= MANY) channel.basicNack({ deliveryTag, requeue: true });
    });
    await until("the returns", () => returned > MANY);
    await channel.close();
    await connector.consume();
    await until("the dead letter", () => connector.counts().dead_lettered === 1);
    assert.deepEqual(seen, [[1, true], [1, true]]);
    assert.equal(await bench.count(bench.queue), 0);
    const dead = `${bench.queue}.dlq`;
    const letter = await bench.client.basicGet({ queue: dead, noAck: true });
    assert.deepEqual([letter?.body, letter?.headers?.["x-weir-flow"]], [1, "test"]);
    // An operator moves it back, as docs/rabbitmq.md says: its flow gets it with all its attempts.
    const mover = bench.client.createPublisher();
    await mover.send(
      { exchange: "", routingKey: bench.queue, headers: letter?.headers, durable: true },
      letter?.body,
    );
    await until("the dead letter once more", () => connector.counts().dead_lettered === 2);
    assert.deepEqual(seen, Array.from({ length: 4 }, () => [1, true]));
    await mover.close();
    await assert.rejects(bench.client.queueDeclare({ queue: dead, durable: true }), /'quorum'/);
  },
);

await bench("a queue of the other type ends the start, and what to do is said", async (bench) => {
  const quorum = { "x-queue-type": "quorum" as const };
  const cases = [
    ["quorum", {}, /another x-queue-type: it is classic, and quorum is asked for; a queue cannot/],
    ["classic", quorum, /another x-queue-type: it is quorum, and classic is asked for/],
    ["quorum", quorum, /another x-delivery-limit: it is none, .*the broker drops messages/],
  ] as const;
  for (const [type, there, message] of cases) {
    await bench.client.queueDeclare({ queue: bench.queue, durable: true, arguments: there });
    const options = { queue: { ...queueDefaults, name: bench.queue, type } };
    const { connector } = await bench.make(options);
    connector.subscribe("k", flow(() => undefined));
    await assert.rejects(connector.start(), (error) => {
      assert.ok(error instanceof ConnectorError && error.permanent);
      assert.match(error.message, message);
      assert.ok(error.message.includes(`the queue "${bench.queue}" is there with`), error.message);
      return true;
    });
    await bench.client.queueDelete(bench.queue);
  }
});

await bench(
  "bindings come and go under load: nothing is lost, and nothing doubled",
  async (bench) => {
    const seen: number[] = [];
    const { connector } = await bench.consume(
      bench.named({ prefetch: 100 }),
      ({ payload }) => seen.push(payload as number),
      "k.#",
    );
    const binding = { exchange: bench.exchange, queue: bench.queue };
    let working = true;
    const others = (async () => {
      for (let n = 0; working; n++) {
        for (const routingKey of ["k.*", "#", `other.${n}`]) {
          await bench.client.queueBind({ ...binding, routingKey });
        }
        for (const routingKey of ["k.*", "#", `other.${n}`]) {
          await bench.client.queueUnbind({ ...binding, routingKey });
        }
      }
      return "they came and went";
    })();
    const numbers = Array.from({ length: 3000 }, (_, n) => n);
    let next = 0;
    await Promise.all(Array.from({ length: 50 }, async () => {
      while (next < numbers.length) await connector.write(request("k.n", next++));
    }));
    working = false;
    assert.equal(await others, "they came and went");
    await until("all", () => seen.length >= numbers.length);
    assert.deepEqual(seen.sort((a, b) => a - b), numbers);
    assert.equal(connector.counts().unrouted, 0);
  },
);

await bench("what an operator unbinds is bound again on the next connection", async (bench) => {
  const proxy = await Proxy.open(5672);
  try {
    const seen: unknown[] = [];
    const options = { ...bench.named(), port: proxy.port };
    const { connector } = await bench.consume(options, ({ payload }) => seen.push(payload), "k");
    await bench.client.queueUnbind({
      exchange: bench.exchange,
      queue: bench.queue,
      routingKey: "k",
    });
    await connector.write(request("k", "lost"));
    proxy.cut();
    await until("the outage", () => connector.health() !== undefined);
    await until("the return", () => connector.health() === undefined);
    await connector.write(request("k", "bound"));
    await until("the event", () => seen.length > 0);
    assert.deepEqual(seen, ["bound"]);
  } finally {
    proxy.close();
  }
});

await bench(
  "what a binding of an earlier configuration brings is counted, not lost silently",
  async (bench) => {
    const seen: unknown[] = [];
    const first = await bench.consume(bench.named(), () => undefined, "old.#");
    await first.connector.close();
    const { connector, log } = await bench.consume(
      bench.named(),
      ({ payload }) => seen.push(payload),
      "new.#",
    );
    for (const key of ["old.1", "new.1", "old.2"]) await connector.write(request(key, key));
    await until("all", () => connector.counts().acked === 3);
    assert.deepEqual(seen, ["new.1"]);
    assert.equal(connector.counts().unrouted, 2);
    assert.deepEqual(log, [
      ["warn", "message old.1 is for no flow, and was acked; `unrouted` counts those that follow"],
    ]);
  },
);

await bench("of several nodes one that answers is enough", async (bench) => {
  const dead = await keptPort();
  const url = [`amqp://[::1]:${dead}`, `amqp://127.0.0.1:${dead}`, "amqp://127.0.0.1:5672"];
  const { connector } = await bench.make({ host: undefined, url });
  await connector.start();
  assert.equal(connector.health(), undefined);
  await connector.write(request("k", 1));
  assert.match(await connector.probe([], []), /127.0.0.1:5672 answers$/);
});

await bench("a refusal that comes after the first failure is not hidden by it", async (bench) => {
  const dead = await keptPort();
  const wrong = (port: number) => `amqp://guest:wrong-secret@127.0.0.1:${port}`;
  const cluster = await bench.make({ host: undefined, url: [wrong(dead), wrong(5672)] });
  await assert.rejects(cluster.connector.start(), (error) => {
    assert.ok(error instanceof ConnectorError && error.permanent);
    assert.match(error.message, /ACCESS_REFUSED/);
    return true;
  });
  assert.deepEqual(
    cluster.log.map(([, text]) => text).filter((text) => /REFUSED - /.test(text)),
    [],
  );
  const proxy = await Proxy.open(5672);
  try {
    await proxy.refuse();
    const { connector, log } = await bench.make({ host: undefined, url: [wrong(proxy.port)] });
    await connector.start();
    await proxy.accept();
    await until("the refusals", () => proxy.times.length >= 2);
    await until("the reason", () => /away: ACCESS_REFUSED/.test(connector.health() ?? ""));
    const away = `the broker 127.0.0.1:${proxy.port} is away; reconnecting: `;
    assert.deepEqual(log.map(([, text]) => text.replace(away, "").split(" ")[0]), [
      "connect",
      "ACCESS_REFUSED",
    ]);
    await connector.close();
  } finally {
    proxy.close();
  }
});

await bench(
  "what waits for a connection goes on after an alarm, and when it is lost",
  async (bench) => {
    const log: LogLine[] = [];
    const connection = new BrokerConnection({
      address: addressOf({ driver: "rabbitmq", host: "127.0.0.1" } as MqOptions),
      tls: undefined,
      name: bench.id,
      logger: keepingLogger(log),
    });
    assert.equal(await connection.opened, undefined);
    let ready = 0;
    connection.onReady(() => ready++);
    connection.client.emit("connection.blocked", "low on disk");
    assert.match(connection.health ?? "", / accepts no messages: low on disk$/);
    connection.client.emit("connection.unblocked");
    assert.deepEqual([connection.health, ready], [undefined, 1]);
    const channel = await connection.client.acquire();
    // As the library does while an alarm lasts: nothing is sent, so nothing is answered.
    (connection.client as unknown as { readonly _socket: Socket })._socket.cork();
    const asking = channel.queueDeclare({ queue: bench.queue, passive: true });
    await assert.rejects(connection.answer(asking, "answered", 1), TimeoutError);
    assert.ok(channel.active, "its end has not come yet");
    await closeChannel(channel);
    await connection.close();
  },
);

await bench("message_id is the property of the message", async (bench) => {
  const ids: unknown[] = [];
  const { connector } = await bench.consume({}, ({ input }) => {
    ids.push((input.properties as Record<string, unknown>).message_id);
  });
  const longest = "é".repeat(127) + "x";
  for (const message_id of ["order 7", longest, 7]) {
    await connector.write({ ...request("k", 1), options: { message_id } });
  }
  await until("all", () => ids.length === 3);
  assert.deepEqual(ids, ["order 7", longest, "7"]);
});

/** What a check finds, of a connector that publishes and consumes. */
async function probed(bench: Bench, options: Record<string, unknown>): Promise<string> {
  const { connector } = await bench.make(options);
  const asks = [{ report: () => undefined }];
  return await connector.probe(asks as unknown as ProbeRequest[], asks as unknown as ProbeSource[])
    .catch((error) => error.message);
}

await bench("a check says what the broker would refuse, and declares nothing", async (bench) => {
  const dlq = { max_retries: 1, retry_delay: 20 };
  const good = await probed(bench, bench.named({ dlq }));
  assert.equal(good, "the broker 127.0.0.1:5672 answers");
  for (const name of [bench.queue, `${bench.queue}.dlq`, `${bench.queue}.retry`]) {
    await assert.rejects(bench.count(name), /NOT_FOUND/);
  }
  await bench.client.exchangeDeclare({ exchange: bench.exchange, type: "fanout" });
  await bench.client.queueDeclare({ queue: bench.queue, durable: true, autoDelete: true });
  await bench.client.queueDeclare({ queue: `${bench.queue}.dlq`, durable: false });
  const publisher = { exchange: `${bench.id}.third`, persistent: true, confirms: true };
  const bad = await probed(bench, { ...bench.named({ dlq }), publisher });
  const expected = [
    `the exchange "${bench.exchange}" is there with another type: it is fanout`,
    `no exchange '${bench.id}.third'`,
    `the queue "${bench.queue}" is there with another auto_delete: it is true`,
    `the queue "${bench.queue}.dlq" is there with another durable: it is false`,
  ];
  for (const text of expected) assert.ok(bad.includes(text), bad);
  assert.equal(bad.split("; write in the configuration").length, 4, bad);
});

await bench("a check says which permissions are missing", async (bench) => {
  const dlq = { max_retries: 1, retry_delay: 20 };
  const user = bench.id;
  const declaring = await bench.consume(bench.named({ dlq }), () => undefined);
  await declaring.connector.close();
  await bench.client.queueDeclare({ queue: bench.queue, durable: true });
  const auth = "rabbit_auth_backend_internal";
  const binary = (text: string) => `<<"${text}">>`;
  const names = [binary(user), binary("pass"), binary("test")];
  await tellBroker(
    `${auth}:add_user(${names.join(", ")}), ${auth}:set_permissions(${binary(user)}, <<"/">>, ` +
      `<<"^$">>, <<"^$">>, <<"^$">>, <<"test">>).`,
  );
  try {
    const bad = await probed(bench, { ...bench.named({ dlq }), username: user, password: "pass" });
    for (
      const [access, thing] of [
        ["configure", `exchange '${bench.exchange}'`],
        ["write", `exchange '${bench.exchange}'`],
        ["configure", `queue '${bench.queue}'`],
        ["read", `queue '${bench.queue}'`],
        ["write", `queue '${bench.queue}'`],
        ["configure", `queue '${bench.queue}.retry'`],
        ["write", "exchange 'amq.default'"],
      ]
    ) {
      assert.ok(bad.includes(`${access} access to ${thing}`), `${access} ${thing}: ${bad}`);
    }
  } finally {
    await tellBroker(`${auth}:delete_user(${names[0]}, ${names[2]}).`);
  }
});

await serviceTest(
  "amqp-tools",
  "amqp-publish talks to a WebSocket client through a flow, and amqp-get hears its answer",
  () => withBench(talk),
);

async function talk(bench: Bench): Promise<void> {
  const { exchange, queue, client } = bench;
  const tool = async (name: string, ...args: string[]) =>
    (await promisify(execFile)(`/usr/bin/${name}`, ["-s", "127.0.0.1", ...args])).stdout;
  const { port, close } = await hosts[0].start(`
    connector "ws" {
      type = "websocket"
      port = 0
    }
    connector "events" {
      type   = "mq"
      driver = "rabbitmq"
      host   = "127.0.0.1"
      exchange { name = "${exchange}" }
      queue {
        name = "${queue}"
        type = "quorum"
      }
    }
    flow "tell" {
      from {
        connector = "events"
        operation = "news.#"
      }
      transform {
        text = "input.text"
        from = "input.headers.from"
      }
      to {
        connector = "ws"
        operation = "broadcast"
      }
    }
    flow "answer" {
      from {
        connector = "ws"
        operation = "answer"
      }
      to {
        connector  = "events"
        target     = "answers.ws"
        message_id = "'answer ' + string(input.n)"
      }
    }
  `);
  const socket = await openClient({ port });
  try {
    const { queue: answers } = await client.queueDeclare({ queue: `${bench.id}.other` });
    await client.queueBind({ exchange, queue: answers, routingKey: "answers.*" });
    const header = ["-C", "application/json", "-H", "from: C"];
    await tool("amqp-publish", "-e", exchange, "-r", "news.a", ...header, "-b", '{"text":"ü"}');
    const said = { type: "message", data: { text: "ü", from: "C" } };
    assert.deepEqual(await socket.hear(), said);
    assert.deepEqual(await socket.ask({ type: "answer", data: { n: 7 }, id: 1 }), ack(1));
    assert.equal(await tool("amqp-get", "-q", answers), '{"n":7}');
  } finally {
    socket.destroy();
    await close();
  }
}
