/** What bounds a message: `max_message_size`, here 1 KB, and 1024 fragments. */
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
  type Otherwise,
  say,
  sized,
  UNBOUNDED,
  WAITS,
  WEAK_1003,
} from "./case.ts";

const { binary, ping, pong, close, continuation } = opcodes;

/** The limit of this table's server, in bytes. */
const LIMIT = 1024;

const { payload: most, answer } = sized(LIMIT);
const { payload: more } = sized(LIMIT + 1);

/** A standard WebSocket has no limit of its own: a message is judged when it is there. */
const late = (...before: readonly string[]): Case["otherwise"] => ({
  deno: {
    outcome: [...before, ...closed(4009)],
    why: "a standard WebSocket is judged on what was received, and sends no 1009",
  },
});
/** Deno's own upgrade has a limit of 64 MB. */
const HUGE: Otherwise = { ...GONE, why: "Deno's own upgrade ends what is over 64 MB" };
const never: Case["otherwise"] = { deno: UNBOUNDED };
const uncounted = (outcome: readonly string[]): Case["otherwise"] => ({
  bun: { outcome, why: "Bun does not count fragments: max_message_size bounds them" },
  deno: { outcome, why: "Deno's own upgrade does not count fragments" },
});

const sizes: Case[] = [
  framingCase("a text of the limit", [{ payload: most }], [answer]),
  framingCase("a text of the limit, byte by byte", chopped([{ payload: most }], 1), [answer]),
  framingCase("a text of the limit, its length in 8 bytes", [{ payload: most, lengthBytes: 8 }], [
    answer,
  ]),
  framingCase("two texts of the limit", [[{ payload: most }, { payload: most }]], [answer, answer]),
  framingCase("a text of one byte more", [{ payload: more }], closed(1009), late()),
  framingCase(
    "a text of one byte more, in packets of 100",
    chopped([{ payload: more }], 100),
    closed(1009),
    late(),
  ),
  framingCase(
    "a text of twice the limit",
    [{ payload: sized(2 * LIMIT).payload }],
    closed(1009),
    late(),
  ),
  framingCase("a text of 70 KB", [{ payload: sized(70_000).payload }], closed(1009), late()),
  framingCase(
    "a text of the limit in characters, and more in bytes",
    [{ payload: say("ä".repeat(LIMIT - say("").length)) }],
    closed(1009),
    late(),
  ),
  framingCase("a binary of one byte more", [{ opcode: binary, payload: more }], closed(1009), {
    deno: { outcome: closed(4003), why: "a standard WebSocket is judged on what was received" },
  }),
  framingCase("a binary of the limit", [{ opcode: binary, payload: most }], closed(1003), {
    deno: WEAK_1003,
  }),
  framingCase(
    "a text too long after one of the limit",
    [{ payload: most }, 1, { payload: more }],
    [answer, ...closed(1009)],
    late(answer),
  ),
];

/** Nothing but the head is sent, so it alone must be enough. */
const declared: Case[] = [
  ...[1025n, 4096n, 65_535n].map((length) => head(length, 2)),
  ...[1025n, 65_536n, 2n ** 20n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n].map((
    length,
  ) => head(length, 8)),
  ...[2n ** 32n + 1n, 2n ** 40n, 2n ** 53n - 1n, 2n ** 53n].map((length) => head(length, 8)),
  ...[2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n].map((length) => head(length, 8)),
];

function head(length: bigint, lengthBytes: number): Case {
  return framingCase(
    `a text that is to have ${length} bytes, its length in ${lengthBytes}`,
    [{ declared: length, lengthBytes }],
    closed(1009),
    { deno: length < 64n * 1024n * 1024n ? UNBOUNDED : HUGE },
  );
}

