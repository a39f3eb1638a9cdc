/** Laws of the functions of expressions, tried on arbitrary values. Each function has one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc, { type Arbitrary } from "fast-check";
import { ExpressionError } from "../../src/base/errors.ts";
import {
  compileExpression,
  type Expression,
  type ExpressionEnvironment,
} from "../../src/expression/mod.ts";
import { functionsIn } from "../../src/expression/functions.ts";
import { MACRO_NAMES } from "../../src/expression/macros.ts";
import { anyText } from "../support/text.ts";

const RUNS = { seed: 20_261_124, numRuns: 50 };

const FUNCTIONS = functionsIn({});

/** Something that holds for all values, and the functions that it is about. */
interface Law {
  readonly names: readonly string[];
  readonly source: string;
  readonly check: () => void | Promise<void>;
}

/** The arbitrary values of a law by the names that `input` has for them. */
type Arbitraries<T> = { readonly [K in keyof T]: Arbitrary<T[K]> };

/** `source` gives for all inputs what `expected` says. */
function law<T extends object>(
  names: string,
  source: string,
  inputs: Arbitraries<T>,
  expected: (input: T) => unknown,
  environment?: (input: T) => ExpressionEnvironment,
): Law {
  const compiled = environment ? undefined : compileExpression(source, ["input"]);
  const evaluate = (input: T): unknown =>
    (compiled ?? compileExpression(source, ["input"], environment?.(input))).evaluate({ input });
  const check = () =>
    fc.assert(
      fc.property(fc.record(inputs) as Arbitrary<T>, (input) => {
        assert.deepStrictEqual(evaluate(input), plain(expected(input)));
      }),
      RUNS,
    );
  return { names: names.split(" "), source, check };
}

/** A value as it comes out of an expression. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  }
  return typeof value === "number" ? value + 0 : value;
}

const text = anyText({ maxLength: 12 });
/** Of few characters, so that parts are found. */
const word = fc.string({ unit: fc.constantFrom("a", "b", "B", "é", "😀", " "), maxLength: 8 });
const part = fc.string({ unit: fc.constantFrom("a", "b", "😀"), minLength: 1, maxLength: 2 });
const count = fc.nat(8);
const whole = fc.integer();
const safe = fc.maxSafeInteger();
const number = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.double({ min: -1e9, max: 1e9, noNaN: true }),
).map((value) => value + 0);
const numbers = fc.array(number, { maxLength: 8 });
const wholes = fc.array(fc.integer({ min: -3, max: 5 }), { maxLength: 8 });
const words = fc.array(word, { maxLength: 6 });
/** Without -0, which JSON does not keep. */
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)));
const list = fc.array(json, { maxLength: 5 });
const key = fc.constantFrom("a", "b", "c", "__proto__", "constructor");
const map = fc.dictionary(key, json, { noNullPrototype: true });
const person = fc.record({ id: fc.nat(), age: fc.nat(3) }, { noNullPrototype: true });
const people = fc.array(person, { maxLength: 8 });
const moment = fc.date({
  min: new Date("0001-01-01T00:00:00Z"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});
const at = moment.map((date) => date.toISOString());
/** Times that are less than 292 years apart, to the nanosecond. */
const near = fc.tuple(
  fc.date({ min: new Date("1900-01-01"), max: new Date("2100-01-01"), noInvalidDate: true }),
  fc.nat(999_999),
).map(([date, nanos]) => `${date.toISOString().slice(0, -1)}${String(nanos).padStart(6, "0")}Z`);

/** The milliseconds of a time, with a fraction. */
const timeOf = (iso: string): number =>
  Date.parse(`${iso.slice(0, 23)}Z`) + Number(iso.slice(23, 29)) / 1e6;
const characters = (value: string): string[] => Array.from(value);
/** A position in UTF-16 units as one in characters. */
const position = (value: string, unit: number): number =>
  unit < 0 ? -1 : characters(value.slice(0, unit)).length;
const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);
const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const has = (items: readonly unknown[], item: unknown): boolean =>
  items.some((other) => isDeepStrictEqual(other, item));
const distinct = (items: readonly unknown[]): unknown[] =>
  items.filter((item, i) => !has(items.slice(0, i), item));
const entries = (...pairs: (readonly (readonly [string, unknown])[])[]): unknown =>
  Object.fromEntries(pairs.flat());
