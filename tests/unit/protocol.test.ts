import assert from "node:assert/strict";
import { test } from "node:test";
import { Frame } from "../../src/transport/frame.ts";
import { nameProblem } from "../../src/access/names.ts";
import { parseJson } from "../../src/base/json.ts";
import {
  ackFrame,
  decodeFrame,
  errorFrame,
  messageFrame,
  pongFrame,
  roomProblem,
} from "../../src/connectors/websocket/protocol.ts";

/** Lists inside each other. */
function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

/** What a frame does not say of itself. */
const UNNAMED = { messageId: undefined, traceparent: undefined };

test("decodeFrame: valid frames", () => {
  const good: ReadonlyArray<readonly [text: string, id: unknown, data: unknown, room: unknown]> = [
    ['{"type":"a"}', undefined, null, undefined],
    ['{"type":"a","data":null}', undefined, null, undefined],
    ['{"type":"a","data":[1,{"b":false}],"room":"r"}', undefined, [1, { b: false }], "r"],
    ['{"type":"a","room":7}', undefined, null, 7],
    ['{"type":"a","id":""}', "", null, undefined],
    ['{"type":"a","id":0}', 0, null, undefined],
    ['{"type":"a","id":-9007199254740991}', -9007199254740991, null, undefined],
    ['{"type":"a","id":1.0}', 1, null, undefined],
    [JSON.stringify({ type: "a", id: "x".repeat(64) }), "x".repeat(64), null, undefined],
    [JSON.stringify({ type: "a", id: "😀".repeat(64) }), "😀".repeat(64), null, undefined],
    [' \n{"type":"a","other":1}\t', undefined, null, undefined],
    ['{"type":"b","type":"a"}', undefined, null, undefined],
  ];
  for (const [text, id, data, room] of good) {
    assert.deepEqual(decodeFrame(text), { type: "a", id, data, room, ...UNNAMED }, text);
  }
});

test("decodeFrame: a message_id is the sender's own", () => {
  for (const messageId of ["m", "0", "x".repeat(128), "😀".repeat(128)]) {
    const frame = decodeFrame(JSON.stringify({ type: "a", id: 1, message_id: messageId }));
    const expected = { type: "a", id: 1, data: null, room: undefined, ...UNNAMED, messageId };
    assert.deepEqual(frame, expected);
  }
  const message = "message_id must be a string of 1 to 128 characters";
  for (const wrong of [null, 1, "", true, {}, ["m"], "x".repeat(129), "😀".repeat(129)]) {
    const frame = decodeFrame(JSON.stringify({ type: "a", id: 1, message_id: wrong }));
    assert.deepEqual(frame, { code: "invalid_message", message, id: 1 }, JSON.stringify(wrong));
  }
});

test("decodeFrame: a traceparent is a text, whatever it says", () => {
  for (const traceparent of ["", "nonsense", "00-1-2-01"]) {
    const frame = decodeFrame(JSON.stringify({ type: "a", id: 1, traceparent }));
    const expected = { type: "a", id: 1, data: null, room: undefined, ...UNNAMED, traceparent };
    assert.deepEqual(frame, expected);
  }
  const message = "traceparent must be a string";
  for (const traceparent of [null, 1, true, {}, ["00"]]) {
    const frame = decodeFrame(JSON.stringify({ type: "a", id: 1, traceparent }));
    assert.deepEqual(frame, { code: "invalid_message", message, id: 1 });
  }
});

test("decodeFrame: only an auth frame has a token", () => {
  const frame = { id: 1, data: null, room: undefined, ...UNNAMED };
  assert.deepEqual(decodeFrame('{"type":"auth","id":1,"token":"t"}'), {
    type: "auth",
    ...frame,
    token: "t",
  });
  assert.deepEqual(decodeFrame('{"type":"message","id":1,"token":"t"}'), {
    type: "message",
    ...frame,
  });
});

test("decodeFrame: texts that are not JSON", () => {
  const texts = ["", " ", "{", "}", "undefined", "NaN", "{'type':1}", '{"type":"a"}x', "\uFEFF{}"];
  for (const text of [...texts, "\0", '"\u0001"', "[".repeat(200)]) {
    const refusal = decodeFrame(text);
    assert.ok("code" in refusal && refusal.code === "invalid_json", text);
    assert.equal(refusal.id, undefined);
  }
  assert.deepEqual(decodeFrame("{"), { code: "invalid_json", message: "not valid JSON" });
});

