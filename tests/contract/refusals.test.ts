/** What a client must not say, how it is refused, and what looks forbidden but is not. */
import assert from "node:assert/strict";
import type { Message } from "../support/socket-client.ts";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";

const config = `${websocket("max_rooms = 2")}${flows}
  flow "fails" {
    from {
      connector = "ws"
      operation = "fails"
    }
    to {
      connector = "probe"
      target    = "fail"
    }
    response {
      never = "1"
    }
  }
`;

/** Sends text and gives the answer, which must be an error; the connection must live on. */
async function refusal(t: Contract, text: string): Promise<Message> {
  const client = await t.connect();
  client.send({ payload: text });
  const { type, message, ...rest } = await client.hear();
  assert.equal(type, "error", text);
  assert.ok(typeof message === "string" && message.length > 0, text);
  await client.hearsNothing();
  client.destroy();
  return rest;
}

/** JSON that nests so many levels deep, its frame included. */
function nested(depth: number, open: string, close: string): string {
  const inner = open.repeat(depth - 1) + "1" + close.repeat(depth - 1);
  return `{"type":"echo","id":1,"data":${inner}}`;
}

contract("refusals: other ids are refused, and the error has none", config, async (t) => {
  const ids = ["x".repeat(65), "🙂".repeat(65), safe(1), -safe(1), 1.5, true, null, {}, [], [1]];
  for (const id of ids) {
    const text = JSON.stringify({ type: "probe", id });
    assert.deepEqual([text, await refusal(t, text)], [text, { code: "invalid_message" }]);
  }
  assert.deepEqual(await refusal(t, '{"type":"probe","id":1e999}'), { code: "invalid_message" });
  assert.deepEqual(t.probe.deliveries.filter(({ target }) => target !== "ended"), []);
});

/** So many beyond the last safe integer. */
function safe(beyond: number): number {
  return Number.MAX_SAFE_INTEGER + beyond;
}

contract("refusals: what is not JSON is invalid_json", config, async (t) => {
  const texts = [
    ..."{ [ \" ' } {] nul NaN Infinity undefined".split(" "),
    "",
    " ",
    '\uFEFF{"type":"ping"}',
    '{"type":"ping"}x',
    '{"type":"ping"}{"type":"ping"}',
    '{"type":"ping"}\u0000',
    '{"type":"ping",}',
    "{'type':'ping'}",
    '{type:"ping"}',
    '{"type":"pi\nng"}',
    '{"type":"ping","id":01}',
    "[".repeat(100_000),
    nested(65, "[", "]"),
    nested(65, '{"a":', "}"),
    nested(10_000, "[", "]"),
  ];
  for (const text of texts) {
    const shown = text.slice(0, 80);
    assert.deepEqual([shown, await refusal(t, text)], [shown, { code: "invalid_json" }]);
  }
});

contract(
  "refusals: 64 levels are not too deep, and brackets in strings are none",
  config,
  async (t) => {
    const client = await t.connect();
    for (const text of [nested(64, "[", "]"), nested(64, '{"a":', "}")]) {
      client.send({ payload: text });
      const { data } = JSON.parse(text);
      assert.deepEqual(await client.hear(), { type: "ack", id: 1, data: { data } });
    }
    const data = `${"[".repeat(500)}\\"${"{".repeat(500)}`;
    assert.deepEqual(await client.ask({ type: "echo", data }), { type: "message", data: { data } });
  },
);

contract("refusals: JSON that is no frame is invalid_message", config, async (t) => {
  const texts = [
    ...["null", "true", "1", "-0", '"x"', "[]", '[{"type":"ping"}]', "{}"],
    ...['{"type":1}', '{"type":null}', '{"type":["ping"]}', '{"type":{}}', '{"Type":"ping"}'],
    '{"__proto__":{"type":"ping"}}',
  ];
  for (const text of texts) {
    assert.deepEqual([text, await refusal(t, text)], [text, { code: "invalid_message" }]);
  }
  assert.deepEqual(await refusal(t, '{"id":5}'), { code: "invalid_message", id: 5 });
  assert.deepEqual(await refusal(t, '{"type":7,"id":"a"}'), { code: "invalid_message", id: "a" });
});

contract("refusals: unknown types are named, with the one that was meant", config, async (t) => {
  const client = await t.connect();
  for (
    const [type, meant] of [["mesage", "message"], ["ehco", "echo"], ["join-room", "join_room"]]
  ) {
    const { message, ...rest } = await client.ask({ type, id: 1 });
    assert.deepEqual(rest, { type: "error", code: "unknown_type", id: 1 });
    assert.ok(String(message).includes(`"${type}"`) && String(message).includes(`"${meant}"`));
  }
  const others = [
    "",
    "constructor",
    "__proto__",
    "toString",
    "*",
    "ECHO",
    "echo ",
    "x".repeat(5000),
  ];
  for (const type of others) {
    const { code, message } = await client.ask({ type });
    assert.equal(code, "unknown_type", type);
    assert.ok(String(message).length < 200, "a long type must not come back in full");
  }
  await client.hearsNothing();
});

contract("refusals: the server's types and events are no client's to send", config, async (t) => {
  const client = await t.connect();
  const types = ["connect", "disconnect"].concat(
    "ack error pong dropped presence resync".split(" "),
  );
  for (const type of types) {
    const { code, id } = await client.ask({ type, data: { a: 1 }, id: type });
    assert.deepEqual([code, id], ["unknown_type", type]);
  }
  await client.hearsNothing();
  assert.deepEqual(t.probe.deliveries, []);
});

