import assert from "node:assert/strict";
import { test } from "node:test";
import { Expiry } from "../../src/connectors/websocket/credentials.ts";
import { ManualClock } from "../support/clock.ts";

const DAY = 86_400_000;

function start() {
  const clock = new ManualClock();
  let count = 0;
  const expiry = new Expiry(clock, () => count++);
  return { clock, expiry, began: clock.now(), told: () => count };
}

test("the expiry is reported once, when it has come", async () => {
  const { clock, expiry, began, told } = start();
  expiry.set(began + 60_000);
  await clock.advance(59_999);
  assert.equal(told(), 0);
  await clock.advance(1);
  assert.equal(told(), 1);
  await clock.advance(DAY);
  assert.equal(told(), 1);
  assert.equal(clock.waiting, 0);
});

test("a renewed token moves it, to later and to sooner", async () => {
  const { clock, expiry, began, told } = start();
  expiry.set(began + 1_000);
  expiry.set(began + 5_000);
  await clock.advance(4_999);
  assert.equal(told(), 0);
  expiry.set(began + DAY);
  expiry.set(began + 6_000);
  await clock.advance(1_001);
  assert.equal(told(), 1);
});

test("it may be further away than any timer goes", async () => {
  const { clock, expiry, began, told } = start();
  expiry.set(began + 25 * DAY);
  await clock.advance(25 * DAY - 1);
  assert.equal(told(), 0);
  await clock.advance(1);
  assert.equal(told(), 1);
  for (const never of [undefined, Infinity, Number.MAX_VALUE]) {
    expiry.set(never);
    await clock.advance(DAY / 8);
  }
  assert.equal(told(), 1);
});

test("an expiry in the past is reported at once", () => {
  const { expiry, began, told } = start();
  expiry.set(began);
  assert.equal(told(), 1);
  expiry.set(-Infinity);
  assert.equal(told(), 2);
});

test("after stop nothing is reported and no timer runs", async () => {
  const { clock, expiry, began, told } = start();
  expiry.set(began + 1_000);
  expiry.stop();
  expiry.stop();
  assert.equal(clock.waiting, 0);
  await clock.advance(DAY);
  assert.equal(told(), 0);
});
