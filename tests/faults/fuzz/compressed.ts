/** What a fuzzer sends that has negotiated compression: valid, cut and damaged data among other frames. */
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import { COMPRESSED, deflated } from "../../support/deflate-client.ts";
import type { Random } from "../../support/random.ts";
import { closeBody, opcodes } from "../../support/socket-frames.ts";
import { frameBytes, type WireFrame } from "../client.ts";
import { message, mutated, noise, packet } from "./bytes.ts";

/** More than `max_message_size`. */
const BOMB = deflated(Buffer.alloc(60_000_000));
/** As much as is allowed, in a few hundred bytes: text that takes a while to inflate and to read. */
const SLOW = [
  deflated('{"type":"echo","data":1}'.padEnd(60_000)),
  deflated(JSON.stringify({ type: "echo", data: "x".repeat(60_000) })),
  deflated(JSON.stringify({ type: "store", data: { text: "x".repeat(60_000) } })),
  deflated("[".repeat(60_000)),
  deflated(Buffer.alloc(60_000)),
];
/** No deflate data: a wrong block type, wrong lengths of stored blocks, a distance beyond the start. */
const BROKEN = ["ff", "07", "0005000000", "0105000000", "00", "", "4b04", "030100"].map((hex) =>
  Buffer.from(hex, "hex")
);
/** What frames are filled up with after something that ends the connection. */
const FILLER = [Buffer.alloc(60_000, 0x81), Buffer.alloc(60_000), Buffer.alloc(60_000, 0xff)];

/** The payload of a compressed message; every second one is not as it should be. */
function payload(random: Random): Uint8Array {
  const text = message(random).repeat(random.chance(0.1) ? 1 + random.below(50) : 1);
  const whole = deflated(text);
  return random.pick<() => Uint8Array>([
    ...Array.from({ length: 6 }, () => () => whole),
    () => whole.subarray(0, random.below(whole.length + 1)),
    () => mutated(random, whole),
    () => Buffer.concat([whole, noise(random, 20)]),
    // A last block: what comes after it does not count.
    () => Buffer.concat([deflateRawSync(text), random.chance(0.5) ? Buffer.of(0) : whole]),
    () => noise(random, 200),
    () => random.pick(BROKEN),
    () => random.pick(SLOW),
    () => deflated(Buffer.concat([Buffer.from(text), Buffer.of(0xff, 0xfe)])),
  ])();
}

/** A compressed message in one frame or in several, with control frames between them. */
function compressedFrames(random: Random): readonly WireFrame[] {
  const bytes = random.chance(0.01) ? BOMB : payload(random);
  const opcode = random.chance(0.03) ? opcodes.binary : opcodes.text;
  if (random.chance(0.6)) return [{ opcode, payload: bytes, reserved: COMPRESSED }];
  const count = 2 + random.below(4);
  return Array.from({ length: count }, (_, i): readonly WireFrame[] => {
    const from = Math.floor(bytes.length * i / count);
    const part = bytes.subarray(from, Math.floor(bytes.length * (i + 1) / count));
    const frame: WireFrame = {
      opcode: i === 0 ? opcode : opcodes.continuation,
      payload: part,
      // Sometimes a bit that only the first may have.
      reserved: i === 0 || random.chance(0.01) ? COMPRESSED : 0,
      fin: i === count - 1 && !random.chance(0.05),
    };
    return random.chance(0.2) ? [frame, control(random)] : [frame];
  }).flat();
}

function control(random: Random): WireFrame {
  const opcode = random.pick([opcodes.ping, opcodes.pong]);
  const reserved = random.chance(0.02) ? COMPRESSED : 0;
  return { opcode, payload: noise(random, 126), reserved };
}

/** What ends the connection, as it should or by a mistake. */
function ending(random: Random): WireFrame {
  return random.pick<WireFrame>([
    { opcode: opcodes.close, payload: closeBody(1000, "bye") },
    { opcode: opcodes.close },
    { opcode: opcodes.close, payload: Buffer.of(0, 0) },
    { opcode: opcodes.close, payload: closeBody(1000, Uint8Array.of(0xc3)) },
    { opcode: opcodes.close, payload: Buffer.of(1) },
    { payload: Buffer.of(0xff) },
    { opcode: opcodes.continuation, payload: "x" },
    { opcode: 3 },
    { payload: "x", mask: null },
    { declared: 2n ** 62n, lengthBytes: 8 },
  ]);
}

/** Packets that are written one after the other. */
export function compressedPackets(random: Random): readonly Uint8Array[] {
  const kind = random.below(20);
  if (kind === 0) return [packet(random)];
  if (kind < 4) {
    // The messages are still at work when what is wrong and what follows it arrive.
    const slow = { payload: random.pick(SLOW), reserved: COMPRESSED };
    const many = Array.from({ length: 1 + random.below(25) }, () => frameBytes(slow));
    return [
      Buffer.concat(many),
      frameBytes(ending(random)),
      ...Array.from({ length: random.below(4) }, () => random.pick(FILLER)),
    ];
  }
  const frames = Array.from({ length: 1 + random.below(6) }, (): readonly WireFrame[] => {
    const part = random.below(20);
    if (part === 0) return [ending(random)];
    if (part < 4) return [control(random)];
    return part < 7 ? [{ payload: message(random) }] : compressedFrames(random);
  }).flat();
  const bytes = Buffer.concat(frames.map(frameBytes));
  if (kind > 16) return [mutated(random, bytes)];
  if (kind < 14) return [bytes];
  const cut = random.below(bytes.length + 1);
  return [bytes.subarray(0, cut), bytes.subarray(cut)];
}
