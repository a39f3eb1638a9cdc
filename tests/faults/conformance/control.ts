/** Pings and pongs, reserved bits and reserved opcodes. */
import { opcodes } from "../../support/socket-frames.ts";
import type { WireFrame } from "../client.ts";
import {
  type Case,
  chopped,
  closed,
  echo,
  fragments,
  framingCase,
  GONE,
  say,
  WEAK_1003,
} from "./case.ts";

const { text, binary, ping, pong, close, continuation } = opcodes;
const goneAfter = (...before: readonly string[]) => ({
  deno: { ...GONE, outcome: [...before, ...GONE.outcome] },
});

const PAYLOADS: Readonly<Record<string, string | Uint8Array>> = {
  "without a payload": "",
  "of one byte": "a",
  "of a text": "Hello, world!",
  "of bytes that are no UTF-8": Uint8Array.of(0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff),
  "of 124 bytes": "p".repeat(124),
  "of 125 bytes": "p".repeat(125),
};

const latin1 = (payload: string | Uint8Array): string =>
  typeof payload === "string" ? payload : String.fromCharCode(...payload);

const pings: Case[] = Object.entries(PAYLOADS).flatMap(([name, payload]) => {
  const answer = [`pong ${latin1(payload)}`];
  return [
    framingCase(`a ping ${name}`, [{ opcode: ping, payload }], answer),
    framingCase(`a ping ${name}, byte by byte`, chopped([{ opcode: ping, payload }], 1), answer),
    framingCase(`a pong ${name} that nobody asked for`, [{ opcode: pong, payload }], []),
  ];
});

const tooLong: Case[] = [[ping, "ping"], [pong, "pong"]].flatMap(([opcode, name]) =>
  [126, 127, 65_536].map((length) =>
    framingCase(
      `a ${name} of ${length} bytes`,
      [{ opcode: opcode as number, payload: "p".repeat(length) }],
      closed(1002),
      {
        deno: opcode === ping
          ? GONE
          : { outcome: [], why: "Deno's own upgrade takes a pong of any length" },
      },
    )
  )
);

const mixed: Case[] = [
  framingCase(
    "ten pings, each after the other's pong",
    Array.from({ length: 10 }, (_, n) => [{ opcode: ping, payload: `${n}` }, n + 1]).flat(),
    Array.from({ length: 10 }, (_, n) => `pong ${n}`),
  ),
  framingCase(
    "ten pings in one packet",
    [Array.from({ length: 10 }, (_, n) => ({ opcode: ping, payload: `${n}` }))],
    ["pong 9"],
    {
      bun: {
        outcome: Array.from({ length: 10 }, (_, n) => `pong ${n}`),
        why: "Bun answers every ping by itself",
      },
      deno: {
        outcome: Array.from({ length: 10 }, (_, n) => `pong ${n}`),
        why: "Deno's own upgrade answers every ping by itself",
      },
    },
  ),
  framingCase(
    "pongs that nobody asked for around a ping",
    [{ opcode: pong, payload: "a" }, { opcode: ping, payload: "b" }, 1, {
      opcode: pong,
      payload: "c",
    }],
    ["pong b"],
  ),
  framingCase(
    "ten pongs that nobody asked for and a text in one packet",
    [[...Array.from({ length: 10 }, () => ({ opcode: pong })), { payload: say("a") }]],
    [echo("a")],
  ),
  framingCase(
    "a ping, a text and a ping, each after the other's answer",
    [{ opcode: ping, payload: "1" }, 1, { payload: say("a") }, 2, { opcode: ping, payload: "2" }],
    ["pong 1", echo("a"), "pong 2"],
  ),
];

const KINDS: Readonly<Record<string, WireFrame>> = {
  "a text": { payload: say("a") },
  "a binary": { opcode: binary, payload: "a" },
  "a ping": { opcode: ping },
  "a pong": { opcode: pong },
  "a close": { opcode: close, payload: Uint8Array.of(3, 232) },
};

const reservedBits: Case[] = [1, 2, 3, 4, 5, 6, 7].flatMap((reserved) => [
  ...Object.entries(KINDS).map(([name, frame]) =>
    framingCase(
      `the reserved bits ${bits(reserved)} on ${name}`,
      [{ ...frame, reserved }],
      closed(1002),
      { deno: GONE },
    )
  ),
  framingCase(
    `the reserved bits ${bits(reserved)} on the second fragment`,
    [[{ payload: say("a").slice(0, 9), fin: false }, {
      opcode: continuation,
      payload: say("a").slice(9),
      reserved,
    }]],
    closed(1002),
    { deno: GONE },
  ),
  framingCase(
    `the reserved bits ${bits(reserved)} after a message`,
    [{ payload: say("a") }, 1, { payload: say("b"), reserved }],
    [echo("a"), ...closed(1002)],
    goneAfter(echo("a")),
  ),
]);

const reservedOpcodes: Case[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
  framingCase(`opcode ${opcode}`, [{ opcode }], closed(1002), { deno: GONE }),
  framingCase(
    `opcode ${opcode} with a payload, byte by byte`,
    chopped([{ opcode, payload: "abc" }], 1),
    closed(1002),
    { deno: GONE },
  ),
  framingCase(
    `opcode ${opcode} between two fragments`,
    [[{ opcode: text, payload: say("a").slice(0, 9), fin: false }, { opcode }, {
      opcode: continuation,
      payload: say("a").slice(9),
    }]],
    closed(1002),
    { deno: GONE },
  ),
  framingCase(
    `opcode ${opcode} after a message`,
    [{ payload: say("a") }, 1, { opcode, payload: "x" }],
    [echo("a"), ...closed(1002)],
    goneAfter(echo("a")),
  ),
]);

const unfinished: Case[] = [[ping, "ping"], [pong, "pong"], [close, "close"]].flatMap((
  [opcode, name],
) => [
  framingCase(
    `a ${name} that is not finished`,
    [{ opcode: opcode as number, fin: false }],
    closed(1002),
    { deno: GONE },
  ),
  framingCase(
    `a ${name} in two fragments`,
    [fragments(["ab", "cd"], opcode as number)],
    closed(1002),
    { deno: GONE },
  ),
]);

function bits(reserved: number): string {
  return reserved.toString(2).padStart(3, "0");
}

/** What was queued goes out before the close that the next frame of the same packet causes. */
const hasty: Case[] = [
  framingCase(
    "a text and a broken frame in one packet",
    [[{ payload: say("a") }, { opcode: 3 }]],
    [echo("a"), ...closed(1002)],
    {
      bun: { outcome: closed(1002), why: "Bun closes before the answers of a tick are flushed" },
      deno: GONE,
    },
  ),
  framingCase(
    "a text and a binary in one packet",
    [[{ payload: say("a") }, { opcode: binary }]],
    [echo("a"), ...closed(1003)],
    { deno: { ...WEAK_1003, outcome: [echo("a"), ...closed(4003)] } },
  ),
];

/** The table. */
export const control: readonly Case[] = [
  ...pings,
  ...tooLong,
  ...mixed,
  ...hasty,
  ...reservedBits,
  ...reservedOpcodes,
  ...unfinished,
];
