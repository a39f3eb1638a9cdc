/** The longest, deepest and most hostile values that a client can send to an expression. */

/** As many characters as a frame of 512 KB holds beside its own. */
const LENGTH = 500_000;

const half = "a".repeat(LENGTH / 4);

/** Values by name; each fits into one frame. */
export const hostile: Readonly<Record<string, unknown>> = {
  text: "aB".repeat(LENGTH / 2),
  wide: "é中".repeat(LENGTH / 6),
  emoji: "😀a".repeat(LENGTH / 5),
  blanks: " ".repeat(LENGTH - 1) + "x",
  digits: "1".repeat(LENGTH - 1) + "x",
  commas: ",".repeat(LENGTH),
  quotes: '"\\'.repeat(LENGTH / 2),
  brackets: "[".repeat(LENGTH),
  closed: "[]".repeat(LENGTH / 2),
  lists: `[${"[],".repeat(LENGTH / 3 - 1)}[]]`,
  maps: `[${"{},".repeat(LENGTH / 3 - 1)}{}]`,
  fields: `{${Array.from({ length: 50_000 }, (_, i) => `"${i}x":1`).join()}}`,
  marks: `a${"\u0301\u0316".repeat(LENGTH / 6)}`,
  controls: "\u0001".repeat(LENGTH / 6),
  percents: "%".repeat(LENGTH),
  placeholders: "%s".repeat(LENGTH / 4),
  precision: `%.${"1".repeat(LENGTH)}f`,
  months: "MMMM".repeat(LENGTH / 4),
  base64: "QUFB".repeat(LENGTH / 4),
  same: "a".repeat(LENGTH / 2),
  other: "a".repeat(LENGTH / 2 - 1) + "b",
  /** In the runtimes' own search each of these takes the product of both lengths. */
  within: "a".repeat(LENGTH / 2),
  middle: `${half.slice(1)}b${half.slice(1)}`,
  tail: `${half}b`,
  head: `b${half}`,
  short: `${"a".repeat(15)}b${"a".repeat(15)}`,
  periods: `${"a".repeat(999)}b`.repeat(LENGTH / 2_000),
  period: "a".repeat(1_000),
  numbers: Array.from({ length: 240_000 }, (_, i) => i % 10),
  fractions: Array.from({ length: 80_000 }, (_, i) => i + 0.5),
  falling: Array.from({ length: 80_000 }, (_, i) => 99_999 - i),
  words: Array.from({ length: 70_000 }, (_, i) => `${i % 7_919}`),
  prefixes: Array.from({ length: 500 }, (_, i) => "p".repeat(990) + i),
  objects: Array.from({ length: 40_000 }, (_, i) => ({ n: i % 10 })),
  deep: JSON.parse("[".repeat(60) + "1" + "]".repeat(60)),
  map: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, 1])),
  zones: Array.from({ length: 20_000 }, (_, i) => `Europe/Nowhere${i}`),
  times: Array.from({ length: 20_000 }, (_, i) => `2026-01-01T00:00:00.${i}Z`),
  pattern: "(?:\\pL{1000})".repeat(LENGTH / 13 | 0),
  class: `[${"\\pL".repeat(LENGTH / 3 - 2 | 0)}]`,
  repeated: "((((a{1,9}){1,9}){1,9}){1,9}){1,9}",
  nested: "(?:(?:(?:\\pL{9}){9}){9}){9}",
  states: "(?:.{0,30}a){10}$",
  folded: `(?i)[${"a-\\x{1e943}".repeat(80)}]`,
  needle: `(?:${"a".repeat(490)}b${"a".repeat(490)})`,
  key: "constructor",
  n: 3,
};
