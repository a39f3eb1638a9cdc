import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "../support/random.ts";
import { RoomPattern } from "../../src/connectors/websocket/rooms/pattern.ts";

function matches(pattern: string, room: string): boolean {
  return new RoomPattern(pattern).matches(room);
}

test("a star matches any characters, including separators, and none", () => {
  const rows: ReadonlyArray<readonly [pattern: string, rooms: readonly string[]]> = [
    ["orders", ["orders"]],
    ["orders:*", ["orders:", "orders:1", "orders:1:items", "orders:*", "orders:😀"]],
    ["*", ["a", "*", "a:b", "#", ">"]],
    ["*:log", [":log", "a:log", "a:b:log", ":log:log"]],
    ["a*a", ["aa", "aba", "aaa"]],
    ["a**b", ["ab", "axb"]],
    ["team:*:log:*", ["team:1:log:2", "team::log:", "team:log:log:log:x"]],
    ["*ab*ab*", ["abab", "xabyabz", "ababab"]],
  ];
  for (const [pattern, rooms] of rows) {
    for (const room of rooms) assert.ok(matches(pattern, room), `${pattern} has ${room}`);
  }
});

test("all other characters match only themselves", () => {
  const rows: ReadonlyArray<readonly [pattern: string, rooms: readonly string[]]> = [
    ["orders", ["Orders", "orders:", "order", ""]],
    ["orders:*", ["orders", "xorders:1", ""]],
    ["a*a", ["a", "ab", "ba"]],
    ["*ab*ab*", ["ab", "aab", "aba"]],
    ["a*b*c", ["acb", "ab", "abcd"]],
    ["ab*bc", ["abc"]],
    ["a.c", ["abc"]],
    ["#", ["a"]],
    ["(a+)+*", ["aaaa"]],
  ];
  for (const [pattern, rooms] of rows) {
    for (const room of rooms) assert.ok(!matches(pattern, room), `${pattern} has no ${room}`);
  }
});

test("a pattern of many stars takes no longer than its room", () => {
  const pattern = new RoomPattern(`${"a*".repeat(120)}b`);
  const room = "a".repeat(255);
  for (let i = 0; i < 10_000; i++) assert.equal(pattern.matches(room), false);
});

test("a name matches one or more characters without a colon", () => {
  const rows: ReadonlyArray<readonly [pattern: string, room: string, match: unknown]> = [
    ["ticket:{id}", "ticket:7", { id: "7" }],
    ["ticket:{id}", "ticket:{id}", { id: "{id}" }],
    ["ticket:{id}", "ticket:", undefined],
    ["ticket:{id}", "ticket:7:log", undefined],
    ["{a}", "😀", { a: "😀" }],
    ["{a}", ":", undefined],
    ["{a}:{b}:x", "1:2:x", { a: "1", b: "2" }],
    ["{a}:{b}:x", "1:2:y", undefined],
    ["team-{team}:{user}", "team-a-b:ann", { team: "a-b", user: "ann" }],
    // From the left a name takes as much as it can, a star as little.
    ["dm:{a}-{b}", "dm:1-2-3", { a: "1-2", b: "3" }],
    ["a:{id}*", "a:42:items", { id: "42" }],
    ["a:{id}*", "a:42", { id: "42" }],
    ["*{id}", "a:b:42", { id: "42" }],
    ["*:{id}:*", "a:b:c:d", { id: "b" }],
    ["*:{id}", "a:b:c", { id: "c" }],
    ["{__proto__}:{constructor}", "a:b", JSON.parse('{"__proto__":"a","constructor":"b"}')],
    ["a{x}a{y}a", "aaaaa", { x: "a", y: "a" }],
    ["a{x}a{y}a", "aaaa", undefined],
  ];
  for (const [pattern, room, match] of rows) {
    assert.deepEqual(new RoomPattern(pattern).valuesIn(room), match, `${pattern} and ${room}`);
  }
});

