import { test } from "node:test";
import assert from "node:assert/strict";
import { ExpressionError } from "../../src/base/errors.ts";
import { compileExpression, isExpression, type Scope } from "../../src/expression/mod.ts";

const VARIABLES = ["input", "output", "client", "step", "constants", "error"];

const data = (json: string): unknown => JSON.parse(json);

const SCOPE: Scope = {
  input: data(`{
    "text": " héllo ", "n": 3, "half": 1.5, "zero": 0, "yes": true, "nothing": null,
    "a": { "b": { "c": 3 } }, "list": [3, 1, 2], "names": ["ann", "bob"],
    "users": [{ "name": "bob", "age": 30 }, { "name": "ann", "age": 25 }, { "name": "cyd" }],
    "emoji": "a😀b", "at": "2024-03-05T06:07:08.009Z"
  }`),
  client: { id: "c1", params: { token: "t" }, headers: { "x-key": "k" } },
  constants: { limit: 10 },
};

const env = (name: string) => name === "HOME_TOWN" ? "Ulm" : name === "EMPTY" ? "" : undefined;

function evaluate(source: string, scope: Scope = SCOPE): unknown {
  return compileExpression(source, VARIABLES, { env }).evaluate(scope);
}

function compileError(source: string): ExpressionError {
  try {
    compileExpression(source, VARIABLES, { env });
  } catch (error) {
    assert.ok(error instanceof ExpressionError, `${source}: ${error}`);
    assert.equal(error.expression, source);
    return error;
  }
  return assert.fail(`${source} compiled`);
}

function runError(source: string, scope: Scope = SCOPE): ExpressionError {
  const expression = compileExpression(source, VARIABLES, { env });
  try {
    expression.evaluate(scope);
  } catch (error) {
    assert.ok(error instanceof ExpressionError, `${source}: ${error}`);
    assert.equal(error.expression, source);
    assert.ok(error.message.includes(source.slice(0, 100)), error.message);
    return error;
  }
  return assert.fail(`${source} did not fail`);
}

