/** Presence in one process: who is told what, and when a place ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../support/clock.ts";
import { joins, type PresenceFrame, presenceHub, told } from "../support/presence.ts";
import { rest } from "../support/worker-runtimes.ts";

const ROOM = `
  room "r" {
    presence {
    }
  }
`;

const member = (user_id: string, connections = 1) => ({ user_id, connections });

/** A connector with a clock that the test moves. */
async function started(rooms = ROOM, more = "") {
  const clock = new ManualClock();
  return { clock, ...await presenceHub(rooms, { clock, more }) };
}

test("a client that asks is told the list after its ack, and then what changes", async () => {
  const { clock, open, join } = await started();
  const ada = await open("ada");
  assert.deepEqual(await ada.ask({ type: "join_room", room: "r", id: 1, presence: true }), [
    { type: "ack", id: 1 },
    { type: "presence", room: "r", count: 1, members: [member("ada")] },
  ]);
  const bob = await join("bob", "r");
  assert.deepEqual(await told(bob), [], "bob did not ask");
  await clock.advance(105);
  const [frame] = ada.take();
  const change = { joined: [member("bob")], left: [], changed: [] };
  assert.deepEqual(frame, { type: "presence", room: "r", count: 2, ...change });
  await clock.advance(200);
  // After a quiet time a change is told at once.
  bob.tell({ type: "leave_room", room: "r" });
  assert.deepEqual(await told(ada), [{ count: 1, left: [{ user_id: "bob" }] }]);
});

test("a user is one member, whatever its connections; without a user each is its own", async () => {
  const { clock, join, connector } = await started();
  const ada = await join("ada", "r", true);
  await told(ada);
  const second = await join("ada", "r");
  await clock.advance(105);
  assert.deepEqual(await told(ada), [{ count: 1, changed: [member("ada", 2)] }]);
  const guests = [await join(undefined, "r"), await join(undefined, "r")];
  await clock.advance(105);
  const [{ count, joined }] = await told(ada);
  assert.equal(count, 3);
  const keys = joined?.map(({ key }) => key) ?? [];
  assert.equal(new Set(keys).size, 2);
  assert.ok(keys.every((key) => typeof key === "string" && key !== ""));
  assert.ok(joined?.every((one) => !("user_id" in one) && one.connections === 1));
  assert.equal(connector.counts?.().presence_members, 3);
  second.leave();
  guests[0].leave();
  await clock.advance(105);
  assert.deepEqual(await told(ada), [
    { count: 2, left: [{ key: keys[0] }], changed: [member("ada", 1)] },
  ]);
  // In another room, or when it joins again, it has another key.
  guests[1].tell({ type: "leave_room", room: "r" });
  guests[1].tell({ type: "join_room", room: "r" });
  await clock.advance(105);
  const [again] = await told(ada);
  assert.notEqual(again.joined?.[0].key, keys[1]);
  assert.deepEqual(again.left, [{ key: keys[1] }]);
});

test("at most ten frames a second, and changes that cancel each other are left out", async () => {
  const { clock, join } = await started();
  const ada = await join("ada", "r", true);
  await told(ada);
  await clock.advance(1000);
  const bob = await join("bob", "r");
  const cy = await join("cy", "r");
  await clock.advance(1000);
  await told(ada);
  let frames = 0;
  for (let n = 0; n < 50; n++) {
    // Whatever happens between two frames: cy is back in time.
    cy.tell({ type: "leave_room", room: "r" });
    await joins(cy, "r");
    bob.tell({ type: n % 2 === 0 ? "leave_room" : "join_room", room: "r" });
    await clock.advance(20);
    const heard = await told(ada);
    frames += heard.length;
    for (const { joined = [], left = [] } of heard) {
      assert.ok(![...joined, ...left].some(({ user_id }) => user_id === "cy"), "cy flickers");
    }
  }
  assert.ok(frames >= 2 && frames <= 10, `${frames} frames in a second`);
});

test("what cancels itself is no frame at all", async () => {
  const { clock, join } = await started();
  const ada = await join("ada", "r", true);
  const bob = await join("bob", "r");
  bob.tell({ type: "leave_room", room: "r" });
  await told(ada);
  await clock.advance(500);
  assert.deepEqual(await told(ada), []);
});

