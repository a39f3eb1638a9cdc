import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { AMQPChannelError, AMQPError } from "rabbitmq-client";
import { describe, isPermanent } from "../../src/connectors/mq/drivers/rabbitmq/errors.ts";
import { Publisher } from "../../src/connectors/mq/drivers/rabbitmq/publisher.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import { toPublication } from "../../src/messaging/mod.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { request } from "../support/mq.ts";

/** An error of the broker; the library's types have another constructor than its code. */
function refused(type: new () => Error, code: string, words: string): Error {
  return Reflect.construct(type, [code, words]);
}

/** A channel of a broker that exists in this test alone; the test decides what becomes of messages. */
class FakeChannel extends EventEmitter {
  active = true;
  closed = false;
  readonly sent: PromiseWithResolvers<void>[] = [];

  confirmSelect(): Promise<void> {
    return Promise.resolve();
  }

  basicPublish(): Promise<void> {
    const confirmed = Promise.withResolvers<void>();
    this.sent.push(confirmed);
    return confirmed.promise;
  }

  close(): Promise<void> {
    this.active = false;
    this.closed = true;
    return Promise.resolve();
  }

  /** The broker closes it over one of the messages; the library tells the first one why. */
  fail(error: Error): void {
    this.active = false;
    for (const [at, { reject }] of this.sent.entries()) {
      reject(at === 0 ? error : refused(AMQPChannelError, "CH_CLOSE", "channel is closed"));
    }
  }
}

/** A publisher, the channels that it makes, and what became of the messages that it was given. */
function publishing() {
  const clock = new ManualClock();
  const channels: FakeChannel[] = [];
  const client = {
    acquire() {
      const channel = new FakeChannel();
      channels.push(channel);
      return Promise.resolve(channel);
    },
  };
  const connection = {
    client,
    health: undefined,
    answer: (pending: Promise<unknown>) => pending,
    gather: () => undefined,
    channelClosed: () => undefined,
  };
  const publisher = new Publisher(
    connection as unknown as ConstructorParameters<typeof Publisher>[0],
    { confirms: true, clock },
  );
  const fates: string[] = [];
  const send = async (name: string, size = 1): Promise<void> => {
    const message = { exchange: "e", routingKey: "k", messageId: name };
    void publisher.send(message, Buffer.alloc(size)).then(
      () => fates.push(`${name}: confirmed`),
      (error) => fates.push(`${name}: ${error.name} ${error.message}`),
    );
    await settle();
  };
  return { publisher, clock, channels, fates, send };
}

test("each message has five seconds of its own, and all of them one timer", async () => {
  const { publisher, clock, channels, fates, send } = publishing();
  await send("a");
  await clock.advance(3000);
  await send("b");
  assert.equal(clock.waiting, 1);
  await clock.advance(1999);
  assert.deepEqual(fates, []);
  await clock.advance(1);
  const late = "Error the broker has not confirmed within 5 s";
  assert.deepEqual(fates, [`a: ${late}`]);
  // What follows goes through a new channel; the old one has still a message to confirm.
  await send("c");
  assert.deepEqual(channels.map(({ sent, closed }) => [sent.length, closed]), [[2, false], [
    1,
    false,
  ]]);
  channels[0].sent[1].resolve();
  channels[0].sent[0].resolve();
  channels[1].sent[0].resolve();
  await settle();
  assert.deepEqual(fates.slice(1), ["b: confirmed", "c: confirmed"]);
  assert.deepEqual(channels.map(({ closed }) => closed), [true, false]);
  await publisher.close();
  assert.equal(clock.waiting, 0);
});

test("of messages on one channel only the one that is too large can never be sent", async () => {
  const { channels, fates, send } = publishing();
  for (const [name, size] of [["small", 10], ["large", 2000]] as const) await send(name, size);
  const words = "BasicPublish: PRECONDITION_FAILED - message size 2000 is larger than configured " +
    "max size 1024";
  channels[0].fail(refused(AMQPChannelError, "PRECONDITION_FAILED", words));
  await settle();
  assert.deepEqual(fates.sort(), [`large: UnsendableError ${words}`, `small: Error ${words}`]);
  await send("next");
  assert.equal(channels.length, 2);
});

