import assert from "node:assert/strict";
import { test } from "node:test";
import { shown } from "../../src/base/shown.ts";

test("a value is shown as it is where it can be mistaken for nothing else", () => {
  for (const text of ["", "order.created", "Zoë 😀", '"quoted" \\ back', "x".repeat(100)]) {
    assert.equal(shown(text), text);
  }
  assert.deepEqual([shown(7), shown(null), shown(undefined)], ["7", "null", "undefined"]);
});

test("at most 100 characters are shown, whatever the length of the value", () => {
  assert.equal(shown("x".repeat(101)), `${"x".repeat(100)}…`);
  assert.equal(shown("x".repeat(10_000_000)), `${"x".repeat(100)}…`);
  assert.equal(shown("😀".repeat(100)), "😀".repeat(100));
  assert.equal(shown("😀".repeat(101)), `${"😀".repeat(100)}…`);
});

test("line breaks, control characters and marks that change the reading are escaped", () => {
  const cases = [
    ["a\nb\r\tc", "a\\nb\\u000d\\u0009c"],
    ["\u0000\u001b[31mred\u007f\u0085", "\\u0000\\u001b[31mred\\u007f\\u0085"],
    ["\u2028\u2029", "\\u2028\\u2029"],
    ["user\u202Egpj.exe\u2066\u200F", "user\\u202egpj.exe\\u2066\\u200f"],
    ["a\u200Bb\uFEFFc\u00AD", "a\\u200bb\\ufeffc\\u00ad"],
    ["\uD800x\uDC00", "\\ud800x\\udc00"],
    ["\u{E0041}", "\\u{e0041}"],
  ];
  for (const [value, text] of cases) assert.equal(shown(value), text);
});