test("a client's own close with 1000, leave_room and a flow's orders end a place at once", async () => {
  const { clock, join, write } = await started();
  const ada = await join("ada", "r", true);
  const bob = await join("bob", "r");
  const cy = await join("cy", "r");
  const dan = await join("dan", "r");
  await join("eve", "r");
  await join("fay", "r");
  await clock.advance(200);
  await told(ada);
  const user = (name: string) => ({ user: { source: "", evaluate: () => name } });
  const acts: [string, () => unknown][] = [
    ["bob", () => bob.leave()],
    ["cy", () => cy.cut(1005)],
    ["dan", () => dan.tell({ type: "leave_room", room: "r" })],
    ["eve", () => write("leave_room", "r", user("eve"))],
    ["fay", () => write("disconnect", undefined, user("fay"))],
  ];
  for (const [name, act] of acts) {
    act();
    await clock.advance(110);
    const [frame, ...more] = await told(ada);
    assert.deepEqual([frame?.left, more], [[{ user_id: name }], []]);
  }
});

test("any other end keeps the place for leave_grace", async () => {
  const { clock, join } = await started();
  const ada = await join("ada", "r", true);
  for (const code of [1001, 1006, 1002, 1009, 4000]) {
    const bob = await join("bob", "r");
    await clock.advance(110);
    await told(ada);
    bob.cut(code);
    await clock.advance(2_990);
    assert.deepEqual(await told(ada), [], `code ${code}`);
    await clock.advance(120);
    assert.deepEqual(await told(ada), [{ count: 1, left: [{ user_id: "bob" }] }], `code ${code}`);
  }
});

test("a return within leave_grace is no change; the place of a user without one ends", async () => {
  const { clock, join, connector } = await started();
  const ada = await join("ada", "r", true);
  const first = await join("bob", "r");
  await join("bob", "r");
  await clock.advance(110);
  await told(ada);
  first.cut(1001);
  await clock.advance(2_900);
  const back = await join("bob", "r");
  await clock.advance(10_000);
  assert.deepEqual(await told(ada), []);
  assert.equal(connector.counts?.().presence_members, 2);
  // Now it has the place, and can lose it in turn.
  back.cut();
  await clock.advance(3_200);
  assert.deepEqual(await told(ada), [{ count: 2, changed: [member("bob", 1)] }]);

  const guest = await join(undefined, "r");
  await clock.advance(110);
  const [{ joined }] = await told(ada);
  guest.cut();
  await join(undefined, "r");
  await clock.advance(110);
  assert.equal((await told(ada))[0].joined?.length, 1, "a guest returns as a new member");
  await clock.advance(3_200);
  assert.deepEqual((await told(ada))[0].left, [{ key: joined?.[0].key }]);
});

test("leave_grace is the block's own, and 0s keeps no place", async () => {
  const rooms = (grace: string) => `
    room "r" {
      presence {
        leave_grace = "${grace}"
      }
    }
  `;
  const long = await started(rooms("1m"));
  const ada = await long.join("ada", "r", true);
  (await long.join("bob", "r")).cut();
  await long.clock.advance(59_000);
  assert.deepEqual((await told(ada)).map(({ count }) => count), [1, 2]);
  await long.clock.advance(2_000);
  assert.deepEqual((await told(ada)).map(({ count }) => count), [1]);

  const none = await started(rooms("0s"));
  const eve = await none.join("eve", "r", true);
  await told(eve);
  await none.clock.advance(110);
  (await none.join("bob", "r")).cut();
  await none.clock.advance(110);
  assert.deepEqual(await told(eve), [
    { count: 2, joined: [member("bob")] },
    { count: 1, left: [{ user_id: "bob" }] },
  ]);
});

test("above max only the number is told, and back at max the whole list", async () => {
  const { clock, join, write } = await started(`
    room "r" {
      presence {
        max = 2
      }
    }
  `);
  const ada = await join("ada", "r", true);
  const bob = await join("bob", "r", true);
  await clock.advance(110);
  await told(ada);
  assert.deepEqual(await told(bob), [{ count: 2, members: [member("ada"), member("bob")] }]);
  const cy = await join("cy", "r", true);
  await clock.advance(110);
  for (const one of [ada, bob, cy]) assert.deepEqual(await told(one), [{ count: 3 }]);
  const dan = await join("dan", "r");
  await clock.advance(110);
  assert.deepEqual(await told(cy), [{ count: 4 }]);
  assert.deepEqual(write("presence", "r"), { count: 4, members: [] });
  // A change of a member is told to nobody.
  await join("dan", "r");
  await clock.advance(110);
  assert.deepEqual(await told(cy), []);
  cy.tell({ type: "leave_room", room: "r" });
  bob.leave();
  await clock.advance(110);
  const members = [member("ada"), member("dan", 2)];
  assert.deepEqual((await told(ada)).at(-1), { count: 2, members });
  assert.deepEqual(write("presence", "r"), { count: 2, members });
  dan.leave();
  await clock.advance(110);
  assert.deepEqual(await told(ada), [{ count: 2, changed: [member("dan", 1)] }]);
});