const total = (items: readonly number[]): number => items.reduce((sum, item) => sum + item, 0);
const ascending = (items: readonly number[]): number[] => [...items].sort((a, b) => a - b);

const TEXT_LAWS: readonly Law[] = [
  law("lower", "lower(input.s)", { s: text }, ({ s }) => s.toLowerCase()),
  law("upper", "upper(input.s)", { s: text }, ({ s }) => s.toUpperCase()),
  law("lowerAscii upperAscii", "[lowerAscii(input.s), upperAscii(input.s)]", { s: word }, (
    { s },
  ) => [s.replaceAll("B", "b"), s.replaceAll("a", "A").replaceAll("b", "B")]),
  law("trim", "[trim(input.s), trim(trim(input.s))]", { s: text }, ({ s }) => {
    const trimmed = s.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");
    return [trimmed, trimmed];
  }),
  law("len size", "[len(input.s), size(input.s)]", { s: text }, ({ s }) => {
    return [characters(s).length, characters(s).length];
  }),
  law("len size", "[len(input.l), size(input.m)]", { l: list, m: map }, ({ l, m }) => {
    return [l.length, Object.keys(m).length];
  }),
  law(
    "contains startsWith endsWith",
    "[contains(input.s, input.p), startsWith(input.s, input.p), endsWith(input.s, input.p)]",
    { s: word, p: part },
    ({ s, p }) => [s.includes(p), s.startsWith(p), s.endsWith(p)],
  ),
  law("matches", "[input.s.matches('^a+B?'), input.s.matches('(😀|é) *$')]", { s: word }, (
    { s },
  ) => [/^a+B?/u.test(s), /(😀|é) *$/u.test(s)]),
  law("split join", "join(split(input.s, input.p), input.p)", { s: word, p: part }, ({ s }) => s),
  law("split join", "join(split(input.s, ''))", { s: text }, ({ s }) => s),
  law("split", "input.s.split(input.p)", { s: word, p: part }, ({ s, p }) => s.split(p)),
  law(
    "split",
    "cel.bind(l, split(input.s, 'a', input.n + 1), len(l) <= input.n + 1 && join(l, 'a') == input.s)",
    { s: word, n: count },
    () => true,
  ),
  law("join", "join(input.l, '-')", { l: fc.array(fc.oneof(word, whole)) }, ({ l }) => l.join("-")),
  law("replace", "replace(input.s, input.p, input.t)", { s: word, p: part, t: word }, (
    { s, p, t },
  ) => s.split(p).join(t)),
  law("replace", "replace(input.s, 'a', '', input.n)", { s: word, n: count }, ({ s, n }) => {
    let left = n;
    return s.replace(/a/g, (found) => left-- > 0 ? "" : found);
  }),
  law("substring", "substring(input.s, 0, input.n) + substring(input.s, input.n)", {
    s: text,
    n: count,
  }, ({ s }) => s),
  law("substring", "input.s.substring(input.a, input.a + input.n)", {
    s: text,
    a: count,
    n: count,
  }, ({ s, a, n }) => characters(s).slice(a, a + n).join("")),
  law("charAt", "charAt(input.s, input.n)", { s: word, n: count }, ({ s, n }) => {
    return characters(s)[n] ?? "";
  }),
  law("indexOf lastIndexOf", "[indexOf(input.s, input.p), lastIndexOf(input.s, input.p)]", {
    s: word,
    p: part,
  }, ({ s, p }) => [position(s, s.indexOf(p)), position(s, s.lastIndexOf(p))]),
  law("reverse", "[reverse(input.s), reverse(reverse(input.s))]", { s: text }, ({ s }) => {
    return [characters(s).reverse().join(""), s];
  }),
  law("format", "format('%s|%d|%x%%', [input.s, input.n, input.s])", { s: text, n: whole }, (
    { s, n },
  ) => `${s}|${n}|${hexOf(bytesOf(s))}%`),
  law("format", "'%.3f %b %o'.format([input.d, input.n, input.n])", { d: number, n: whole }, (
    { d, n },
  ) => `${d.toFixed(3)} ${n.toString(2)} ${n.toString(8)}`),
  law("slug", "[slug(input.s), slug(slug(input.s))]", {
    s: fc.array(fc.constantFrom("É", "é", "Ж", "東", "7", " ", "-", "!", "'"), { maxLength: 40 })
      .map((parts) => parts.join("")),
  }, ({ s }) => {
    const letters = s.toLowerCase().replaceAll("é", "e").replaceAll("'", "");
    const expected = letters.split(/[ !-]+/).filter(Boolean).join("-");
    return [expected, expected];
  }),
  law(
    "slug",
    "cel.bind(t, slug(input.s), [t == lower(t), len(t) <= 100, t.matches('^$|^[^- ]+(-[^- ]+)*$')])",
    { s: text },
    () => [true, true, true],
  ),
  {
    names: ["strings.quote"],
    source: "strings.quote(input)",
    check: () => {
      const quote = compileExpression("strings.quote(input)", ["input"]);
      fc.assert(
        fc.property(text, (input) => {
          const quoted = compileExpression(String(quote.evaluate({ input })), []);
          assert.equal(quoted.evaluate({}), input);
        }),
        RUNS,
      );
    },
  },
];

