/** Frames on the wire: right ones in every cut, wrong ones and the close codes that they cause. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";
import { type ClientFrame, closeBody, encodeFrame, opcodes } from "../support/socket-frames.ts";
import { pause } from "../support/socket-probe.ts";

const config = websocket('max_message_size = "1KB"') + flows;
const { continuation, text, binary, close, ping, pong } = opcodes;

/** Sends frames and gives the code that ends the connection; nothing else may come back. */
async function codeAfter(t: Contract, frames: readonly ClientFrame[]): Promise<number> {
  const client = await t.connect();
  client.send(...frames);
  const { code } = await client.ending();
  client.destroy();
  return code;
}

const violations: Readonly<Record<string, readonly ClientFrame[]>> = {
  "a reserved bit 1": [{ payload: "{}", reserved: 4 }],
  "a reserved bit 2": [{ payload: "{}", reserved: 2 }],
  "a reserved bit 3 on a ping": [{ opcode: ping, reserved: 1 }],
  "opcode 3": [{ opcode: 3 }],
  "opcode 7": [{ opcode: 7 }],
  "opcode 11": [{ opcode: 11 }],
  "opcode 15": [{ opcode: 15 }],
  "a continuation of nothing": [{ opcode: continuation, payload: "{}" }],
  "a text within a text": [{ payload: "{", fin: false }, { payload: "}" }],
  "a binary within a text": [{ payload: "{", fin: false }, { opcode: binary, payload: "}" }],
  "a fragmented ping": [{ opcode: ping, fin: false }],
  "a fragmented close": [{ opcode: close, fin: false }],
  "a ping of 126 bytes": [{ opcode: ping, payload: "x".repeat(126) }],
  "a close of one byte": [{ opcode: close, payload: "x" }],
};

contract("frames: what RFC 6455 forbids closes with 1002", config, async (t) => {
  // Deno's own upgrade ends such a connection without a close frame.
  const expected = t.host.sockets === "deno" ? 1006 : 1002;
  for (const [name, frames] of Object.entries(violations)) {
    assert.deepEqual([name, await codeAfter(t, frames)], [name, expected]);
  }
  await t.probe.received(Object.keys(violations).length);
});

contract("frames: one without a mask closes with 1002", config, async (t) => {
  const frame = { payload: '{"type":"ping"}', masked: false };
  if (t.host.sockets === "deno") {
    // Deno's own upgrade does not look at the mask.
    const client = await t.connect();
    client.send(frame);
    assert.deepEqual(await client.hear(), { type: "pong" });
  } else {
    assert.equal(await codeAfter(t, [frame]), 1002);
  }
});

contract("frames: a close of more than 125 bytes closes with 1002", config, async (t) => {
  const payload = closeBody(1000, "x".repeat(124));
  // Deno's own upgrade takes it.
  const expected = t.host.sockets === "deno" ? 1000 : 1002;
  assert.equal(await codeAfter(t, [{ opcode: close, payload }]), expected);
});

contract("frames: a close code that nobody may send closes with 1002", config, async (t) => {
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535]) {
    const frames = [{ opcode: close, payload: closeBody(code) }];
    assert.deepEqual([code, await codeAfter(t, frames)], [code, 1002]);
  }
});

contract("frames: a client's own close is answered with its code", config, async (t) => {
  for (const code of [1000, 1001, 1008, 3000, 4000, 4999]) {
    const frames = [{ opcode: close, payload: closeBody(code, "bye") }];
    assert.deepEqual([code, await codeAfter(t, frames)], [code, code]);
  }
  assert.equal(await codeAfter(t, [{ opcode: close }]), 1005);
});

contract("frames: text that is not UTF-8 closes with 1007", config, async (t) => {
  // Deno's own upgrade ends such a connection without a close frame.
  const expected = t.host.sockets === "deno" ? 1006 : 1007;
  const cut = Buffer.from('{"type":"ping","id":"ä"}');
  const middle = cut.indexOf(0xc3) + 1;
  const cases: ClientFrame[][] = [
    [{ payload: Uint8Array.of(0x22, 0xc3, 0x28, 0x22) }],
    [{ payload: Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22) }],
    [{ payload: Uint8Array.of(0x22, 0xc0, 0xaf, 0x22) }],
    [{ payload: Uint8Array.of(0x22, 0xf4, 0x90, 0x80, 0x80, 0x22) }],
    [{ payload: cut.subarray(0, middle) }],
    [{ payload: cut.subarray(0, middle), fin: false }, { opcode: continuation, payload: '"}' }],
    [{ opcode: close, payload: closeBody(1000, Uint8Array.of(0xc3)) }],
  ];
  for (const [index, frames] of cases.entries()) {
    assert.deepEqual([index, await codeAfter(t, frames)], [index, expected]);
  }
});

contract("frames: binary closes with 1003", config, async (t) => {
  const expected = t.host.features.closeCodes ? 1003 : 4003;
  assert.equal(await codeAfter(t, [{ opcode: binary, payload: '{"type":"ping"}' }]), expected);
  assert.equal(await codeAfter(t, [{ opcode: binary }]), expected);
  const parts = [{ opcode: binary, fin: false }, { opcode: continuation, payload: "{}" }];
  assert.equal(await codeAfter(t, parts), expected);
});

const tooLong = JSON.stringify({ type: "ping", id: 1, data: "x".repeat(1024) });

contract("frames: a message over the limit closes with 1009", config, async (t) => {
  const expected = t.host.features.closeCodes ? 1009 : 4009;
  assert.equal(await codeAfter(t, [{ payload: tooLong }]), expected);
  // Bytes count, not characters.
  assert.equal(await codeAfter(t, [{ payload: `"${"ä".repeat(512)}"` }]), expected);
  const fragments = [
    { payload: tooLong.slice(0, 600), fin: false },
    { opcode: continuation, payload: tooLong.slice(600) },
  ];
  assert.equal(await codeAfter(t, fragments), expected);
});

