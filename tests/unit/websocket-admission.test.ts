import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowHandler } from "../../src/connector.ts";
import { type AdmissionHost, decide } from "../../src/connectors/websocket/admission.ts";
import type { Authenticator } from "../../src/connectors/websocket/auth/authenticator.ts";
import { Credentials } from "../../src/connectors/websocket/auth/credentials.ts";
import { Expiry } from "../../src/connectors/websocket/auth/expiry.ts";
import { Counters } from "../../src/connectors/websocket/counters.ts";
import { handshake } from "../support/auth.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { recorder } from "../support/log.ts";

const identity = { userId: "ana", claims: { sub: "ana" }, expiresAt: undefined };
const request = handshake({ query: "user_id=eve" });
const good = { accepted: true, identity, protocol: undefined, request } as const;
const anonymous = { accepted: true, arrival: "", protocol: undefined };

/** Decides with an authenticator that answers this, and flows whose `accept` does this. */
function desk(
  authenticate: Authenticator["authenticate"] | undefined,
  accept: () => void | Promise<void> = () => {},
) {
  const clock = new ManualClock();
  const flow: FlowHandler = {
    flow: "door",
    takes: () => true,
    accept,
    run: () => assert.fail("no flow runs before the connection is open"),
  };
  const host: AdmissionHost = {
    clock,
    logger: recorder().logger,
    counters: new Counters(),
    options: {},
    authenticator: authenticate && { authenticate } as Authenticator,
    handlers: () => [flow],
  };
  return { clock, decision: decide(host, request, [], undefined) };
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
  const { clock, decision } = desk(() => token.promise, () => {
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
    () => Promise.resolve(refusal),
    () => assert.fail("a flow was asked"),
  );
  assert.deepEqual(await decision, refusal);
  assert.equal(clock.waiting, 0);
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
