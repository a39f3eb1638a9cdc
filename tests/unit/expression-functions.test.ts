/** What the functions give, kind by kind: CEL's extensions, time, conversions and formats. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExpressionError } from "../../src/base/errors.ts";
import { compileExpression } from "../../src/expression/mod.ts";

const INPUT = {
  n: 3,
  half: 1.5,
  minus: -1,
  text: "aé😀",
  at: "2024-03-05T06:07:08.009Z",
  users: [{ name: "bob", age: 30 }, { name: "ann", age: 25 }, { name: "cyd" }],
};

type Row = readonly [source: string, value: unknown];

function evaluate(source: string): unknown {
  return compileExpression(source, ["input"]).evaluate({ input: INPUT });
}

function check(rows: readonly Row[]): void {
  for (const [source, value] of rows) assert.deepEqual(evaluate(source), value, source);
}

/** Each fails for the event, with this reason. */
function checkFailures(rows: readonly (readonly [source: string, reason: string])[]): void {
  for (const [source, reason] of rows) {
    const failure = { name: "ExpressionError", message: `"${source}" failed: ${reason}` };
    assert.throws(() => evaluate(source), failure, source);
  }
}

test("format fills placeholders", () => {
  check([
    ["'plain'.format([])", "plain"],
    ["'%s and %s'.format(['a', input.n])", "a and 3"],
    ["format('%s', [true])", "true"],
    ["'%s'.format([null])", "null"],
    ["'%s'.format([[1, 'a', [2.5]]])", "[1, a, [2.5]]"],
    ["'%s'.format([{'b': 1, 'a': null}])", "{a: null, b: 1}"],
    ["'%s'.format([b'hi'])", "hi"],
    ["'%s %s'.format([timestamp(0), duration('90s')])", "1970-01-01T00:00:00Z 90s"],
    ["'%d|%d'.format([-7, input.n])", "-7|3"],
    ["'%f'.format([input.half])", "1.500000"],
    ["'%.2f|%.0f'.format([3.14159, 2.7])", "3.14|3"],
    ["'%.1f'.format([1e21])", "1000000000000000000000.0"],
    ["'%e|%.1e'.format([1234.5678, 0.05])", "1.234568e+03|5.0e-02"],
    ["'%b|%b|%b'.format([5, true, -2])", "101|1|-10"],
    ["'%o'.format([64])", "100"],
    ["'%x|%X|%x|%X'.format([255, 255, 'é', b'\\x0a'])", "ff|FF|c3a9|0A"],
    ["'100%% %s%%'.format(['b'])", "100% b%"],
    ["'%s'.format([1, 2])", "1"],
  ]);
  checkFailures([
    ["input.text.format('a')", "format() needs a list, got string"],
    ["'%d'.format([input.half])", "format() needs a whole number, got 1.5"],
    ["'%d'.format(['1'])", "format() needs a number, got string"],
    ["'%s %s'.format([1])", "format() has more placeholders than the 1 values"],
    ["('%' + 'q').format([1])", 'format() has no placeholder "%q"'],
    ["('%.1' + 'd').format([1])", 'format() has no placeholder "%.1d"'],
    ["('a' + '%').format([1])", 'format() has no placeholder "%"'],
  ]);
});

test("a format that is written out is checked when it is compiled", () => {
  for (
    const [source, reason] of [
      ["'%q'.format([1])", 'format() has no placeholder "%q"'],
      ["'%.2s'.format([1])", 'format() has no placeholder "%.2s"'],
      ["'%.101f'.format([1])", "format() writes at most 100 digits after the point"],
    ]
  ) {
    const failure = { name: "ExpressionError", message: `"${source}" failed: ${reason}` };
    assert.throws(() => compileExpression(source, []), failure, source);
  }
});

test("quote writes what CEL reads back", () => {
  check([
    ["strings.quote('a\"b\\\\c')", '"a\\"b\\\\c"'],
    ["strings.quote('\\a\\b\\f\\n\\r\\t\\v')", '"\\a\\b\\f\\n\\r\\t\\v"'],
    ["strings.quote(input.text)", '"aé😀"'],
  ]);
  const quoted = evaluate("strings.quote('say \"hi\"\\n\\\\')");
  assert.equal(evaluate(String(quoted)), 'say "hi"\n\\');
});