const invalidRooms: readonly unknown[] = [
  ...[1, null, true, {}, [], ["a"], "", "a".repeat(256), "ä".repeat(128), "🙂".repeat(64)],
  ...["\u0000", "a\u0000b", "a\nb", "a\rb", "\u007f", "\u0085", "\ud800", "a\udc00b"],
];

contract("refusals: what is no room's name is invalid_room", config, async (t) => {
  for (const type of ["join_room", "leave_room"]) {
    assert.deepEqual(await refusal(t, `{"type":"${type}","id":1}`), {
      code: "invalid_room",
      id: 1,
    });
  }
  for (const room of invalidRooms) {
    for (const type of ["join_room", "leave_room", "probe"]) {
      const text = JSON.stringify({ type, room, id: 1 });
      assert.deepEqual([text, await refusal(t, text)], [text, { code: "invalid_room", id: 1 }]);
    }
  }
  assert.deepEqual(t.probe.deliveries.filter(({ target }) => target !== "ended"), []);
});

contract("refusals: any other text is a plain room", config, async (t) => {
  const rooms = [
    ...[
      "*",
      "#",
      ">",
      "orders.*",
      "a/+/b",
      "%",
      "'; DROP TABLE rooms; --",
      " ",
      "null",
      "undefined",
    ],
    ...[
      "__proto__",
      "constructor",
      "hasOwnProperty",
      "a".repeat(255),
      "🙂".repeat(63),
      "\u2028",
      "ﬀ",
    ],
  ];
  const [member, other] = [await t.connect(), await t.connect()];
  await other.ask({ type: "join_room", room: "other", id: 1 });
  for (const room of rooms) {
    assert.deepEqual(await member.ask({ type: "join_room", room, id: 1 }), { type: "ack", id: 1 });
    assert.equal(await t.runtime.sendToRoom(room, "hi"), 1);
    assert.deepEqual(await member.hear(), { type: "message", data: "hi", room });
    assert.deepEqual(await member.ask({ type: "leave_room", room, id: 2 }), { type: "ack", id: 2 });
    assert.equal(await t.runtime.sendToRoom(room, "hi"), 0);
  }
  await other.hearsNothing();
});

contract("refusals: too many rooms", config, async (t) => {
  const client = await t.connect();
  const join = (room: string) => client.ask({ type: "join_room", room, id: room });
  await join("a");
  await join("b");
  const { message, ...refused } = await join("c");
  assert.deepEqual(refused, { type: "error", code: "too_many_rooms", id: "c" });
  assert.match(String(message), /2/);
  assert.equal(await t.runtime.sendToRoom("c", 1), 0);
  assert.deepEqual(await join("a"), { type: "ack", id: "a" });
  await client.ask({ type: "leave_room", room: "a", id: 1 });
  assert.deepEqual(await join("c"), { type: "ack", id: "c" });
});

contract("refusals: by default 128 rooms", websocket(), async (t) => {
  const client = await t.connect();
  client.say(
    ...Array.from({ length: 129 }, (_, id) => ({ type: "join_room", room: `r${id}`, id })),
  );
  const answers = await client.hearMany(129);
  assert.deepEqual(
    answers.slice(0, 128),
    answers.slice(0, 128).map((_, id) => ({ type: "ack", id })),
  );
  assert.equal(answers[128].code, "too_many_rooms");
  assert.equal(t.runtime.counts().ws.rooms, 128);
});

contract(
  "refusals: a flow that fails names itself and a reference, not the cause",
  config,
  async (t) => {
    const client = await t.connect();
    const { message, ...rest } = await client.ask({ type: "fails", id: 1 });
    assert.deepEqual(rest, { type: "error", code: "flow_failed", id: 1 });
    assert.match(String(message), /^flow "fails" failed \(ref [0-9a-f]{8}\)$/);
    const { code, ...again } = await client.ask({ type: "fails" });
    assert.equal(code, "flow_failed");
    assert.notEqual(again.message, message);
    assert.equal("id" in again, false);
    await client.hearsNothing();
  },
);

contract("refusals: data is never identity, metadata or prototype", config, async (t) => {
  const client = await t.connect("/ws?user_id=ann");
  const hostile = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},' +
    '"user_id":"admin","event":"connect","client_id":"me","toString":1}';
  client.send({ payload: `{"type":"probe","id":1,"data":${hostile},"__proto__":{"room":"x"}}` });
  assert.deepEqual(await client.hear(), { type: "ack", id: 1 });
  const [{ input, payload }] = t.probe.deliveries;
  assert.equal(input.user_id, "ann");
  assert.equal(input.event, "probe");
  assert.match(String(input.client_id), /^[0-9a-f-]{36}$/);
  assert.equal(JSON.stringify(payload), hostile);
  assert.equal(JSON.stringify(input.data), hostile);
  assert.equal(Object.hasOwn(input, "room"), false);
  assert.equal(Object.getPrototypeOf(input), Object.prototype);
  assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.equal(await t.runtime.sendToUser("admin", 1), 0);
  await client.ask({ type: "probe", data: { room: "data's" }, room: "frame's", id: 2 });
  assert.equal(t.probe.deliveries[1].input.room, "frame's");
  await client.ask({ type: "probe", data: { room: "data's" }, id: 3 });
  assert.equal(t.probe.deliveries[2].input.room, "data's");
});
