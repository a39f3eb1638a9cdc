/** The parts of CEL that need more than the conformance suite: their plain results and mistakes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExpressionError } from "../../src/base/errors.ts";
import { compileExpression } from "../../src/expression/mod.ts";

const INPUT = {
  n: 3,
  zero: 0,
  "first name": "Ada",
  prices: { tea: 2.5, cake: 4 },
  list: [5, 6],
  nested: { list: [1, 2] },
};

const compile = (source: string) => compileExpression(source, ["input"]);
const evaluate = (source: string) => compile(source).evaluate({ input: INPUT });

function checkValues(rows: readonly (readonly [source: string, value: unknown])[]): void {
  for (const [source, value] of rows) assert.deepEqual(evaluate(source), value, source);
}

/** The text that an error is about. */
function checkMistakes(
  rows: readonly (readonly [source: string, message: string, about: string])[],
): void {
  for (const [source, message, about] of rows) {
    assert.throws(() => compile(source), (error) => {
      assert.ok(error instanceof ExpressionError, source);
      assert.deepEqual([error.message, source.slice(error.start, error.end)], [message, about]);
      return true;
    }, source);
  }
}

test("expression dialect: unsigned integers are numbers in a result, and mix with others", () => {
  checkValues([
    ["5u", 5],
    ["[1u + 2u, 7u / 2u, 7u % 4u, 2u * 3u, 3u - 1u]", [3, 3, 3, 6, 2]],
    ["18446744073709551615u", "18446744073709551615"],
    ["{'a': 1u}", { a: 1 }],
    ["5u + 1", 6],
    ["1u - 2", -1],
    ["input.n + 1u", 4],
    ["input.n / 2u", 1.5],
    ["[1u == 1, 1u == 1.0, 1u == input.n, 1u < 2, 2u > input.n, 1u in [1], 3u in [input.n]]", [
      ...[true, true, false, true, false, true, true],
    ]],
    ["[input.list[1u], {1: 'a'}[1u], has(input.list[2u]), 1u in {1: 'a'}]", [6, "a", false, true]],
    ["'a' + 1u", "a1"],
    ["type(1u) == uint", true],
    ["[uint('7'), uint(input.n), int(7u), double(7u), string(7u)]", [7, 3, 7, 7, "7"]],
    ["'%d %x %s'.format([7u, 255u, 7u])", "7 ff 7"],
    ["unique([1u, 1, 1.0])", [1]],
    ["[3u, 1, 2.5].sort()", [1, 2.5, 3]],
    ["sum([1u, 2])", 3],
    ["[has((5u).value), (5u).value, duration('1s').nanoseconds, timestamp(0).beyond]", [
      ...[false, null, null, null],
    ]],
    ["[math.greatest(1u, 2), math.sign(3u), math.abs(3u), math.round(3u)]", [2, 1, 3, 3]],
    ["substring('hello', 1u)", "ello"],
    ["timestamp(60u) == timestamp(60)", true],
  ]);
  for (
    const [source, failure] of [
      ["1u - 2u", /the unsigned integer is negative or beyond 64 bits$/],
      ["18446744073709551615u + 1u", /the unsigned integer is negative or beyond 64 bits$/],
      ["18446744073709551615u + 1", /the integer is beyond 64 bits$/],
      ["1u / 0u", /division by zero$/],
      ["1u % 0", /division by zero$/],
      ["-5u", /"-" does not work on an unsigned integer$/],
    ] as const
  ) assert.throws(() => evaluate(source), failure, source);
});

test("expression dialect: a double divides by zero, a result must be finite", () => {
  checkValues([
    ["input.n / input.zero > 1000", true],
    ["math.isNaN(input.zero / input.zero)", true],
    ["math.isInf(1.0 / 0.0)", true],
    ["string(-1.0 / 0.0)", "-Infinity"],
    ["'%d'.format([1.0 / 0.0])", "Infinity"],
    ["['%.0f', '%.1f', '%.0f'].map(f, f.format([2.5]))", ["2", "2.5", "2"]],
    ["'%.1f %.1f %.1f'.format([0.25, 0.35, -0.75])", "0.2 0.3 -0.8"],
  ]);
  for (const source of ["input.n / input.zero", "[input.zero / input.zero]", "1 / 0.0"]) {
    assert.throws(() => evaluate(source), /the result is not a finite number$/, source);
  }
  assert.throws(() => evaluate("input.n / 0"), /division by zero$/);
});

test("expression dialect: a side of && and || that fails does not count where the other decides", () => {
  checkValues([
    ["false && 1 / 0 > 1", false],
    ["1 / 0 > 1 || true", true],
    ["true || (input.n > 1 ? 1 / 0 == 1 : false)", true],
    ["(input.n / 0 > 1 ? true : false) || input.n == 3", true],
    ["[1].exists(x, x / 0 > 1 || x == 1)", true],
  ]);
  assert.throws(() => evaluate("true && 1 / 0 > 1"), /division by zero$/);
  // Kinds that can never work are a mistake of the configuration, wherever they are.
  checkMistakes([
    [
      "true || 'a' * 2 == 1",
      `"true || 'a' * 2 == 1" failed: "*" does not work on string and number`,
      "'a' * 2",
    ],
    ["input.n + 1 / 0", '"input.n + 1 / 0" failed: division by zero', "1 / 0"],
  ]);
});

