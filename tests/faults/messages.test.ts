/** The entries of "Messages" in the list of faults: what may stand in a client's frames. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { closeCode } from "../support/socket-contract.ts";
import { opcodes } from "../support/socket-frames.ts";
import { until } from "../support/socket-probe.ts";
import { frameBytes, type FrameClient, showFrame } from "./client.ts";
import { echo, say } from "./conformance/case.ts";
import { type Fault, fault } from "./invariants.ts";
import { within } from "./within.ts";

/** Names that every object has a member of. */
const INHERITED = ["__proto__", "constructor", "hasOwnProperty", "toString"];

/** Says something and gives the answer. */
async function ask(client: FrameClient, value: unknown): Promise<Record<string, unknown>> {
  client.say(value);
  return await client.hear() as Record<string, unknown>;
}

/** An answer's type, or the code of an error; the `id` must be the question's. */
async function verdict(client: FrameClient, value: Record<string, unknown>): Promise<unknown> {
  const id = value.id ?? crypto.randomUUID();
  const answer = await ask(client, { ...value, id });
  assert.equal(answer.id, id);
  return answer.type === "error" ? answer.code : answer.type;
}

/**
 * Deno's own upgrade resets a connection that has sent more when the server closes it: of what was
 * written last, the close frame included, the client may see nothing.
 */
function isReset({ host }: Fault): boolean {
  return host.sockets === "deno";
}

/** Nothing is unread, and the connection lives. */
async function answers(client: FrameClient): Promise<void> {
  client.send({ payload: say("still here") });
  const frame = await client.next();
  assert.equal(frame && showFrame(frame), echo("still here"));
}

fault(
  '`""`, `{`, `null`, `[]`, `1`, `"x"`, a byte-order mark, trailing bytes → error, connection lives',
  {},
  async (t) => {
    const client = await t.open();
    const rows: ReadonlyArray<readonly [payload: string | Buffer, code: string]> = [
      ["", "invalid_json"],
      ['""', "invalid_message"],
      ["{", "invalid_json"],
      ["null", "invalid_message"],
      ["[]", "invalid_message"],
      ["1", "invalid_message"],
      ['"x"', "invalid_message"],
      ["{}", "invalid_message"],
      [Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(say("x"))]), "invalid_json"],
      [`${say("x")}x`, "invalid_json"],
      [`${say("x")}${say("x")}`, "invalid_json"],
      [`${say("x")}\u0000`, "invalid_json"],
      ["{'type':'echo'}", "invalid_json"],
      ['{"type":"echo","data":NaN}', "invalid_json"],
      ['{"type":7}', "invalid_message"],
      ['{"type":null}', "invalid_message"],
      ['{"type":["echo"]}', "invalid_message"],
      ['{"type":"echo","id":{}}', "invalid_message"],
      ['{"type":"echo","id":1.5}', "invalid_message"],
      ['{"type":"echo","id":1e300}', "invalid_message"],
      [`{"type":"echo","id":"${"x".repeat(65)}"}`, "invalid_message"],
      ['{"type":""}', "unknown_type"],
      ['{"type":"Echo"}', "unknown_type"],
    ];
    for (const [payload, code] of rows) {
      client.send({ payload });
      const answer = await client.hear() as Record<string, unknown>;
      assert.deepEqual(
        [String(payload), answer.type, answer.code, answer.id],
        [String(payload), "error", code, undefined],
      );
    }
    await answers(client);
  },
);

fault("nesting 64 good, 65 refused before it is parsed", {}, async (t) => {
  const client = await t.open();
  // The frame itself is the first level.
  const nested = (depth: number, [open, close]: readonly [string, string]) =>
    `{"type":"echo","data":${open.repeat(depth - 1)}1${close.repeat(depth - 1)}}`;
  for (const braces of [["[", "]"], ['{"a":', "}"]] as const) {
    client.send({ payload: nested(64, braces) });
    assert.equal((await client.hear() as { readonly type: unknown }).type, "message");
    for (const depth of [65, 1_000, 50_000]) {
      client.send({ payload: nested(depth, braces) });
      assert.equal((await client.hear() as { readonly code: unknown }).code, "invalid_json");
    }
  }
  // Brackets inside of text are none.
  client.send({ payload: say("[".repeat(1_000)) });
  assert.equal((await client.hear() as { readonly type: unknown }).type, "message");
  await answers(client);
});

