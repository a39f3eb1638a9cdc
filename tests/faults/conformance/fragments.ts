/** Fragmented messages, whole and broken, with control frames between their parts. */
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
  NO_JSON,
  say,
  WAITS,
} from "./case.ts";

const { text, binary, ping, pong, close, continuation } = opcodes;

const message = say("fragment");
const answer = echo("fragment");
const halves = fragments([message.slice(0, 12), message.slice(12)]);
const thirds = fragments([message.slice(0, 5), message.slice(5, 20), message.slice(20)]);
const letters = fragments([...message]);
const [first, last] = halves;
const bad = { deno: GONE };
const badAfter = (...before: readonly string[]) => ({
  deno: { ...GONE, outcome: [...before, ...GONE.outcome] },
});

/** One packet for each frame. */
const apart = (name: string, frames: readonly WireFrame[], outcome: Case["outcome"]): Case =>
  framingCase(`${name}, each in a packet`, frames, outcome);
/** All frames in one packet. */
const together = (name: string, frames: readonly WireFrame[], outcome: Case["outcome"]): Case =>
  framingCase(`${name}, in one packet`, [frames], outcome);
const byByte = (name: string, frames: readonly WireFrame[], outcome: Case["outcome"]): Case =>
  framingCase(`${name}, byte by byte`, chopped(frames, 1), outcome);

const whole: Case[] = [together, apart, byByte].flatMap((way) => [
  way("a text in two fragments", halves, [answer]),
  way("a text in three fragments", thirds, [answer]),
  way("a text in a fragment for each byte", letters, [answer]),
  way("an empty fragment first", fragments(["", message]), [answer]),
  way("an empty fragment last", fragments([message, ""]), [answer]),
  way(
    "empty fragments around two others",
    fragments(["", message.slice(0, 9), "", message.slice(9), ""]),
    [answer],
  ),
  way("nothing but empty fragments", fragments(["", "", ""]), [NO_JSON]),
  way("two fragmented texts", [...halves, ...thirds], [answer, answer]),
  way("a fragmented text and a whole one", [...halves, { payload: message }], [answer, answer]),
]);

const splits: Case[] = [1, 2, 8, 15, 16, 17, message.length - 2, message.length - 1].map((at) =>
  framingCase(
    `a text in two fragments, the first of ${at} bytes`,
    [fragments([message.slice(0, at), message.slice(at)])],
    [answer],
  )
);

const interleaved: Case[] = [
  framingCase(
    "a ping between two fragments",
    [[first, { opcode: ping, payload: "p" }], 1, last],
    ["pong p", answer],
  ),
  framingCase(
    "a ping of 125 bytes between two fragments",
    [[first, { opcode: ping, payload: "p".repeat(125) }], 1, last],
    [`pong ${"p".repeat(125)}`, answer],
  ),
  framingCase(
    "a ping between two fragments, byte by byte",
    [...chopped([first, { opcode: ping, payload: "p" }], 1), 1, ...chopped([last], 1)],
    ["pong p", answer],
  ),
  framingCase(
    "a ping after each of three fragments",
    [
      [thirds[0], { opcode: ping, payload: "1" }],
      1,
      [thirds[1], { opcode: ping, payload: "2" }],
      2,
      thirds[2],
      3,
      { opcode: ping, payload: "3" },
    ],
    ["pong 1", "pong 2", answer, "pong 3"],
  ),
  framingCase(
    "pongs that nobody asked for between fragments",
    [[thirds[0], { opcode: pong }, thirds[1], { opcode: pong, payload: "x" }, thirds[2]]],
    [answer],
  ),
  framingCase(
    "a close between two fragments ends it without the message",
    [[first, { opcode: close, payload: Uint8Array.of(3, 232) }, last]],
    closed(1000),
  ),
  framingCase(
    "a fragment that nothing follows, and a close",
    [first, { opcode: close, payload: Uint8Array.of(3, 232) }],
    closed(1000),
  ),
  framingCase("a ping after a fragment that nothing follows", [first, { opcode: ping }], [
    "pong ",
    WAITS,
  ]),
];

const broken: Case[] = [
  ...["", "x", message].flatMap((payload) => [
    framingCase(
      `a last continuation of ${payload.length} bytes, of nothing`,
      [{ opcode: continuation, payload }],
      closed(1002),
      bad,
    ),
    framingCase(
      `a continuation of ${payload.length} bytes with more to come, of nothing`,
      [{ opcode: continuation, payload, fin: false }],
      closed(1002),
      bad,
    ),
  ]),
  framingCase(
    "a continuation of nothing, byte by byte",
    chopped([{ opcode: continuation, payload: "x" }], 1),
    closed(1002),
    bad,
  ),
  framingCase(
    "a continuation of nothing, then a text",
    [[{ opcode: continuation, payload: "x" }, { payload: message }]],
    closed(1002),
    bad,
  ),
  framingCase(
    "a continuation after a whole text",
    [{ payload: message }, 1, { opcode: continuation, payload: "x" }],
    [answer, ...closed(1002)],
    badAfter(answer),
  ),
  framingCase(
    "a continuation after a fragmented text",
    [halves, 1, { opcode: continuation, payload: "x" }],
    [answer, ...closed(1002)],
    badAfter(answer),
  ),
  framingCase(
    "a continuation after a ping",
    [{ opcode: ping }, 1, { opcode: continuation, payload: "x" }],
    ["pong ", ...closed(1002)],
    badAfter("pong "),
  ),
  ...([[text, "a text"], [binary, "a binary"]] as const).flatMap(([opcode, name]) => [
    framingCase(
      `${name} within a fragmented text`,
      [[first, { opcode, payload: message }, last]],
      closed(1002),
      bad,
    ),
    framingCase(
      `a first fragment of ${name} within a fragmented text`,
      [[first, { opcode, payload: message, fin: false }]],
      closed(1002),
      { deno: { outcome: [WAITS], why: "Deno's own upgrade judges it when it is finished" } },
    ),
    framingCase(
      `an empty one of ${name} within a fragmented text`,
      [[first, { opcode }]],
      closed(1002),
      bad,
    ),
    framingCase(
      `${name} within a fragmented binary`,
      [[{ opcode: binary, payload: "a", fin: false }, { opcode, payload: message }]],
      closed(1002),
      bad,
    ),
  ]),
];

/** The table. */
export const fragmentation: readonly Case[] = [...whole, ...splits, ...interleaved, ...broken];
