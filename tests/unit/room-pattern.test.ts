import assert from "node:assert/strict";
import { test } from "node:test";
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

test("the most specific pattern comes first", () => {
  const order = [
    "orders:1",
    "orders:x",
    "orders:vip:*",
    "orders:*:open:*",
    "orders:*:open",
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
  for (const good of ["*", "**", "a", "a*", "#", ">", "__proto__", "é".repeat(127)]) {
    assert.equal(new RoomPattern(good).problem, undefined, good);
  }
  for (const bad of ["a\n", "\u0000*", "é".repeat(128), `${"x".repeat(256)}*`, "\ud800"]) {
    assert.match(new RoomPattern(bad).problem ?? "", /longer|control|surrogate/);
  }
});