const LIST_LAWS: readonly Law[] = [
  law("first last", "[first(input.l), last(input.l)]", { l: list }, ({ l }) => {
    return [l[0] ?? null, l[l.length - 1] ?? null];
  }),
  law("as_list", "[as_list(input.l), as_list(input.s)]", { l: list, s: text }, ({ l, s }) => {
    return [l, [s]];
  }),
  law("flatten", "flatten(input.l)", { l: list }, ({ l }) => l.flat()),
  law("flatten", "flatten(input.l, input.n)", { l: list, n: count }, ({ l, n }) => l.flat(n as 1)),
  law("unique distinct", "[unique(input.l), distinct(input.l)]", {
    l: fc.array(fc.oneof(json, fc.constantFrom(1, "1", null, "a")), { maxLength: 8 }),
  }, ({ l }) => [distinct(l), distinct(l)]),
  law("reverse", "[reverse(input.l), reverse(reverse(input.l))]", { l: list }, ({ l }) => {
    return [[...l].reverse(), l];
  }),
  law("slice", "slice(input.l, input.a, input.a + input.n)", { l: list, a: count, n: count }, (
    { l, a, n },
  ) => l.slice(a, a + n)),
  law("sort", "[sort(input.n), sort(input.s)]", { n: numbers, s: words }, ({ n, s }) => {
    return [ascending(n), [...s].sort()];
  }),
  law("sort_by", "sort_by(input.l, 'age')", { l: people }, ({ l }) => {
    return [...l].sort((a, b) => a.age - b.age);
  }),
  law("sortBy", "input.l.sortBy(p, -p.age)", { l: people }, ({ l }) => {
    return [...l].sort((a, b) => b.age - a.age);
  }),
  law("pluck", "pluck(input.l, 'id')", { l: people }, ({ l }) => l.map(({ id }) => id)),
  law("sum avg", "[sum(input.l), avg(input.l)]", { l: numbers }, ({ l }) => {
    return [total(l) + 0, l.length === 0 ? null : total(l) / l.length + 0];
  }),
  law("min_val max_val", "[min_val(input.l), max_val(input.l)]", { l: numbers }, ({ l }) => {
    const sorted = ascending(l);
    return [sorted[0] ?? null, sorted[sorted.length - 1] ?? null];
  }),
  law("lists.range", "lists.range(input.n)", { n: count }, ({ n }) => [...Array(n).keys()]),
  law(
    "sets.contains sets.intersects sets.equivalent",
    "[sets.contains(input.a, input.b), sets.intersects(input.a, input.b), sets.equivalent(input.a, input.b)]",
    { a: wholes, b: wholes },
    ({ a, b }) => [
      b.every((item) => a.includes(item)),
      b.some((item) => a.includes(item)),
      b.every((item) => a.includes(item)) && a.every((item) => b.includes(item)),
    ],
  ),
  law("all exists", "[input.l.all(x, x > 0), input.l.exists(x, x > 0)]", { l: wholes }, ({ l }) => {
    return [l.every((x) => x > 0), l.some((x) => x > 0)];
  }),
  law("exists_one existsOne", "[input.l.exists_one(x, x == 1), input.l.existsOne(x, x == 1)]", {
    l: wholes,
  }, ({ l }) => {
    const one = l.filter((x) => x === 1).length === 1;
    return [one, one];
  }),
  law(
    "all exists exists_one",
    "[input.l.all(i, x, x > i), input.l.exists(i, x, x > i), input.l.exists_one(i, x, x > i)]",
    { l: wholes },
    ({ l }) => [
      l.every((x, i) => x > i),
      l.some((x, i) => x > i),
      l.filter((x, i) => x > i).length === 1,
    ],
  ),
  law("transformList", "input.l.transformList(i, x, x > i, [i, x])", { l: wholes }, ({ l }) => {
    return l.map((x, i) => [i, x]).filter(([i, x]) => x > i);
  }),
  law("transformMapEntry", "input.l.transformMapEntry(i, x, x > i, {string(i): x})", {
    l: wholes,
  }, ({ l }) => Object.fromEntries(Object.entries(l).filter(([i, x]) => x > Number(i)))),
  law("transformMap", "input.m.transformMap(k, v, k != 'b', [k, v])", { m: map }, ({ m }) => {
    return Object.fromEntries(
      Object.entries(m).filter(([k]) => k !== "b").map(([k, v]) => [k, [k, v]]),
    );
  }),
  law("filter map", "[input.l.filter(x, x > 0), input.l.map(x, x > 0, x * 2)]", { l: wholes }, (
    { l },
  ) => [l.filter((x) => x > 0), l.filter((x) => x > 0).map((x) => x * 2)]),
  law("map", "input.l.map(x, [x])", { l: list }, ({ l }) => l.map((x) => [x])),
];