test("every message on a channel that the broker has closed is told why; a refused one alone", async () => {
  const { channels, fates, send } = publishing();
  await send("a");
  channels[0].sent[0].reject(refused(AMQPError, "NACK", "message rejected by server"));
  await settle();
  assert.deepEqual(fates, ["a: Error message rejected by server"]);
  for (const name of ["b", "c"]) await send(name);
  channels[0].sent.shift();
  channels[0].fail(
    refused(AMQPChannelError, "NOT_FOUND", "BasicPublish: NOT_FOUND - no exchange 'e'"),
  );
  await settle();
  const why = "Error BasicPublish: NOT_FOUND - no exchange 'e'";
  assert.deepEqual(fates.slice(1).sort(), [`b: ${why}`, `c: ${why}`]);
});

test("a message that the library cannot write fails alone", async () => {
  const { channels, fates, send } = publishing();
  for (const name of ["bad", "good"]) await send(name);
  channels[0].fail(new RangeError("too long"));
  await settle();
  assert.deepEqual(fates.sort(), [
    "bad: UnsendableError too long",
    "good: Error channel is closed",
  ]);
});

test("a difference is said in words, whatever the broker's are", () => {
  const begin = "QueueDeclare: PRECONDITION_FAILED - inequivalent arg";
  const cases = [
    ["'durable' for queue 'q' in vhost '/': received 'true' but current is 'false'", [
      'PRECONDITION_FAILED: the queue "q" is there with another durable: it is false, and true',
    ]],
    ["'type' for exchange 'e' in vhost '/v': received 'topic' but current is 'fanout'", [
      'the exchange "e" is there with another type: it is fanout, and topic is asked for; write',
    ]],
    [
      "'x-delivery-limit' for queue 'q' in vhost '/': received the value '2147483647' of type " +
      "'signedint' but current is the value '20' of type 'byte'",
      ["another x-delivery-limit: it is 20, and 2147483647 is asked for; with a limit"],
    ],
    // Whatever else comes, comes through.
    ["'x' for queue 'it's' in vhost '/'", ["inequivalent arg 'x' for queue 'it's'"]],
  ] as const;
  for (const [words, [expected]] of cases) {
    const found = describe(refused(AMQPChannelError, "PRECONDITION_FAILED", `${begin} ${words}`));
    assert.ok(found.includes(expected), found);
  }
});

test("a limit of connections may be over soon, a refusal is not", () => {
  const cases = [
    [
      "ACCESS_REFUSED",
      "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.",
      true,
    ],
    ["NOT_ALLOWED", "NOT_ALLOWED - vhost nowhere not found", true],
    ["NOT_ALLOWED", "connection refused for user 'u': user connection limit (1) is reached", false],
    [
      "NOT_ALLOWED",
      "access to vhost 'v' refused for user 'u': connection limit (1) is reached",
      false,
    ],
    ["RESOURCE_LOCKED", "cannot obtain exclusive access to locked queue 'q'", false],
  ] as const;
  for (const [code, words, permanent] of cases) {
    assert.equal(isPermanent(refused(AMQPChannelError, code, words)), permanent, words);
  }
});

test("a message_id that is nonsense fails the write for good, and is not sent", () => {
  const made = (message_id: unknown) =>
    toPublication("events", 255, { ...request("k", 1), options: { message_id } }).messageId;
  assert.deepEqual([made("x".repeat(255)), made("é 7"), made(7), made(undefined)], [
    "x".repeat(255),
    "é 7",
    "7",
    undefined,
  ]);
  const nonsense = [
    "",
    "x".repeat(256),
    "é".repeat(128),
    "a\nb",
    "\0",
    "\x7f",
    NaN,
    true,
    null,
    {},
    [],
  ];
  for (const id of nonsense) {
    assert.throws(() => made(id), (error) => {
      assert.ok(error instanceof ConnectorError && error.permanent);
      assert.match(error.message, /message_id must be a text of 1 to 255 bytes without control/);
      return true;
    }, JSON.stringify(id));
  }
  assert.throws(() => made("\ud800"), /the message_id has half of a surrogate pair/);
});
