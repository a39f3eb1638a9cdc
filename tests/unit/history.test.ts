/** Rooms with history in one process: offsets, resuming, message ids, what is not replayed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowHandler, WriteRequest } from "../../src/contract/connector.ts";
import { ManualClock } from "../support/clock.ts";
import { answered, type Frame, join, numbersIn, rooms } from "../support/history.ts";
import { ask, expression, flowThat, hubWith, joinable, soon } from "../support/linked-hubs.ts";
import type { FakeClient } from "../support/worker-runtimes.ts";

function started(
  options: NonNullable<Parameters<typeof hubWith>[1]>["options"] = {},
  more: Omit<NonNullable<Parameters<typeof hubWith>[1]>, "options"> = {},
) {
  const hub = hubWith(undefined, { ...more, options: { room: rooms(), ...options } });
  const say = (n: number, more: Partial<WriteRequest> = {}, room = "h1") =>
    hub.write({
      operation: "send_to_room",
      target: room,
      payload: { n },
      ...more as object,
    });
  return { hub, say };
}

async function gets(client: FakeClient, count: number): Promise<readonly Frame[]> {
  await soon(`${count} frames`, () => client.heard >= count);
  return client.take() as Frame[];
}

test("history: only who asks gets offsets, and the others the frames of the page", async () => {
  const { hub, say } = started();
  const [ada, bob] = [await hub.open("ada"), await hub.open("bob")];
  const ack = await join(ada, "h1", true);
  assert.deepEqual(Object.keys(ack), ["type", "id", "epoch", "offset"]);
  assert.deepEqual([ack.offset, typeof ack.epoch], [0, "string"]);
  assert.deepEqual(await join(bob, "h1", undefined), { type: "ack", id: "ask" });
  assert.deepEqual(say(1), { recipients: 2 });
  assert.deepEqual(await gets(ada, 1), [
    { type: "message", data: { n: 1 }, room: "h1", offset: 1 },
  ]);
  assert.deepEqual(await gets(bob, 1), [{ type: "message", data: { n: 1 }, room: "h1" }]);
  // A join without it ends it.
  assert.deepEqual(await join(ada, "h1", false), { type: "ack", id: "ask" });
  say(2);
  assert.deepEqual(await gets(ada, 1), [{ type: "message", data: { n: 2 }, room: "h1" }]);
  assert.equal((await join(ada, "h1", true)).offset, 2);
  hub.hub.close();
});

test("history: who comes back gets what it has missed, then what follows", async () => {
  const { hub, say } = started();
  const ada = await hub.open("ada");
  const { epoch } = await join(ada, "h1", true);
  for (const n of [1, 2]) say(n);
  assert.deepEqual(numbersIn(await gets(ada, 2)), [[1, 1], [2, 2]]);
  ada.leave();
  for (const n of [3, 4]) say(n);
  const back = await hub.open("ada");
  const more: Frame[] = [];
  const ack = await join(back, "h1", { epoch, offset: 2 }, more);
  assert.deepEqual(ack, { type: "ack", id: "ask", epoch, offset: 2, recovered: true });
  say(5);
  await soon("all", () => more.push(...back.take() as Frame[]) >= 3);
  assert.deepEqual(numbersIn(more), [[3, 3], [4, 4], [5, 5]]);
  assert.deepEqual(
    [hub.hub.counts().history_resumed, hub.hub.counts().history_unrecovered],
    [1, 0],
  );
  hub.hub.close();
});

test("history: too much is gone, the epoch is another, the position makes no sense", async () => {
  const { hub, say } = started();
  const ada = await hub.open("ada");
  const { epoch } = await join(ada, "h1", true);
  for (let n = 1; n <= 7; n++) say(n);
  await gets(ada, 7);
  for (const position of [{ epoch, offset: 1 }, { epoch: "x", offset: 7 }, { epoch, offset: 8 }]) {
    const more: Frame[] = [];
    const ack = await join(ada, "h1", position, more);
    assert.deepEqual(ack, { type: "ack", id: "ask", epoch, offset: 7, recovered: false });
    assert.deepEqual(more, []);
  }
  const more: Frame[] = [];
  assert.equal((await join(ada, "h1", { epoch, offset: 2 }, more)).recovered, true);
  await soon("the rest", () => more.push(...ada.take() as Frame[]) >= 5);
  assert.deepEqual(numbersIn(more), [[3, 3], [4, 4], [5, 5], [6, 6], [7, 7]]);
  const { history_rooms, history_messages, history_unrecovered } = hub.hub.counts();
  assert.deepEqual([history_rooms, history_messages, history_unrecovered], [1, 5, 3]);
  hub.hub.close();
});

test("history: nonsense is refused, in every room", async () => {
  const { hub } = started();
  const ada = await hub.open("ada");
  const bad = [
    1,
    "yes",
    null,
    [],
    {},
    { epoch: "e" },
    { offset: 1 },
    { epoch: 1, offset: 1 },
    { epoch: "", offset: 1 },
    { epoch: "e", offset: -1 },
    { epoch: "e", offset: 1.5 },
    { epoch: "e", offset: "1" },
    { epoch: "e".repeat(129), offset: 1 },
    { epoch: "e", offset: 2 ** 53 },
  ];
  for (const history of bad) {
    for (const room of ["h1", "plain"]) {
      const [answer] = await answered(ada, { type: "join_room", room, history });
      assert.deepEqual([answer.type, answer.code], ["error", "invalid_message"]);
      assert.match(String(answer.message), /^history must be /);
    }
  }
  ada.tell({ type: "join_room", room: "h1", history: true });
  const [answer] = await gets(ada, 1);
  assert.deepEqual(answer, {
    type: "error",
    message: "a join with history needs an id",
    code: "invalid_message",
  });
  assert.equal(hub.hub.counts().rooms, 0);
  hub.hub.close();
});

test("history: a room without one ignores the field", async () => {
  const { hub, say } = started();
  const ada = await hub.open("ada");
  for (const history of [true, { epoch: "e", offset: 3 }]) {
    assert.deepEqual(await join(ada, "plain", history), { type: "ack", id: "ask" });
  }
  say(1, {}, "plain");
  assert.deepEqual(await gets(ada, 1), [{ type: "message", data: { n: 1 }, room: "plain" }]);
  hub.hub.close();
});

test("history: what is sent between a join and its answer waits, and comes once", async () => {
  const flow: { answer: () => void } = { answer: () => {} };
  const slow: FlowHandler = flowThat(() =>
    new Promise((resolve) => {
      flow.answer = () => resolve({ response: { data: "in" }, result: undefined });
    })
  );
  const { hub, say } = started({}, { flows: { ...joinable(), join_room: [slow] } });
  const ada = await hub.open("ada");
  for (const n of [1, 2]) say(n);
  ada.tell({ type: "join_room", room: "h1", id: 1, history: { epoch: "?", offset: 0 } });
  await soon("the flow", () => hub.hub.counts().rooms === 1);
  assert.deepEqual(say(3), { recipients: 1 });
  await soon("turns", () => true);
  assert.equal(ada.heard, 0);
  flow.answer();
  const [ack, held] = await gets(ada, 2);
  assert.deepEqual([ack.data, ack.offset, ack.recovered], ["in", 2, false]);
  assert.deepEqual(numbersIn([held]), [[3, 3]]);
  // The same with a position: replayed, held, live.
  const { epoch } = ack;
  const bob = await hub.open("bob");
  const before = flow.answer;
  bob.tell({ type: "join_room", room: "h1", id: 1, history: { epoch, offset: 1 } });
  await soon("the flow", () => flow.answer !== before);
  for (const n of [4, 5]) say(n);
  flow.answer();
  const frames = [...await gets(bob, 5)];
  say(6);
  frames.push(...await gets(bob, 1));
  assert.deepEqual(frames[0], {
    type: "ack",
    id: 1,
    epoch,
    offset: 1,
    recovered: true,
    data: "in",
  });
  assert.deepEqual(numbersIn(frames.slice(1)), [[2, 2], [3, 3], [4, 4], [5, 5], [6, 6]]);
  hub.hub.close();
});

test("history: 200 joins among messages: none missing, none twice, in order", async () => {
  const { hub, say } = started({ room: rooms(1_000) });
  let [sent, done] = [0, false];
  const sending = (async () => {
    while (!done) {
      for (let n = 0; n < 3; n++) say(++sent);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  let [epoch, offset] = [undefined as unknown, 0];
  for (let time = 0; time < 200; time++) {
    const ada = await hub.open("ada");
    const more: Frame[] = [];
    const ack = await join(ada, "h1", epoch === undefined ? true : { epoch, offset }, more);
    if (epoch !== undefined) assert.equal(ack.recovered, true);
    ({ epoch } = ack);
    if (time === 0) offset = ack.offset as number;
    await soon("some", () => more.push(...ada.take() as Frame[]) > 3);
    ada.leave();
    more.push(...ada.take() as Frame[]);
    for (const frame of more) {
      assert.deepEqual(numbersIn([frame]), [[offset + 1, offset + 1]]);
      offset++;
    }
  }
  done = true;
  await sending;
  hub.hub.close();
});

test("history: a message id that is still there reaches nobody again", async () => {
  const { hub, say } = started();
  const ada = await hub.open("ada");
  await join(ada, "h1", true);
  const message_id = expression("input.id", "input");
  const send = (n: number, id: unknown, room?: string) =>
    say(n, { options: { message_id }, scope: { input: { id } } } as never, room);
  assert.deepEqual(send(1, "a"), { recipients: 1 });
  assert.deepEqual(send(2, "a"), { recipients: 0 });
  assert.deepEqual(send(3, 7n), { recipients: 1 });
  assert.deepEqual(send(4, "7"), { recipients: 0 });
  for (const n of [5, 6]) assert.deepEqual(send(n, null), { recipients: 1 });
  assert.deepEqual(numbersIn(await gets(ada, 4)), [[1, 1], [3, 2], [5, 3], [6, 4]]);
  // Elsewhere it is not looked at.
  await join(ada, "plain", undefined);
  for (const _ of "ab") assert.deepEqual(send(9, "a", "plain"), { recipients: 1 });
  for (const [id, why] of [[{}, /is an object/], ["", /is empty/], ["x".repeat(256), /longer/]]) {
    assert.throws(() => send(9, id), why as RegExp);
  }
  hub.hub.close();
});

test("history: what its sender was left out of is not replayed to its user", async () => {
  const { hub, say } = started();
  const [ada, bob] = [await hub.open("ada"), await hub.open("bob")];
  const { epoch } = await join(ada, "h1", true);
  await join(bob, "h1", true);
  const id = await ask(ada, { type: "who" });
  const event = { client: { id, user_id: "ada" } };
  assert.deepEqual(say(1, { options: { exclude_sender: true }, event } as never), {
    recipients: 1,
  });
  say(2);
  assert.deepEqual(numbersIn(await gets(ada, 1)), [[2, 2]]);
  assert.deepEqual(numbersIn(await gets(bob, 2)), [[1, 1], [2, 2]]);
  for (const [user, expected] of [["ada", [[2, 2]]], ["bob", [[1, 1], [2, 2]]]] as const) {
    const back = await hub.open(user);
    const more: Frame[] = [];
    await join(back, "h1", { epoch, offset: 0 }, more);
    await soon("all", () => more.push(...back.take() as Frame[]) >= expected.length);
    assert.deepEqual(numbersIn(more), expected);
  }
  hub.hub.close();
});

test("history: a message with a filter has no offset and is not kept", async () => {
  const { hub, say } = started();
  const ada = await hub.open("ada");
  const { epoch } = await join(ada, "h1", true);
  say(1, { options: { filter: expression("client.user_id == 'ada'", "client") } } as never);
  say(2);
  assert.deepEqual(numbersIn(await gets(ada, 2)), [[1, undefined], [2, 1]]);
  const more: Frame[] = [];
  await join(ada, "h1", { epoch, offset: 0 }, more);
  await soon("one", () => more.push(...ada.take() as Frame[]) > 0);
  assert.deepEqual(numbersIn(more), [[2, 1]]);
  hub.hub.close();
});

test("history: a flow's order: offsets with the epoch, and what was missed by the parameter", async () => {
  const { hub, say } = started();
  const order = (user: string) =>
    hub.write({
      operation: "join_room",
      target: "h:ada,1",
      options: { user: expression(`'${user}'`), history: true },
    });
  const ada = await hub.open("ada");
  assert.deepEqual(order("ada"), { recipients: 1, refused: 0 });
  say(1, {}, "h:ada,1");
  const [{ epoch, ...first }] = await gets(ada, 1);
  assert.deepEqual(first, { type: "message", data: { n: 1 }, room: "h:ada,1", offset: 1 });
  ada.leave();
  for (const n of [2, 3]) say(n, {}, "h:ada,1");
  const resume = (position: unknown) =>
    `resume=${encodeURIComponent(`${encodeURIComponent("h:ada,1")}:${position},other:e:1`)}`;
  const back = await hub.open("ada", resume(`${epoch}:1`));
  order("ada");
  // Another order changes nothing.
  order("ada");
  say(4, {}, "h:ada,1");
  const frames = await gets(back, 3);
  assert.deepEqual(numbersIn(frames), [[2, 2], [3, 3], [4, 4]]);
  assert.ok(frames.every((frame) => frame.epoch === epoch));
  // A join with a position gets only what this connection was not sent.
  const more: Frame[] = [];
  await join(back, "h:ada,1", { epoch, offset: 1 }, more);
  say(5, {}, "h:ada,1");
  await soon("one", () => more.push(...back.take() as Frame[]) > 0);
  assert.deepEqual(numbersIn(more), [[5, 5]]);
  back.leave();
  // Without the parameter, or with nonsense, it gets what follows.
  for (const query of ["", "resume=x", "resume=%25zz:e:1", resume(`${epoch}:x`), resume(":1")]) {
    const other = await hub.open("ada", query);
    order("ada");
    say(6, {}, "h:ada,1");
    assert.equal((await gets(other, 1)).length, 1, query);
    other.leave();
  }
  // Where it is gone, it is told.
  const late = await hub.open("ada", resume("gone:1"));
  order("ada");
  assert.deepEqual(await gets(late, 1), [{ type: "resync", room: "h:ada,1" }]);
  hub.hub.close();
});

test("history: it is over after its time on a clock, and offsets go on", async () => {
  const clock = new ManualClock();
  const { hub, say } = started({ room: rooms(5, 10_000) }, { clock });
  const ada = await hub.open("ada");
  const { epoch } = await join(ada, "h1", true);
  say(1);
  await gets(ada, 1);
  await clock.advance(9_999);
  const more: Frame[] = [];
  assert.equal((await join(ada, "h1", { epoch, offset: 0 }, more)).recovered, true);
  await soon("one", () => more.push(...ada.take() as Frame[]) > 0);
  await clock.advance(2);
  assert.equal((await join(ada, "h1", { epoch, offset: 0 })).recovered, false);
  assert.equal((await join(ada, "h1", { epoch, offset: 1 })).recovered, true);
  say(2);
  ada.take();
  assert.deepEqual(hub.hub.counts().history_messages, 1);
  ada.leave();
  await clock.advance(100_000);
  const { history_rooms, history_messages } = hub.hub.counts();
  assert.deepEqual([history_rooms, history_messages], [0, 0]);
  hub.hub.close();
});

test("history: a step lists the newest", () => {
  const { hub, say } = started();
  const list = (limit: unknown, target: string | undefined = "h1") =>
    hub.write({ operation: "history", target, payload: { limit } });
  assert.deepEqual(list(3), []);
  for (let n = 1; n <= 7; n++) say(n);
  const listed = (...numbers: readonly number[]) =>
    numbers.map((n) => ({ offset: n, data: { n } }));
  assert.deepEqual(list(2), listed(6, 7));
  assert.deepEqual(list(2n), listed(6, 7));
  assert.deepEqual(list(99), listed(3, 4, 5, 6, 7));
  assert.deepEqual(list(undefined), listed(3, 4, 5, 6, 7));
  for (const limit of [0, -1, 1.5, "2", {}]) assert.throws(() => list(limit), /whole number/);
  assert.throws(() => list(1, "plain"), /the room "plain" has no history/);
  assert.throws(() => list(1, ""), /room is empty/);
  hub.hub.close();
});

test("history: what waits for an answer is bounded, and a client over it is closed", async () => {
  const slow = flowThat(() => new Promise(() => {}));
  const flows = { ...joinable(), join_room: [slow] };
  const options = { slow_client: { queue: 4_096, policy: "disconnect", key: undefined } } as const;
  const { hub, say } = started(options, { flows });
  const ada = await hub.open("ada");
  ada.tell({ type: "join_room", room: "h1", id: 1, history: true });
  await soon("the join", () => hub.hub.counts().rooms === 1);
  for (let n = 0; n < 60; n++) say(n, { payload: { n, text: "x".repeat(100) } });
  await soon("the end", () => ada.ended !== undefined);
  assert.deepEqual(ada.ended, [1013, "slow consumer"]);
  // What was missed is more than its queue may hold.
  const big = hubWith(undefined, { options: { room: rooms(100), ...options } });
  const bob = await big.open("bob");
  const { epoch } = await join(bob, "h1", true);
  for (let n = 0; n < 60; n++) {
    const payload = { n, text: "x".repeat(100) };
    big.write({ operation: "send_to_room", target: "h1", payload });
  }
  const back = await big.open("bob");
  assert.equal((await join(back, "h1", { epoch, offset: 50 })).recovered, true);
  assert.equal((await join(back, "h1", { epoch, offset: 0 })).recovered, false);
  assert.throws(
    () => big.write({ operation: "send_to_room", target: "h1", payload: "x".repeat(4_000) }),
    /and its offset are larger than a client's queue/,
  );
  hub.hub.close();
  big.hub.close();
});