const MAP_LAWS: readonly Law[] = [
  law("default coalesce", "[default(input.a, input.b), coalesce(null, input.a, input.b)]", {
    a: json,
    b: json,
  }, ({ a, b }) => [a ?? b, a ?? b]),
  law("merge", "merge(input.a, input.b)", { a: map, b: map }, ({ a, b }) => {
    return entries(Object.entries(a), Object.entries(b));
  }),
  law("merge", "[merge(input.m), merge(input.m, input.m), merge({}, input.m)]", { m: map }, (
    { m },
  ) => [m, m, m]),
  law("pick omit", "[pick(input.m, input.k), omit(input.m, [input.k])]", { m: map, k: key }, (
    { m, k },
  ) => {
    const pairs = Object.entries(m);
    return [
      entries(pairs.filter(([name]) => name === k)),
      entries(pairs.filter(([name]) => name !== k)),
    ];
  }),
  law("pick omit merge", "merge(pick(input.m, 'a', 'b'), omit(input.m, 'a', 'b')) == input.m", {
    m: map,
  }, () => true),
  law("has", "[has(input.m.a), has(input.m['constructor'])]", { m: map }, ({ m }) => {
    return [Object.hasOwn(m, "a"), Object.hasOwn(m, "constructor")];
  }),
  law("cel.bind", "cel.bind(x, input.v, [x, x])", { v: json }, ({ v }) => [v, v]),
];

/** The names of the types of scalars. */
const TYPES = new Map([["boolean", "bool"], ["number", "double"], ["string", "string"]]);
const typeOf = (value: unknown): string => {
  if (value === null) return "null_type";
  return Array.isArray(value) ? "list" : TYPES.get(typeof value) ?? "map";
};

/** Groups the digits of whole numbers as `Intl` does. */
const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