const half = most.length / 2;
const sums: Case[] = [
  framingCase("two fragments of the limit together", [
    fragments([most.slice(0, half), most.slice(half)]),
  ], [answer]),
  framingCase("the limit and an empty fragment", [fragments([most, ""])], [answer]),
  framingCase(
    "two fragments of one byte more",
    [fragments([more.slice(0, 600), more.slice(600)])],
    closed(1009),
    late(),
  ),
  framingCase(
    "the limit, then a fragment of one byte",
    [fragments([most, " "])],
    closed(1009),
    late(),
  ),
  framingCase(
    "the limit, then a fragment of one byte with more to come",
    [[{ payload: most, fin: false }, { opcode: continuation, payload: " ", fin: false }]],
    closed(1009),
    never,
  ),
  framingCase(
    "the limit, then a fragment that is to have 65536 bytes",
    [[{ payload: most, fin: false }, { opcode: continuation, declared: 65_536n }]],
    closed(1009),
    never,
  ),
  framingCase(
    "a byte, then a fragment that is to have the limit",
    [[{ payload: "x", fin: false }, { opcode: continuation, declared: BigInt(LIMIT) }]],
    closed(1009),
    {
      bun: { outcome: [WAITS], why: "Bun adds up what it has received, not what is declared" },
      deno: UNBOUNDED,
    },
  ),
  framingCase(
    "a byte, then a fragment that is to have 2^63 - 1 bytes",
    [[{ payload: "x", fin: false }, { opcode: continuation, declared: 2n ** 63n - 1n }]],
    closed(1009),
    { deno: HUGE },
  ),
  framingCase(
    "fragments of 100 bytes without an end",
    [Array.from({ length: 11 }, (_, i): WireFrame => ({
      opcode: i === 0 ? opcodes.text : continuation,
      payload: "x".repeat(100),
      fin: false,
    }))],
    closed(1009),
    never,
  ),
  framingCase(
    "a fragment too many for one message is none for the next",
    [fragments([most.slice(0, half), most.slice(half)]), 1, fragments([most, ""])],
    [answer, answer],
  ),
  framingCase(
    "control frames between fragments do not count",
    [[
      { payload: most.slice(0, half), fin: false },
      ...Array.from({ length: 10 }, () => ({ opcode: pong, payload: "p".repeat(125) })),
      { opcode: continuation, payload: most.slice(half) },
    ]],
    [answer],
  ),
  framingCase(
    "a ping of 125 bytes after a fragment of the limit",
    [[{ payload: most, fin: false }, { opcode: ping, payload: "p".repeat(125) }], 1, {
      opcode: continuation,
    }],
    [`pong ${"p".repeat(125)}`, answer],
  ),
];

/** One message in so many fragments, those in the middle of no byte or of one. */
function many(count: number, payload: string): WireFrame[] {
  const bytes = payload === "" ? "" : " ";
  const message = say("many");
  const middle = Array.from({ length: count - 2 }, () => bytes);
  return fragments([message.slice(0, 1), ...middle, message.slice(1)]);
}

const counts: Case[] = [
  framingCase("1024 fragments, most of them empty", [many(1024, "")], [echo("many")]),
  framingCase("1024 fragments, each in a packet", many(1024, ""), [echo("many")]),
  framingCase("twice 1024 fragments", [many(1024, ""), 1, many(1024, "")], [
    echo("many"),
    echo("many"),
  ]),
  framingCase("900 fragments of a byte", [many(900, " ")], [echo("many")]),
  framingCase(
    "1025 fragments",
    [many(1025, "")],
    closed(1008),
    uncounted([echo("many")]),
  ),
  framingCase(
    "1025 fragments without an end",
    [Array.from({ length: 1025 }, (_, i): WireFrame => ({
      opcode: i === 0 ? opcodes.text : continuation,
      fin: false,
    }))],
    closed(1008),
    uncounted([WAITS]),
  ),
  framingCase(
    "1024 fragments without an end, and a close",
    [[
      ...Array.from({ length: 1024 }, (_, i): WireFrame => ({
        opcode: i === 0 ? opcodes.text : continuation,
        fin: false,
      })),
      { opcode: close, payload: Uint8Array.of(3, 232) },
    ]],
    closed(1000),
  ),
  framingCase(
    "1024 empty fragments and pongs between them are a message that is no JSON",
    [
      fragments(Array.from({ length: 1024 }, () => "")).flatMap((part) => [part, { opcode: pong }])
        .slice(0, -1),
    ],
    [NO_JSON],
  ),
];

const others: Case[] = [
  framingCase(
    "a text too long with a reserved bit is broken first",
    [{ declared: 2n ** 40n, reserved: 4 }],
    closed(1002),
    { deno: GONE },
  ),
  framingCase(
    "a ping that is to have 2^40 bytes is broken, not too long",
    [{ opcode: ping, declared: 2n ** 40n }],
    closed(1002),
    { deno: GONE },
  ),
  framingCase(
    "a close that is to have 65536 bytes is broken, not too long",
    [{ opcode: close, declared: 65_536n }],
    closed(1002),
    { deno: UNBOUNDED },
  ),
];

/** The table. */
export const limits: readonly Case[] = [...sizes, ...declared, ...sums, ...counts, ...others];
