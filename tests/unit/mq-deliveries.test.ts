import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Capabilities,
  type Delivery,
  type GivenUp,
  UnsendableError,
} from "../../src/messaging/mod.ts";
import { Deliveries } from "../../src/messaging/deliveries.ts";
import { type DeliveryFailure, Subscriptions } from "../../src/contract/subscriptions.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { failure, flow, keepingLogger, type LogLine, refusing } from "../support/mq.ts";

const able = { everyWorker: true, keeps: false, delays: false, longestKey: 255 };
const content = { key: "k", body: 1, metadata: {} };

/** A message of a broker that exists in this test alone; `log` has what became of it. */
class FakeDelivery implements Delivery {
  readonly routingKey = "k";
  readonly retries: number;
  readonly content: Delivery["content"] = content;
  held = true;
  readonly log: string[] = [];
  /** What `redeliver` and `deadLetter` throw. */
  error: Error | undefined;

  constructor(retries = 0) {
    this.retries = retries;
  }

  ack(): void {
    this.log.push("ack");
  }

  requeue(): void {
    this.log.push("requeue");
  }

  discard(): void {
    this.log.push("discard");
  }

  async redeliver(reason: string, retries: number, delay: number): Promise<void> {
    await Promise.resolve();
    if (this.error !== undefined) throw this.error;
    this.log.push(`redeliver ${retries} ${delay} ${reason}`);
  }

  async deadLetter({ reason, retries }: GivenUp): Promise<{ leftOut?: string }> {
    await Promise.resolve();
    if (this.error !== undefined) throw this.error;
    this.log.push(`dead letter ${retries} ${reason}`);
    return { leftOut: "a header" };
  }
}

/** Deliveries to one flow of a broker with these capabilities: two retries, a second apart. */
function made(
  capabilities: Partial<Capabilities>,
  run: () => unknown,
  { deadLetters = true, handler = flow(run) } = {},
) {
  const log: LogLine[] = [];
  const clock = new ManualClock();
  const subscriptions = new Subscriptions((operation) => (key) => key === (operation ?? key));
  subscriptions.add("k", handler);
  const deliveries = new Deliveries({
    subscriptions,
    settings: {
      prefetch: 1,
      maxRetries: 2,
      retryDelay: 1000,
      deadLetters: deadLetters ? "dead-letter queue dead" : undefined,
    },
    capabilities: { ...able, ...capabilities },
    logger: keepingLogger(log),
    clock,
  });
  return { deliveries, clock, log };
}

const failing = () => Promise.reject(failure());
const reason = 'flow_failed: flow "test" failed (ref 0badc0de)';

test("a broker that cannot hold a message: it waits here, then is a dead letter", async () => {
  let runs = 0;
  const { deliveries, clock, log } = made({}, () => {
    runs++;
    return failing();
  });
  const delivery = new FakeDelivery();
  void deliveries.handle(delivery);
  await clock.advance(999);
  assert.equal(runs, 1);
  await clock.advance(1);
  assert.equal(runs, 2);
  await clock.advance(1000);
  await deliveries.drain();
  assert.equal(runs, 3);
  assert.deepEqual(delivery.log, [`dead letter 2 ${reason}`]);
  assert.match(log.at(-1)![1], /dead: .*; left out: a header$/);
  const { consumed, retried, dead_lettered } = deliveries.counts;
  assert.deepEqual([consumed, retried, dead_lettered], [3, 2, 1]);
});

test("a broker that can hold a message gets it at once, with its number and delay", async () => {
  const { deliveries } = made({ delays: true }, failing);
  const delivery = new FakeDelivery(1);
  await deliveries.handle(delivery);
  assert.deepEqual(delivery.log, [`redeliver 2 1000 ${reason}`]);
});

test("what no flow takes goes back to a broker that keeps it, for its other consumers", async () => {
  const handler = refusing("requeue", 5);
  const kept = new FakeDelivery(4);
  await made({ keeps: true }, failing, { handler }).deliveries.handle(kept);
  assert.deepEqual(kept.log, ["redeliver 5 1000 no flow takes it"]);
});

test("at the end a message that waits here goes back to a broker that keeps it, else it is tried", async () => {
  for (const keeps of [true, false]) {
    let runs = 0;
    const { deliveries } = made({ keeps }, () => {
      if (++runs === 1) return failing();
    });
    const delivery = new FakeDelivery();
    void deliveries.handle(delivery);
    await settle();
    deliveries.stop();
    await deliveries.drain();
    assert.deepEqual(delivery.log, keeps ? ["requeue"] : ["ack"]);
  }
});

