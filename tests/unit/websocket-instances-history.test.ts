/** Rooms with history over several instances: one order, resuming anywhere, cuts and lost stores. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, type Frame, join, numbersIn, rooms } from "../support/history.ts";
import {
  ask,
  expression,
  type HubOptions,
  type LinkedHub,
  soon,
  withHubs,
} from "../support/linked-hubs.ts";
import { MemoryBus } from "../support/memory-backplane.ts";
import type { FakeClient } from "../support/worker-runtimes.ts";

/** Both kinds of links: those that bring back what is sent, and those that do not. */
const kinds: readonly (readonly [string, HubOptions])[] = [
  ["echoes", { options: { room: rooms(2_000) } }],
  ["none", {
    options: { room: rooms(2_000) },
    capabilities: { echoes: false, members: true },
  }],
];

function say(hub: LinkedHub, n: number, more: Readonly<Record<string, unknown>> = {}) {
  return hub.write({ operation: "send_to_room", target: "h1", payload: { n }, ...more });
}

/** Collects the messages of a client until there are so many. */
async function collect(client: FakeClient, count: number, into: Frame[] = []): Promise<Frame[]> {
  await soon(`${count} messages`, () => into.push(...client.take() as Frame[]) >= count);
  return into;
}

for (const [kind, options] of kinds) {
  test(`history over instances (${kind}): offsets are the same everywhere`, () =>
    withHubs(2, options, async (one, two) => {
      const [ada, bob, cyd] = [await one.open("ada"), await two.open("bob"), await two.open("cyd")];
      const { epoch } = await join(ada, "h1", true);
      await join(bob, "h1", true);
      await join(cyd, "h1", undefined);
      await say(one, 1);
      await say(two, 2);
      assert.deepEqual(await say(one, 3, { resultUsed: true }), { recipients: 3 });
      for (const client of [ada, bob]) {
        assert.deepEqual(numbersIn(await collect(client, 3)), [[1, 1], [2, 2], [3, 3]]);
      }
      assert.deepEqual(numbersIn(await collect(cyd, 3)), [
        [1, undefined],
        [2, undefined],
        [3, undefined],
      ]);
      // It resumes at another instance, one that has heard all and one that has heard nothing.
      ada.leave();
      const back = await two.open("ada");
      const more: Frame[] = [];
      const ack = await join(back, "h1", { epoch, offset: 1 }, more);
      assert.deepEqual(ack, { type: "ack", id: "ask", epoch, offset: 1, recovered: true });
      await say(one, 4);
      assert.deepEqual(numbersIn(await collect(back, 3, more)), [[2, 2], [3, 3], [4, 4]]);
    }));

  test(`history over instances (${kind}): 10 000 messages of three, 100 that come back`, () =>
    withHubs(3, options, async (...hubs) => {
      const epochs = new Set<unknown>();
      let [sent, ended] = [0, false];
      const sending = hubs.map(async (hub) => {
        while (sent < 10_000) {
          const burst = Array.from({ length: 20 }, () => say(hub, ++sent));
          await Promise.all(burst);
        }
      });
      const members = hubs.map(async (_hub, index) => {
        const got: Frame[] = [];
        let position: { epoch: unknown; offset: number } | undefined;
        for (let time = 0; time < 34 || !ended; time++) {
          const client = await hubs[(index + time) % 3].open(`u${index}`);
          const more: Frame[] = [];
          const ack = await join(client, "h1", position ?? true, more);
          epochs.add(ack.epoch);
          if (position !== undefined) assert.equal(ack.recovered, true);
          position ??= { epoch: ack.epoch, offset: ack.offset as number };
          await new Promise((resolve) => setTimeout(resolve, 5));
          more.push(...client.take() as Frame[]);
          client.leave();
          got.push(...more);
          for (const { offset } of more) {
            assert.equal(offset, position.offset + 1);
            position.offset++;
          }
          if (time > 5_000) assert.fail("it does not end");
        }
        return got;
      });
      await Promise.all(sending);
      ended = true;
      const all = await Promise.all(members);
      assert.equal(epochs.size, 1);
      // Who has the same offset has the same message.
      const byOffset = new Map<unknown, unknown>();
      for (const { offset, data } of all.flat()) {
        const text = JSON.stringify(data);
        assert.equal(byOffset.get(offset) ?? text, text);
        byOffset.set(offset, text);
      }
      assert.ok(byOffset.size > 1_000, `${byOffset.size}`);
    }));

  test(`history over instances (${kind}): after a cut everybody gets what was sent meanwhile`, () =>
    withHubs(2, options, async (one, two) => {
      const [ada, bob] = [await one.open("ada"), await one.open("bob")];
      await join(ada, "h1", true);
      await join(bob, "h1", undefined);
      await say(two, 1);
      await collect(ada, 1);
      await collect(bob, 1);
      one.link.cut();
      await assert.rejects(async () => await say(one, 99), /cannot send to the instances/);
      for (const n of [2, 3]) await say(two, n);
      one.link.mend();
      await soon("health", () => one.group.health() === undefined);
      await say(one, 4);
      assert.deepEqual(numbersIn(await collect(ada, 3)), [[2, 2], [3, 3], [4, 4]]);
      assert.deepEqual((await collect(bob, 3)).map(({ data }) => data), [
        { n: 2 },
        { n: 3 },
        { n: 4 },
      ]);
      assert.equal(one.hub.counts().history_caught_up, 2);
    }));

  test(`history over instances (${kind}): a message id and exclude_sender hold everywhere`, () =>
    withHubs(2, options, async (one, two) => {
      const [ada, bob] = [await one.open("ada"), await two.open("bob")];
      const id = await ask(ada, { type: "who" });
      const { epoch } = await join(ada, "h1", true);
      await join(bob, "h1", true);
      const message_id = expression("input.id", "input");
      const once = { options: { message_id }, scope: { input: { id: "x" } }, resultUsed: true };
      assert.deepEqual(await say(one, 1, once), { recipients: 2 });
      assert.deepEqual(await say(two, 2, once), { recipients: 0 });
      const event = { client: { id, user_id: "ada" } };
      await say(one, 3, { options: { exclude_sender: true }, event });
      await say(one, 4);
      assert.deepEqual(numbersIn(await collect(ada, 2)), [[1, 1], [4, 3]]);
      assert.deepEqual(numbersIn(await collect(bob, 3)), [[1, 1], [3, 2], [4, 3]]);
      const back = await two.open("ada");
      const more: Frame[] = [];
      await join(back, "h1", { epoch, offset: 0 }, more);
      assert.deepEqual(numbersIn(await collect(back, 2, more)), [[1, 1], [4, 3]]);
      const list = two.hub.write({
        operation: "history",
        target: "h1",
        payload: { limit: 2 },
        options: {},
        scope: {},
        event: undefined,
      });
      assert.deepEqual(await list, [
        { offset: 2, data: { n: 3 } },
        { offset: 3, data: { n: 4 } },
      ]);
    }));

  test(`history over instances (${kind}): an order for a user resumes in another instance`, () =>
    withHubs(2, options, async (one, two) => {
      const order = (hub: LinkedHub) =>
        hub.write({
          operation: "join_room",
          target: "h1",
          options: { user: expression("'ada'"), history: true },
        });
      const ada = await one.open("ada");
      await ask(ada, { type: "who" });
      assert.deepEqual(await order(two), { recipients: 1, refused: 0 });
      await say(two, 1);
      const [{ epoch, offset }] = await collect(ada, 1);
      assert.equal(offset, 1);
      ada.leave();
      for (const n of [2, 3]) await say(one, n);
      const back = await two.open("ada", `resume=${encodeURIComponent(`h1:${epoch}:1`)}`);
      await ask(back, { type: "who" });
      await order(one);
      await say(one, 4);
      assert.deepEqual(numbersIn(await collect(back, 3)), [[2, 2], [3, 3], [4, 4]]);
    }));
}

