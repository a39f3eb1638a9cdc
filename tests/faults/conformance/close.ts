/** How a client may end a connection, and how it may not. */
import { Buffer } from "node:buffer";
import { closeBody, opcodes } from "../../support/socket-frames.ts";
import type { WireFrame } from "../client.ts";
import { type Case, chopped, closed, echo, END, framingCase, GONE, say } from "./case.ts";

const { ping, close } = opcodes;

/** RFC 6455, section 7.4, and what IANA has registered since. */
const VALID = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014],
  ...[3000, 3001, 3999, 4000, 4001, 4999],
];
/** Reserved, not to be sent, or of nobody. */
const INVALID = [
  ...[0, 1, 125, 126, 999, 1004, 1005, 1006, 1015, 1016, 1099, 1100, 1999, 2000, 2999],
  ...[5000, 9999, 32_768, 65_535],
];
const REASONS: Readonly<Record<string, string>> = {
  "of one byte": "x",
  "in ASCII": "the user has left",
  "with every length of a code point": "aä€🙂",
  "with a zero byte": "a\0b",
  "of 122 bytes": "r".repeat(122),
  "of 123 bytes": "r".repeat(123),
  "of 123 bytes in code points of three": "€".repeat(41),
};
const NO_UTF8: Readonly<Record<string, readonly number[]>> = {
  "ff": [0xff],
  "a continuation byte": [0x80],
  "half a code point": [0xe2, 0x82],
  "a surrogate": [0xed, 0xa0, 0x80],
  "an overlong slash": [0xc0, 0xaf],
  "a code point beyond the last": [0xf4, 0x90, 0x80, 0x80],
};

const closing = (code: number, reason: string | Uint8Array = ""): WireFrame => ({
  opcode: close,
  payload: closeBody(code, reason),
});
const EMPTY: WireFrame = { opcode: close };
/** The server's close frame for one without a code. */
const NO_CODE = ["close ", END];

/** The case ends with the client's own close. */
function closeCase(...args: Parameters<typeof framingCase>): Case {
  return { ...framingCase(...args), closes: true };
}

const codes: Case[] = [
  ...VALID.map((code) =>
    closeCase(`code ${code}`, [closing(code)], closed(code), {
      ...(code === 1014 && {
        deno: { outcome: closed(1002), why: "Deno's own upgrade does not know 1014" },
      }),
    })
  ),
  ...INVALID.map((code) => closeCase(`code ${code}`, [closing(code)], closed(1002))),
  ...VALID.slice(0, 2).map((code) =>
    closeCase(`code ${code}, byte by byte`, chopped([closing(code)], 1), closed(code))
  ),
  ...INVALID.slice(-2).map((code) =>
    closeCase(`code ${code}, byte by byte`, chopped([closing(code, "x")], 1), closed(1002))
  ),
];

const bodies: Case[] = [
  closeCase("no body", [EMPTY], NO_CODE),
  closeCase("no body, byte by byte", chopped([EMPTY], 1), NO_CODE),
  ...[0, 3, 255].map((byte) =>
    closeCase(
      `a body of the byte ${byte}`,
      [{ opcode: close, payload: Uint8Array.of(byte) }],
      closed(1002),
      { deno: GONE },
    )
  ),
  ...Object.entries(REASONS).map(([name, reason]) =>
    closeCase(`a reason ${name}`, [closing(1000, reason)], closed(1000))
  ),
  closeCase("a reason without a code's place", [{ opcode: close, payload: "xy" }], closed(1002)),
  ...[124, 125, 1000, 65_536].map((length) =>
    closeCase(
      `a reason of ${length} bytes`,
      [closing(1000, "r".repeat(length))],
      closed(1002),
      { deno: { outcome: closed(1000), why: "Deno's own upgrade takes a reason of any length" } },
    )
  ),
  ...Object.entries(NO_UTF8).map(([name, bytes]) =>
    closeCase(
      `a reason with ${name}`,
      [closing(1000, Buffer.from([0x61, ...bytes]))],
      closed(1007),
      { deno: GONE },
    )
  ),
  closeCase(
    "an invalid code with a reason that is no UTF-8",
    [closing(999, Uint8Array.of(0xff))],
    closed(1002),
    { deno: GONE },
  ),
];

const order: Case[] = [
  closeCase("a text, its answer, and a close", [{ payload: say("a") }, 1, closing(1000)], [
    echo("a"),
    ...closed(1000),
  ]),
  closeCase(
    "a text after a close is not served",
    [[closing(1000), { payload: say("a") }]],
    closed(1000),
  ),
  closeCase(
    "a ping after a close is not answered",
    [[closing(1000), { opcode: ping }]],
    closed(1000),
  ),
  closeCase("a second close is not answered", [[closing(1000), closing(1001)]], closed(1000)),
  closeCase(
    "a broken frame after a close is not judged",
    [[closing(1000), { opcode: 3 }]],
    closed(1000),
  ),
  closeCase(
    "a ping in the packet before a close",
    [{ opcode: ping, payload: "p" }, 1, closing(1000)],
    ["pong p", ...closed(1000)],
  ),
  closeCase(
    "64 KB after a close are not served",
    [[closing(1000), { payload: say("x".repeat(65_536)) }]],
    closed(1000),
  ),
  closeCase(
    "a text and a close in one packet: the answer goes out first",
    [[{ payload: say("a") }, closing(1000)]],
    [echo("a"), ...closed(1000)],
    {
      bun: { outcome: closed(1000), why: "Bun closes before the answers of a tick are flushed" },
      deno: {
        outcome: closed(1000),
        why: "Deno's own upgrade closes before the answers of a tick are flushed",
      },
    },
  ),
  closeCase(
    "a ping and a close in one packet: after a close no pong is due",
    [[{ opcode: ping, payload: "p" }, closing(1000)]],
    closed(1000),
    {
      bun: { outcome: ["pong p", ...closed(1000)], why: "Bun answers every ping by itself" },
      deno: {
        outcome: ["pong p", ...closed(1000)],
        why: "Deno's own upgrade answers every ping by itself",
      },
    },
  ),
  closeCase(
    "a close with a mask of zeros",
    [{ ...closing(1000), mask: [0, 0, 0, 0] }],
    closed(1000),
  ),
];

/** The table. */
export const closeCases: readonly Case[] = [...codes, ...bodies, ...order];
