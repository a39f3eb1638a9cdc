import assert from "node:assert/strict";
import { test } from "node:test";
import { type Delivery, UnsendableError } from "../../src/messaging/broker.ts";
import { Intake, type Pushed } from "../../src/messaging/intake.ts";
import { ManualClock } from "../support/clock.ts";

/** An intake of one at a time; `handle` is what flows do, and what is lost is kept. */
function intake(
  handle: (delivery: Delivery) => void | Promise<void>,
  deadLetter?: (message: Pushed) => Promise<Record<never, never>>,
) {
  const lost: string[] = [];
  const clock = new ManualClock();
  const made = new Intake({
    prefetch: 1,
    deliver: handle,
    clock,
    lost: (key, reason, count = 1) => void lost.push(`${count} ${key}: ${reason}`),
    ...(deadLetter !== undefined && { deadLetter }),
  });
  return { intake: made, lost, clock };
}

function message(routingKey: string, settled?: () => void): Pushed {
  const content = { key: routingKey, body: 1, metadata: {} };
  return { routingKey, content, size: 1, ...(settled !== undefined && { settled }) };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test("its broker hears of what was handled, discarded, or buried, and not of what comes again", async () => {
  const settled: string[] = [];
  const buried = Promise.withResolvers<Record<never, never>>();
  const { intake: made, clock } = intake(async (delivery) => {
    const { routingKey, retries } = delivery;
    if (routingKey === "good") delivery.ack();
    if (routingKey === "bad") delivery.discard();
    if (routingKey === "late") {
      if (retries === 0) await delivery.redeliver("why", 1, 1000);
      else delivery.ack();
    }
    const why = { reason: "why", flows: [], retries: 0, time: 0 };
    if (routingKey === "dead") await delivery.deadLetter(why);
  }, () => buried.promise);
  for (const key of ["good", "bad", "late", "dead"]) {
    made.push(message(key, () => void settled.push(key)));
  }
  await turn();
  assert.deepEqual(settled, ["good", "bad"]);
  buried.resolve({});
  await turn();
  assert.deepEqual(settled, ["good", "bad", "dead"]);
  await clock.advance(1000);
  await turn();
  assert.deepEqual(settled, ["good", "bad", "dead", "late"]);
});

test("what its broker waits for is never lost, however much waits", async () => {
  const gate = Promise.withResolvers<void>();
  let settled = 0;
  const { intake: made, lost } = intake(async (delivery) => {
    await gate.promise;
    delivery.ack();
  });
  for (let n = 0; n < 10_050; n++) made.push(message("kept", () => void settled++));
  made.push(message("passing"));
  assert.equal(lost.length, 1, "a message without somebody who waits for it is lost");
  gate.resolve();
  await made.drain();
  assert.equal(settled, 10_050);
});

test("what its broker keeps is left to it at the end; the rest is handled", async () => {
  const gate = Promise.withResolvers<void>();
  const handled: string[] = [];
  const { intake: made, clock } = intake(async (delivery) => {
    handled.push(delivery.routingKey);
    if (delivery.routingKey === "again") return void delivery.redeliver("why", 1, 1000);
    await gate.promise;
    delivery.ack();
  });
  const settled: string[] = [];
  const push = (key: string) => made.push(message(key, () => void settled.push(key)));
  push("again");
  await turn();
  push("first");
  push("second");
  made.push(message("passing"));
  made.leave();
  gate.resolve();
  await made.drain();
  await clock.advance(1000);
  assert.deepEqual(handled, ["again", "first", "passing"]);
  assert.deepEqual(settled, ["first"]);
  assert.equal(made.waiting, 0);
});

test("what cannot be moved is handed over again, and lost at the end", async () => {
  let ending = false;
  let times = 0;
  const { intake: made, lost } = intake((delivery) => {
    if (++times > 2 && !ending) return delivery.ack();
    delivery.requeue();
  });
  made.push(message("stuck"));
  while (times < 3) await turn();
  assert.deepEqual(lost, []);
  ending = true;
  const drained = made.drain();
  made.push(message("stuck"));
  await drained;
  assert.deepEqual(lost, ["1 stuck: it could not be moved, and the service stops"]);
});

test("what waits for another delivery is bounded, and holds up no good message", () => {
  const refused: unknown[] = [];
  let good = 0;
  const { intake: made, lost } = intake((delivery) => {
    if (delivery.routingKey === "good") return void good++;
    try {
      delivery.redeliver("why", delivery.retries + 1, 600_000);
    } catch (error) {
      refused.push(error);
    }
  });
  for (let n = 0; n < 10_050; n++) made.push(message("bad"));
  assert.equal(refused.length, 50);
  assert.ok(refused.every((error) => error instanceof UnsendableError));
  made.push(message("good"));
  assert.deepEqual([good, lost, made.waiting], [1, [], 10_000]);
});

test("what waits for another delivery is bounded in bytes, and they are free when it is over", async () => {
  const { intake: made, clock } = intake((delivery) => {
    if (delivery.retries > 0) return delivery.ack();
    delivery.redeliver("why", 1, 1000);
  });
  const large = { ...message("bad"), size: 20 * 1024 * 1024 };
  for (let round = 0; round < 3; round++) {
    made.push(large);
    assert.throws(() => made.push(large), UnsendableError);
    assert.equal(made.waiting, 1);
    await clock.advance(1000);
    assert.equal(made.waiting, 0);
  }
});
