/** The faults of compression: what a client that negotiated it may send. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { COMPRESSED, deflated } from "../support/deflate-client.ts";
import { closeBody, opcodes } from "../support/socket-frames.ts";
import { pause } from "../support/socket-probe.ts";
import { frameBytes, type FrameClient, showFrame, type WireFrame } from "./client.ts";
import { echo, NO_JSON, say } from "./conformance/case.ts";
import { type Fault, faults } from "./invariants.ts";

const MB = 1024 * 1024;
const { text, continuation, ping, close } = opcodes;

/** A client that offers compression. Deno's own upgrade accepts no offer. */
async function open(t: Fault): Promise<FrameClient> {
  const client = await t.connect();
  const headers = { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" };
  await client.open(`${t.host.mount}/ws`, { headers });
  t.opened(1);
  return client;
}

function compressed(payload: string | Uint8Array): WireFrame {
  return { payload: deflated(payload), reserved: COMPRESSED };
}

/** The frames that come back to the end of the connection. */
async function rest(client: FrameClient): Promise<string[]> {
  const { frames, ended } = await client.rest();
  assert.ok(ended, "the server has not let go");
  return frames.map(showFrame);
}

/** What a client sees that is closed with this code. Deno's own upgrade ends it without a word. */
function closed(t: Fault, code: number): string[] {
  return t.host.sockets === "deno" ? [] : [`close ${code}`];
}

/** Sends each list of frames on a connection of its own, and demands one code for all of them. */
async function allClose(
  t: Fault,
  cases: Readonly<Record<string, readonly WireFrame[]>>,
  code: number,
): Promise<void> {
  const outcomes = await Promise.all(
    Object.entries(cases).map(async ([name, frames]) => {
      const client = await open(t);
      client.send(...frames);
      return [name, await rest(client)];
    }),
  );
  assert.deepEqual(outcomes, Object.keys(cases).map((name) => [name, closed(t, code)]));
}

/** How much more memory the server has while `work` runs, in bytes. */
async function growth(t: Fault, work: () => Promise<void>): Promise<number> {
  const before = (await t.server.memory(true)).rss;
  let most = before;
  const look = async () => most = Math.max(most, (await t.server.memory()).rss);
  const timer = setInterval(look, 50);
  await work().finally(() => clearInterval(timer));
  await look();
  return most - before;
}

/** Bytes that are no deflate data, or not for long. */
const noData: Readonly<Record<string, string>> = {
  "a block type that is none": "ff",
  "the same in a last block": "07",
  "a stored block of a wrong length": "0005000000",
  "a last stored block of a wrong length": "0105000000",
  "noise": "5c8f3f7e1d2b4a6988b7c6d5e4f30211",
};

const garbage = Object.entries(noData).map(([name, hex]): [string, WireFrame] => [
  name,
  { payload: Buffer.from(hex, "hex"), reserved: COMPRESSED },
]);

/** 25 messages of 500 KB in 13 KB. */
const slow = Array.from(
  { length: 25 },
  () => compressed('{"type":"leave_room","room":"none"}'.padEnd(500_000)),
);
const filler = Buffer.alloc(50_000, 0x81);

/** Sends what takes a while to inflate, then what is wrong, and then more than one read takes. */
async function behindSlowOnes(t: Fault, wrong: WireFrame, code: number): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const client = await open(t);
    client.send(...slow);
    await pause(round % 5);
    client.send(wrong);
    for (let i = 0; i < 4; i++) {
      await pause(1);
      client.write(filler);
    }
    const seen = await rest(client);
    // A reset, as the client still sends, may take the close frame with it.
    if (seen.length > 0) assert.deepEqual(seen, closed(t, code));
  }
}