test("conversions", () => {
  check([
    ["int('-42')", -42],
    ["int('+42')", 42],
    ["int(-2.9)", -2],
    ["int(timestamp(input.at))", 1709618828],
    ["int('9223372036854775807')", "9223372036854775807"],
    ["uint('7')", 7],
    ["double('-1.5e3')", -1500],
    ["double('.5') + double('5.')", 5.5],
    ["double(7)", 7],
    ["bool('t') && !bool('FALSE') && bool(true)", true],
    ["string(1.0)", "1"],
    ["string(true)", "true"],
    ["string(b'\\xc3\\xa9')", "é"],
    ["string(timestamp(0))", "1970-01-01T00:00:00Z"],
    ["string(timestamp('2026-03-05T14:07:09.120Z'))", "2026-03-05T14:07:09.12Z"],
    ["string(duration('1h'))", "3600s"],
    ["duration(duration('1h'))", "3600s"],
    ["timestamp(timestamp(1)) == timestamp(1)", true],
  ]);
  checkFailures([
    ["int('')", "int() cannot parse its argument"],
    ["int('1.5')", "int() cannot parse its argument"],
    ["int('0x10')", "int() cannot parse its argument"],
    ["int(' 1')", "int() cannot parse its argument"],
    ["int(1e19)", "the integer is beyond 64 bits"],
    ["int('9223372036854775808')", "the integer is beyond 64 bits"],
    ["int(double('inf'))", "int() needs a finite number"],
    ["int(true)", "int() needs a number, a string or a timestamp, got boolean"],
    ["uint(input.minus)", "uint() needs a number of at least 0"],
    ["double('0x10')", "double() cannot parse its argument"],
    ["double('')", "double() cannot parse its argument"],
    ["double(true)", "double() needs a string, got boolean"],
    ["bool('yes')", "bool() cannot parse its argument"],
    ["bool(1)", "bool() needs a string, got number"],
    ["string(null)", "string() needs a string or a number, got null"],
    ["string(b'\\xff')", "string() needs bytes that are UTF-8"],
  ]);
});

test("bytes and texts that carry data", () => {
  check([
    ["json('{\"a\": [1, null]}')", { a: [1, null] }],
    ["json(b'3') + 1", 4],
    ["b'hi'.base64()", "aGk="],
    ["base64('é')", "w6k="],
    ["b'a' + b'b' == b'ab'", true],
    ["b'a' < b'ab' && b'b' > b'ab' && b'a' <= b'a'", true],
    ["hex(bytes(input.text))", "61c3a9f09f9880"],
    ["bytes(b'a')", "YQ=="],
    ["base64.decode('aGk')", "aGk="],
    ["hash_sha256(b'') == hash_sha256('')", true],
  ]);
  checkFailures([
    ["json('{')", "json() cannot parse its argument"],
    ["json(input.users)", "json() needs a string or a number, got list"],
    ["hex('a')", "hex() needs bytes, got string"],
    ["at(b'ab', 2)", "at() has no byte 2 of 2"],
    ["base64.decode('a')", "base64.decode() cannot parse its argument"],
    ["b'a' - b'a'", '"-" does not work on bytes and bytes'],
  ]);
});

test("bits are 64, and shifting fills with zeros", () => {
  check([
    ["math.bitAnd(input.n, 6)", 2],
    ["math.bitOr(input.n, 4)", 7],
    ["math.bitXor(-1, 1)", -2],
    ["math.bitNot(0)", -1],
    ["math.bitShiftLeft(1, 62)", "4611686018427387904"],
    ["math.bitShiftLeft(1, 63)", "-9223372036854775808"],
    ["math.bitShiftLeft(1, 64)", 0],
    ["math.bitShiftLeft(1, 1e9)", 0],
    ["math.bitShiftRight(-1024, 3)", "2305843009213693824"],
    ["math.bitShiftRight(-1, 63)", 1],
    ["math.isNaN(double('nan')) && math.isInf(double('-Infinity'))", true],
    ["math.isFinite(double('inf')) || math.isNaN(1) || math.isInf(input.n)", false],
  ]);
  checkFailures([
    ["math.bitAnd(input.half, 1)", "math.bitAnd() needs a whole number, got 1.5"],
    ["math.bitNot(1e300)", "the integer is beyond 64 bits"],
    ["math.bitShiftLeft(1, -1)", "math.bitShiftLeft() needs a whole number of at least 0, got -1"],
  ]);
});