test("at the end a broker that keeps nothing redelivers without a delay, another one with it", async () => {
  for (const [keeps, delay] of [[true, 1000], [false, 0]] as const) {
    const { deliveries } = made({ keeps, delays: true }, failing);
    deliveries.stop();
    const delivery = new FakeDelivery();
    await deliveries.handle(delivery);
    assert.deepEqual(delivery.log, [`redeliver 1 ${delay} ${reason}`]);
  }
});

test("a message that the broker has taken back is not handled again", async () => {
  let runs = 0;
  const { deliveries, clock } = made({ keeps: true }, () => {
    runs++;
    return failing();
  });
  const delivery = new FakeDelivery();
  void deliveries.handle(delivery);
  await settle();
  delivery.held = false;
  await clock.advance(60_000);
  await deliveries.drain();
  assert.equal(runs, 1);
  assert.deepEqual(delivery.log, []);
});

test("what cannot be moved this time goes back; what never can is discarded", async () => {
  const cases: readonly (readonly [Error, string])[] = [
    [new Error("no connection"), "requeue"],
    [new UnsendableError("too large"), "discard"],
  ];
  for (const [error, expected] of cases) {
    const { deliveries, clock, log } = made({ delays: true }, failing);
    const delivery = new FakeDelivery();
    delivery.error = error;
    void deliveries.handle(delivery);
    await clock.advance(1000);
    await deliveries.drain();
    assert.deepEqual(delivery.log, [expected]);
    assert.match(log.at(-1)![1], new RegExp(error.message));
  }
});

test("an error in settling is logged, and the message goes back if it is still held", async () => {
  for (const held of [true, false]) {
    const { deliveries, clock, log } = made({}, () => undefined);
    const delivery = new FakeDelivery();
    delivery.held = held;
    delivery.ack = () => {
      throw new Error("the channel is closed");
    };
    void deliveries.handle(delivery);
    await clock.advance(1000);
    await deliveries.drain();
    assert.deepEqual(delivery.log, held ? ["requeue"] : []);
    assert.deepEqual(log, [["warn", "message k may be redelivered: the channel is closed"]]);
    assert.equal(deliveries.counts.acked, 0);
  }
});

test("a message that cannot be read runs no flow", async () => {
  const unreadable: DeliveryFailure = { reason: "its body is not JSON", permanent: true };
  const { deliveries } = made({}, () => assert.fail("it ran"), { deadLetters: false });
  const delivery = Object.assign(new FakeDelivery(), { content: unreadable });
  await deliveries.handle(delivery);
  assert.deepEqual(delivery.log, ["discard"]);
  assert.equal(deliveries.counts.discarded, 1);
});

test("a flow that does not wait is settled without a promise", () => {
  const { deliveries } = made({}, () => undefined);
  const delivery = new FakeDelivery();
  assert.equal(deliveries.handle(delivery), undefined);
  assert.deepEqual(delivery.log, ["ack"]);
});

test("many retries at this consumer do not pile up promises", async () => {
  const { deliveries } = made({}, failing, { handler: refusing("requeue", 1000) });
  // Nothing waits between the retries then.
  deliveries.stop();
  const delivery = new FakeDelivery();
  let turns = 0;
  let settled = false;
  delivery.deadLetter = () => {
    const count = (): void => {
      turns++;
      if (!settled) queueMicrotask(count);
    };
    count();
    return Promise.resolve({});
  };
  await deliveries.handle(delivery);
  settled = true;
  assert.equal(deliveries.counts.consumed, 1001);
  assert.ok(turns < 100, `${turns} turns of promises after the last retry`);
});

test("a message that the broker takes back while it is moved may be redelivered", async () => {
  const { deliveries, clock, log } = made({ delays: true, keeps: true }, failing);
  const delivery = new FakeDelivery();
  delivery.error = new Error("channel is closed");
  delivery.held = false;
  void deliveries.handle(delivery);
  await clock.advance(1000);
  await deliveries.drain();
  assert.deepEqual(delivery.log, []);
  assert.deepEqual(log, [["warn", "message k may be redelivered: channel is closed"]]);
});
