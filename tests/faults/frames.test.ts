/** The entries of "Frames" in the list of faults: what a client may do to a connection. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { closeCode } from "../support/socket-contract.ts";
import { closeBody, opcodes } from "../support/socket-frames.ts";
import { pause } from "../support/socket-probe.ts";
import { frameBytes, type FrameClient, showFrame, type WireFrame } from "./client.ts";
import { echo, fragments, say, sized } from "./conformance/case.ts";
import { type Fault, fault } from "./invariants.ts";

const { text, binary, continuation, close, ping, pong } = opcodes;

const MB = 1024 * 1024;

/** Sends frames and gives what comes back, to the end of the connection. */
async function outcome(t: Fault, frames: readonly WireFrame[]): Promise<string[]> {
  const client = await t.open();
  client.send(...frames);
  const { frames: seen, ended } = await client.rest();
  assert.ok(ended, "the server has not let go");
  return seen.map(showFrame);
}

/** Sends each list of frames on a connection of its own, and demands one code for all of them. */
async function allClose(
  t: Fault,
  cases: Readonly<Record<string, readonly WireFrame[]>>,
  code: number,
): Promise<void> {
  // Deno's own upgrade ends a connection that breaks the RFC without a close frame.
  const silent = t.host.sockets === "deno" && code !== 1003 && code !== 1009;
  const expected = silent ? [] : [`close ${closeCode(t.host, code)}`];
  const outcomes = await Promise.all(
    Object.entries(cases).map(async ([name, frames]) => [name, await outcome(t, frames)]),
  );
  assert.deepEqual(outcomes, Object.keys(cases).map((name) => [name, expected]));
}

/** Says something and demands the answer: the connection lives, and nothing else has come. */
async function answers(client: FrameClient, data = "still here"): Promise<void> {
  client.send({ payload: say(data) });
  const frame = await client.next();
  assert.equal(frame && showFrame(frame), echo(data));
}

/** How much more memory the server's process has while and after `work` runs, in bytes. */
async function growth({ server }: Fault, work: () => Promise<void>): Promise<number> {
  const rss = async (): Promise<number> => (await server.memory()).rss;
  const before = await rss();
  let most = before;
  let over = false;
  const look = async (): Promise<void> => {
    for (; !over; await pause(20)) most = Math.max(most, await rss());
  };
  const looking = look();
  await work().finally(() => over = true);
  await looking;
  return Math.max(most, await rss()) - before;
}

/** Writes a packet so often, as fast as the connection takes it, until it takes nothing for 2 s. */
async function pour(client: FrameClient, packet: Uint8Array, times: number): Promise<void> {
  for (let i = 0; i < times && !client.ended; i++) {
    if (client.socket.write(packet)) continue;
    const drained = new Promise((resolve) => client.socket.once("drain", () => resolve(true)));
    if (!await Promise.race([drained, client.gone, pause(2000)])) return;
  }
}

/** Many frames as one packet of at least so many bytes. */
function packetOf(frame: WireFrame, bytes: number): Buffer {
  const one = frameBytes(frame);
  return Buffer.concat(Array.from({ length: Math.ceil(bytes / one.length) }, () => one));
}

const open: WireFrame = { payload: '{"type":"ech', fin: false };

fault("reserved opcodes, unmasked, reserved bits → 1002", {}, async (t) => {
  await allClose(t, {
    ...Object.fromEntries(
      [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`opcode ${opcode}`, [{ opcode }]]),
    ),
    ...Object.fromEntries(
      [1, 2, 3, 4, 5, 6, 7].map((reserved) => [`bits ${reserved}`, [{ payload: "{}", reserved }]]),
    ),
  }, 1002);
  if (t.host.sockets === "deno") {
    // Deno's own upgrade does not look at the mask.
    const client = await t.open();
    client.send({ payload: say("naked"), mask: null });
    assert.deepEqual(await client.hear(), { type: "message", data: { data: "naked" } });
  } else {
    await allClose(t, {
      "a text": [{ payload: say("naked"), mask: null }],
      "a ping": [{ opcode: ping, mask: null }],
      "a close": [{ opcode: close, mask: null }],
    }, 1002);
  }
});