test("durations are exact", () => {
  check([
    ["duration('1h30m')", "5400s"],
    ["duration('2d')", "172800s"],
    ["duration('1.5s')", "1.5s"],
    ["duration('-1.5s')", "-1.5s"],
    ["duration('250ms')", "0.25s"],
    ["duration('1us') + duration('1ns')", "0.000001001s"],
    ["duration('0')", "0s"],
    ["duration('2s') - duration('1.5s')", "0.5s"],
    ["duration('1s') - duration('2.5s')", "-1.5s"],
    ["duration('0.7s') + duration('0.7s')", "1.4s"],
    ["duration('60s') == duration('1m')", true],
    ["duration('1s') < duration('1001ms') && duration('1h') >= duration('60m')", true],
    ["unique([duration('60s'), duration('1m'), duration('1s')]).size()", 2],
    ["unique([[b'\\x01\\x02'], [b'\\x01', 2]]).size()", 2],
    ["duration('1h30m').getHours()", 1],
    ["duration('1h30m').getMinutes()", 90],
    ["duration('-90s').getMinutes()", -1],
    ["duration('1.5s').getMilliseconds()", 1500],
    ["timestamp(0) + duration('1d') - duration('1s')", "1970-01-01T23:59:59.000Z"],
    ["duration('1s') + timestamp(0) > timestamp(0)", true],
    ["timestamp(0) - duration('1ns')", "1969-12-31T23:59:59.999999999Z"],
    ["timestamp(60) - timestamp(0.5)", "59.5s"],
  ]);
  checkFailures([
    ["duration('')", "duration() cannot parse its argument"],
    ["duration('1')", "duration() cannot parse its argument"],
    ["duration('1h-1m')", "duration() cannot parse its argument"],
    ["duration('1 h')", "duration() cannot parse its argument"],
    ["duration('9999999999999s')", "duration() cannot parse its argument"],
    ["duration('3000000d') + duration('3000000d')", "the duration is beyond 10,000 years"],
    ["timestamp(0) + duration('3500000d')", "the time is outside the years 1 to 9999"],
    ["duration('1s') - timestamp(0)", '"-" does not work on duration and timestamp'],
    ["timestamp(0) + timestamp(0)", '"+" does not work on timestamp and timestamp'],
    ["duration('1s') < timestamp(0)", '"<" does not work on duration and timestamp'],
    ["getHours(duration('1h'), 'UTC')", "getHours() of a duration takes no time zone"],
    ["getMonth(duration('1h'))", "getMonth() needs a time or unix seconds, got duration"],
  ]);
});

test("parts of a time, in any zone", () => {
  check([
    ["input.at.getHours()", 6],
    ["input.at.getHours('Asia/Kolkata')", 11],
    ["input.at.getMinutes('asia/kolkata')", 37],
    ["input.at.getHours('+01:30')", 7],
    ["input.at.getHours('-07:00')", 23],
    ["input.at.getDate('-07:00')", 4],
    ["input.at.getDayOfMonth()", 4],
    ["input.at.getMilliseconds('Europe/Berlin')", 9],
    ["getFullYear('2023-12-31T23:30:00Z', 'Europe/Berlin')", 2024],
    ["getDayOfYear('2023-12-31T23:30:00Z', 'Europe/Berlin')", 0],
    ["getDayOfYear('2024-12-31')", 365],
    ["getDayOfYear('2023-07-01T23:59:59Z')", 181],
    ["getDayOfWeek('2024-03-10')", 0],
    // Both sides of a change to daylight saving time.
    ["getHours('2024-03-31T00:59:59Z', 'Europe/Berlin')", 1],
    ["getHours('2024-03-31T01:00:00Z', 'Europe/Berlin')", 3],
    ["getHours(0, 'UTC')", 0],
    ["timestamp('0001-01-01T00:00:00Z').getFullYear()", 1],
  ]);
  checkFailures([
    ["input.at.getHours('Mars/Base')", "getHours() does not know the time zone"],
    ["input.at.getHours('')", "getHours() does not know the time zone"],
    ["getHours('soon')", "getHours() cannot parse its argument as a time"],
    ["timestamp(1e12)", "timestamp() cannot parse its argument as a time"],
  ]);
});