test("decodeFrame: JSON that is not a frame", () => {
  const wrongId = "id must be a whole number or a string of at most 64 characters";
  const bad: ReadonlyArray<readonly [text: string, message: string, id?: string | number]> = [
    ["null", "a frame must be a JSON object"],
    ["[]", "a frame must be a JSON object"],
    ['[{"type":"a"}]', "a frame must be a JSON object"],
    ["1", "a frame must be a JSON object"],
    ['"x"', "a frame must be a JSON object"],
    ["true", "a frame must be a JSON object"],
    ["{}", "type is missing"],
    ['{"id":"i"}', "type is missing", "i"],
    ['{"type":null,"id":3}', "type must be a string", 3],
    ['{"type":1}', "type must be a string"],
    ['{"type":["message"]}', "type must be a string"],
    ['{"type":"a","id":null}', wrongId],
    ['{"type":"a","id":1.5}', wrongId],
    ['{"type":"a","id":9007199254740992}', wrongId],
    ['{"type":"a","id":1e400}', wrongId],
    ['{"type":"a","id":{}}', wrongId],
    ['{"type":"a","id":true}', wrongId],
    [JSON.stringify({ type: "a", id: "x".repeat(65) }), wrongId],
    // The wrong id never comes back, whatever else is wrong.
    ['{"id":[1]}', wrongId],
  ];
  for (const [text, message, id] of bad) {
    assert.deepEqual(decodeFrame(text), { code: "invalid_message", message, id }, text);
  }
});

test("decodeFrame: names of prototypes are plain data", () => {
  assert.deepEqual(decodeFrame('{"__proto__":{"type":"a"}}'), {
    code: "invalid_message",
    message: "type is missing",
    id: undefined,
  });
  const frame = decodeFrame('{"type":"__proto__","data":{"__proto__":{"x":1},"constructor":2}}');
  assert.ok("type" in frame);
  assert.equal(frame.type, "__proto__");
  const data = frame.data as Readonly<Record<string, unknown>>;
  assert.deepEqual(Object.keys(data), ["__proto__", "constructor"]);
  assert.equal(Object.getPrototypeOf(data), Object.prototype);
  assert.equal("x" in data, false);
});

test("parseJson: 64 levels are good, 65 are refused on the text", () => {
  parseJson(nested(64));
  parseJson(`{"a":${nested(63)}}`);
  const tooDeep = { name: "SyntaxError", message: "nested deeper than 64" };
  assert.throws(() => parseJson(nested(65)), tooDeep);
  assert.throws(() => parseJson(`{"a":${nested(64)}}`), tooDeep);
  assert.throws(() => parseJson('{"a":'.repeat(100_000)), tooDeep);
});

test("parseJson: brackets inside strings do not count as levels, those after them do", () => {
  const brackets = "[{".repeat(100);
  for (const text of [brackets, `\\"${brackets}`, `${brackets}\\\\`, `\\u0022${brackets}`]) {
    assert.equal(typeof parseJson(`"${text}"`), "string", text);
    assert.throws(() => parseJson(`["${text}",${nested(64)}]`), { message: /nested deeper/ });
  }
  // Wide is not deep.
  parseJson(`[${Array.from({ length: 1000 }, () => "[]").join()}]`);
});

test("roomProblem: invalid room names", () => {
  const bad: ReadonlyArray<readonly [room: unknown, problem: string]> = [
    [undefined, "room is missing"],
    [null, "room must be a string"],
    [5, "room must be a string"],
    [{}, "room must be a string"],
    [["a"], "room must be a string"],
    ["", "room is empty"],
    ["a\0", "room has a control character"],
    ["a\nb", "room has a control character"],
    ["\x7f", "room has a control character"],
    ["\x85", "room has a control character"],
    ["\ud800", "room has a lone surrogate"],
    ["a\udc00b", "room has a lone surrogate"],
    ["a".repeat(256), "room is longer than 255 bytes"],
    ["ä".repeat(128), "room is longer than 255 bytes"],
    ["€".repeat(86), "room is longer than 255 bytes"],
    ["😀".repeat(64), "room is longer than 255 bytes"],
  ];
  for (const [room, problem] of bad) assert.equal(roomProblem(room), problem, String(room));
});