faults({ attributes: "compression = true" }, {
  "no deflate data, noise, a stored block of a wrong length → 1007": (t) =>
    allClose(t, Object.fromEntries(garbage.map(([name, frame]) => [name, [frame]])), 1007),

  "a compressed message that is cut off → 1007, on Bun the error of a message that is no JSON":
    async (t) => {
      const { payload } = compressed(say(Array.from({ length: 500 }, (_, n) => n * 7919).join()));
      assert.ok(payload instanceof Uint8Array);
      for (const part of [0.2, 0.5, 0.9]) {
        const client = await open(t);
        const cut = payload.subarray(0, payload.length * part);
        client.send({ payload: cut, reserved: COMPRESSED });
        if (t.host.sockets !== "bun") {
          assert.deepEqual(await rest(client), closed(t, 1007));
          continue;
        }
        // What could be inflated until then counts as the message.
        const frame = await client.next();
        const shown = frame && showFrame(frame);
        assert.ok(shown === NO_JSON || shown === "close 1007", `${shown}`);
      }
    },

  "RSV1 on a later fragment or on a control frame → 1002": (t) => {
    const begun = { ...compressed(say("a")), fin: false };
    return allClose(t, {
      "a later fragment": [begun, { opcode: continuation, payload: "x", reserved: COMPRESSED }],
      "a ping": [{ opcode: ping, reserved: COMPRESSED }],
      "a pong": [{ opcode: opcodes.pong, reserved: COMPRESSED }],
      "a close": [{ opcode: close, reserved: COMPRESSED }],
      "RSV2": [{ ...compressed(say("a")), reserved: COMPRESSED | 2 }],
      "RSV3": [{ ...compressed(say("a")), reserved: COMPRESSED | 1 }],
    }, 1002);
  },

  "damaged data between messages, pings and closes → 1007": async (t) => {
    const good = compressed(say("good"));
    const pings = [{ opcode: ping, payload: "p" }];
    for (const [name, bad] of garbage) {
      const client = await open(t);
      const { payload } = good;
      client.send(
        good,
        ...pings,
        { payload: payload?.slice(0, 4), reserved: COMPRESSED, fin: false },
        ...pings,
        { opcode: continuation, payload: payload?.slice(4) },
        ...pings,
        bad,
        ...pings,
        good,
        { opcode: close, payload: closeBody(1000) },
      );
      const texts = (await rest(client)).filter((shown) => !shown.startsWith("pong"));
      // Bun closes within the read, and the answers to what came in it are lost.
      const answers = t.host.sockets === "ws" ? [echo("good"), echo("good")] : [];
      assert.deepEqual(texts, [...answers, ...closed(t, 1007)], name);
    }
  },

  "a bad close frame behind 25 messages that take a while to inflate → 1002": (t) =>
    behindSlowOnes(t, { opcode: close, payload: Uint8Array.of(0, 0) }, 1002),

  "bad UTF-8 behind 25 messages that take a while to inflate → 1007": (t) =>
    behindSlowOnes(t, { opcode: text, payload: Uint8Array.of(0xff) }, 1007),
});

const bomb = frameBytes(compressed(Buffer.alloc(60_000_000)));
const inPieces = Buffer.concat([
  frameBytes({
    payload: deflated(Buffer.alloc(60_000_000)).subarray(0, 9_000),
    reserved: COMPRESSED,
    fin: false,
  }),
  frameBytes({
    opcode: continuation,
    payload: deflated(Buffer.alloc(60_000_000)).subarray(9_000),
  }),
]);

faults({ attributes: "compression = true" }, {
  "a bomb of 60 MB in one frame, fifty at once → 1009, nothing of it is kept": async (t) => {
    const grown = await growth(t, async () => {
      for (const bytes of [bomb, inPieces]) {
        const clients = await Promise.all(Array.from({ length: 50 }, () => open(t)));
        for (const client of clients) client.write(bytes);
        for (const client of clients) assert.deepEqual(await rest(client), closed(t, 1009));
      }
    });
    // One of them alone has 60 MB.
    assert.ok(grown < 60 * MB, `${grown} bytes`);
  },
});