const NUMBER_LAWS: readonly Law[] = [
  law("int string", "int(string(int(input.n)))", { n: safe }, ({ n }) => n),
  law("int", "[int(input.d), int(input.d) == input.d]", { d: number }, ({ d }) => {
    return [Math.trunc(d) + 0, Number.isInteger(d)];
  }),
  law("uint", "uint(input.n)", { n: fc.nat() }, ({ n }) => n),
  law("double string", "double(string(input.d))", { d: number }, ({ d }) => d),
  law("bool string", "[bool(string(input.b)), bool(input.b)]", { b: fc.boolean() }, ({ b }) => {
    return [b, b];
  }),
  law("type", "type(input.v)", { v: json }, ({ v }) => typeOf(v)),
  law("dyn", "dyn(input.v)", { v: json }, ({ v }) => v),
  law("math.abs math.sign", "[math.abs(input.d), math.sign(input.d)]", { d: number }, ({ d }) => {
    return [Math.abs(d), Math.sign(d)];
  }),
  law(
    "math.floor math.ceil math.trunc math.round",
    "[math.floor(input.d), math.ceil(input.d), math.trunc(input.d), math.round(input.d)]",
    { d: number },
    ({ d }) => {
      const away = d < 0 ? -Math.round(-d) : Math.round(d);
      return [Math.floor(d), Math.ceil(d), Math.trunc(d), away].map(plain);
    },
  ),
  law("math.sqrt", "math.sqrt(input.n * input.n)", { n: fc.nat(1_000_000) }, ({ n }) => n),
  law(
    "math.greatest math.least",
    "[math.greatest(input.a, input.b), math.least([input.a, input.b])]",
    {
      a: number,
      b: number,
    },
    ({ a, b }) => [Math.max(a, b), Math.min(a, b)],
  ),
  law(
    "math.isFinite math.isInf math.isNaN",
    "[math.isFinite(input.d), math.isInf(input.d * double('inf')), math.isNaN(input.d)]",
    { d: number },
    ({ d }) => [true, d !== 0, false],
  ),
  law(
    "math.bitAnd math.bitOr math.bitXor",
    "[math.bitAnd(input.a, input.b), math.bitOr(input.a, input.b), math.bitXor(input.a, input.b)]",
    { a: whole, b: whole },
    ({ a, b }) => [a & b, a | b, a ^ b],
  ),
  law("math.bitNot", "[math.bitNot(input.n), math.bitNot(math.bitNot(input.n))]", { n: whole }, (
    { n },
  ) => [~n, n]),
  law(
    "math.bitShiftLeft math.bitShiftRight",
    "[math.bitShiftLeft(input.n, input.by), math.bitShiftRight(math.bitShiftLeft(input.n, input.by), input.by)]",
    { n: fc.nat(), by: fc.nat(20) },
    ({ n, by }) => [n * 2 ** by, n],
  ),
  law("format_number", "format_number(input.n)", { n: safe }, ({ n }) => GROUPED.format(n)),
  law("format_number", "format_number(input.n / 100.0, 2, '.', ',')", { n: whole }, ({ n }) => {
    const digits = String(Math.abs(n)).padStart(3, "0");
    const groups = GROUPED.format(BigInt(digits.slice(0, -2))).replaceAll(",", ".");
    return `${n < 0 ? "-" : ""}${groups},${digits.slice(-2)}`;
  }),
];

const ENCODING_LAWS: readonly Law[] = [
  law("bytes hex", "hex(bytes(input.s))", { s: text }, ({ s }) => hexOf(bytesOf(s))),
  law("bytes string", "string(bytes(input.s))", { s: text }, ({ s }) => s),
  law("at", "input.s == '' ? -1 : at(bytes(input.s), len(bytes(input.s)) - 1)", { s: text }, (
    { s },
  ) => s === "" ? -1 : bytesOf(s)[bytesOf(s).length - 1]),
  law("json", "json(input.t)", { t: fc.json() }, ({ t }) => JSON.parse(t, (_, v) => plain(v))),
  law("base64.encode base64.decode", "string(base64.decode(base64.encode(input.s)))", { s: text }, (
    { s },
  ) => s),
  law("base64", "[base64(input.s), base64(bytes(input.s))]", { s: text }, ({ s }) => {
    const encoded = btoa(String.fromCharCode(...bytesOf(s)));
    return [encoded, encoded];
  }),
  law("base64_encode base64_decode", "base64_decode(base64_encode(input.s))", { s: text }, (
    { s },
  ) => s),
  law("to_json from_json", "from_json(to_json(input.v))", { v: json }, ({ v }) => v),
  law("to_json", "to_json(input.v)", { v: json }, ({ v }) => JSON.stringify(v)),
  {
    names: ["hmac_sha256"],
    source: "hmac_sha256(input.k, input.s)",
    check: async () => {
      const sign = compileExpression("hmac_sha256(input.k, input.s)", ["input"]);
      const algorithm = { name: "HMAC", hash: "SHA-256" };
      const anyKey = fc.oneof(
        text.filter((k) => k !== ""),
        fc.constant("k".repeat(70)),
      );
      await fc.assert(
        fc.asyncProperty(anyKey, text, async (k, s) => {
          const bytes = bytesOf(k).slice();
          const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
          const signature = await crypto.subtle.sign("HMAC", key, bytesOf(s).slice());
          assert.equal(sign.evaluate({ input: { k, s } }), hexOf(new Uint8Array(signature)));
        }),
        RUNS,
      );
    },
  },
  {
    names: ["hash_sha256"],
    source: "hash_sha256(input)",
    check: async () => {
      const hash = compileExpression("hash_sha256(input)", ["input"]);
      await fc.assert(
        fc.asyncProperty(text, async (input) => {
          const digest = await crypto.subtle.digest("SHA-256", bytesOf(input).slice());
          assert.equal(hash.evaluate({ input }), hexOf(new Uint8Array(digest)));
        }),
        RUNS,
      );
    },
  },
];

