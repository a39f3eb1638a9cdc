import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowHandler } from "../../src/contract/connector.ts";
import { type AdmissionHost, decide } from "../../src/connectors/websocket/admission.ts";
import type { Authenticator } from "../../src/connectors/websocket/auth/authenticator.ts";
import { Credentials } from "../../src/connectors/websocket/auth/credentials.ts";
import { Expiry } from "../../src/connectors/websocket/auth/expiry.ts";
import { Counters } from "../../src/connectors/websocket/counters.ts";
import { Places } from "../../src/connectors/websocket/places.ts";
import { FlowError } from "../../src/base/errors.ts";
import { handshake } from "../support/auth.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { recorder } from "../support/log.ts";

const identity = { userId: "ana", claims: { sub: "ana" }, expiresAt: undefined };
const request = handshake({ query: "user_id=eve" });
const good = { accepted: true, identity, protocol: undefined, request } as const;
const anonymous = { accepted: true, arrival: "", protocol: undefined };

/**
 * Decides with an authenticator that answers this, and a flow whose `accept` does this. The flow
 * says whether it `waits`, and clients take these `places`.
 */
function desk(
  authenticate: Authenticator["authenticate"] | undefined,
  accept: () => void | Promise<void> = () => {},
  { waits, places = new Places() }: Pick<FlowHandler, "waits"> & { places?: Places } = {},
) {
  const clock = new ManualClock();
  const flow: FlowHandler = {
    flow: "door",
    ...(waits === undefined ? {} : { waits }),
    takes: () => true,
    accept,
    run: () => assert.fail("no flow runs before the connection is open"),
  };
  const host: AdmissionHost = {
    clock,
    logger: recorder().logger,
    counters: new Counters(),
    places,
    options: {},
    authenticator: authenticate && { authenticate } as Authenticator,
    handlers: () => [flow],
  };
  return { clock, host, decision: decide(host, request, [], undefined) };
}

test("admission: without an authenticator nothing waits, and user_id is believed", () => {
  const { decision } = desk(undefined);
  assert.ok(!(decision instanceof Promise) && decision.accepted);
  assert.equal(decision.arrival.client.user_id, "eve");
  assert.deepEqual({ ...decision, arrival: "" }, anonymous);
});

test("admission: a decision that waits for nothing is no promise", () => {
  const { decision } = desk(() => good);
  assert.ok(!(decision instanceof Promise) && decision.accepted);
  assert.equal(decision.arrival.client.user_id, "ana");
});

test("admission: ten seconds are for the token and the flows together", async () => {
  const token = Promise.withResolvers<typeof good>();
  const flows = Promise.withResolvers<void>();
  let asked = false;
  const { clock, decision } = desk(() => () => token.promise, () => {
    asked = true;
    return flows.promise;
  });
  await clock.advance(6_000);
  token.resolve(good);
  await settle();
  assert.equal(asked, true);
  await clock.advance(4_000);
  const late = await decision;
  assert.ok(!late.accepted);
  assert.deepEqual([late.status, late.message], [503, "the decision took too long"]);
  flows.resolve();
});

test("admission: a token that is refused asks no flow, and leaves no timer", async () => {
  const refusal = { accepted: false, status: 401, message: "no", headers: {} } as const;
  const { clock, decision } = desk(
    () => () => Promise.resolve(refusal),
    () => assert.fail("a flow was asked"),
  );
  assert.deepEqual(await decision, refusal);
  assert.equal(clock.waiting, 0);
});

/** How many places are left of two. */
function left(places: Places): number {
  let free = 0;
  while (places.take()) free++;
  for (let n = 0; n < free; n++) places.leave();
  return free;
}

const full = {
  accepted: false,
  status: 503,
  message: "too many connections",
  headers: { "retry-after": "1" },
} as const;
const denied = { accepted: false, status: 401, message: "no", headers: {} } as const;

test("admission: a decision that waits has a place; a refusal gives it back", async () => {
  for (const answer of [good, denied] as const) {
    const places = new Places(2);
    const token = Promise.withResolvers<typeof answer>();
    const { decision } = desk(() => () => token.promise, undefined, { places });
    assert.equal(left(places), 1);
    token.resolve(answer);
    await decision;
    assert.equal(left(places), answer === good ? 1 : 2);
  }
});

test("admission: without a place nothing is begun that waits, and the answer comes at once", () => {
  const places = new Places(0);
  const never = () => assert.fail("it was begun");
  const cases = [
    desk(() => never, undefined, { places }),
    desk(undefined, never, { places, waits: true }),
    desk(() => good, never, { places, waits: true }),
    // It did not say so.
    desk(undefined, () => new Promise(() => {}), { places }),
    desk(undefined, () => {}, { places }),
  ];
  for (const { decision, host: { counters } } of cases) {
    assert.deepEqual(decision, full);
    assert.equal(counters.all().refused_full, 1);
  }
});

test("admission: a refusal that waits for nothing comes before the places", () => {
  const places = new Places(0);
  const { decision, host } = desk(() => denied, undefined, { places });
  assert.deepEqual(decision, denied);
  assert.deepEqual([host.counters.all().refused_auth, host.counters.all().refused_full], [1, 0]);
  const refusing = desk(undefined, () => {
    throw new FlowError("door", "rejected", { message: "not you" });
  }, { places }).decision;
  assert.ok(!(refusing instanceof Promise) && !refusing.accepted);
  assert.equal(refusing.status, 403);
});

test("admission: one that is late has no place, and what it waited for takes none", async () => {
  const places = new Places(2);
  const token = Promise.withResolvers<typeof good>();
  const { clock, decision } = desk(() => () => token.promise, undefined, { places, waits: true });
  await clock.advance(10_000);
  assert.ok(!(await decision).accepted);
  assert.equal(left(places), 2);
  token.resolve(good);
  await settle();
  assert.equal(left(places), 2);
});

test("admission: ten thousand decisions wait at once, not one more", async () => {
  const places = new Places();
  const token = Promise.withResolvers<typeof denied>();
  const wait = () => desk(() => () => token.promise, undefined, { places }).decision;
  const waiting = Array.from({ length: 10_000 }, wait);
  assert.deepEqual(wait(), full);
  // Who waits for nothing is let in.
  const { decision } = desk(() => good, undefined, { places });
  assert.ok(!(decision instanceof Promise) && decision.accepted);
  token.resolve(denied);
  await Promise.all(waiting);
  assert.ok(wait() instanceof Promise);
});

test("credentials: what is renewed after the end waits for nothing", async () => {
  const clock = new ManualClock(0);
  let expired = 0;
  const credentials = new Credentials({ ...identity, expiresAt: 1_000 });
  credentials.watch(new Expiry(clock, () => expired++));
  credentials.renew({ ...identity, expiresAt: 2_000 });
  await clock.advance(1_500);
  assert.equal(expired, 0);
  await clock.advance(500);
  assert.equal(expired, 1);
  credentials.stop();
  credentials.renew({ ...identity, expiresAt: 3_000 });
  assert.equal(clock.waiting, 0);
  assert.equal(credentials.identity.expiresAt, 3_000);
});