fault(
  "keys and rooms and users named `__proto__`, `constructor`, `hasOwnProperty` → plain data, no prototype changes",
  {},
  async (t) => {
    const members = new Map<string, FrameClient>();
    for (const name of INHERITED) {
      const client = await t.open(`/ws?user_id=${name}`, { member: false });
      members.set(name, client);
      assert.equal(await verdict(client, { type: "join_room", room: name }), "ack");
      client.send({ payload: `{"type":"echo","id":"${name}","data":{"${name}":{"polluted":1}}}` });
      const { id, data } = await client.hear() as Record<string, { readonly data: unknown }>;
      assert.equal(id, name);
      assert.equal(JSON.stringify(data.data), `{"${name}":{"polluted":1}}`);
      // In the frame itself and as a type, too.
      client.send({ payload: `{"type":"echo","${name}":{"type":"x"},"data":1,"id":2}` });
      assert.deepEqual(await client.hear(), { type: "ack", id: 2, data: { data: 1 } });
      assert.equal(await verdict(client, { type: name }), "unknown_type");
      assert.equal(await verdict(client, { type: "leave_room", room: "valueOf" }), "ack");
    }
    for (const [name, client] of members) {
      assert.equal(await t.server.sendToRoom(name, "room"), 1);
      assert.equal(await t.server.sendToUser(name, "user"), 1);
      assert.deepEqual(await client.hear(), { type: "message", data: "room", room: name });
      assert.deepEqual(await client.hear(), { type: "message", data: "user" });
    }
    assert.equal(await t.server.sendToRoom("valueOf", 1), 0);
    assert.equal(await t.server.sendToUser("valueOf", 1), 0);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    assert.deepEqual((await t.server.presence()).users, INHERITED.length);
    for (const client of members.values()) client.destroy();
    await within("users", async () => (await t.server.presence()).users, 0);
  },
);

const identity = `
  flow "identity" {
    from {
      connector = "ws"
      operation = "identity"
    }
    response {
      user_id = "input.user_id"
      event   = "input.event"
      client  = "input.client_id == client.id"
      room    = "input.room"
      claims  = "client.claims"
      sent    = "input.data"
    }
  }
  flow "connected" {
    from {
      connector = "ws"
      operation = "connect"
      filter    = "client.user_id == 'ann'"
    }
    to {
      connector = "probe"
      target    = "connected"
    }
  }
`;

fault(
  "`user_id`, `event`, `client_id` inside `data` never pass as identity or metadata; types `connect` and `disconnect` run nothing",
  { blocks: identity },
  async (t) => {
    const claimed = {
      user_id: "admin",
      event: "connect",
      client_id: "x",
      client: { user_id: "admin" },
      claims: { role: "admin" },
      room: "from the data",
    };
    const [ann, nobody] = [await t.open("/ws?user_id=ann", { member: false }), await t.open()];
    const seen = (user_id: string | null, room: string) => ({
      ...{ type: "ack", id: 1 },
      data: { user_id, event: "identity", client: true, room, claims: null, sent: claimed },
    });
    const frame = { type: "identity", data: claimed, id: 1 };
    assert.deepEqual(await ask(ann, frame), seen("ann", "from the data"));
    assert.deepEqual(await ask(nobody, frame), seen(null, "from the data"));
    assert.deepEqual(await ask(ann, { ...frame, ...claimed, room: "r" }), seen("ann", "r"));
    for (const type of ["connect", "disconnect", "ack", "error", "pong", "dropped", "presence"]) {
      assert.equal(await verdict(ann, { type, data: claimed }), "unknown_type");
    }
    assert.deepEqual(await t.probe.targets(), ["connected"]);
    ann.destroy();
    await within("users", async () => (await t.server.presence()).users, 0);
  },
);