test("roomProblem: every other text is a valid name", () => {
  const good = [
    "*",
    "#",
    ">",
    " ",
    ".",
    "a/b",
    "orders:*",
    "'; DROP TABLE x",
    "__proto__",
    "\u2028",
  ];
  const long = ["a".repeat(255), "ä".repeat(127), "€".repeat(85), `${"😀".repeat(63)}abc`];
  for (const room of [...good, ...long, "constructor", "e\u0301"]) {
    assert.equal(roomProblem(room), undefined, room);
  }
});

test("nameProblem says what the name is for", () => {
  assert.equal(nameProblem("user_id", "a\tb"), "user_id has a control character");
});

test("the frames that the server sends", () => {
  const frames: ReadonlyArray<readonly [frame: Frame, text: string]> = [
    [messageFrame({ a: 1 }), '{"type":"message","data":{"a":1}}'],
    [messageFrame(null), '{"type":"message","data":null}'],
    [messageFrame(undefined), '{"type":"message","data":null}'],
    [messageFrame(() => 1), '{"type":"message","data":null}'],
    [messageFrame("x", 'a"b'), '{"type":"message","data":"x","room":"a\\"b"}'],
    [messageFrame(NaN, ""), '{"type":"message","data":null,"room":""}'],
    [messageFrame(1, undefined, "price"), '{"type":"price","data":1}'],
    [messageFrame(1, "r", "a.b:c-1_"), '{"type":"a.b:c-1_","data":1,"room":"r"}'],
    [ackFrame("1"), '{"type":"ack","id":"1"}'],
    [ackFrame(1, { data: [] }), '{"type":"ack","id":1,"data":[]}'],
    [ackFrame(0, { data: undefined }), '{"type":"ack","id":0,"data":null}'],
    [pongFrame(undefined), '{"type":"pong"}'],
    [pongFrame("p"), '{"type":"pong","id":"p"}'],
    [
      errorFrame({ code: "rejected", message: 'no "entry"' }),
      '{"type":"error","message":"no \\"entry\\"","code":"rejected"}',
    ],
    [
      errorFrame({ code: "timeout", message: "late", id: 0 }),
      '{"type":"error","message":"late","code":"timeout","id":0}',
    ],
    [
      errorFrame({
        code: "validation_failed",
        message: "m",
        details: [{ path: "a", message: "b" }],
      }),
      '{"type":"error","message":"m","code":"validation_failed",' +
      '"details":[{"path":"a","message":"b"}]}',
    ],
  ];
  for (const [frame, text] of frames) assert.equal(frame.text, text);
});

test("data that is not JSON throws an error of its own", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const data of [cycle, 1n, { deep: [1n] }]) {
    assert.throws(() => messageFrame(data), TypeError);
    assert.throws(() => ackFrame(1, { data }), TypeError);
    assert.throws(
      () => errorFrame({ code: "rejected", message: "", details: data }),
      TypeError,
    );
  }
});

test("Frame: the header of RFC 6455 at every change of its form", () => {
  const headers: ReadonlyArray<readonly [length: number, header: readonly number[]]> = [
    [0, [0x81, 0]],
    [1, [0x81, 1]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [256, [0x81, 126, 1, 0]],
    [65535, [0x81, 126, 255, 255]],
    [65536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    [70000, [0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]],
  ];
  for (const [length, header] of headers) {
    const { bytes } = new Frame("x".repeat(length));
    assert.equal(bytes.length, header.length + length);
    assert.deepEqual([...bytes.subarray(0, header.length)], header);
    assert.ok(bytes.subarray(header.length).every((byte) => byte === 0x78));
  }
});

test("Frame: the length counts bytes, and the bytes are made once", () => {
  const frame = new Frame("ä😀");
  assert.deepEqual([...frame.bytes], [0x81, 6, 0xc3, 0xa4, 0xf0, 0x9f, 0x98, 0x80]);
  assert.equal(frame.bytes, frame.bytes);
  assert.equal(frame.text, "ä😀");
});
