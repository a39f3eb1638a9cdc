/** Lengths, masks and cuts: every way to write the head of a frame. */
import { opcodes } from "../../support/socket-frames.ts";
import type { WireFrame } from "../client.ts";
import {
  type Case,
  chopped,
  closed,
  echo,
  framingCase,
  NO_JSON,
  say,
  sized,
  WEAK_1003,
} from "./case.ts";

const { text, binary, ping, pong, close, continuation } = opcodes;

const LENGTHS = [25, 124, 125, 126, 127, 128, 255, 256, 65_534, 65_535, 65_536, 65_537, 131_072];
/** A packet for each of so many bytes. */
const PIECES: readonly [length: number, size: number][] = [
  [25, 1],
  [125, 1],
  [126, 1],
  [127, 1],
  [128, 1],
  [255, 3],
  [256, 7],
  [65_535, 997],
  [65_536, 997],
  [65_537, 4096],
  [131_072, 65_536],
];
/** Lengths in more bytes than they need: the RFC binds who writes them, and they cannot be misread. */
const LONG_HEADS: readonly [length: number, lengthBytes: number][] = [
  [25, 2],
  [125, 2],
  [25, 8],
  [125, 8],
  [126, 8],
  [127, 8],
  [65_535, 8],
];
const MASKS: Readonly<Record<string, readonly number[]>> = {
  "of zeros": [0, 0, 0, 0],
  "of ones": [255, 255, 255, 255],
  "that begins with a zero": [0, 1, 2, 3],
  "that ends with a zero": [1, 2, 3, 0],
  "that makes the payload look like frames": [0x81, 0x80, 0x88, 0x80],
};
const OPCODES: Readonly<Record<string, WireFrame>> = {
  "a text": { payload: say("naked") },
  "an empty text": {},
  "a binary": { opcode: binary, payload: "naked" },
  "a ping": { opcode: ping },
  "a ping with a payload": { opcode: ping, payload: "naked" },
  "a pong": { opcode: pong },
  "a close": { opcode: close },
  "a close with a code": { opcode: close, payload: Uint8Array.of(3, 232) },
};

/** What Deno's own upgrade makes of a frame without a mask. */
const UNMASKED: Readonly<Record<string, readonly string[]>> = {
  "a text": [echo("naked")],
  "an empty text": [NO_JSON],
  "a binary": closed(4003),
  "a ping": ["pong "],
  "a ping with a payload": ["pong naked"],
  "a pong": [],
  "a close": ["close ", "end"],
  "a close with a code": closed(1000),
};

const lengths: Case[] = LENGTHS.map((length) => {
  const { payload, answer } = sized(length);
  return framingCase(`a text of ${length} bytes`, [{ payload }], [answer]);
});
const pieces: Case[] = PIECES.map(([length, size]) => {
  const { payload, answer } = sized(length);
  const packets = chopped([{ payload }], size);
  return framingCase(`a text of ${length} bytes in packets of ${size}`, packets, [answer]);
});
const longHeads: Case[] = LONG_HEADS.map(([length, lengthBytes]) => {
  const { payload, answer } = sized(length);
  const name = `a text of ${length} bytes whose length is written in ${lengthBytes}`;
  return framingCase(name, [{ payload, lengthBytes }], [answer]);
});
const masks: Case[] = Object.entries(MASKS).map(([name, mask]) =>
  framingCase(`a mask ${name}`, [{ payload: say("masked"), mask }], [echo("masked")])
);
const naked: Case[] = Object.entries(OPCODES).map(([name, frame]) =>
  framingCase(`${name} without a mask`, [{ ...frame, mask: null }], closed(1002), {
    deno: { outcome: UNMASKED[name], why: "Deno's own upgrade does not look at the mask" },
  })
);

/** Every byte of a frame's head, with 0, 2 and 8 bytes of length, and what follows. */
const cuts: Case[] = [25, 126, 65_536].flatMap((length) => {
  const { payload, answer } = sized(length);
  const head = length < 126 ? 6 : length < 65_536 ? 8 : 14;
  return Array.from({ length: head + 1 }, (_, i) => {
    const at = i + 1;
    const [bytes] = chopped([{ payload }], Infinity);
    const packets = [bytes.subarray(0, at), bytes.subarray(at)];
    return framingCase(`a text of ${length} bytes cut after ${at}`, packets, [answer]);
  });
});

const packets: Case[] = [
  framingCase(
    "three texts in one packet",
    [["a", "b", "c"].map((data) => ({ payload: say(data) }))],
    [echo("a"), echo("b"), echo("c")],
  ),
  framingCase(
    "three texts byte by byte",
    chopped(["a", "b", "c"].map((data) => ({ payload: say(data) })), 1),
    [echo("a"), echo("b"), echo("c")],
  ),
  framingCase(
    "two texts and half of a third in one packet, then the other half",
    chopped([{ payload: say("a") }, { payload: say("b") }, { payload: say("c") }], 75),
    [echo("a"), echo("b"), echo("c")],
  ),
  framingCase("an empty text", [{}], [NO_JSON]),
  framingCase("an empty text byte by byte", chopped([{}], 1), [NO_JSON]),
  framingCase("a text that is no JSON", [{ payload: "hello" }], [NO_JSON]),
  framingCase(
    "a text after a text without a mask",
    [{ payload: say("a") }, 1, { payload: say("b"), mask: null }],
    [echo("a"), ...closed(1002)],
    {
      deno: {
        outcome: [echo("a"), echo("b")],
        why: "Deno's own upgrade does not look at the mask",
      },
    },
  ),
  framingCase(
    "fragments whose second one has no mask",
    [[{ payload: say("a").slice(0, 9), fin: false }, {
      opcode: continuation,
      payload: say("a").slice(9),
      mask: null,
    }]],
    closed(1002),
    { deno: { outcome: [echo("a")], why: "Deno's own upgrade does not look at the mask" } },
  ),
];

const binaries: Case[] = [0, 1, 125, 126, 127, 128, 65_535, 65_536].map((length) =>
  framingCase(
    `a binary of ${length} bytes`,
    [{ opcode: binary, payload: new Uint8Array(length).fill(0xfe) }],
    closed(1003),
    { deno: WEAK_1003 },
  )
);
const binaryPieces: Case[] = [
  framingCase(
    "a binary of 1000 bytes in packets of 7",
    chopped([{ opcode: binary, payload: new Uint8Array(1000) }], 7),
    closed(1003),
    { deno: WEAK_1003 },
  ),
  framingCase(
    "a binary in two fragments",
    [[{ opcode: binary, payload: "a", fin: false }, { opcode: continuation, payload: "b" }]],
    closed(1003),
    { deno: WEAK_1003 },
  ),
  framingCase(
    "a binary after a text",
    [{ opcode: text, payload: say("a") }, 1, { opcode: binary }],
    [echo("a"), ...closed(1003)],
    { deno: { ...WEAK_1003, outcome: [echo("a"), ...closed(4003)] } },
  ),
  framingCase("a binary of JSON", [{ opcode: binary, payload: say("a") }], closed(1003), {
    deno: WEAK_1003,
  }),
];

/** The table. */
export const framing: readonly Case[] = [
  ...lengths,
  ...pieces,
  ...longHeads,
  ...masks,
  ...naked,
  ...cuts,
  ...packets,
  ...binaries,
  ...binaryPieces,
];