test("names match as a regular expression does", () => {
  const random = seeded(7);
  const pieces = ["*", "{a}", "{b}", "{c}", ":", "x", "y", "xy"];
  let matched = 0;
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: 1 + random.below(6) }, () => random.pick(pieces)).join("");
    const pattern = new RoomPattern(text);
    if (pattern.problems.length > 0) continue;
    const source = text.replaceAll("*", "[^]*?").replace(/\{(\w)\}/g, "(?<$1>[^:]+)");
    const room = Array.from({ length: random.below(9) }, () => random.pick([":", "x", "y"])).join(
      "",
    );
    const found = new RegExp(`^${source}$`).exec(room);
    matched += Number(found !== null);
    const expected = found === null ? undefined : { ...found.groups };
    assert.deepEqual(pattern.valuesIn(room), expected, `${text} and ${room}`);
  }
  assert.ok(matched > 1_000, `${matched} matched`);
});

test("a pattern of many names takes no longer than its room", () => {
  const names = Array.from({ length: 60 }, (_, i) => `{n${i}}a`).join("");
  const pattern = new RoomPattern(`${names}*b:{last}`);
  const room = `${"a".repeat(252)}b:a`;
  for (let i = 0; i < 300; i++) assert.equal(pattern.valuesIn(room)?.last, "a");
  for (let i = 0; i < 300; i++) assert.equal(pattern.valuesIn("a".repeat(255)), undefined);
});

test("what is wrong with the braces of a pattern, and where", () => {
  const rows: ReadonlyArray<readonly [pattern: string, ...problems: readonly string[]]> = [
    ["a:{id}", ...[]],
    ["a:{}", "2-4 the {} has no name"],
    ["a:{id", "2-5 the { is not closed"],
    ["a:id}", "4-5 the } has no {"],
    [
      "{a b}:{1}:{a:b}",
      '0-5 "a b" is not a name',
      '6-9 "1" is not a name',
      '10-15 "a:b" is not a name',
    ],
    ["{a}:{a}", '4-7 it has the name "a" twice'],
    ["{a}{b}", "3-6 no text separates {a} from {b}"],
    ["{{a}}", '0-4 "{a" is not a name', "4-5 the } has no {"],
  ];
  for (const [pattern, ...problems] of rows) {
    const found = new RoomPattern(pattern).problems;
    assert.deepEqual(
      found.map(({ start, end, message }) => `${start}-${end} ${message}`),
      problems,
    );
  }
});

test("the most specific pattern comes first", () => {
  const order = [
    "orders:1",
    "orders:x",
    "orders:vip:{id}",
    "orders:vip:*",
    "orders:{id}:open:{n}",
    "orders:{id}:open:*",
    "orders:*:open:{n}",
    "orders:*:open:*",
    "orders:{id}:open",
    "orders:*:open",
    "orders:{id}",
    "orders:{id}*",
    "orders:*",
    "o*",
    "*:orders",
    "*:log",
    "*",
  ];
  const sorted = (texts: readonly string[]) =>
    texts.map((text) => new RoomPattern(text)).sort((a, b) => a.compare(b)).map(({ text }) => text);
  // Those that are alike keep their order, so the two literals are not turned round.
  assert.deepEqual(sorted([...order.slice(2).reverse(), ...order.slice(0, 2)]), order);
  assert.deepEqual(sorted(order), order);
});

test("a pattern that no room can match has a problem", () => {
  for (const good of ["*", "**", "{id}", "a", "a*", "#", ">", "__proto__", "é".repeat(127)]) {
    assert.equal(new RoomPattern(good).problem, undefined, good);
  }
  for (const bad of ["a\n", "\u0000*", "é".repeat(128), `${"x".repeat(256)}*`, "\ud800"]) {
    assert.match(new RoomPattern(bad).problem ?? "", /longer|control|surrogate/);
  }
});