fault(
  "fragmented or over-long control frames, continuation out of place → 1002",
  {},
  async (t) => {
    await allClose(t, {
      "a fragmented ping": [{ opcode: ping, fin: false }],
      "a fragmented pong": [{ opcode: pong, fin: false }],
      "a fragmented close": [{ opcode: close, fin: false }],
      "a ping of 126 bytes": [{ opcode: ping, payload: "x".repeat(126) }],
      "a ping of 70 KB": [{ opcode: ping, payload: "x".repeat(70_000) }],
      "a continuation of nothing": [{ opcode: continuation, payload: "{}" }],
      "a text within a text": [open, { payload: "{}" }],
      "a binary within a text": [open, { opcode: binary }],
    }, 1002);
    const long = { opcode: close, payload: closeBody(1000, "x".repeat(124)) };
    // Deno's own upgrade takes a reason of any length.
    assert.deepEqual(await outcome(t, [long]), [
      t.host.sockets === "deno" ? "close 1000" : "close 1002",
    ]);
  },
);

fault(
  "declared length over the limit → 1009 before anything is allocated",
  {},
  async (t) => {
    const lengths = [512n * 1024n + 1n, 2n ** 29n, 2n ** 40n, 2n ** 63n - 1n, 2n ** 64n - 1n];
    const heads = lengths.flatMap((declared) =>
      Array.from({ length: 10 }, () => ({ declared, lengthBytes: 8 }))
    );
    const grown = await growth(t, async () => {
      const clients = await Promise.all(heads.map(() => t.open()));
      for (const [i, client] of clients.entries()) client.send(heads[i]);
      for (const [i, client] of clients.entries()) {
        if (t.host.sockets === "deno") {
          // Deno's own upgrade has a limit of 64 MB: over that it lets go, below it waits.
          const { frames, ended } = await client.rest({ patience: i === 0 ? 200 : 50 });
          assert.deepEqual([frames, ended], [[], heads[i].declared > 64n * 1024n * 1024n]);
        } else {
          const { frames, ended } = await client.rest();
          assert.deepEqual([frames.map(showFrame), ended], [["close 1009"], true]);
        }
      }
    });
    // Ten of 512 MB alone would be 5 GB.
    assert.ok(grown < 100 * MB, `${grown} bytes`);
  },
);

fault("fragments that sum over the limit → 1009", {
  attributes: 'max_message_size = "1KB"',
}, async (t) => {
  const part = "x".repeat(300);
  const { payload, answer } = sized(1024);
  await allClose(t, {
    "two": fragments([payload, " "]),
    "four": fragments([part, part, part, part]),
    "with pings between them": fragments([part, part, part, part]).flatMap((one) => [
      { opcode: pong },
      one,
    ]),
    "a byte each": fragments(Array.from({ length: 1025 }, () => "x")).slice(0, 1024).concat({
      opcode: continuation,
      payload: "xx",
    }),
  }, 1009);
  const client = await t.open();
  client.send(...fragments([payload.slice(0, 500), payload.slice(500)]));
  const frame = await client.next();
  assert.equal(frame && showFrame(frame), answer);
});

fault("endless empty fragments → 1008 after 1024", {}, async (t) => {
  const begun: WireFrame = { payload: say("long").slice(0, 5), fin: false };
  const empty: WireFrame = { opcode: continuation, fin: false };
  const end: WireFrame = { opcode: continuation, payload: say("long").slice(5) };
  const served = await t.open();
  served.send(begun, ...Array.from({ length: 1022 }, () => empty), end);
  assert.deepEqual(await served.hear(), { type: "message", data: { data: "long" } });
  if (t.host.sockets === "ws") {
    const frames = [begun, ...Array.from({ length: 1024 }, () => empty)];
    assert.deepEqual(await outcome(t, frames), ["close 1008"]);
  }
  // Those without a count are bounded by the size: 16 MB of nothing take no memory.
  const client = await t.open();
  const grown = await growth(t, async () => {
    client.send(begun);
    await pour(client, packetOf(empty, 64 * 1024), 256);
    client.send(end);
    const frame = await client.next();
    assert.equal(frame && showFrame(frame), t.host.sockets === "ws" ? "close 1008" : echo("long"));
  });
  assert.ok(grown < 100 * MB, `${grown} bytes`);
});