test("sortBy sorts by what the key says and keeps the order of equals", () => {
  check([
    ["input.users.sortBy(u, u.age).map(u, u.name)", ["ann", "bob", "cyd"]],
    ["input.users.sortBy(u, -len(u.name)).map(u, u.name)", ["bob", "ann", "cyd"]],
    ["[3, 1, 2].sortBy(x, -x)", [3, 2, 1]],
    ["{'b': 1, 'a': 2}.sortBy(k, k)", ["a", "b"]],
    ["[[2, 1], [4, 3]].map(l, l.sortBy(x, x))", [[1, 2], [3, 4]]],
  ]);
  checkFailures([["[1, 2].sortBy(x, x > 1 ? 'a' : 1)", "sortBy() cannot order string and number"]]);
  assert.throws(() => compileExpression("[1].sortBy(x)", []), ExpressionError);
});

test("the clock is the one that is handed in", () => {
  const now = () => Date.UTC(2030, 0, 2, 3, 4, 5, 678);
  const at = (source: string) => compileExpression(source, [], { now }).evaluate({});
  assert.equal(at("now()"), "2030-01-02T03:04:05.678Z");
  assert.equal(at("now_unix()"), 1893553445);
  assert.equal(at("format_date(now(), 'YYYY')"), "2030");
  let time = 0;
  const ticking = compileExpression("now_unix()", [], { now: () => time += 1000 });
  assert.deepEqual([ticking.evaluate({}), ticking.evaluate({})], [1, 2]);
});

test("an error carries the place that it was given", () => {
  const place = 'chat.hcl:34 (flow "say", transform: text)';
  const expression = compileExpression("trim(input.n)", ["input"], { place });
  assert.throws(() => expression.evaluate({ input: {} }), { name: "ExpressionError", place });
  for (const source of ["trim(", "trim()", "inputt", "1 / 0", "'%q'.format([])"]) {
    assert.throws(() => compileExpression(source, [], { place }), { place }, source);
  }
  const bare = compileExpression("trim(input.n)", ["input"]);
  assert.throws(() => bare.evaluate({ input: {} }), (error) => {
    return error instanceof ExpressionError && error.place === undefined;
  });
});

