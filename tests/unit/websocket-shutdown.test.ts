import assert from "node:assert/strict";
import { test } from "node:test";
import { shutDownAll } from "../../src/connectors/websocket/hub.ts";
import { ManualClock } from "../support/clock.ts";

/** The milliseconds after the start at which each of `count` shuts down, in order. */
async function moments(count: number, spread: number): Promise<readonly number[]> {
  const clock = new ManualClock();
  const told: number[] = [];
  const leaver = {
    shutDown(): Promise<void> {
      told.push(clock.elapsed());
      return Promise.resolve();
    },
  };
  const all = shutDownAll(Array.from({ length: count }, () => leaver), spread, clock);
  await clock.advance(spread);
  await all;
  assert.equal(told.length, count);
  return told;
}

test("many shut down over the whole time, evenly", async () => {
  const spread = 1_000;
  const told = await moments(400, spread);
  const parts = [0, 0, 0, 0];
  for (const at of told) parts[Math.floor(at / (spread / 4))]++;
  // 100 each; the chance to leave this range is less than one in 10^7.
  for (const part of parts) assert.ok(part > 50 && part < 150, parts.join(" "));
});

test("a few use their part of it, and none uses none", async () => {
  const [only] = await moments(1, 60_000);
  assert.ok(only < 3_000, `${only} ms`);
  await shutDownAll([], 60_000, new ManualClock());
});

test("without a spread all shut down at once, before anything else happens", () => {
  let told = 0;
  const gone = new Promise<void>(() => {});
  const leaver = {
    shutDown(): Promise<void> {
      told++;
      return gone;
    },
  };
  void shutDownAll(Array.from({ length: 100 }, () => leaver), 0);
  assert.equal(told, 100);
});

test("it waits for slow ones, and a failure is not hidden", async () => {
  let left = false;
  const slow = {
    shutDown: () =>
      new Promise<void>((resolve) =>
        setTimeout(() => {
          left = true;
          resolve();
        }, 20)
      ),
  };
  await shutDownAll([slow, { shutDown: () => Promise.resolve() }], 0);
  assert.ok(left);
  const failure = new Error("stuck");
  const broken = { shutDown: () => Promise.reject(failure) };
  await assert.rejects(shutDownAll([broken], 0), (error) => error === failure);
});