const TIME_LAWS: readonly Law[] = [
  law(
    "timestamp string",
    "[timestamp(input.at), string(timestamp(input.at))]",
    { at },
    ({ at }) => [at, at.replace(/\.?0*Z$/, "Z")],
  ),
  law(
    "timestamp",
    "timestamp(input.a) < timestamp(input.b)",
    { a: at, b: at },
    ({ a, b }) => a < b,
  ),
  law("format_date", "format_date(input.at, 'YYYY-MM-DDTHH:mm:ss.SSS[Z]')", { at }, ({ at }) => at),
  law(
    "format_date",
    "format_date(int(timestamp(input.at)), 'D.M.YYYY H:m:s')",
    { at },
    ({ at }) => {
      const [year, month, day, hour, minute, second] = at.split(/\D/).map(Number);
      return `${day}.${month}.${String(year).padStart(4, "0")} ${hour}:${minute}:${second}`;
    },
  ),
  law("duration string", "duration(string(duration(string(input.n) + 'ns')))", { n: safe }, (
    { n },
  ) => {
    const [, sign, seconds, nanos] = /^(-?)(\d+)(\d{9})$/.exec(
      `${n < 0 ? "-" : ""}${String(Math.abs(n)).padStart(10, "0")}`,
    ) ?? [];
    return `${sign}${Number(seconds)}.${nanos}`.replace(/\.?0+$/, "") + "s";
  }),
  law(
    "duration",
    "timestamp(input.s) + duration(timestamp(input.e) - timestamp(input.s)) == timestamp(input.e)",
    { s: near, e: near },
    () => true,
  ),
  law(
    "getFullYear getMonth getDate getDayOfMonth getDayOfWeek",
    "cel.bind(t, timestamp(input.d), [t.getFullYear(), t.getMonth(), t.getDate(), getDayOfMonth(t), getDayOfWeek(t)])",
    { d: at },
    ({ d }) => {
      const date = new Date(d);
      const day = date.getUTCDate();
      return [date.getUTCFullYear(), date.getUTCMonth(), day, day - 1, date.getUTCDay()];
    },
  ),
  law("getDayOfYear", "getDayOfYear(input.at)", { at }, ({ at }) => {
    const days = (iso: string) => Math.floor(Date.parse(iso) / 86_400_000);
    return days(at) - days(`${at.slice(0, 4)}-01-01T00:00:00Z`);
  }),
  law(
    "getHours getMinutes getSeconds getMilliseconds",
    "[getHours(input.d), getMinutes(input.d), getSeconds(input.d), getMilliseconds(input.d)]",
    { d: at },
    ({ d }) => d.slice(11, 23).split(/\D/).map(Number),
  ),
  law(
    "getHours getDate",
    "[getHours(input.n, '-07:00') == getHours(input.n - 25200), getDate(input.n, 'UTC') == getDate(input.n)]",
    { n: fc.nat() },
    () => [true, true],
  ),
];

const ENVIRONMENT_LAWS: readonly Law[] = [
  law(
    "now",
    "[now() == input.s, 'at ' + now(), now().split('T'), now() - timestamp(input.s), len(now())]",
    { s: at },
    ({ s }) => [true, `at ${s}`, s.split("T"), "0s", 24],
    ({ s }) => ({ now: () => Date.parse(s) }),
  ),
  law(
    "now",
    "[now() - duration('1h') < timestamp(input.a), now() > timestamp(input.a), now() < input.a]",
    { t: near, a: near },
    ({ t, a }) => {
      const [now, then] = [Date.parse(t), timeOf(a)];
      const text = new Date(now).toISOString();
      return [now - 3_600_000 < then, now > then, text < a];
    },
    ({ t }) => ({ now: () => Date.parse(t) }),
  ),
  law("now now_unix", "[now(), now_unix()]", { t: moment }, ({ t }) => {
    return [t.toISOString(), Math.floor(t.getTime() / 1000)];
  }, ({ t }) => ({ now: () => t.getTime() })),
  law(
    "env",
    "env('NAME', 'other')",
    { v: fc.option(text, { nil: undefined }) },
    ({ v }) => v || "other",
    ({ v }) => ({ env: (name) => name === "NAME" ? v : "wrong" }),
  ),
  law(
    "uuid",
    "[uuid().matches('^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'), uuid() == uuid()]",
    {},
    () => [true, false],
  ),
  law("random", "[random() >= 0, random() < 1]", {}, () => [true, true]),
];