test("expression dialect: macros with two variables see index and item, name and value", () => {
  checkValues([
    ["input.prices.all(name, price, price > 2 && name != '')", true],
    ["input.prices.transformList(name, price, name + ' ' + price)", ["tea 2.5", "cake 4"]],
    ["input.prices.transformMap(name, price, price > 3, price * 2)", { cake: 8 }],
    ["input.list.transformList(i, x, [i, x])", [[0, 5], [1, 6]]],
    ["input.list.transformMap(i, x, x)", { "0": 5, "1": 6 }],
    ["input.list.exists(i, x, input.nested.list.exists(j, y, i == j && x == y + 4))", true],
    ["input.missing == null || input.missing.all(k, v, true)", true],
    ["json('{\"__proto__\": 1}').transformMap(k, v, v + 1) == json('{\"__proto__\": 2}')", true],
  ]);
  assert.equal(
    JSON.stringify(evaluate("json('{\"__proto__\": 1}').transformMap(k, v, v)")),
    '{"__proto__":1}',
  );
  assert.throws(() => evaluate("input.n.all(i, x, true)"), /a macro needs a list or a map/);
  checkMistakes([
    ["input.list.all(i, 1, true)", "a macro needs the name of a variable here", "1"],
    ["[].all(i, i, true)", 'the variable "i" is declared twice', "i"],
    [
      "input.list.transformList(x, x)",
      "transformList() has a wrong number of arguments",
      "input.list.transformList(x, x)",
    ],
  ]);
  assert.deepEqual(
    [...compile("input.a.transformList(k, v, v.b + input.c + k)").paths].sort(),
    ["input.a", "input.c"],
  );
});

test("expression dialect: a field in backticks has any name", () => {
  checkValues([
    ["input.`first name`", "Ada"],
    ["input.`first name`.size()", 3],
    ["has(input.`last-name`)", false],
    ["{'a.b': {'c': 1}}.`a.b`.c", 1],
  ]);
  assert.deepEqual([...compile("input.`first name`").paths], ["input.first name"]);
  assert.deepEqual([...compile("input.`a.b`.c").paths], ["input"]);
  checkMistakes([
    ["`input`", "unexpected token: a quoted name", "`input`"],
    ["input.`a'b`", "unexpected character: `", "`"],
    ["input.`trim`()", 'unexpected token: "("', "("],
  ]);
});

test("expression dialect: literals", () => {
  checkValues([
    ["[.5, 1e3, 1.5E-1, 0x1F, 0xffu, 1 /* */]".replace(" /* */", ""), [
      0.5,
      1000,
      0.15,
      31,
      255,
      1,
    ]],
    ["-9223372036854775808", "-9223372036854775808"],
    ["r'\\d' == '\\\\d' && R\"a\\b\" == 'a\\\\b'", true],
    ["size(b'é') == 2 && size(b'\\xe9') == 1 && b'\\303\\251' == b'é'", true],
    ["size(br'\\xe9') == 4 && rb'a' == b'a' && bR'''a''' == b'a'", true],
    ["'\\u00e9\\U0001F600\\x41\\101\\a' == 'é😀AA' + '\\007'", true],
    ["'''a\n'b' ''' == \"a\\n'b' \"", true],
    ["1 // a comment\n + 1", 2],
    ["[1, 2,]", [1, 2]],
    ["{'a': 1,}", { a: 1 }],
  ]);
  checkMistakes([
    ["9223372036854775808", "the integer is beyond 64 bits", "9223372036854775808"],
    ["-9223372036854775809", "the integer is beyond 64 bits", "-9223372036854775809"],
    ["18446744073709551616u", "the unsigned integer is beyond 64 bits", "18446744073709551616u"],
    ["1" + "0".repeat(400), "the integer is beyond 64 bits", "1" + "0".repeat(400)],
    ["1e999", "the number is too large", "1e999"],
    ["1e+", "the exponent has no digits", "1e+"],
    ["0x", "the number has no digits", "0x"],
    ["'a\nb'", "a line break ends the string; write \\n instead", "\n"],
    ["'\\q'", "invalid escape sequence: \\q", "\\q"],
    ["'\\u12'", "invalid escape sequence: \\u", "\\u"],
    ["'\\ud800'", "the escape is not a Unicode character: \\ud800", "\\ud800"],
    ["'\\400'", "the octal escape is beyond \\377: \\400", "\\400"],
    ["b'\\u0041'", "bytes have no Unicode escapes: \\u0041", "\\u0041"],
    ["'''a'", "unterminated string", "'''a'"],
    ["'a\\'", "unterminated string", "'a\\'"],
    ["1 ~ 😀", "unexpected character: ~", "~"],
    ["1 😀", "unexpected character: 😀", "😀"],
  ]);
});