test("a list that is larger than a client's queue is not sent: the number is", async () => {
  const { clock, join, log } = await started(`
    slow_client {
      queue = "1KB"
    }
    ${ROOM}
  `);
  const name = "a".repeat(200);
  const ada = await join("ada", "r", true);
  const many = await Promise.all(
    Array.from({ length: 6 }, (_, n) => join(`${name}${n}`, "r")),
  );
  await clock.advance(110);
  await told(ada);
  await clock.advance(110);
  const late = await join("late", "r", true);
  await clock.advance(110);
  assert.deepEqual(await told(late), [{ count: 8 }]);
  assert.equal(ada.ended, undefined);
  assert.equal(log.records.filter(({ text }) => /only the number is told/.test(text)).length, 1);
  for (const one of many) one.leave();
  await clock.advance(220);
  assert.deepEqual((await told(late)).at(-1), {
    count: 2,
    members: [member("ada"), member("late")],
  });
});

test("who joins again without asking is told nothing more; an order to join changes nothing", async () => {
  const { clock, join, write } = await started();
  const ada = await join("ada", "r", true);
  await told(ada);
  await clock.advance(110);
  const user = { user: { source: "", evaluate: () => "ada" } };
  await write("join_room", "r", user);
  await join("bob", "r");
  assert.equal((await told(ada)).length, 1);
  await joins(ada, "r");
  await join("cy", "r");
  await clock.advance(110);
  assert.deepEqual(await told(ada), []);
  await joins(ada, "r", true);
  assert.equal((await told(ada))[0].members?.length, 3);
  await joins(ada, "r", false);
  await join("dan", "r");
  await clock.advance(110);
  assert.deepEqual(await told(ada), []);
});

test("who joins and leaves at once gets no list, and leaves nothing behind", async () => {
  const { clock, open, connector } = await started();
  const ada = await open("ada");
  ada.tell({ type: "join_room", room: "r", presence: true });
  ada.tell({ type: "leave_room", room: "r" });
  assert.deepEqual(await told(ada), []);
  ada.leave();
  await clock.advance(5_000);
  assert.equal(connector.counts?.().presence_members, 0);
  assert.equal(clock.waiting, 0);
});

test("a list is what was told until then: no member joins twice", async () => {
  const { clock, join } = await started();
  const ada = await join("ada", "r", true);
  await told(ada);
  // Within the time between two frames.
  const others = [];
  for (let n = 0; n < 10; n++) others.push(await join(`user${n}`, "r", true));
  await clock.advance(110);
  const frames = await told(ada);
  assert.equal(frames.length, 1);
  assert.equal(frames[0].joined?.length, 10);
  for (const one of others) {
    const [list, ...more] = await told(one);
    assert.deepEqual([list.members?.length, list.count, more.length], [11, 11, 0]);
  }
});

test("rooms without presence ignore the join's field, and know no presence frame", async () => {
  const { open, connector, write } = await started(`
    room "plain" {
    }
    room "r" {
      presence {
      }
    }
  `);
  const ada = await open("ada");
  assert.deepEqual(await ada.ask({ type: "join_room", room: "plain", presence: true, id: 1 }), [
    { type: "ack", id: 1 },
  ]);
  const own = { type: "join_room", room: "plain", presence: { status: "here" }, id: 2 };
  assert.deepEqual(await ada.ask(own), [{ type: "ack", id: 2 }]);
  const [answer] = await ada.ask({ type: "presence", room: "plain", data: {}, id: 3 });
  assert.equal((answer as { code?: string }).code, "invalid_message");
  assert.throws(() => write("presence", "plain"), /room "plain" has no presence/);
  assert.throws(() => write("presence", ""), /room is empty/);
  assert.equal(connector.counts?.().presence_members, 0);
  assert.deepEqual(write("presence", "r"), { count: 0, members: [] });
});

test("the end of the connector leaves no timer", async () => {
  const { clock, join, connector } = await started();
  await join("ada", "r", true);
  (await join("bob", "r")).cut();
  await connector.stop?.();
  await connector.close?.();
  assert.equal(clock.waiting, 0);
  await clock.advance(10_000);
});

test("frames have all their fields, in every kind", async () => {
  const { clock, join } = await started();
  const ada = await join("ada", "r", true);
  await rest();
  const [list] = ada.take() as PresenceFrame[];
  assert.deepEqual(Object.keys(list), ["type", "room", "count", "members"]);
  await join("bob", "r");
  await clock.advance(110);
  const [change] = ada.take() as PresenceFrame[];
  assert.deepEqual(Object.keys(change), ["type", "room", "count", "joined", "left", "changed"]);
});