fault("bad UTF-8, also across fragments → 1007", {}, async (t) => {
  const good = Buffer.from(say("ä"));
  const middle = good.indexOf(0xc3) + 1;
  await allClose(t, {
    "a byte that is none": [{ payload: Uint8Array.of(0x22, 0xff, 0x22) }],
    "overlong": [{ payload: Uint8Array.of(0x22, 0xc0, 0xaf, 0x22) }],
    "a surrogate": [{ payload: Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22) }],
    "beyond the last": [{ payload: Uint8Array.of(0x22, 0xf4, 0x90, 0x80, 0x80, 0x22) }],
    "a text that ends within a code point": [{ payload: good.subarray(0, middle) }],
    "half a code point in each fragment, and no other half": fragments([
      good.subarray(0, middle),
      '"}',
    ]),
    "a code point that a whole fragment interrupts": fragments([
      good.subarray(0, middle),
      "x",
      good.subarray(middle),
    ]),
    "the reason of a close": [{ opcode: close, payload: closeBody(1000, Uint8Array.of(0xc3)) }],
  }, 1007);
  const client = await t.open();
  client.send(...fragments([good.subarray(0, middle), good.subarray(middle)]));
  assert.deepEqual(await client.hear(), { type: "message", data: { data: "ä" } });
});

fault("close with 1-byte body or an invalid code → 1002", {}, async (t) => {
  await allClose(t, { "one byte": [{ opcode: close, payload: "x" }] }, 1002);
  const codes = [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535];
  for (const code of codes) {
    const frames = [{ opcode: close, payload: closeBody(code, "why") }];
    assert.deepEqual([code, await outcome(t, frames)], [code, ["close 1002"]]);
  }
});

fault("binary → 1003", {}, async (t) => {
  await allClose(t, {
    "empty": [{ opcode: binary }],
    "of JSON": [{ opcode: binary, payload: say("a") }],
    "of other bytes": [{ opcode: binary, payload: Uint8Array.of(0, 255, 254) }],
    "in fragments": fragments(["a", "b"], binary),
    "of 256 KB": [{ opcode: binary, payload: new Uint8Array(256 * 1024) }],
  }, 1003);
});

/** Frames that are served, and what comes back. */
const served: Readonly<Record<string, [frames: readonly WireFrame[], outcome: string[]]>> = {
  "a text": [[{ payload: say("ä€🙂") }], [echo("ä€🙂")]],
  "a text of 126 bytes": [[{ payload: sized(126).payload }], [sized(126).answer]],
  "an empty ping": [[{ opcode: ping }], ["pong "]],
  "a ping": [[{ opcode: ping, payload: "payload" }], ["pong payload"]],
  "a pong and a text": [[{ opcode: pong, payload: "p" }, { payload: say("a") }], [echo("a")]],
  "fragments": [fragments([say("ä").slice(0, 10), "", say("ä").slice(10)]), [echo("ä")]],
  "a code point in two fragments": [
    fragments([Buffer.from(say("ä")).subarray(0, 25), Buffer.from(say("ä")).subarray(25)]),
    [echo("ä")],
  ],
  "fragments around a pong": [
    [open, { opcode: pong, payload: "p" }, { opcode: continuation, payload: say("b").slice(12) }],
    [echo("b")],
  ],
  "three texts": [
    ["1", "2", "3"].map((data) => ({ payload: say(data) })),
    ["1", "2", "3"].map(echo),
  ],
};

fault("every valid frame cut at every byte → served", {}, async (t) => {
  const cutEverywhere = async ([name, [frames, expected]]: (typeof entries)[number]) => {
    const client = await t.open();
    const bytes = Buffer.concat(frames.map(frameBytes));
    for (let at = 1; at < bytes.length; at++) {
      client.write(bytes.subarray(0, at));
      await pause(1);
      client.write(bytes.subarray(at));
      for (const shown of expected) {
        const frame = await client.next();
        assert.equal(frame && showFrame(frame), shown, `${name}, cut at ${at}`);
      }
    }
  };
  const entries = Object.entries(served);
  await Promise.all(entries.map(cutEverywhere));

  // A long one at every byte of its head, and here and there; a close at every byte.
  const client = await t.open();
  const { payload, answer } = sized(70_000);
  const long = frameBytes({ payload });
  for (const at of [1, 2, 3, 5, 9, 10, 11, 13, 14, 15, 4096, 65_536, long.length - 1]) {
    client.write(long.subarray(0, at));
    await pause(1);
    client.write(long.subarray(at));
    const frame = await client.next();
    assert.equal(frame && showFrame(frame), answer, `cut at ${at}`);
  }
  const bye = frameBytes({ opcode: close, payload: closeBody(1000, "bye") });
  await Promise.all(Array.from({ length: bye.length - 1 }, async (_, i) => {
    const leaver = await t.open();
    leaver.write(bye.subarray(0, i + 1));
    await pause(1);
    leaver.write(bye.subarray(i + 1));
    const { frames, ended } = await leaver.rest({ answer: false });
    assert.deepEqual([frames.map(showFrame), ended], [["close 1000"], true]);
  }));
});