test("expression dialect: the parser names what it expects, and its limits", () => {
  checkMistakes([
    ["1 +", "unexpected token: the end", ""],
    ["(1", 'expected ")", got the end', ""],
    ["[1 2]", 'expected "]", got a number', "2"],
    ["{'a' 1}", 'expected ":", got a number', "1"],
    ["input.1", "unexpected token: a number", ".1"],
    ["input.true", "expected a name, got true or false", "true"],
    ["1 1", "unexpected token: a number", "1"],
    ["input.n ? 1", 'expected ":", got the end', ""],
    ["while", '"while" is a reserved word', "while"],
    ["input.?n", "optional access is not needed: a missing field reads as null", "?"],
    ["input[?'n']", "optional access is not needed: a missing field reads as null", "?"],
    ["{'a': 1, 'a': 2}", 'the map has the key "a" twice', "'a'"],
    ["{1: 'a', 1u: 'b'}", 'the map has the key "1" twice', "1u"],
  ]);
  for (
    const [source, failure] of [
      ["(".repeat(300), /nested more than 250 levels deep$/],
      ["!".repeat(300) + "true", /nested more than 250 levels deep$/],
      ["input" + ".a".repeat(300), /nested more than 250 levels deep$/],
      [`[${"1,".repeat(1001)}]`, /there are more than 1000 items$/],
      [`merge(${"input,".repeat(33)})`, /there are more than 32 arguments$/],
      ["1 + ".repeat(6000) + "1", /the expression has more than 10000 parts$/],
    ] as const
  ) assert.throws(() => compile(source), failure);
  assert.equal(evaluate("(".repeat(200) + "1" + ")".repeat(200)), 1);
  // A chain of operators is not nested.
  assert.equal(evaluate("input.n + ".repeat(2400) + "input.n"), 7203);
});

test("expression dialect: keys that are equal or that cannot be keys fail", () => {
  assert.throws(
    () => evaluate("{input.n: 1, string(input.n): 2}"),
    /two keys of the map are equal$/,
  );
  assert.throws(
    () => evaluate("input.prices[input.list]"),
    /a key must be a string, a number, true or false, got list$/,
  );
  assert.throws(() => evaluate("{input.list: 1}"), /a key must be .* got list$/);
  checkValues([["input.prices[null]", null], ["[1] in {'1': 2}", false]]);
});

test("expression dialect: bytes have no fields and no elements", () => {
  checkValues([
    ["b'ab'['0']", null],
    ["b'ab'[0]", null],
    ["b'ab'.`0`", null],
    ["has(b'ab'['0'])", false],
    ["has(b'ab'[0])", false],
    ["has(b'ab'.`0`)", false],
  ]);
});

test("expression dialect: timestamps are exact to the nanosecond", () => {
  checkValues([
    ["timestamp('2026-03-05T14:07:09.123456789Z')", "2026-03-05T14:07:09.123456789Z"],
    ["timestamp('2026-03-05T14:07:09.1Z')", "2026-03-05T14:07:09.100Z"],
    ["string(timestamp('2026-03-05T14:07:09.100Z'))", "2026-03-05T14:07:09.1Z"],
    ["timestamp('1969-12-31T23:59:59.999999999Z') + duration('1ns') == timestamp(0)", true],
    [
      "timestamp('2026-03-05T00:00:00.000000002Z') > timestamp('2026-03-05T00:00:00.000000001Z')",
      true,
    ],
    ["timestamp('2026-03-05T00:00:00.000000002Z') - timestamp('2026-03-05')", "0.000000002s"],
    ["unique([timestamp(0), timestamp('1970-01-01T00:00:00.000000001Z'), timestamp(0)]).size()", 2],
    ["timestamp('2026-03-05T14:07:09.123456789Z').getMilliseconds()", 123],
    ["timestamp('2026-03-05T14:07:09.123456789Z').getHours('Asia/Tokyo')", 23],
    ["int(timestamp('1969-12-31T23:59:59.999999999Z'))", -1],
  ]);
  const late = "timestamp('9999-12-31T23:59:59.999999999Z')";
  assert.throws(() => evaluate(`${late} + duration('1ns')`), /outside the years 1 to 9999$/);
  assert.throws(() => evaluate(`${late} - timestamp(0)`), /more than 292 years apart$/);
});

test("expression dialect: trim removes the white space of Unicode", () => {
  checkValues([
    ["trim('\\u0085\\u00a0\\u1680 \\t\\n\\va b\\u2003\\u3000\\u2028')", "a b"],
    ["trim('\\ufeffa\\u200b') == '\\ufeffa\\u200b'", true],
    ["trim(' \\u3000 ')", ""],
    ["trim('')", ""],
  ]);
});
