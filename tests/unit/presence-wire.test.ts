/** What instances tell each other of presence: nonsense is ignored, and logged once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, Nonsense } from "../../src/connectors/websocket/instances/wire.ts";
import type { Member } from "../../src/connectors/websocket/presence/member.ts";
import {
  decodeTold,
  encodeChanges,
  encodeList,
  encodeQuestion,
} from "../../src/connectors/websocket/presence/wire.ts";
import { FakeInstances } from "../support/fake-instances.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { presenceHub, told } from "../support/presence.ts";

const PART = { live: 2, lost: 1, at: 5, dataAt: 3, info: '{"a":"ü"}', data: undefined };

type Told = Pick<Member, "identity" | "ownPart">;

const ada: Told = { identity: { user: "ada" }, ownPart: () => PART };
const gone: Told = { identity: { key: "k1" }, ownPart: () => undefined };

test("wire: changes, lists and questions cross", () => {
  const [changes] = encodeChanges("r", [[ada, 1], [gone, 0]]);
  assert.deepEqual(decodeTold(changes), {
    room: "r",
    entries: [
      { identity: { user: "ada" }, part: PART, came: 1 },
      { identity: { key: "k1" }, part: undefined, came: 0 },
    ],
    list: undefined,
    asks: false,
  });
  const [empty] = encodeList('a "room"', []);
  const list = { first: true, last: true };
  assert.deepEqual(decodeTold(empty), { room: 'a "room"', entries: [], list, asks: false });
  for (const asks of ["some", "always"] as const) {
    assert.deepEqual(decodeTold(encodeQuestion("r", asks)).asks, asks);
  }
});

test("wire: a long list has a first and a last part", () => {
  const long = { ...PART, info: JSON.stringify("x".repeat(1000)) };
  const members = Array.from({ length: 500 }, (_, n) => ({
    identity: { user: `user${n}` },
    ownPart: () => long,
  })) as unknown as readonly Member[];
  const parts = encodeList("r", members).map(decodeTold);
  assert.ok(parts.length > 2);
  assert.deepEqual(parts.map(({ list }) => list?.first), parts.map((_, i) => i === 0));
  assert.deepEqual(
    parts.map(({ list }) => list?.last),
    parts.map((_, i) => i === parts.length - 1),
  );
  assert.equal(parts.reduce((sum, { entries }) => sum + entries.length, 0), 500);
});

/** Each is malformed in one way. */
const NONSENSE: readonly unknown[] = [
  "text",
  5,
  null,
  [],
  {},
  { room: 5 },
  { room: "" },
  { room: "x".repeat(256) },
  { room: "r", members: 5 },
  { room: "r", members: {} },
  { room: "r", members: [5] },
  { room: "r", members: [{}] },
  { room: "r", members: [{ user: 5 }] },
  { room: "r", members: [{ user: "a", key: "b" }] },
  { room: "r", members: [{ user: "x".repeat(256) }] },
  { room: "r", members: [{ key: "\u0000" }] },
  { room: "r", members: [{ user: "a", live: "1", lost: 0, at: 1, dataAt: 0 }] },
  { room: "r", members: [{ user: "a", live: -1, lost: 0, at: 1, dataAt: 0 }] },
  { room: "r", members: [{ user: "a", live: 1.5, lost: 0, at: 1, dataAt: 0 }] },
  { room: "r", members: [{ user: "a", live: 1e15, lost: 0, at: 1, dataAt: 0 }] },
  { room: "r", members: [{ user: "a", live: 1, at: 1, dataAt: 0 }] },
  { room: "r", members: [{ user: "a", live: 1, lost: 0, dataAt: 0 }] },
  { room: "r", members: [{ user: "a", live: 1, lost: 0, at: -1, dataAt: 0 }] },
  { room: "r", members: [{ user: "a", live: 1, lost: 0, at: 1 }] },
  { room: "r", members: [{ user: "a", live: 1, lost: 0, at: 1, dataAt: 0, came: "x" }] },
  {
    room: "r",
    members: [{ user: "a", live: 1, lost: 0, at: 1, dataAt: 0, info: "x".repeat(3000) }],
  },
  { room: "r", list: 5 },
  { room: "r", list: {} },
  { room: "r", list: { first: 1, last: true } },
  { room: "r", asks: true },
  { room: "r", asks: "all" },
];

test("wire: nonsense of every kind is told from messages", () => {
  for (const one of NONSENSE) {
    assert.throws(() => decodeTold(JSON.stringify(one)), Nonsense, JSON.stringify(one));
  }
  for (const text of ["", "{", '{"room":"r"', "\u0000"]) {
    assert.throws(() => decodeTold(text), Nonsense, text);
  }
});

test("nonsense of another instance is ignored and logged once; what is good is heard", async () => {
  const others = new FakeInstances();
  const clock = new ManualClock();
  const rooms = `
    room "r" {
      presence {
      }
    }
  `;
  const { connector, join, log } = await presenceHub(rooms, { clock, instances: others });
  await connector.start?.();
  const watcher = await join("ada", "r", true);
  await told(watcher);
  const { listener } = others;
  const hear = (one: unknown, topic = "r/r", from = "other") =>
    listener.message(topic, encode("presence", {}, JSON.stringify(one)), from);
  for (const one of NONSENSE) {
    await hear(one);
    assert.equal(
      (await listener.answer(encode("presence", {}, JSON.stringify(one)), "other")).length,
      0,
    );
  }
  await hear({ room: "r", asks: "some" });
  const bob = { user: "bob", live: 1, lost: 0, at: 1, dataAt: 0 };
  await hear({ room: "r", members: [bob] }, "r/another");
  await listener.answer(encode("presence", {}, JSON.stringify({ room: "r" })), "other");
  await clock.advance(200);
  assert.deepEqual(await told(watcher), []);
  assert.equal(log.records.length, 1);
  assert.match(log.records[0].text, /ignored a message of instance other/);
  // Its own messages, and those about rooms in which nobody is here, are no news.
  await hear({ room: "r", members: [bob] }, "r/r", "me");
  await hear({ room: "nobody", members: [bob] }, "r/nobody");
  await clock.advance(200);
  assert.deepEqual(await told(watcher), []);
  await hear({ room: "r", members: [bob] });
  await clock.advance(200);
  assert.deepEqual(await told(watcher), [
    { count: 2, joined: [{ user_id: "bob", connections: 1 }] },
  ]);
  listener.gone?.("never heard of");
  listener.gone?.("other");
  await clock.advance(3_200);
  assert.deepEqual(await told(watcher), [{ count: 1, left: [{ user_id: "bob" }] }]);
  await connector.close?.();
  await settle();
});

test("the key of a member is not its client's id, which names its instance", async () => {
  const others = new FakeInstances();
  const clock = new ManualClock();
  const rooms = `
    room "r" {
      presence {
      }
    }
  `;
  const { connector, join } = await presenceHub(rooms, { clock, instances: others });
  await connector.start?.();
  const watcher = await join(undefined, "r", true);
  const [{ members }] = await told(watcher);
  const { key } = members?.[0] ?? {};
  assert.ok(key);
  assert.ok(!key.startsWith("me-"));
  await connector.close?.();
});