fault("10 000 frames in one packet → all served, in order", {}, async (t) => {
  const client = await t.open();
  const count = 10_000;
  client.say(...Array.from({ length: count }, (_, id) => ({ type: "echo", id, data: id })));
  for (let id = 0; id < count; id++) {
    assert.deepEqual(await client.hear(), { type: "ack", id, data: { data: id } });
  }
  await answers(client);
});

fault("ping flood: a client that reads lives", {}, async (t) => {
  const client = await t.open();
  let last = -1;
  for (let round = 0; round < 50; round++) {
    const payloads = Array.from({ length: 1000 }, (_, i) => String(round * 1000 + i));
    client.send(...payloads.map((payload) => ({ opcode: ping, payload })));
    // Of one read, the newest is answered where Weir answers; Bun and Deno answer all.
    while (last < round * 1000 + 999) {
      const frame = await client.next();
      assert.equal(frame?.opcode, pong);
      const answered = Number(frame.payload);
      assert.ok(answered > last, `${answered} after ${last}`);
      last = answered;
    }
  }
  await answers(client);
});

fault("unsolicited pong → ignored", {}, async (t) => {
  const client = await t.open();
  client.send({ opcode: pong });
  await answers(client);
  client.send(...Array.from({ length: 1000 }, () => ({ opcode: pong, payload: "p".repeat(125) })));
  await answers(client);
  client.send(open, { opcode: pong }, { opcode: continuation, payload: say("a").slice(12) });
  assert.deepEqual(await client.hear(), { type: "message", data: { data: "a" } });
});

fault("ping flood: a client that does not read is bounded", {}, async (t) => {
  const client = await t.open("/ws", { member: false });
  client.socket.pause();
  const packet = packetOf({ opcode: ping, payload: "p".repeat(125) }, 64 * 1024);
  const grown = await growth(t, () => pour(client, packet, 1024));
  assert.ok(grown < 50 * MB, `${grown} bytes`);
});

const PING_INTERVAL = 3_000;
const PONG_TIMEOUT = 1_000;
/** What a loaded machine may take on top of a deadline, in milliseconds. */
const ROOM = 4_000;
const heartbeat = { attributes: `ping_interval = "3s"\n pong_timeout = "1s"` };

fault(
  "half a frame, then silence, then a byte a second → gone at ping + pong_timeout",
  heartbeat,
  async (t) => {
    const client = await t.open();
    const bytes = frameBytes({ opcode: text, payload: say("x".repeat(100)) });
    const began = performance.now();
    client.write(bytes.subarray(0, 60));
    const drip = pause(1500).then(() => client.drip(bytes.subarray(60), 1, 1000));
    const first = await client.next();
    const pinged = performance.now();
    const { frames, ended } = await client.rest({ answer: false });
    const gone = performance.now();
    await drip;
    assert.equal(first?.opcode, ping);
    assert.ok(ended);
    if (t.host.features.ping) {
      assert.deepEqual(frames, []);
      const [wait, patience] = [pinged - began, gone - pinged];
      // Timers may fire a millisecond early, and a busy client sees the ping late.
      assert.ok(wait > PING_INTERVAL / 2 - 2 && wait < PING_INTERVAL + ROOM, `${wait} ms`);
      assert.ok(wait + patience > PING_INTERVAL / 2 + PONG_TIMEOUT - 20, `${wait + patience} ms`);
      assert.ok(patience > PONG_TIMEOUT / 2 && patience < PONG_TIMEOUT + ROOM, `${patience} ms`);
    } else {
      // Deno's own idle time is twice the interval; it says 1001 before it lets go.
      assert.deepEqual(frames.map(showFrame), ["close 1001"]);
      const wait = gone - began;
      assert.ok(wait > 2 * PING_INTERVAL - 20 && wait < 2 * PING_INTERVAL + ROOM, `${wait} ms`);
    }
  },
);