test("uuid and random take their bytes from the environment", () => {
  const run = (text: string, randomBytes?: (bytes: Uint8Array) => void) =>
    compileExpression(text, [], { randomBytes }).evaluate({});
  const counting = (bytes: Uint8Array) => void bytes.forEach((_, i) => bytes[i] = i);
  assert.equal(run("uuid()", counting), "00010203-0405-4607-8809-0a0b0c0d0e0f");
  assert.equal(run("uuid()", (bytes) => bytes.fill(255)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  assert.equal(run("random()", () => {}), 0);
  assert.equal(run("random()", (bytes) => bytes.fill(255)), 1 - 2 ** -53);
  assert.equal(run("random() == random()"), false);
  assert.equal(run("uuid() == uuid()"), false);
});

test("format_number rounds the decimal digits of a number, halves away from zero", () => {
  check([
    ["format_number(1234567.8915)", "1,234,567.892"],
    ["format_number(-999.9995)", "-1,000"],
    ["format_number(1.005, 2)", "1.01"],
    ["format_number(-2.5, 0)", "-3"],
    ["format_number(-0.001, 2)", "0.00"],
    ["format_number(1e-7, 9)", "0.000000100"],
    ["format_number(1e21, 0, '')", "1000000000000000000000"],
    ["format_number(9223372036854775807, 1, ' ')", "9 223 372 036 854 775 807.0"],
    ["input.n.format_number(2, '', '::')", "3::00"],
  ]);
  checkFailures([
    ["format_number('1')", "format_number() needs a number, got string"],
    ["format_number(1, 101)", "format_number() writes at most 100 digits after the point"],
    ["format_number(1.0 / 0.0)", "format_number() needs a finite number"],
  ]);
});

test("slug keeps letters of all scripts and removes the accents of Latin ones", () => {
  check([
    ["slug('Ünïcode Text!')", "unicode-text"],
    ["slug(' Straße, Øre & don’t ')", "strasse-ore-dont"],
    ["slug('Привет, Йорк')", "привет-йорк"],
    ["slug('東京ガス 2026')", "東京ガス-2026"],
    ["slug('हिन्दी')", "हिन्दी"],
    ["slug('İstanbul ﬁn')", "istanbul-fin"],
    ["slug('\\u0301 …')", "\u0301"],
    ["len(slug(join(lists.range(99).map(i, 'abcdefghi'), ' ')))", 99],
  ]);
});

test("base64_decode returns a text, and says what returns bytes", () => {
  check([
    ["base64_decode('aMOp')", "hé"],
    ["base64_encode(b'\\xff')", "/w=="],
  ]);
  checkFailures([
    [
      "base64_decode('/w==')",
      "base64_decode() needs bytes that are UTF-8; base64.decode() returns any bytes",
    ],
    ["base64_decode('?')", "base64_decode() cannot parse its argument"],
    ["from_json('{')", "from_json() cannot parse its argument"],
    ["to_json([0.0 / 0.0])", "the result is not a finite number"],
  ]);
});

test("to_json writes data as results are, and keeps every name", () => {
  check([
    [
      "to_json({'t': timestamp(0), 'd': duration('1m'), 'b': b'a', 'n': 2u})",
      '{"t":"1970-01-01T00:00:00.000Z","d":"60s","b":"YQ==","n":2}',
    ],
    ['to_json(from_json(\'{"__proto__": {"toJSON": 1}}\'))', '{"__proto__":{"toJSON":1}}'],
    ["to_json(null)", "null"],
  ]);
});

test("now() is a timestamp that works as its text, too", () => {
  const time = "2026-01-02T03:04:05.120Z";
  const run = (text: string) =>
    compileExpression(text, ["input"], { now: () => Date.parse(time) }).evaluate({
      input: { same: time, later: "2026-01-02T04:00:00Z", sqlite: "2026-01-02 03:00:00" },
    });
  const rows: readonly Row[] = [
    ["[now(), string(now()), 'at ' + now(), now() + '!']", [time, time, `at ${time}`, `${time}!`]],
    ["[now() == input.same, input.same == now(), now() in [input.same]]", [true, true, true]],
    ["[now() < input.later, input.later > now(), now() <= input.same]", [true, true, true]],
    ["[now().substring(0, 10), reverse(now()).len(), size(now())]", ["2026-01-02", 24, 24]],
    ["{now(): 1}[now()]", 1],
    ["sort([now(), 'a', '1'])", ["1", time, "a"]],
    ["unique([now(), input.same])", [time]],
    ["[unique([now(), timestamp(now())]).size(), sets.contains([input.same], [now()])]", [2, true]],
    ["'%s %x'.format([now(), now()]).len()", 73],
    ["to_json([now()])", `["${time}"]`],
    ["[timestamp(now()) == now(), string(timestamp(now()))]", [true, "2026-01-02T03:04:05.12Z"]],
    ["now() - timestamp(input.sqlite) < duration('5m')", true],
    ["now() - duration('1h') > timestamp(input.later)", false],
    ["'until ' + (now() + duration('90s'))", "until 2026-01-02T03:05:35.120Z"],
    ["[type(now()), now().getHours(), int(now())]", ["timestamp", 3, 1767323045]],
    ["now() - now()", "0s"],
  ];
  for (const [source, value] of rows) assert.deepEqual(run(source), value, source);
  assert.throws(() => run("now() - input.later"), /"-" does not work on timestamp and string/);
});

test("transformMapEntry makes one map of the entries", () => {
  check([
    ["['a', 'b'].transformMapEntry(i, v, {v: i})", { a: 0, b: 1 }],
    [
      "{'a': 1, 'b': 2}.transformMapEntry(k, v, v > 1, {k: v, '__proto__': k})",
      JSON.parse('{"b":2,"__proto__":"b"}'),
    ],
    ["[].transformMapEntry(i, v, v)", {}],
  ]);
  checkFailures([
    ["[1, 1].transformMapEntry(i, v, {'x': v})", "two keys of the map are equal"],
    ["[1].transformMapEntry(i, v, v)", "transformMapEntry() needs a map, got number"],
  ]);
});