fault(
  "room that is a number, null, object, empty, 256 bytes, NUL, line breaks, `*`, `#`, `>` → as protocol.md says, never a pattern, subject or SQL",
  {},
  async (t) => {
    const client = await t.open();
    const bad = [
      ...[7, 0, null, {}, [], ["a"], true, ""],
      ...["x".repeat(256), "é".repeat(128), "a\u0000", "a\nb", "a\r", "\u007f", "\u0085", "\ud800"],
    ];
    for (const room of bad) {
      for (const type of ["join_room", "leave_room"]) {
        assert.equal(await verdict(client, { type, room }), "invalid_room", JSON.stringify(room));
      }
      if (room !== undefined) {
        assert.equal(await verdict(client, { type: "echo", room }), "invalid_room");
      }
    }
    assert.equal(await verdict(client, { type: "join_room" }), "invalid_room");
    assert.equal((await t.server.presence()).rooms, 1);
    const good = [
      ...[
        "*",
        "#",
        ">",
        "**",
        "a.*",
        "a.#",
        "a.>",
        "%",
        "_",
        "'; DROP TABLE rooms; --",
        "${x}",
        "{id}",
      ],
      ...[
        " ",
        "x".repeat(255),
        "é".repeat(127),
        "🙂",
        "\u202e",
        "a/../b",
        "null",
        "undefined",
        "0",
      ],
    ];
    for (const room of good) {
      assert.equal(await verdict(client, { type: "join_room", room }), "ack");
    }
    assert.equal((await t.server.presence()).rooms, 1 + good.length);
    for (const room of good) {
      assert.equal(await t.server.sendToRoom(room, room), 1);
      assert.deepEqual(await client.hear(), { type: "message", data: room, room });
    }
    // None of them is a pattern, and they are not folded into one another.
    for (const room of ["a.b", "a", "x", "  ", "*a", "Null"]) {
      assert.equal(await t.server.sendToRoom(room, room), 0);
    }
    for (const room of good) {
      assert.equal(await verdict(client, { type: "leave_room", room }), "ack");
    }
    assert.equal((await t.server.presence()).rooms, 1);
  },
);

fault(
  "a million joins by one client → errors from the 129th, 1008 after 100 of them in 10 s",
  {},
  async (t) => {
    const client = await t.open("/ws", { member: false });
    const leaves = pourJoins(client, 1_000_000);
    const { frames, ended } = await client.rest();
    await leaves;
    assert.ok(ended, "the server has not let go");
    const expected = [
      ...Array.from({ length: 128 }, (_, i) => `ack ${i}`),
      ...Array.from({ length: 101 }, (_, i) => `too_many_rooms ${128 + i}`),
      `close ${closeCode(t.host, 1008)}`,
    ];
    const seen = frames.map((frame) => {
      if (frame.opcode === opcodes.close) return showFrame(frame);
      const { type, code = type, id } = JSON.parse(frame.payload.toString());
      return `${code} ${id}`;
    });
    assert.deepEqual(seen, expected.slice(0, isReset(t) ? seen.length : Infinity));
    await within("rooms", async () => (await t.server.presence()).rooms, 1);
  },
);

/** Joins one room after the other, as fast as the connection takes it, until the server lets go. */
async function pourJoins(client: FrameClient, count: number): Promise<void> {
  const size = 1_000;
  for (let at = 0; at < count && !client.ended; at += size) {
    const packet = Buffer.concat(Array.from({ length: size }, (_, i) =>
      frameBytes({
        payload: JSON.stringify({ type: "join_room", room: `room ${at + i}`, id: at + i }),
      })));
    // On Deno nothing is read between writes that the kernel takes at once.
    await new Promise((resolve) => setImmediate(resolve));
    if (!client.socket.writable || client.socket.write(packet)) continue;
    await Promise.race([
      new Promise((resolve) => client.socket.once("drain", resolve)),
      client.gone,
    ]);
  }
}

const kick = `
  flow "kick" {
    from {
      connector = "ws"
      operation = "kick"
    }
    to {
      connector = "ws"
      operation = "disconnect"
    }
  }
`;