const LAWS: readonly Law[] = [
  ...TEXT_LAWS,
  ...LIST_LAWS,
  ...MAP_LAWS,
  ...NUMBER_LAWS,
  ...ENCODING_LAWS,
  ...TIME_LAWS,
  ...ENVIRONMENT_LAWS,
];

for (const { names, source, check } of LAWS) {
  test(`law of ${names.join(", ")}: ${source}`, async () => {
    for (const name of names) assert.ok(source.includes(`${name}(`), `${name} is not in the law`);
    await check();
  });
}

test("every function and every macro has a law", () => {
  const known = new Set([...FUNCTIONS.keys(), ...MACRO_NAMES]);
  const covered = new Set(LAWS.flatMap(({ names }) => names));
  assert.deepEqual([...covered].sort(), [...known].sort());
});

/** Any JSON, with more of what functions ask for. */
const argument = fc.oneof(json, word, count, numbers, words, map, people, at, key);

/** Calls of each function on the items of `input`, with every number of arguments up to four. */
function calls(): readonly (readonly [source: string, expression: Expression])[] {
  return [...FUNCTIONS].flatMap(([name, { minimum, maximum }]) => {
    const most = Math.min(maximum, 4);
    return Array.from({ length: most - minimum + 1 }, (_, extra) => {
      const args = Array.from({ length: minimum + extra }, (_, i) => `input[${i}]`);
      const source = `${name}(${args.join(", ")})`;
      return [source, compileExpression(source, ["input"])] as const;
    });
  });
}

test("on any JSON every function gives plain JSON or an ExpressionError, and changes nothing", () => {
  const all = calls();
  fc.assert(
    fc.property(fc.array(argument, { minLength: 4, maxLength: 4 }), (input) => {
      const before = JSON.stringify(input);
      for (const [source, expression] of all) {
        try {
          const value = expression.evaluate({ input });
          assert.deepStrictEqual(JSON.parse(JSON.stringify(value)), value, source);
        } catch (error) {
          assert.ok(error instanceof ExpressionError, `${source} on ${before}: ${error}`);
          // Nothing but what a function refuses knowingly: no TypeError of JavaScript in disguise.
          assert.ok(!error.message.includes("cannot be computed"), `${before}: ${error.message}`);
        }
        assert.equal(JSON.stringify(input), before, source);
      }
    }),
    { ...RUNS, numRuns: 150 },
  );
});

test("arithmetic of ints and JSON numbers is that of doubles, and whole results are whole", () => {
  const source = ["+", "-", "*", "/", "%"].flatMap((operator) => [
    `input.a ${operator} int(input.b)`,
    `int(input.b) ${operator} input.a`,
    `input.a ${operator} input.b`,
  ]).join(", ");
  const all = compileExpression(`[${source}]`, ["input"]);
  const nonzero = fc.integer({ min: -1000, max: 1000 }).filter((value) => value !== 0);
  fc.assert(
    fc.property(number.filter((value) => Math.abs(value) > 1e-6), nonzero, (a, b) => {
      const expected = [
        [a + b, b + a, a + b],
        [a - b, b - a, a - b],
        [a * b, b * a, a * b],
        [a / b, b / a, a / b],
        [a % b, b % a, a % b],
      ].flat().map(plain);
      assert.deepStrictEqual(all.evaluate({ input: { a, b } }), expected);
    }),
    RUNS,
  );
  const ints = compileExpression("[int(input.a) + int(input.b), int(input.a) / int(input.b)]", [
    "input",
  ]);
  fc.assert(
    fc.property(whole, nonzero, (a, b) => {
      const results = ints.evaluate({ input: { a, b } });
      assert.deepStrictEqual(results, [a + b, Math.trunc(a / b) + 0]);
    }),
    RUNS,
  );
});