contract("frames: a declared length over the limit is enough", config, async (t) => {
  if (t.host.features.frameLimits) {
    assert.equal(await codeAfter(t, [{ declaredLength: 1025 }]), 1009);
    assert.equal(await codeAfter(t, [{ declaredLength: 2 ** 40 }]), 1009);
  } else {
    // Without frame limits a message is judged when it is there.
    const client = await t.connect();
    const bytes = encodeFrame({ payload: tooLong });
    client.write(bytes.subarray(0, 100));
    await pause(20);
    assert.equal(t.runtime.counts().ws.connections, 1);
    client.write(bytes.subarray(100));
    assert.equal((await client.ending()).code, 4009);
  }
});

contract("frames: a message of exactly the limit is served", config, async (t) => {
  const client = await t.connect();
  const frame = { type: "echo", id: 1, data: "" };
  const data = "ä".repeat(Math.floor((1024 - JSON.stringify(frame).length) / 2));
  const text = JSON.stringify({ ...frame, data });
  const payload = text + " ".repeat(1024 - Buffer.byteLength(text));
  assert.equal(Buffer.byteLength(payload), 1024);
  client.send({ payload });
  assert.deepEqual(await client.hear(), { type: "ack", id: 1, data: { data } });
  client.send({ payload: payload.slice(0, 300), fin: false });
  client.send({ opcode: continuation, payload: payload.slice(300) });
  assert.deepEqual(await client.hear(), { type: "ack", id: 1, data: { data } });
});

contract("frames: over 1024 fragments close with 1008", config, async (t) => {
  const empty: ClientFrame = { opcode: continuation, fin: false };
  const endless: ClientFrame[] = [{ payload: '{"type":"ping"', fin: false }];
  for (let i = 0; i < 3000; i++) endless.push(empty);
  if (t.host.sockets === "ws") {
    assert.equal(await codeAfter(t, endless), 1008);
  } else {
    // Bun and Deno do not count them: what bounds a message there is its size.
    const client = await t.connect();
    client.send(...endless, { opcode: continuation, payload: "}" });
    assert.deepEqual(await client.hear(), { type: "pong" });
  }
});

contract(
  "frames: fragments with control frames between them are one message",
  config,
  async (t) => {
    const client = await t.connect();
    const payload = Buffer.from(JSON.stringify({ type: "echo", id: 1, data: "ä🙂" }));
    const parts = [...payload].map((byte, i): ClientFrame => ({
      opcode: i === 0 ? text : continuation,
      payload: Uint8Array.of(byte),
      fin: i === payload.length - 1,
    }));
    const between = [{ opcode: ping, payload: "p" }, { opcode: pong, payload: "unasked" }];
    client.send(...parts.flatMap((part, i) => i === 20 ? [...between, part] : [part]));
    const answer = await client.frame();
    assert.deepEqual([answer.opcode, answer.payload.toString()], [pong, "p"]);
    assert.deepEqual(await client.hear(), { type: "ack", id: 1, data: { data: "ä🙂" } });
  },
);

contract(
  "frames: every valid frame is served, wherever it is cut",
  websocket() + flows,
  async (t) => {
    const client = await t.connect();
    const message = (data: string) => JSON.stringify({ type: "echo", id: 1, data });
    const long = "ä".repeat(35_000);
    const cases: [frames: ClientFrame[], data: string, cuts: number][] = [
      [[{ payload: message("short ä🙂") }], "short ä🙂", Infinity],
      [[{ payload: message("x".repeat(150)) }], "x".repeat(150), 20],
      [[{ payload: message(long) }], long, 20],
      [
        [
          { payload: message("parts").slice(0, 10), fin: false },
          { opcode: pong },
          { opcode: continuation, payload: message("parts").slice(10) },
        ],
        "parts",
        Infinity,
      ],
    ];
    for (const [frames, data, cuts] of cases) {
      const bytes = Buffer.concat(frames.map(encodeFrame));
      for (let at = 1; at < Math.min(bytes.length, cuts); at++) {
        client.write(bytes.subarray(0, at));
        await new Promise((resolve) => setTimeout(resolve, 1));
        client.write(bytes.subarray(at));
        assert.deepEqual(
          await client.hear(),
          { type: "ack", id: 1, data: { data } },
          `cut at ${at}`,
        );
      }
    }
  },
);

contract("frames: a frame that comes byte by byte is served", config, async (t) => {
  const client = await t.connect();
  for (const byte of encodeFrame({ payload: '{"type":"echo","id":1,"data":"ä"}' })) {
    client.write(Uint8Array.of(byte));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.deepEqual(await client.hear(), { type: "ack", id: 1, data: { data: "ä" } });
});

contract(
  "frames: ten thousand in one packet are all served, in order",
  websocket() + flows,
  async (t) => {
    const client = await t.connect();
    const count = 10_000;
    client.say(...Array.from({ length: count }, (_, id) => ({ type: "echo", id, data: id })));
    const answers = await client.hearMany(count);
    for (const [id, answer] of answers.entries()) {
      assert.deepEqual(answer, { type: "ack", id, data: { data: id } });
    }
    await client.hearsNothing();
  },
);

contract("frames: an empty text and empty fragments are a message", config, async (t) => {
  const client = await t.connect();
  client.send({ payload: "" });
  assert.equal((await client.hear()).code, "invalid_json");
  client.send({ fin: false }, { opcode: continuation, fin: false }, { opcode: continuation });
  assert.equal((await client.hear()).code, "invalid_json");
});
