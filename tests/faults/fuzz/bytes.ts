/** What a fuzzer sends: valid, half-valid and random messages, frames and handshakes. */
import { Buffer } from "node:buffer";
import type { Random } from "../../support/random.ts";
import { handshakeText } from "../../support/socket-client.ts";
import { opcodes } from "../../support/socket-frames.ts";
import { frameBytes, type WireFrame } from "../client.ts";

const NAMES = [
  "a",
  "b",
  "room:1",
  "__proto__",
  "constructor",
  "*",
  "#",
  "ä\u0000",
  "",
  "x".repeat(300),
];
const TYPES = [
  ...["message", "echo", "store", "typed", "slow", "publish", "join_room", "leave_room", "ping"],
  ...["auth", "connect", "disconnect", "ack", "error", "nobody", "MESSAGE", "", "a b"],
];

/** Random bytes. */
export function noise(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.below(most) }, () => random.below(256)));
}

/** Any JSON value. */
function value(random: Random, depth = 0): unknown {
  const kind = random.below(depth > 3 ? 6 : 8);
  switch (kind) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.pick([0, -1, 1.5, 1e308, 2 ** 53, random.below(1_000)]);
    case 3:
    case 4:
      return random.pick([...NAMES, "text", "'; DROP TABLE notes; --", "🙂".repeat(20)]);
    case 5:
      return noise(random, 40).toString("latin1");
    case 6:
      return Array.from({ length: random.below(4) }, () => value(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [
          random.pick([...NAMES, "text", "n", "room", "user_id", "id", "message_id"]),
          value(random, depth + 1),
        ]),
      );
  }
}

/** A message as a client may send it; its parts are often of the wrong kind. */
export function message(random: Random): string {
  const text = JSON.stringify({
    type: random.chance(0.9) ? random.pick(TYPES) : value(random),
    ...(random.chance(0.7) ? { data: value(random) } : {}),
    ...(random.chance(0.4)
      ? { room: random.chance(0.8) ? random.pick(NAMES) : value(random) }
      : {}),
    ...(random.chance(0.5) ? { id: random.chance(0.8) ? random.below(1e6) : value(random) } : {}),
  });
  return random.chance(0.85) ? text : mutated(random, Buffer.from(text)).toString();
}

/** With a few bytes changed, left out or added. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let i = 0; i <= random.below(3); i++) {
    const at = random.below(result.length + 1);
    const kind = random.below(3);
    if (kind === 0 && at < result.length) result[at] ^= 1 << random.below(8);
    else if (kind === 1) {
      result = Buffer.concat([result.subarray(0, at), noise(random, 8), result.subarray(at)]);
    } else result = Buffer.concat([result.subarray(0, at), result.subarray(at + random.below(4))]);
  }
  return result;
}

/** A message in one frame or in several, with control frames between them. */
function fragments(random: Random): readonly WireFrame[] {
  const payload = Buffer.from(message(random));
  if (random.chance(0.7)) return [{ payload }];
  const cut = random.below(payload.length + 1);
  const between: WireFrame[] = random.chance(0.5)
    ? [{ opcode: random.pick([opcodes.ping, opcodes.pong]), payload: noise(random, 126) }]
    : [];
  return [
    { payload: payload.subarray(0, cut), fin: false },
    ...between,
    { opcode: 0, payload: payload.subarray(cut) },
  ];
}

/** A frame that breaks some rule. */
function wrong(random: Random): WireFrame {
  return random.pick<() => WireFrame>([
    () => ({ opcode: random.below(16), payload: noise(random, 200) }),
    () => ({ opcode: random.below(16), payload: noise(random, 200), fin: false }),
    () => ({ payload: message(random), reserved: random.below(8) }),
    () => ({ payload: message(random), mask: null }),
    () => ({ payload: noise(random, 100) }),
    () => ({ payload: noise(random, 20), declared: BigInt(random.below(2 ** 31)) }),
    () => ({ payload: "", declared: 2n ** 63n - 1n, lengthBytes: 8 }),
    () => ({ payload: "x".repeat(20_000) }),
    () => ({ opcode: opcodes.close, payload: noise(random, 130) }),
    () => ({ opcode: opcodes.binary, payload: noise(random, 50) }),
    () => ({ payload: message(random), lengthBytes: random.pick([2, 8]) }),
    () => ({ payload: "[".repeat(random.below(200)) }),
  ])();
}

/** A few frames in one packet: most are valid, some are not, a few are not even frames. */
export function packet(random: Random): Buffer {
  const kind = random.below(20);
  if (kind === 0) return noise(random, 300);
  if (kind === 1) return mutated(random, frameBytes({ payload: message(random) }));
  if (kind === 2) return frameBytes(wrong(random));
  const frames = Array.from({ length: 1 + random.below(5) }, () => fragments(random)).flat();
  return Buffer.concat(frames.map(frameBytes));
}

/** A request that is seldom a good one. */
export function request(random: Random): Buffer {
  const headers = random.chance(0.5) ? {} : {
    [random.pick(["Sec-WebSocket-Key", "Sec-WebSocket-Version", "Upgrade", "Connection", "X-Any"])]:
      random.pick([null, "", "13", "8", "x".repeat(random.below(20_000)), "websocket"]),
  };
  const target = random.pick(["/ws", "/ws", "/ws?user_id=%00", "//ws", "/notes", "/%zz", "*", "/"]);
  const text = Buffer.from(handshakeText(target, { headers }));
  return random.chance(0.5) ? mutated(random, text) : text;
}

/** The body of a REST request. */
export function body(random: Random): string {
  const text = JSON.stringify(value(random));
  return random.chance(0.7) ? text : mutated(random, Buffer.from(text)).toString();
}