test("history over instances: a store that has lost all: resync, and another epoch", () => {
  const bus = new MemoryBus();
  return withHubs(2, { options: { room: rooms() } }, async (one, two) => {
    const [ada, bob, cyd] = [await one.open("ada"), await one.open("bob"), await one.open("cyd")];
    const { epoch } = await join(ada, "h1", true);
    await join(bob, "h1", undefined);
    await answered(cyd, { type: "join_room", room: "h1", resync: true });
    await say(two, 1);
    for (const client of [ada, bob, cyd]) await collect(client, 1);
    one.link.cut();
    bus.forget();
    await say(two, 2);
    one.link.mend();
    await collect(ada, 1).then((frames) =>
      assert.deepEqual(frames, [{ type: "resync", room: "h1" }])
    );
    await say(two, 3);
    // The position of the client is in the new epoch from here on.
    const [{ epoch: next, ...frame }] = await collect(ada, 1);
    assert.notEqual(next, epoch);
    assert.deepEqual(frame, { type: "message", data: { n: 3 }, room: "h1", offset: 2 });
    await say(two, 4);
    assert.deepEqual(await collect(ada, 1), [
      { type: "message", data: { n: 4 }, room: "h1", offset: 3 },
    ]);
    assert.deepEqual((await collect(bob, 2)).map(({ data }) => data), [{ n: 3 }, { n: 4 }]);
    assert.deepEqual((await collect(cyd, 3)).map(({ type }) => type), [
      "resync",
      "message",
      "message",
    ]);
    const back = await two.open("ada");
    assert.equal((await join(back, "h1", { epoch, offset: 1 })).recovered, false);
  }, bus);
});

test("history over instances: a store that cannot be read refuses the join", () =>
  withHubs(2, { options: { room: rooms() } }, async (one, two) => {
    const [ada, bob] = [await one.open("ada"), await one.open("bob")];
    await join(ada, "h1", undefined);
    one.link.cut();
    const [refused] = await answered(bob, { type: "join_room", room: "h1", history: true });
    assert.deepEqual([refused.type, refused.code], ["error", "flow_failed"]);
    assert.match(String(refused.message), /^the history of the room cannot be read now \(ref /);
    one.link.mend();
    await soon("health", () => one.group.health() === undefined);
    await say(two, 1);
    await collect(ada, 1);
    assert.equal(bob.heard, 0);
    assert.equal((await join(bob, "h1", true)).offset, 1);
  }));

test("history over instances: what another program has written is ignored, once logged", () =>
  withHubs(2, { options: { room: rooms() } }, async (one, two) => {
    const ada = await one.open("ada");
    await join(ada, "h1", true);
    const nonsense = ["", "x", "\u0001\u0000\u0000\u0000\u0000\u0000no frame"];
    const messages = nonsense.map((text) => ({ message: new TextEncoder().encode(text) }));
    await two.link.history.append("m/ws/r/h1", messages, { size: 5, ttl: 60_000 });
    await say(two, 1);
    assert.deepEqual(numbersIn(await collect(ada, 1)), [[1, 4]]);
    const lines = one.log.records.filter(({ text }) => text.startsWith("ignored a kept message"));
    assert.equal(lines.length, 1);
  }));
