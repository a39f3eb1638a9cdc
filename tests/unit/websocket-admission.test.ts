import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowHandler } from "../../src/contract/connector.ts";
import { decide } from "../../src/connectors/websocket/admission.ts";
import type { Authenticator } from "../../src/access/auth/authenticator.ts";
import { Credentials, Expiry } from "../../src/connectors/websocket/credentials.ts";
import { Slots } from "../../src/connectors/websocket/slots.ts";
import { FlowError } from "../../src/base/errors.ts";
import { handshake } from "../support/auth.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { sharedWith } from "../support/websocket.ts";

const identity = { userId: "ana", claims: { sub: "ana" }, expiresAt: undefined };
const request = handshake({ query: "user_id=eve" });
const good = { accepted: true, identity, protocol: undefined, request } as const;

/**
 * Decides with an authenticator that answers this, and a flow whose `accept` does this. The flow
 * says whether it `waits`, and clients acquire these `slots`.
 */
function desk(
  authenticate: Authenticator["authenticate"] | undefined,
  accept: () => void | Promise<void> = () => {},
  { waits, slots = new Slots() }: Pick<FlowHandler, "waits"> & { slots?: Slots } = {},
) {
  const clock = new ManualClock();
  const flow: FlowHandler = {
    flow: "door",
    ...(waits === undefined ? {} : { waits }),
    takes: () => true,
    accept,
    run: () => assert.fail("no flow runs before the connection is open"),
  };
  const shared = sharedWith({
    clock,
    slots,
    authenticator: authenticate && { authenticate } as Authenticator,
  });
  shared.flows.add("connect", flow);
  return { clock, shared, decision: decide(shared, request, [], undefined) };
}

test("admission: without an authenticator nothing waits, and user_id is believed", () => {
  const { decision } = desk(undefined);
  assert.ok(!(decision instanceof Promise) && decision.accepted);
  assert.equal(decision.state.facts.user_id, "eve");
  assert.equal(decision.protocol, undefined);
});

test("admission: a decision that waits for nothing is not a promise", () => {
  const { decision } = desk(() => good);
  assert.ok(!(decision instanceof Promise) && decision.accepted);
  assert.equal(decision.state.facts.user_id, "ana");
});

test("admission: the token and the flows share ten seconds", async () => {
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

/** How many of two slots are free. */
function left(slots: Slots): number {
  let free = 0;
  while (slots.acquire()) free++;
  for (let n = 0; n < free; n++) slots.release();
  return free;
}

const full = {
  accepted: false,
  status: 503,
  message: "too many connections",
  headers: { "retry-after": "1" },
} as const;
const denied = { accepted: false, status: 401, message: "no", headers: {} } as const;

test("admission: a decision that waits has a slot; a refusal releases it", async () => {
  for (const answer of [good, denied] as const) {
    const slots = new Slots(2);
    const token = Promise.withResolvers<typeof answer>();
    const { decision } = desk(() => () => token.promise, undefined, { slots });
    assert.equal(left(slots), 1);
    token.resolve(answer);
    await decision;
    assert.equal(left(slots), answer === good ? 1 : 2);
  }
});

test("admission: without a slot nothing starts that waits, and the answer comes at once", () => {
  const slots = new Slots(0);
  const never = () => assert.fail("it was begun");
  const cases = [
    desk(() => never, undefined, { slots }),
    desk(undefined, never, { slots, waits: true }),
    desk(() => good, never, { slots, waits: true }),
    // It did not say so.
    desk(undefined, () => new Promise(() => {}), { slots }),
    desk(undefined, () => {}, { slots }),
  ];
  for (const { decision, shared: { counters } } of cases) {
    assert.deepEqual(decision, full);
    assert.equal(counters.all().refused_full, 1);
  }
});

test("admission: a refusal that waits for nothing comes before the slots", () => {
  const slots = new Slots(0);
  const { decision, shared } = desk(() => denied, undefined, { slots });
  assert.deepEqual(decision, denied);
  assert.deepEqual([shared.counters.all().refused_auth, shared.counters.all().refused_full], [
    1,
    0,
  ]);
  const refusing = desk(undefined, () => {
    throw new FlowError("door", "rejected", { message: "not you" });
  }, { slots }).decision;
  assert.ok(!(refusing instanceof Promise) && !refusing.accepted);
  assert.equal(refusing.status, 403);
});

test("admission: one that is late has no slot, and what it waited for acquires none", async () => {
  const slots = new Slots(2);
  const token = Promise.withResolvers<typeof good>();
  const { clock, decision } = desk(() => () => token.promise, undefined, { slots, waits: true });
  await clock.advance(10_000);
  assert.ok(!(await decision).accepted);
  assert.equal(left(slots), 2);
  token.resolve(good);
  await settle();
  assert.equal(left(slots), 2);
});

test("admission: ten thousand decisions wait at once, not one more", async () => {
  const slots = new Slots();
  const token = Promise.withResolvers<typeof denied>();
  const wait = () => desk(() => () => token.promise, undefined, { slots }).decision;
  const waiting = Array.from({ length: 10_000 }, wait);
  assert.deepEqual(wait(), full);
  // A client that waits for nothing is let in.
  const { decision } = desk(() => good, undefined, { slots });
  assert.ok(!(decision instanceof Promise) && decision.accepted);
  token.resolve(denied);
  await Promise.all(waiting);
  assert.ok(wait() instanceof Promise);
});

test("credentials: a renewal after the end sets no timer", async () => {
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
