/** Handshakes whose slot of `max_connections` is shared by all workers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decide } from "../../src/connectors/websocket/admission.ts";
import type { Authenticator } from "../../src/access/auth/authenticator.ts";
import { Counters } from "../../src/connectors/websocket/counters.ts";
import type { Shared } from "../../src/connectors/websocket/parts.ts";
import { type SharedSlots, Slots } from "../../src/connectors/websocket/slots.ts";
import { handshake } from "../support/auth.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { TestCluster } from "../support/cluster.ts";
import { sharedWith } from "../support/websocket.ts";

const request = handshake({});
const identity = { userId: "ana", claims: null, expiresAt: undefined };
const good = { accepted: true, identity, protocol: undefined, request } as const;
const full = "too many connections";
const late = "the decision took too long";

/** Slots that answer when the test says so. */
class Slow implements SharedSlots {
  acquired = 0;
  readonly #answers: ((acquired: boolean) => void)[] = [];

  acquire(): Promise<boolean> {
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  release(): void {
    this.acquired--;
  }

  answer(acquired = true): Promise<void> {
    const answer = this.#answers.shift();
    assert.ok(answer !== undefined, "no handshake asks for a slot");
    if (acquired) this.acquired++;
    answer(acquired);
    return settle();
  }
}

/** One worker's connector with `max` slots; `check` is how tokens are checked. */
class Desk {
  readonly clock: ManualClock = new ManualClock();
  readonly shared: Slow = new Slow();
  readonly counters: Counters = new Counters();
  readonly #connector: Shared;

  constructor(
    { max = 1, check, shared = this.shared }: {
      max?: number;
      check?: () => Promise<typeof good>;
      shared?: SharedSlots;
    } = {},
  ) {
    this.#connector = sharedWith({
      clock: this.clock,
      counters: this.counters,
      slots: new Slots(max, shared),
      authenticator: { authenticate: () => check ?? good } as unknown as Authenticator,
    });
  }

  /** How the handshake ends: with "in", or with the refusal's message. */
  async knock(): Promise<string> {
    const decision = await decide(this.#connector, request, [], undefined);
    return decision.accepted ? "in" : decision.message;
  }
}

test("a handshake waits ten seconds for its slot; one that arrives later is released", async () => {
  const desk = new Desk();
  const first = desk.knock();
  await desk.clock.advance(9_999);
  await desk.shared.answer();
  assert.equal(await first, "in");
  assert.deepEqual([desk.shared.acquired, desk.clock.waiting], [1, 0]);

  const other = new Desk();
  const second = other.knock();
  await other.clock.advance(10_000);
  assert.equal(await second, late);
  assert.equal(other.counters.all().refused_late, 1);
  await other.shared.answer();
  assert.equal(other.shared.acquired, 0);
  // It is free here, too.
  const third = other.knock();
  await other.shared.answer();
  assert.deepEqual([await third, other.shared.acquired], ["in", 1]);
});

test("a token is checked once there is a slot, and both have ten seconds together", async () => {
  let checked = 0;
  const token = Promise.withResolvers<typeof good>();
  const check = () => {
    checked++;
    return token.promise;
  };
  const desk = new Desk({ max: 2, check });
  const first = desk.knock();
  await desk.clock.advance(6_000);
  assert.equal(checked, 0);
  await desk.shared.answer();
  assert.deepEqual([checked, desk.shared.acquired], [1, 1]);
  const second = desk.knock();
  await desk.clock.advance(3_000);
  await desk.shared.answer(false);
  assert.equal(await second, full);
  assert.deepEqual([checked, desk.counters.all().refused_full], [1, 1]);
  await desk.clock.advance(1_000);
  assert.equal(await first, late);
  assert.equal(desk.shared.acquired, 0);
  token.resolve(good);
  await settle();
  assert.equal(desk.shared.acquired, 0);
});

test("a token is not checked for one that got its slot too late", async () => {
  const desk = new Desk({ check: () => assert.fail("it is checked") });
  const knocking = desk.knock();
  await desk.clock.advance(10_000);
  await desk.shared.answer();
  assert.deepEqual([await knocking, desk.shared.acquired], [late, 0]);
});

test("handshakes that wait on one worker acquire slots of all workers", async () => {
  const cluster = new TestCluster();
  const [a, b] = [cluster.add().member, cluster.add().member];
  const shared = [a, b].map((member): SharedSlots => ({
    acquire: () => member.acquireSlot("ws", 3),
    release: () => member.releaseSlot("ws"),
  }));
  const token = Promise.withResolvers<typeof good>();
  const waiting = new Desk({ max: 3, check: () => token.promise, shared: shared[0] });
  const knocking = [waiting.knock(), waiting.knock()];
  const other = new Desk({ max: 3, shared: shared[1] });
  assert.deepEqual(await Promise.all([other.knock(), other.knock()]), ["in", full]);
  await waiting.clock.advance(10_000);
  assert.deepEqual(await Promise.all(knocking), [late, late]);
  assert.deepEqual(await Promise.all([other.knock(), other.knock(), other.knock()]), [
    ...["in", "in"],
    full,
  ]);
});