const VALUES: readonly [string, unknown][] = [
  // missing fields
  ["input.missing", null],
  ["input.missing.deep.deeper", null],
  ["input.text.deep", null],
  ["input.nothing.deep", null],
  ["input['missing']['deep']", null],
  ["input['text']", " héllo "],
  ["input.list[0]", 3],
  ["input.list[input.zero]", 3],
  ["input.list[3]", null],
  ["input.list[-1]", null],
  ["input.list[0.5]", null],
  ["input.list['0']", null],
  ["input.list.length", null],
  ["input.text.length", null],
  ["input.list[null]", null],
  ["input.missing != ''", true],
  ["input.missing == null", true],
  ["output", null],
  ["output.id", null],
  ["step.author.name", null],
  ["has(input.text)", true],
  ["has(input.nothing)", true],
  ["has(input.missing)", false],
  ["has(input.missing.deep)", false],
  ["has(input.text.length)", false],
  ["has(input.a.b)", true],
  ["has(output.x)", false],
  ["has(client.headers['x-key'])", true],
  ["has(input.list[2])", true],
  ["has(input.list[3])", false],
  // numbers
  ["input.n + 1", 4],
  ["1 + input.n", 4],
  ["input.n == 3", true],
  ["3 == input.n", true],
  ["input.n != 3", false],
  ["input.n == '3'", false],
  ["input.n > 2", true],
  ["2 < input.n && input.n <= 3 && 3 >= input.n", true],
  ["input.n / 2", 1.5],
  ["7 / 2", 3],
  ["-7 / 2", -3],
  ["7.0 / 2", 3.5],
  ["input.n % 2", 1],
  ["-7 % 3", -1],
  ["input.half * 2", 3],
  ["0.1 + 0.2", 0.30000000000000004],
  ["-input.zero", 0],
  ["-input.n", -3],
  ["input.n in [1, 2, 3]", true],
  ["input.n in [1, 2]", false],
  ["2 in input.list", true],
  ["'ann' in input.names", true],
  ["'text' in input", true],
  ["'missing' in input", false],
  ["size(input.list) > 2", true],
  ["size(input.list) / 2", 1],
  ["9007199254740991", 9007199254740991],
  ["9007199254740993", "9007199254740993"],
  ["5u + 1", 6],
  ["0x10", 16],
  ["[1, [2, {'a': 3}]]", [1, [2, { a: 3 }]]],
  ["{'a': 1, 'b': [size('ab')]}", { a: 1, b: [2] }],
  ["{1: 'one', true: 'yes'}", { "1": "one", "true": "yes" }],
  ["{1: 'one'}[1]", "one"],
  ["int('42') + 1", 43],
  ["int(2.9)", 2],
  ["uint(3)", 3],
  ["double('1.5')", 1.5],
  ["bool('true')", true],
  // strings
  ["'a' + 1", "a1"],
  ["1 + 'a'", "1a"],
  ["'a' + 1.5", "a1.5"],
  ["'n=' + input.n", "n=3"],
  ["input.half + '!'", "1.5!"],
  ["'a' + 'b'", "ab"],
  ["'a' < 'b'", true],
  ["[1] + [2]", [1, 2]],
  ["string(input.n)", "3"],
  ["string(true)", "true"],
  ["string(1.5)", "1.5"],
  ["string(b'h')", "h"],
  ["b'hi'", "aGk="],
  ["b'a' + b'b' == b'ab'", true],
  // logic
  ["true || input.missing > 1", true],
  ["input.missing > 1 || true", true],
  ["input.missing > 1 && false", false],
  ["input.n > 1 ? 'many' : null", "many"],
  ["input.n > 9 ? 'many' : 0", 0],
  ["!input.yes", false],
  ["false < true", true],
  // equality
  ["input.a == {'b': {'c': 3}}", true],
  ["input.a == {'b': {'c': 4}}", false],
  ["input.list == [3, 1, 2]", true],
  ["input.list == [3, 1]", false],
  ["null == null", true],
  ["null == false", false],
  ["[] == {}", false],
  // macros
  ["input.list.all(x, x > 0)", true],
  ["input.list.all(x, x > 1)", false],
  ["input.list.exists(x, x == 2)", true],
  ["input.list.exists(x, x == 9)", false],
  ["input.list.exists_one(x, x < 2)", true],
  ["input.list.map(x, x * 2)", [6, 2, 4]],
  ["input.list.map(x, x > 1, x + input.n)", [6, 5]],
  ["input.list.filter(x, x > 1)", [3, 2]],
  ["input.list.map(x, input.list.map(y, x * y).sum()).sum()", 36],
  ["input.a.map(name, name)", ["b"]],
  ["[1, 'a', null].exists(x, x > 5) || true", true],
  ["[null, 7].exists(x, x > 5)", true],
  ["[null, 0].all(x, x > 5)", false],
  ["input.list.map(input, input)", [3, 1, 2]],
  ["cel.bind(x, input.n, x * x)", 9],
  // context and types
  ["context.params.token", "t"],
  ["context.params", { token: "t" }],
  ["context.other", null],
  ["context", { params: { token: "t" } }],
  ["type(input.n) == double", true],
  ["type(1) == int", true],
  ["type(null)", "null_type"],
  ["type(input.list)", "list"],
  // functions of Weir
  ["env('HOME_TOWN')", "Ulm"],
  ["env('NOT_SET', 'x')", "x"],
  ["env('EMPTY', 'x')", "x"],
  ["lower('ÄB')", "äb"],
  ["upper('äb')", "ÄB"],
  ["trim(input.text)", "héllo"],
  ["input.text.trim()", "héllo"],
  ["replace('a.b.c', '.', '$&')", "a$&b$&c"],
  ["'a.b.c'.replace('.', '-', 1)", "a-b.c"],
  ["replace('😀', '', '-')", "-😀-"],
  ["split('a,b,c', ',')", ["a", "b", "c"]],
  ["'a,b,c'.split(',', 2)", ["a", "b,c"]],
  ["'a,b'.split(',', -1)", ["a", "b"]],
  ["'a,b'.split(',', 0)", []],
  ["split(input.emoji, '')", ["a", "😀", "b"]],
  ["join(input.names, ', ')", "ann, bob"],
  ["['a', 1, 1.5].join()", "a11.5"],
  ["substring(input.emoji, 1, 2)", "😀"],
  ["input.emoji.substring(2)", "b"],
  ["substring('abc', 1, 99)", "bc"],
  ["substring('abc', 9)", ""],
  ["len(input.emoji)", 3],
  ["size(input.emoji)", 3],
  ["len(input.list)", 3],
  ["len(input.a)", 1],
  ["size(b'abc')", 3],
  ["hash_sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["hash_sha256('')", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["hash_sha256('ä') == hash_sha256(b'\\xc3\\xa4')", true],
  ["format_date(input.at, 'YYYY-MM-DD HH:mm:ss.SSS')", "2024-03-05 06:07:08.009"],
  ["format_date(input.at, 'D.M.YY H:m:s')", "5.3.24 6:7:8"],
  ["format_date(input.at, 'dddd ddd MMMM MMM hh h A a')", "Tuesday Tue March Mar 06 6 AM am"],
  ["format_date(0, '[unix] YYYY')", "unix 1970"],
  ["format_date(1.5, 'ss.SSS')", "01.500"],
  ["format_date('2024-03-05', 'YYYY-MM-DDTHH:mm:ssZ')", "2024-03-05T00:00:00Z"],
  ["format_date('2024-03-05T06:07:08', 'HH')", "06"],
  ["format_date('2024-03-05 06:07', 'HH:mm')", "06:07"],
  ["format_date('2024-03-05T06:07:08+0200', 'HH')", "04"],
  ["format_date(timestamp(0), 'YYYY')", "1970"],
  ["default(input.missing, 'x')", "x"],
  ["default('', 'x')", ""],
  ["input.missing.default('x')", "x"],
  ["coalesce(input.missing, null, 2, 3)", 2],
  ["coalesce(null)", null],
  ["coalesce(null, null, null, null, null, null, null, 8)", 8],
  ["merge({'a': 1, 'b': 1}, {'b': 2}, {'c': 3})", { a: 1, b: 2, c: 3 }],
  ["merge(input.a)", { b: { c: 3 } }],
  ["omit({'a': 1, 'b': 2, 'c': 3}, 'a', 'b')", { c: 3 }],
  ["omit({'a': 1, 'b': 2}, ['a', 'x'])", { b: 2 }],
  ["pick({'a': 1, 'b': 2}, 'a', 'x')", { a: 1 }],
  ["pick({'a': 1, 'b': 2}, ['b'])", { b: 2 }],
  ["as_list(null)", []],
  ["as_list(1)", [1]],
  ["as_list([1])", [1]],
  ["first(input.list)", 3],
  ["last(input.list)", 2],
  ["first([])", null],
  ["last([])", null],
  ["flatten([1, [2, [3]]])", [1, 2, [3]]],
  ["flatten([1, [2, [3]]], 2)", [1, 2, 3]],
  ["unique([1, input.n, 3, 'a', 'a', {'a': 1}, {'a': 1.0}, '3'])", [1, 3, "a", { a: 1 }, "3"]],
  ["reverse(input.list)", [2, 1, 3]],
  ["reverse(input.emoji)", "b😀a"],
  ["sum(input.list)", 6],
  ["sum([])", 0],
  ["sum([1, 0.5])", 1.5],
  ["avg(input.list)", 2],
  ["avg([1, 2])", 1.5],
  ["avg([])", null],
  ["min_val(input.list)", 1],
  ["max_val(input.list)", 3],
  ["max_val(['a', 'c', 'b'])", "c"],
  ["min_val([])", null],
  ["pluck(input.users, 'age')", [30, 25, null]],
  ["sort_by(input.users, 'name').pluck('name')", ["ann", "bob", "cyd"]],
  ["sort_by(input.users, 'age').pluck('name')", ["ann", "bob", "cyd"]],
  // CEL's own and its extensions
  ["'héllo'.contains('él')", true],
  ["'héllo'.startsWith('hé')", true],
  ["'héllo'.endsWith('lo')", true],
  ["'a1'.matches('^[a-z][0-9]$')", true],
  ["matches('x', input.names[0])", false],
  ["'ÄB'.lowerAscii()", "Äb"],
  ["'äb'.upperAscii()", "äB"],
  ["input.emoji.charAt(1)", "😀"],
  ["input.emoji.charAt(3)", ""],
  ["input.emoji.indexOf('b')", 2],
  ["input.emoji.indexOf('x')", -1],
  ["'abcabc'.indexOf('b', 2)", 4],
  ["'😀b😀b'.lastIndexOf('b')", 3],
  ["'abcabc'.lastIndexOf('b', 3)", 1],
  ["math.greatest(1, input.n, 2)", 3],
  ["math.least([4, 2.5])", 2.5],
  ["math.abs(-2)", 2],
  ["math.abs(-2.5)", 2.5],
  ["math.ceil(1.2)", 2],
  ["math.floor(-1.2)", -2],
  ["math.trunc(-1.7)", -1],
  ["math.round(-2.5)", -3],
  ["math.round(2)", 2],
  ["math.sign(-3)", -1],
  ["math.sign(0.0)", 0],
  ["math.sqrt(9)", 3],
  ["input.list.slice(1, 3)", [1, 2]],
  ["input.list.sort()", [1, 2, 3]],
  ["[1, 1.0, 2].distinct()", [1, 2]],
  ["lists.range(3)", [0, 1, 2]],
  ["sets.contains([1, 2, 3], [2.0])", true],
  ["sets.equivalent([1, 2, 2], [2, 1])", true],
  ["sets.equivalent([1], [1, 2])", false],
  ["sets.intersects([1, 2], [2, 3])", true],
  ["sets.intersects([1], [2])", false],
  ["base64.encode(b'hi')", "aGk="],
  ["base64.decode('aGk=') == b'hi'", true],
  ["string(base64.decode('aGk='))", "hi"],
  ["b'hi'.hex()", "6869"],
  ["b'hi'.at(input.zero)", 104],
  ["bytes('hi').size()", 2],
  ["timestamp('2024-01-01T00:00:00Z')", "2024-01-01T00:00:00.000Z"],
  ["timestamp('2024-01-01T00:00:00Z') + duration('1h30m')", "2024-01-01T01:30:00.000Z"],
  ["timestamp(60) - timestamp(0) == duration('60s')", true],
  ["timestamp(input.at) > timestamp('2023-01-01T00:00:00Z')", true],
  ["timestamp(input.at).getFullYear()", 2024],
  ["timestamp(input.at).getHours('Asia/Tokyo')", 15],
  ["timestamp(input.at).getMonth()", 2],
  ["duration('90s').getMinutes()", 1],
  ["duration('90s')", "90s"],
  ["dyn(1)", 1],
];

test("expressions have the values of the table", () => {
  for (const [source, expected] of VALUES) {
    assert.deepStrictEqual(evaluate(source), expected, source);
  }
});

test("uuid, now and now_unix", () => {
  assert.match(String(evaluate("uuid()")), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
  assert.notEqual(evaluate("uuid()"), evaluate("uuid()"));
  assert.match(String(evaluate("now()")), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const seconds = evaluate("now_unix()");
  assert.ok(Number.isInteger(seconds) && Math.abs(Number(seconds) - Date.now() / 1000) < 60);
  assert.equal(evaluate("format_date(now_unix(), 'YYYY') == format_date(now(), 'YYYY')"), true);
});

test("mistakes are found when an expression is compiled, with their place and a hint", () => {
  const cases: readonly [string, string, number, number, string?][] = [
    ["inptu.text", 'unknown variable "inptu"', 0, 5, 'did you mean "input"?'],
    ["input.a + zzzzzz", 'unknown variable "zzzzzz"', 10, 16],
    ["trimm(input.text)", 'unknown function "trimm"', 0, 5, 'did you mean "trim"?'],
    ["(input.text).trimm()", 'unknown function "trimm"', 13, 18, 'did you mean "trim"?'],
    ["math.flor(1)", 'unknown function "math.flor"', 0, 9, 'did you mean "math.floor"?'],
    ["input.list.mapp(x, 1)", 'unknown function "mapp"', 11, 15, 'did you mean "map"?'],
    ["constructor(1)", 'unknown function "constructor"', 0, 11],
    ["input.toString()", 'unknown function "toString"', 6, 14],
    ["trim()", "trim() takes 1 argument, got 0", 0, 6],
    ["1 + trim('a', 'b')", "trim() takes 1 argument, got 2", 4, 18],
    ["'a'.trim(1)", "trim() takes 0 arguments, got 1", 0, 11],
    ["'a'.substring()", "substring() takes 1 to 2 arguments, got 0", 0, 15],
    ["merge()", "merge() takes at least 1 argument, got 0", 0, 7],
    ["input.text +", "unexpected token: the end", 12, 12],
    ["(input.text", 'expected ")", got the end', 11, 11],
    ["", "the expression is empty", 0, 0],
    ["input.text == 'abc", "unterminated string", 14, 18],
    ["input # 1", "unexpected character: #", 6, 7],
    ["has(input)", "has() needs a field, as in has(input.text)", 4, 9],
    ["'a' * 2", `"'a' * 2" failed: "*" does not work on string and number`, 0, 7],
    ["input.n + (1 / 0)", '"input.n + (1 / 0)" failed: division by zero', 11, 16],
    ["env('NOPE')", `"env('NOPE')" failed: the environment variable "NOPE" is not set`, 0, 11],
    ["'a'.matches('(')", `"'a'.matches('(')" failed: matches() cannot parse its pattern`, 0, 16],
    ["cel.bind(1, 2, 3)", "a macro needs the name of a variable here", 9, 10],
    ["input.list.map(x)", "map() has a wrong number of arguments", 0, 17],
    ["has()", "has() has a wrong number of arguments", 0, 5],
    ["room.endsWith('a')", 'unknown variable "room"', 0, 4],
  ];
  for (const [source, message, start, end, hint] of cases) {
    const error = compileError(source);
    assert.deepEqual([error.message, error.start, error.end], [message, start, end], source);
    if (hint !== undefined) assert.equal(error.hint, hint, source);
  }
});

test("context needs client", () => {
  assert.throws(() => compileExpression("context.params.a", ["input"]), ExpressionError);
  assert.deepEqual([...compileExpression("context.params.a", ["client"]).variables], ["client"]);
});

test("what fails for one event names the expression, the place and the kinds", () => {
  const cases: readonly [string, string, number, number][] = [
    ["input.missing + 1", '"+" does not work on null and number', 0, 17],
    ["1 + (input.missing > 1 ? 1 : 2)", '">" does not work on null and number', 5, 22],
    ["input.missing + 'a'", '"+" does not work on null and string', 0, 19],
    ["input.yes + 'a'", '"+" does not work on boolean and string', 0, 15],
    ["input.text < 1", '"<" does not work on string and number', 0, 14],
    ["-input.text", '"-" does not work on string', 0, 11],
    ["!input.n", '"!" needs true or false, got number', 0, 8],
    ["input.n && true", '"&&" needs true or false, got number', 0, 7],
    ["input.n ? 1 : 2", "the condition of ?: needs true or false, got number", 0, 7],
    ["input.list.filter(x, x)", "filter() needs true or false, got number", 21, 22],
    ["input.n.map(x, x)", "a macro needs a list or a map, got number", 0, 7],
    ["'a' in input.n", '"in" does not work on string and number', 0, 14],
    ["trim(input.n)", "trim() needs a string, got number", 0, 13],
    ["'x' + trim(input.missing)", "trim() needs a string, got null", 6, 25],
    ["len(input.n)", "len() needs a string, a list or a map, got number", 0, 12],
    ["substring('abc', -input.n)", "substring() needs a whole number of at least 0, got -3", 0, 26],
    [
      "substring('abc', input.half)",
      "substring() needs a whole number of at least 0, got 1.5",
      0,
      28,
    ],
    ["sum(input.names)", "sum() needs numbers, got string", 0, 16],
    ["merge(input.a, input.n)", "merge() needs a map, got number", 0, 23],
    ["pluck(input.a, 'x')", "pluck() needs a list, got map", 0, 19],
    ["[1, 'a'].sort()", "sort() cannot order string and number", 0, 15],
    ["format_date('soon', 'YYYY')", "format_date() cannot parse its argument as a time", 0, 27],
    [
      "format_date('2024-02-30', 'D')",
      "format_date() cannot parse its argument as a time",
      0,
      30,
    ],
    ["input.n / input.zero", "the result is not a finite number", 0, 20],
    ["input.n / 0", "division by zero", 0, 11],
    ["input.n % 0", "division by zero", 0, 11],
    ["9223372036854775807 + size('a')", "the integer is beyond 64 bits", 0, 31],
    ["duration(input.text)", "duration() cannot parse its argument", 0, 20],
    ["int('x' + input.text)", "int() cannot parse its argument", 0, 21],
    ["env(input.names[0])", 'the environment variable "ann" is not set', 0, 19],
    ["lists.range(1e9)", "lists.range() makes at most 100000 items", 0, 16],
    ["math.sqrt(-1)", "the result is not a finite number", 0, 13],
    ["'a'.matches(input.text + '(')", "matches() cannot parse its pattern", 0, 29],
  ];
  for (const [source, message, start, end] of cases) {
    const error = runError(source);
    assert.deepEqual(
      [error.message, error.start, error.end],
      [`"${source}" failed: ${message}`, start, end],
      source,
    );
  }
});

test("an error message never carries a whole payload", () => {
  const long = "x".repeat(10_000);
  for (const source of ["format_date(input.t, 'YYYY')", "'a'.matches('(' + input.t)"]) {
    assert.ok(runError(source, { input: { t: long } }).message.length < 200, source);
  }
  const source = `input.n + ${"1 + ".repeat(500)}input.t`;
  const expression = compileExpression(source, ["input"]);
  assert.throws(() => expression.evaluate({ input: { n: {} } }), (error: Error) => {
    return error.message.length < 300;
  });
});

test("names of Object.prototype are no fields unless the data has them", () => {
  for (const name of ["constructor", "hasOwnProperty", "toString", "valueOf", "__defineGetter__"]) {
    assert.equal(evaluate(`input.${name}`, { input: {} }), null, name);
    assert.equal(evaluate(`has(input.${name})`, { input: {} }), false, name);
    assert.equal(evaluate(`input['${name}'] == null`, { input: {} }), true, name);
    assert.equal(evaluate(`'${name}' in input`, { input: {} }), false, name);
  }
  assert.equal(evaluate("input['__proto__']", { input: {} }), null);
  assert.equal(evaluate("input.text.constructor", { input: { text: "a" } }), null);
});

test("keys like __proto__ and constructor are plain data", () => {
  const text = '{"__proto__":{"polluted":1},"constructor":"c","hasOwnProperty":2,"a":3}';
  const scope = { input: data(text) };
  assert.equal(evaluate("input.a", scope), 3);
  assert.equal(evaluate("input.constructor", scope), "c");
  assert.equal(evaluate("input['__proto__'].polluted", scope), 1);
  assert.equal(evaluate("has(input.hasOwnProperty)", scope), true);
  assert.equal(JSON.stringify(evaluate("input", scope)), text);
  assert.equal(JSON.stringify(evaluate("merge(input, {})", scope)), text);
  assert.equal(JSON.stringify(evaluate("merge({}, input)", scope)), text);
  assert.equal(
    JSON.stringify(evaluate("pick(input, '__proto__')", scope)),
    '{"__proto__":{"polluted":1}}',
  );
  assert.equal(
    JSON.stringify(evaluate("omit(input, '__proto__', 'a')", scope)),
    '{"constructor":"c","hasOwnProperty":2}',
  );
  assert.equal(JSON.stringify(evaluate("{'__proto__': 1}")), '{"__proto__":1}');
  assert.equal(evaluate("input == merge(input)", scope), true);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test("values that are no JSON are read without a crash", () => {
  const bare = Object.assign(Object.create(null), { a: 1 });
  const scope: Scope = {
    input: {
      none: undefined,
      act: () => 1,
      symbol: Symbol("s"),
      date: new Date(0),
      bytes: new Uint8Array([104, 105]),
      big: 2n ** 60n,
      bare,
      get lazy() {
        return { deep: 5 };
      },
      list: [undefined, () => 1],
      nan: NaN,
    },
  };
  assert.equal(evaluate("input.none", scope), null);
  assert.equal(evaluate("has(input.none) || has(input.act)", scope), false);
  assert.equal(evaluate("input.act", scope), null);
  assert.equal(evaluate("input.symbol == null", scope), true);
  assert.equal(evaluate("input.date", scope), "1970-01-01T00:00:00.000Z");
  assert.equal(evaluate("input.date.getFullYear()", scope), 1970);
  assert.equal(evaluate("input.bytes", scope), "aGk=");
  assert.equal(evaluate("input.big", scope), "1152921504606846976");
  assert.equal(evaluate("input.bare.a + 1", scope), 2);
  assert.equal(evaluate("'a' in input.bare", scope), true);
  assert.equal(evaluate("input.lazy.deep", scope), 5);
  assert.deepEqual(evaluate("input.list", scope), [null, null]);
  assert.deepEqual(evaluate("input.list.map(x, x == null)", scope), [true, true]);
  assert.equal(evaluate("size(input.list) == 2 && input.list[1] == null", scope), true);
  assert.throws(() => evaluate("input.nan", scope), /not a finite number/);
});

test("nothing in the scope is changed, and plain data is not copied", () => {
  const input = { list: [3, 1, 2], users: [{ n: 2 }, { n: 1 }] };
  const before = structuredClone(input);
  for (const act of ["reverse(input.list)", "sort(input.list)", "sort_by(input.users, 'n')"]) {
    evaluate(act, { input });
  }
  evaluate("merge(input, {'list': 1})", { input });
  evaluate("input.list + [4]", { input });
  assert.deepEqual(input, before);
  assert.equal(evaluate("input.list", { input }), input.list);
});

test("evaluations share no state", () => {
  const expression = compileExpression("input.list.map(x, input.list.map(y, x + y))", ["input"]);
  const first = expression.evaluate({ input: { list: [1] } });
  const second = expression.evaluate({ input: { list: [10, 20] } });
  assert.deepEqual(first, [[2]]);
  assert.deepEqual(second, [[20, 30], [30, 40]]);
  const literal = compileExpression("['a', {'b': 'c'}]", []);
  assert.notEqual(literal.evaluate({}), literal.evaluate({}));
});

test("variables are those that are read", () => {
  const expression = compileExpression(
    "input.a == client.id && output.list.exists(step, step == constants.x)",
    VARIABLES,
  );
  assert.deepEqual([...expression.variables].sort(), ["client", "constants", "input", "output"]);
  assert.equal(expression.source.startsWith("input.a"), true);
});

test("a pattern cannot hang the process", () => {
  const text = "a".repeat(20_000) + "!";
  assert.equal(evaluate("input.matches('^(a+)+$')", { input: text }), false);
  assert.throws(() => compileExpression("'a'.matches('(?=a)')", []), /cannot parse its pattern/);
});

test("deep nesting is an error, not a crash", () => {
  let nested: unknown = 1;
  for (let i = 0; i < 200_000; i++) nested = [nested];
  assert.throws(() => evaluate("input", { input: nested }), ExpressionError);
  assert.throws(() => evaluate("input == [input]", { input: nested }), ExpressionError);
  compileError("(".repeat(10_000));
  compileError(`${"1 + ".repeat(100_000)}1`);
});

test("isExpression tells an expression from a literal name", () => {
  const expressions = [
    "input.room",
    "input['room']",
    " input ",
    "'client.connected'",
    '"room"',
    "trim(input.room)",
    "context.params.room",
    "step.x.y + 'a'",
    "'a' + input.b",
  ];
  const literals = [
    "messages",
    "chat.output",
    "inputs.room",
    "my_input.room",
    "orders.input.new",
    "orders:*",
    "#",
    "",
    "in put",
    "input room",
    "sensors/+/temp",
    "room.name",
  ];
  for (const text of expressions) assert.equal(isExpression(text, VARIABLES), true, text);
  for (const text of literals) assert.equal(isExpression(text, VARIABLES), false, text);
  assert.equal(isExpression("context.params.x", ["input"]), false);
});