fault(
  "100 000 joins and leaves, double join, leave without join, join during close → idempotent, empty at the end",
  { blocks: kick },
  async (t) => {
    const client = await t.open();
    const rooms = Array.from({ length: 100 }, (_, i) => `room ${i}`);
    const frames = (type: string, names = rooms) =>
      Buffer.concat(names.map((room) => frameBytes({ payload: JSON.stringify({ type, room }) })));
    const [joins, leaves] = [frames("join_room"), frames("leave_room")];
    const round = Buffer.concat([joins, joins, leaves, leaves]);
    for (let i = 0; i < 500; i++) {
      client.write(round);
      // Each round is through before the next: its end is answered.
      if (i % 50 === 49) assert.equal((await ask(client, { type: "echo", id: i })).id, i);
    }
    assert.equal((await t.server.presence()).rooms, 1);
    client.write(joins);
    await answers(client);
    assert.equal((await t.server.presence()).rooms, 101);
    assert.equal(await t.server.sendToRoom("room 7", "once"), 1);
    assert.deepEqual(await client.hear(), { type: "message", data: "once", room: "room 7" });

    // In one packet: what the server has been told to end, what the client ends, and what just dies.
    const kicked = await t.open("/ws", { member: false });
    kicked.write(Buffer.concat([frameBytes({ payload: '{"type":"kick"}' }), joins]));
    const { frames: seen } = await kicked.rest();
    assert.deepEqual(
      seen.map(showFrame),
      [`close ${closeCode(t.host, 1008)}`].slice(0, isReset(t) ? seen.length : 1),
    );
    const closing = await t.open("/ws", { member: false });
    const close = frameBytes({ opcode: opcodes.close, payload: Buffer.from([0x03, 0xe8]) });
    closing.write(Buffer.concat([joins, close, frames("join_room", ["after the end"])]));
    const { frames: answer } = await closing.rest({ answer: false });
    assert.deepEqual(answer.map(showFrame), ["close 1000"]);
    const dying = await t.open("/ws", { member: false });
    dying.write(joins);
    dying.reset();
    client.destroy();
    await within("rooms", async () => (await t.server.presence()).rooms, 1);
  },
);

fault(
  "the same `id` twice, also across a reconnect → each frame served and answered once",
  {},
  async (t) => {
    for (let connection = 1; connection <= 2; connection++) {
      const client = await t.open("/ws", { member: false });
      client.say(
        { type: "echo", id: "a", data: 1 },
        { type: "echo", id: "a", data: 2 },
        { type: "probe", id: 7 },
        { type: "probe", id: 7 },
        { type: "echo", id: 7, data: 3 },
        { type: "nothing", id: "a" },
        { type: "nothing", id: "a" },
      );
      const seen = [];
      for (let i = 0; i < 7; i++) {
        const { type, id, data, code } = await client.hear() as Record<string, unknown>;
        seen.push([type, id, code ?? data]);
      }
      assert.deepEqual(seen, [
        ["ack", "a", { data: 1 }],
        ["ack", "a", { data: 2 }],
        ["ack", 7, undefined],
        ["ack", 7, undefined],
        ["ack", 7, { data: 3 }],
        ["error", "a", "unknown_type"],
        ["error", "a", "unknown_type"],
      ]);
      await answers(client);
      const served = (await t.probe.targets()).filter((target) => target === undefined).length;
      assert.equal(served, 2 * connection);
      client.destroy();
      await until("its end", async () => (await t.probe.targets()).at(-1) === "ended");
    }
  },
);

/** A flow that gives back what the probe returns. */
const returning = `
  flow "give" {
    timeout = "1s"
    from {
      connector = "ws"
      operation = "give"
    }
    to {
      connector = "probe"
      target    = "input.what"
    }
    response {
      got = "output"
    }
  }
`;

fault(
  "flow throws, never settles, returns a cycle or a BigInt → `flow_failed` or `timeout`, connection lives",
  {
    blocks: returning,
    errors: /^(?:flow give failed|failed to serve a frame) \(ref \w{8}\): /,
  },
  async (t) => {
    // The server's process knows the others, which no message to it can hold.
    await t.probe.setResult("good", { n: 11 });
    const client = await t.open();
    const rows = {
      fail: "flow_failed",
      cycle: "flow_failed",
      never: "timeout",
      // An int of an expression is data like any number.
      BigInt: { got: { n: 10 } },
      good: { got: { n: 11 } },
    };
    for (const [what, expected] of Object.entries(rows)) {
      const { code, data, id } = await ask(client, { type: "give", data: { what }, id: what });
      assert.deepEqual([id, code ?? data], [what, expected]);
    }
    // Without an id the error comes all the same, and says nothing of the cause.
    for (const what of ["fail", "cycle", "never"]) {
      const answer = await ask(client, { type: "give", data: { what } });
      assert.deepEqual([answer.type, answer.id], ["error", undefined]);
      assert.doesNotMatch(String(answer.message), /hunter2|circular|cyclic|stack|internal/i);
    }
    await answers(client);
  },
);
