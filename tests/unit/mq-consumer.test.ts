import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { AsyncMessage } from "rabbitmq-client";
import { type Delivery, UnsendableError } from "../../src/messaging/mod.ts";
import { Consumer } from "../../src/connectors/mq/drivers/rabbitmq/consumer.ts";
import { type MqOptions, settle } from "../../src/connectors/mq/options.ts";
import { keepingLogger } from "../support/mq.ts";

const WHY = { reason: "r", flows: [], retries: 0, time: 0 };

const dlq = { max_retries: 3, retry_delay: 1000 };
const named = { name: "q", durable: true, exclusive: false, auto_delete: false };

/** A consumer of a broker that exists in this test alone; it has delivered one message. */
async function consuming(queue: Partial<typeof named> | "own" = {}) {
  const bindings: unknown[] = [];
  const lost: string[] = [];
  const closed = (): void => {
    if (!channel.active) throw new Error("channel is closed");
  };
  const channel = Object.assign(new EventEmitter(), {
    active: true,
    take: (_: unknown): void => undefined,
    exchangeDeclare: () => Promise.resolve(),
    queueDeclare: () => Promise.resolve({ queue: "q" }),
    queueBind: ({ arguments: args }: { arguments?: unknown }) =>
      Promise.resolve(bindings.push(args)),
    basicQos: () => Promise.resolve(),
    basicConsume(_: unknown, take: (message: unknown) => void) {
      channel.take = take;
      return Promise.resolve({ consumerTag: "c" });
    },
    basicCancel: () => Promise.resolve(),
    basicAck: closed,
    basicNack: closed,
    close: () => Promise.resolve(),
  });
  /** What declaring a queue throws, and what sending a copy throws. */
  const errors: { declare?: Error; send?: Error } = {};
  const client = {
    acquire: () => Promise.resolve(channel),
    queueDeclare: () =>
      errors.declare === undefined ? Promise.resolve({}) : Promise.reject(errors.declare),
  };
  const context = {
    connection: {
      client,
      health: undefined,
      id: "connection 1",
      onReady: () => undefined,
      answer: (pending: Promise<unknown>) => pending,
      gather: () => undefined,
    },
    mover: { send: () => Promise.reject(errors.send) },
    settings: settle({
      driver: "rabbitmq",
      ...(queue !== "own" && { queue: { ...named, ...queue } }),
      consumer: { prefetch: 1, dlq: { ...dlq, queue: "dead" } },
    } as MqOptions),
    operations: ["k"],
    logger: keepingLogger([]),
    lost: (key: string, reason: string) => lost.push(`${key}: ${reason}`),
  };
  const consumer = new Consumer(
    context as unknown as ConstructorParameters<typeof Consumer>[0],
  );
  const delivered = Promise.withResolvers<Delivery>();
  await consumer.start((delivery) => delivered.resolve(delivery), false);
  const message: Partial<AsyncMessage> = { exchange: "e", routingKey: "k", body: Buffer.from("1") };
  channel.take(message);
  return { consumer, channel, bindings, lost, errors, delivery: await delivered.promise };
}

test("a message that cannot be moved: the error is in words", async () => {
  const { consumer, errors, delivery } = await consuming();
  const moves = [() => delivery.redeliver("r", 1, 0), () => delivery.deadLetter(WHY)];
  for (const move of moves) {
    errors.declare = new Error("undefined: no such exchange");
    await assert.rejects(async () => await move(), { message: "no such exchange" });
    errors.declare = Object.assign(new Error(""), { code: "ECONNRESET" });
    await assert.rejects(async () => await move(), { message: "ECONNRESET" });
    delete errors.declare;
    errors.send = new UnsendableError("too large");
    await assert.rejects(async () => await move(), (error) => error === errors.send);
  }
  await consumer.close();
});

test("the bindings of an exclusive queue are those of its connection alone", async () => {
  for (const exclusive of [true, false]) {
    const { consumer, bindings } = await consuming({ exclusive });
    const args = exclusive ? { "x-weir-connection": "connection 1" } : undefined;
    assert.deepEqual(bindings, [args]);
    await consumer.close();
  }
});

test("a queue of its own that is gone is told nothing; what cannot be moved then is lost", async () => {
  const gone = ["k: it could not be moved, and its queue is gone"];
  const one = await consuming("own");
  one.delivery.requeue();
  assert.deepEqual(one.lost, []);
  one.channel.active = false;
  assert.equal(one.delivery.held, true);
  one.delivery.ack();
  one.delivery.discard();
  one.delivery.requeue();
  assert.deepEqual(one.lost, gone);
  await one.consumer.close();
  const two = await consuming("own");
  await two.consumer.stop();
  two.delivery.requeue();
  assert.deepEqual(two.lost, gone);
  const shared = await consuming();
  shared.channel.active = false;
  assert.throws(() => shared.delivery.ack(), /closed/);
  shared.delivery.requeue();
  assert.deepEqual([shared.delivery.held, shared.lost], [false, []]);
});
