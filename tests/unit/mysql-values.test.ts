/** Values on their way into MySQL: what is refused, and the literals of the rest. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RefusedError } from "../../src/connectors/database/drivers/mysql/errors.ts";
import {
  type ColumnKind,
  toBound,
  toLiteral,
  toServerTime,
} from "../../src/connectors/database/drivers/mysql/values.ts";

function literal(value: unknown, kind: ColumnKind = "other"): string {
  return toLiteral(toBound(value), kind, 'column "c"');
}

test("a literal is a number, a text or bytes that no mode of the server reads otherwise", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [undefined, "NULL"],
    [null, "NULL"],
    [true, "1"],
    [false, "0"],
    [0, "0"],
    [-7, "-7"],
    [2 ** 53 - 1, "9007199254740991"],
    [0.1, "0.1e0"],
    [1e300, "1e+300"],
    [5e-324, "5e-324"],
    [2 ** 60, "1152921504606847000e0"],
    [-(2n ** 63n), "-9223372036854775808"],
    ["", "''"],
    ["it's", "'it''s'"],
    ["'; DROP TABLE t; -- ", "'''; DROP TABLE t; -- '"],
    ["a\nb?:c", "'a\nb?:c'"],
    ["\\' OR 1=1", "_utf8mb4 X'5c27204f5220313d31'"],
    ["\\", "_utf8mb4 X'5c'"],
    [new Uint8Array([0, 255]), "_binary X'00ff'"],
    [new Uint8Array([9, 0, 255, 9]).subarray(1, 3), "_binary X'00ff'"],
    [new Date(0), "'1970-01-01T00:00:00.000Z'"],
    [[1, "a"], `'[1,"a"]'`],
    [{ a: 'b"' }, String.raw`_utf8mb4 X'${hex('{"a":"b\\""}')}'`],
  ];
  for (const [value, expected] of cases) assert.equal(literal(value), expected);
});

function hex(text: string): string {
  return [...new TextEncoder().encode(text)].map((n) => n.toString(16).padStart(2, "0")).join("");
}

test("what cannot be stored unchanged is refused", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [NaN, /^is NaN, which cannot be stored$/],
    [-Infinity, /^is -Infinity, which/],
    ["a\0b", /^has a NUL character/],
    ["\ud800", /^has half of a surrogate pair/],
    [{ a: "\udc00" }, /^has half of a surrogate pair/],
    [2n ** 64n, /^is beyond 64 bits$/],
    [Symbol("s"), /^is a symbol/],
    [() => 1, /^is a function/],
    [new Date(NaN), /^cannot be stored as text/],
    [cycle, /^cannot be stored as text/],
  ];
  for (const [value, message] of cases) assert.throws(() => toBound(value), { message });
});

test("a column of whole numbers takes nothing that it would round", () => {
  assert.equal(literal("12345678901234567890", "whole"), "12345678901234567890");
  assert.equal(literal(" -5 ", "whole"), "-5");
  assert.equal(literal("5.0", "whole"), "'5.0'");
  assert.equal(literal(1e21, "whole"), "1e+21");
  assert.equal(literal("x", "whole"), "'x'");
  for (const value of [1.5, "1.5", ".5", "15e-1"]) {
    assert.throws(() => literal(value, "whole"), (error) => {
      return error instanceof RefusedError &&
        /^column "c": is .*no whole number$/.test(error.message);
    });
  }
});

test("a column of bytes takes Base64 and nothing else", () => {
  assert.equal(literal("AP8=", "bytes"), "_binary X'00ff'");
  assert.equal(literal("AP8", "bytes"), "_binary X'00ff'");
  assert.equal(literal("", "bytes"), "_binary X''");
  assert.equal(literal(new Uint8Array([1]), "bytes"), "_binary X'01'");
  for (const value of ["A", "AP8==", "A P8=", "é", "AP-_", 5, true, [1], { a: 1 }]) {
    assert.throws(() => literal(value, "bytes"), /column "c": is .*Base64/, String(value));
  }
});

test("a column of JSON takes every value as JSON", () => {
  assert.equal(literal("a", "json"), `'"a"'`);
  assert.equal(literal('{"a":1}', "json"), `_utf8mb4 X'${hex('"{\\"a\\":1}"')}'`);
  assert.equal(literal(true, "json"), "'true'");
  assert.equal(literal(1.5, "json"), "'1.5'");
  assert.equal(literal(2n ** 60n, "json"), "'1152921504606846976'");
  assert.equal(literal([null], "json"), "'[null]'");
  assert.equal(literal(null, "json"), "NULL");
});

test("a time with its zone becomes UTC and keeps its microseconds", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["2026-01-01T00:00:00Z", "2026-01-01 00:00:00"],
    ["2026-01-01t00:00z", "2026-01-01 00:00:00"],
    ["2026-01-01 01:30:00.1234567+01:30", "2026-01-01 00:00:00.123456"],
    ["2025-12-31T23:00:00,5-01", "2026-01-01 00:00:00,5".replace(",", ".")],
    ["2026-01-01T00:00:00+0530", "2025-12-31 18:30:00"],
    ["2024-02-29T00:00:00Z", "2024-02-29 00:00:00"],
    ["2026-02-29T00:00:00Z", undefined],
    ["2026-02-30T00:00:00Z", undefined],
    ["2026-13-01T00:00:00Z", undefined],
    ["2026-01-01T25:00:00Z", undefined],
    ["2026-01-01T00:00:00", undefined],
    ["2026-01-01", undefined],
    ["now", undefined],
  ];
  for (const [text, expected] of cases) assert.equal(toServerTime(text), expected, text);
  assert.equal(literal("2026-01-01T00:00:00Z", "time"), "'2026-01-01 00:00:00'");
  assert.equal(literal("2026-01-01", "time"), "'2026-01-01'");
  assert.equal(literal("2026-01-01T00:00:00Z", "other"), "'2026-01-01T00:00:00Z'");
});
