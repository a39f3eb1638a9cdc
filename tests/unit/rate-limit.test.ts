import assert from "node:assert/strict";
import { test } from "node:test";
import { RateLimit } from "../../src/access/rate-limit.ts";
import { Limits, PingLimit } from "../../src/connectors/websocket/limits.ts";
import {
  type ClientFrame,
  decodeFrame,
  errorFrame,
  type Refusal,
} from "../../src/connectors/websocket/protocol.ts";
import { seeded } from "../support/random.ts";

/** A clock that only the test moves. */
function stopped() {
  const clock = {
    time: 1_000,
    now: () => assert.fail("the wall clock may jump"),
    elapsed: () => clock.time,
    after: () => assert.fail("nothing waits here"),
  };
  return clock;
}

test("a burst passes at once, then one frame per interval", () => {
  const clock = stopped();
  const rate = new RateLimit({ messages: 4, per: 1_000, burst: undefined }, clock);
  assert.deepEqual([1, 2, 3, 4, 5].map(() => rate.take()), [0, 0, 0, 0, 250]);
  clock.time += 100;
  assert.equal(rate.take(), 150);
  clock.time += 150;
  assert.equal(rate.take(), 0);
  assert.equal(rate.take(), 250);
});

test("a pause adds no more than the burst", () => {
  const clock = stopped();
  const rate = new RateLimit({ messages: 10, per: 1_000, burst: 2 }, clock);
  clock.time += 3_600_000;
  assert.deepEqual([1, 2, 3].map(() => rate.take()), [0, 0, 100]);
});

test("a burst may be larger than the rate", () => {
  const rate = new RateLimit({ messages: 1, per: 60_000, burst: 3 }, stopped());
  assert.deepEqual([1, 2, 3, 4].map(() => rate.take()), [0, 0, 0, 60_000]);
});

test("a client that waits for retry_after_ms is served, whatever the fractions", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const clock = stopped();
    const options = { messages: 1 + random.below(1_000), per: 1 + random.below(5_000), burst: 1 };
    const rate = new RateLimit(options, clock);
    rate.take();
    for (let n = 0; n < 100; n++) {
      clock.time += random.below(10) / 7;
      const wait = rate.take();
      if (wait === 0) continue;
      assert.ok(Number.isInteger(wait), `${wait}`);
      clock.time += wait;
      assert.equal(rate.take(), 0, `seed ${seed}: after ${wait} ms of ${JSON.stringify(options)}`);
    }
  }
});

test("over a long time no more passes than the rate and one burst", () => {
  const clock = stopped();
  const rate = new RateLimit({ messages: 7, per: 300, burst: 5 }, clock);
  let passed = 0;
  for (; clock.time < 31_000; clock.time++) if (rate.take() === 0) passed++;
  assert.ok(passed >= 700 && passed <= 705, `${passed}`);
});

test("a frame over the rate becomes a refusal with its id, and a refusal counts as well", () => {
  const clock = stopped();
  const limits = new Limits({ messages: 1, per: 1_000, burst: undefined }, clock);
  const bad = decodeFrame("{");
  assert.equal(limits.admit(bad), bad);
  const refused = limits.admit(decodeFrame('{"type":"say","id":7}')) as Refusal;
  assert.deepEqual(JSON.parse(errorFrame(refused).text), {
    type: "error",
    code: "rate_limited",
    message: "too many messages; the next one is served in 1000 ms",
    id: 7,
    retry_after_ms: 1_000,
  });
  clock.time += 1_000;
  const good = decodeFrame('{"type":"say"}');
  assert.equal(limits.admit(good), good);
});

test("without a rate every frame passes", () => {
  const limits = new Limits(undefined, stopped());
  const frame = decodeFrame('{"type":"say"}');
  for (let n = 0; n < 10_000; n++) assert.equal(limits.admit(frame), frame);
});

test("errors of an outage close no connection, and do not count with its own", () => {
  const limits = new Limits(undefined, stopped());
  const countError = (outage: boolean) =>
    limits.countError({ code: "flow_failed", message: "", outage });
  for (let n = 0; n < 100; n++) assert.equal(countError(false), undefined);
  for (let n = 0; n < 1_000; n++) assert.equal(countError(true), undefined);
  assert.equal(countError(false), "too many errors");
});

test("100 errors in ten seconds are allowed, one more is not; frames over the rate have their own reason", () => {
  const cases = [
    ["invalid_json", "too many errors"],
    ["rate_limited", "too many messages"],
  ] as const;
  for (const [code, reason] of cases) {
    const clock = stopped();
    const limits = new Limits({ messages: 1, per: 1_000, burst: undefined }, clock);
    const countError = () => limits.countError({ code, message: "" });
    for (let n = 0; n < 100; n++) assert.equal(countError(), undefined);
    // Those of ten seconds ago do not count any more.
    clock.time += 10_000;
    for (let n = 0; n < 100; n++) assert.equal(countError(), undefined);
    clock.time += 9_999;
    assert.equal(countError(), reason);
  }
});

test("pings: 20 a second are answered; one more gets the time of the next one", () => {
  const clock = stopped();
  const pings = new PingLimit(clock);
  const text = '{"type":"ping","id":"ä"}';
  const ping = decodeFrame(text) as ClientFrame;
  for (let n = 0; n < 20; n++) assert.equal(pings.refusal(ping, text), undefined);
  const message = "too many pings; the next one is answered in 50 ms";
  const refused = { code: "rate_limited", message, id: "ä", retryAfter: 50 };
  assert.deepEqual(pings.refusal(ping, text), refused);
  clock.time += 50;
  assert.equal(pings.refusal(ping, text), undefined);
  assert.deepEqual(pings.refusal(ping, text), refused);
  // Larger ones are none, and take no other's place.
  clock.time += 1_000;
  for (let n = 0; n < 30; n++) {
    assert.equal(pings.refusal(ping, text.padEnd(256))?.code, "invalid_message");
    assert.equal(pings.refusal(ping, text.padEnd(100_000))?.code, "invalid_message");
  }
  for (let n = 0; n < 20; n++) assert.equal(pings.refusal(ping, text.padEnd(255)), undefined);
});

test("pings over their rate count, also without rate_limit", () => {
  const limits = new Limits(undefined, stopped());
  const countError = () => limits.countError({ code: "rate_limited", message: "" });
  for (let n = 0; n < 100; n++) assert.equal(countError(), undefined);
  assert.equal(countError(), "too many messages");
});
