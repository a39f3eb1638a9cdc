/** Text that is UTF-8, to the last code point, and text that is not. */
import { Buffer } from "node:buffer";
import { opcodes } from "../../support/socket-frames.ts";
import {
  type Case,
  chopped,
  closed,
  echo,
  fragments,
  framingCase,
  GONE,
  type Otherwise,
  say,
  WEAK_1003,
} from "./case.ts";

const CODE_POINTS = [
  ...[0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xcfff, 0xd000, 0xd7ff, 0xe000, 0xfdd0, 0xfeff],
  ...[0xfffd, 0xfffe, 0xffff, 0x10000, 0x1f642, 0x1ffff, 0x3ffff, 0x40000, 0xfffff, 0x100000],
  ...[0x10fffe, 0x10ffff],
];
const TEXTS: Readonly<Record<string, string>> = {
  "Greek with accents": "κόσμε",
  "German": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich",
  "Chinese": "天地玄黃宇宙洪荒",
  "Arabic and Hebrew": "مرحبا שלום",
  "combining marks": "Z̷a̸l̵g̶o̴",
  "a family of one emoji and its joiners": "👩‍👩‍👧‍👦",
  "every length of a code point": "aä€🙂",
};

/** Bytes that are no UTF-8; in brackets what a careless reader would make of them. */
const INVALID: Readonly<Record<string, readonly number[]>> = {
  "a continuation byte 80": [0x80],
  "a continuation byte bf": [0xbf],
  "two continuation bytes": [0x80, 0xbf],
  "64 continuation bytes": Array.from({ length: 64 }, (_, i) => 0x80 + i),
  "a two-byte start and a space": [0xc2, 0x20],
  "a three-byte start and a space": [0xe1, 0x20],
  "a four-byte start and a space": [0xf1, 0x20],
  "a two-byte start alone": [0xc3],
  "a three-byte start alone": [0xe2],
  "two of three bytes": [0xe2, 0x82],
  "a four-byte start alone": [0xf0],
  "two of four bytes": [0xf0, 0x9f],
  "three of four bytes": [0xf0, 0x9f, 0x99],
  "a start within a start": [0xe2, 0xc3, 0xa4],
  "byte c0": [0xc0],
  "byte c1": [0xc1],
  "byte f5": [0xf5],
  "byte fe": [0xfe],
  "byte ff": [0xff],
  "bytes fe fe ff ff": [0xfe, 0xfe, 0xff, 0xff],
  "overlong in two bytes (/)": [0xc0, 0xaf],
  "overlong in three bytes (/)": [0xe0, 0x80, 0xaf],
  "overlong in four bytes (/)": [0xf0, 0x80, 0x80, 0xaf],
  "overlong in five bytes (/)": [0xf8, 0x80, 0x80, 0x80, 0xaf],
  "overlong in six bytes (/)": [0xfc, 0x80, 0x80, 0x80, 0x80, 0xaf],
  "overlong in two bytes (U+7F)": [0xc1, 0xbf],
  "overlong in three bytes (U+7FF)": [0xe0, 0x9f, 0xbf],
  "overlong in four bytes (U+FFFF)": [0xf0, 0x8f, 0xbf, 0xbf],
  "overlong in two bytes (U+0)": [0xc0, 0x80],
  "overlong in three bytes (U+0)": [0xe0, 0x80, 0x80],
  "overlong in four bytes (U+0)": [0xf0, 0x80, 0x80, 0x80],
  "a high surrogate (U+D800)": [0xed, 0xa0, 0x80],
  "a high surrogate (U+DB7F)": [0xed, 0xad, 0xbf],
  "a high surrogate (U+DBFF)": [0xed, 0xaf, 0xbf],
  "a low surrogate (U+DC00)": [0xed, 0xb0, 0x80],
  "a low surrogate (U+DFFF)": [0xed, 0xbf, 0xbf],
  "a pair of surrogates (U+10000)": [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
  "a pair of surrogates (U+10FFFF)": [0xed, 0xaf, 0xbf, 0xed, 0xbf, 0xbf],
  "beyond the last code point (U+110000)": [0xf4, 0x90, 0x80, 0x80],
  "beyond the last code point (U+13FFFF)": [0xf4, 0xbf, 0xbf, 0xbf],
  "five bytes (U+200000)": [0xf8, 0x88, 0x80, 0x80, 0x80],
  "six bytes (U+4000000)": [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
  "six bytes (U+7FFFFFFF)": [0xfd, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf],
  "Greek, then a surrogate": [...Buffer.from("κόσμε"), 0xed, 0xa0, 0x80],
};

const points: Case[] = CODE_POINTS.map((point) => {
  const data = String.fromCodePoint(point);
  return framingCase(`code point ${hex(point)}`, [{ payload: say(data) }], [echo(data)]);
});

/** In a fragment for each byte, every code point is cut wherever it can be. */
const cutPoints: Case[] = CODE_POINTS.filter((point) => point > 0x7f).map((point) => {
  const data = String.fromCodePoint(point);
  const parts = [...Buffer.from(say(data))].map((byte) => Uint8Array.of(byte));
  return framingCase(
    `code point ${hex(point)} in a fragment for each byte`,
    [fragments(parts)],
    [echo(data)],
  );
});

const texts: Case[] = Object.entries(TEXTS).flatMap(([name, data]) => [
  framingCase(name, [{ payload: say(data) }], [echo(data)]),
  framingCase(`${name}, byte by byte`, chopped([{ payload: say(data) }], 1), [echo(data)]),
  framingCase(
    `${name}, in fragments of a byte, byte by byte`,
    chopped(fragments([...Buffer.from(say(data))].map((byte) => Uint8Array.of(byte))), 1),
    [echo(data)],
  ),
]);

/** Within a message that is good but for them. */
const around = (bytes: readonly number[]): Buffer => {
  const [before, after] = say("|").split("|");
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
};

const invalid: Case[] = Object.entries(INVALID).flatMap(([name, bytes]) => {
  const payload = around(bytes);
  const middle = say("|").indexOf("|") + Math.ceil(bytes.length / 2);
  return [
    framingCase(`${name} in a text`, [{ payload }], closed(1007), { deno: GONE }),
    framingCase(
      `${name} in a text of two fragments`,
      [fragments([payload.subarray(0, middle), payload.subarray(middle)])],
      closed(1007),
      { deno: GONE },
    ),
  ];
});

/** An end that is no code point is left out, where it ends a fragmented message. */
const CUT_SHORT: Otherwise = {
  outcome: [echo("x")],
  why: "Deno's own upgrade drops the begun code point at the end of a fragmented text",
};

/** A text may not end within a code point, though a fragment may. */
const ends: Case[] = [[0xc3], [0xe2], [0xe2, 0x82], [0xf0, 0x9f], [0xf0, 0x9f, 0x99]].flatMap(
  (bytes) => {
    const name = bytes.map((byte) => byte.toString(16)).join(" ");
    const payload = Buffer.concat([Buffer.from(say("x")), Buffer.from(bytes)]);
    return [
      framingCase(`a text that ends with ${name}`, [{ payload }], closed(1007), { deno: GONE }),
      framingCase(
        `fragments whose last one ends with ${name}`,
        [fragments([payload.subarray(0, 10), payload.subarray(10)])],
        closed(1007),
        { deno: CUT_SHORT },
      ),
      framingCase(
        `fragments whose last one is empty after ${name}`,
        [fragments([payload, ""])],
        closed(1007),
        { deno: CUT_SHORT },
      ),
    ];
  },
);

const others: Case[] = [
  framingCase(
    "no UTF-8 after a message",
    [{ payload: say("a") }, 1, { payload: Uint8Array.of(0xff) }],
    [echo("a"), ...closed(1007)],
    { deno: { ...GONE, outcome: [echo("a"), ...GONE.outcome] } },
  ),
  framingCase(
    "no UTF-8 in a binary is nobody's business",
    [{ opcode: opcodes.binary, payload: Uint8Array.of(0xff) }],
    closed(1003),
    { deno: WEAK_1003 },
  ),
  framingCase(
    "no UTF-8 at 70 KB",
    [{ payload: around([...Array(70_000).fill(0x61), 0xff]) }],
    closed(1007),
    {
      deno: GONE,
    },
  ),
];

function hex(point: number): string {
  return `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The table. */
export const utf8: readonly Case[] = [
  ...points,
  ...cutPoints,
  ...texts,
  ...invalid,
  ...ends,
  ...others,
];
