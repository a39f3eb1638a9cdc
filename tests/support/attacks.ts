/** Expressions that make the most of hostile values: see hostile.ts. */

/** A macro over a list that the expression makes itself, around `body` with the variable `i`. */
export function many(body: string): string {
  return `lists.range(100000).map(i, ${body})`;
}

/** Doubles a value twenty times. */
function doubled(value: string, name: string): string {
  return Array.from({ length: 20 }).reduce<string>(
    (text, _, i) => `cel.bind(${name}${i}, ${text}, ${name}${i} + ${name}${i})`,
    value,
  );
}

/** For each function, macro and operator what is tried with it. */
export const attacks: Readonly<Record<string, readonly string[]>> = {
  // Texts
  lower: ["lower(input.text)", "lower(input.wide)", many("lower(input.text)")],
  upper: ["upper(input.text)", many("upper(input.wide)")],
  lowerAscii: ["lowerAscii(input.text)", many("lowerAscii(input.text)")],
  upperAscii: ["upperAscii(input.text)", many("upperAscii('aBaBaBaB')")],
  trim: ["trim(input.blanks)", many("trim(input.blanks)")],
  contains: [
    "contains(input.within, input.middle)",
    "contains(input.within, input.tail)",
    "contains(input.within, input.head)",
    "contains(input.periods, input.period)",
    many("contains(input.within, input.short)"),
    many("contains(input.within, 'aaab')"),
    many("contains('abc', 'b')"),
  ],
  startsWith: ["startsWith(input.same, input.other)", many("startsWith(input.same, input.other)")],
  endsWith: ["endsWith(input.other, input.other)", many("endsWith(input.other, input.other)")],
  matches: [
    "matches(input.text, input.pattern)",
    "matches(input.text, input.class)",
    "matches(input.text, input.repeated)",
    "matches(input.text, input.nested)",
    "matches(input.text + 'c', input.states)",
    "matches(input.text, '(?:.{0,30}a){10}$')",
    "matches(input.same, input.needle)",
    "matches(input.text, input.folded)",
    "matches(input.text, '(a|B)*a(a|B){12}c$')",
    "matches(input.digits, '^(1+)+$')",
    many("matches(input.text, input.states)"),
    many("matches('abc' + string(i), string(i))"),
    many("matches('abc', '^a.c$')"),
  ],
  split: [
    "split(input.commas, ',')",
    "split(input.text, '')",
    "split(input.within, input.middle)",
    "split(input.emoji, '', 3)",
    many("split(input.commas, ',')"),
    many("split('a,b', ',')"),
  ],
  join: ["join(input.words, input.text)", "join(input.numbers, ',')", many("join(['a'], ',')")],
  replace: [
    "replace(input.text, 'a', input.text)",
    "replace(input.text, '', 'x')",
    "replace(input.within, input.middle, '')",
    "replace(replace(replace('aaaaaaaa', 'a', 'aaaaaaaa'), 'a', 'aaaaaaaa'), 'a', input.text)",
    many("replace('a,b', ',', ';')"),
  ],
  substring: [
    "substring(input.emoji, 200000, 200001)",
    "substring(input.text, 1)",
    many("substring(input.emoji, 100000, 100001)"),
    many("substring(input.text, 1)"),
  ],
  format: [
    "format(input.percents, [])",
    "format(input.placeholders, input.numbers)",
    "format(input.precision, [1.0])",
    "format('%s', [input.map])",
    many("format('%s', [input.numbers])"),
    many("format('%.100f %.100e %b', [1.5, 1.5, i])"),
    many("format('%x', [input.text])"),
  ],
  "strings.quote": ["strings.quote(input.quotes)", many("strings.quote(input.quotes)")],
  charAt: ["charAt(input.emoji, 199999)", many("charAt(input.emoji, i)")],
  indexOf: [
    "indexOf(input.within, input.middle)",
    "indexOf(input.emoji, 'x')",
    many("indexOf(input.within, 'aaab')"),
    many("indexOf(input.emoji, '😀', i)"),
  ],
  lastIndexOf: [
    "lastIndexOf(input.within, input.tail)",
    "lastIndexOf(input.within, input.middle)",
    many("lastIndexOf(input.within, input.short)"),
    many("lastIndexOf(input.within, 'baaa')"),
  ],
  reverse: ["reverse(input.emoji)", "reverse(input.numbers)", many("reverse(input.text)")],
  size: [
    "size(input.emoji)",
    "size(input.map)",
    many("size(input.emoji)"),
    many("size(input.map)"),
  ],
  len: ["len(input.emoji)", "len(input.map)", many("len(input.text)"), many("len(input.map)")],

  // Lists
  as_list: [many("as_list(input.numbers)")],
  first: [many("first(input.numbers)")],
  last: [many("last(input.numbers)")],
  flatten: [
    "flatten(input.deep, 100)",
    `flatten(${nestedLists(20)}, 100)`,
    many("flatten([[i], [i]])"),
    many("flatten(input.numbers)"),
  ],
  unique: [
    "unique(input.numbers)",
    "unique(input.words)",
    "unique(input.objects)",
    many("unique([i])"),
  ],
  distinct: [
    "distinct(input.objects)",
    "distinct([input.map, input.map])",
    "distinct([input.deep])",
  ],
  slice: ["slice(input.numbers, 0, 240000)", many("slice(input.numbers, 0, 240000)")],
  sort: ["sort(input.falling)", "sort(input.words)", "sort(input.prefixes)", many("sort([2, 1])")],
  sort_by: ["sort_by(input.objects, 'n')", "sort_by(input.objects, 'constructor')"],
  pluck: ["pluck(input.objects, 'n')", many("pluck(input.objects, 'n')")],
  sum: ["sum(input.numbers)", "sum(lists.range(100000))", many("sum(input.numbers)")],
  avg: ["avg(input.numbers)", many("avg(input.numbers)")],
  min_val: ["min_val(input.words)", many("min_val(input.numbers)"), "min_val(input.prefixes)"],
  max_val: ["max_val(input.words)", many("max_val(lists.range(1000))")],
  "lists.range": ["lists.range(100000)", many("lists.range(100000)"), many("lists.range(1)")],
  "sets.contains": ["sets.contains(input.words, input.words)", many("sets.contains([i], [i])")],
  "sets.equivalent": ["sets.equivalent(input.objects, input.objects)"],
  "sets.intersects": [
    "sets.intersects(input.words, input.numbers)",
    many("sets.intersects([i], [i])"),
  ],

  // Maps and null
  default: [many("default(null, input.text)")],
  coalesce: [many("coalesce(null, null, input.numbers)")],
  merge: [
    "merge(input.map, input.map)",
    many("merge(input.map, input.map)"),
    many("merge({'a': i})"),
  ],
  pick: ["pick(input.map, input.words)", many("pick(input.map, 'a')"), many("pick({'a': i}, 'a')")],
  omit: ["omit(input.map, input.words)", many("omit(input.map, 'a')")],

  // Numbers and types
  int: ["int(input.digits)", many("int('12345')")],
  uint: ["uint(input.digits)", many("uint('12345')")],
  double: ["double(input.digits)", many("double(input.digits)"), many("double('1.5e300')")],
  string: ["string(bytes(input.wide))", many("string(bytes(input.wide))"), many("string(1.5)")],
  bool: ["bool(input.digits)", many("bool('true')")],
  type: [many("type(input.map)")],
  dyn: [many("dyn(input.numbers)")],
  ...Object.fromEntries(
    ["abs", "sign", "round", "floor", "ceil", "trunc", "sqrt", "isFinite", "isInf", "isNaN"].map(
      (name) => [`math.${name}`, [many(`math.${name}(i)`), many(`math.${name}(-2.5)`)]],
    ),
  ),
  "math.greatest": ["math.greatest(input.numbers)", many("math.greatest(input.numbers)")],
  "math.least": ["math.least(input.numbers)", many("math.least(i, 1)")],
  ...Object.fromEntries(
    ["bitAnd", "bitOr", "bitXor", "bitShiftLeft", "bitShiftRight"].map(
      (name) => [`math.${name}`, [many(`math.${name}(i, 63)`)]],
    ),
  ),
  "math.bitNot": [many("math.bitNot(i)")],
  bytes: ["bytes(input.wide)", many("bytes(input.wide)"), many("bytes('a')")],
  hex: ["hex(bytes(input.text))", many("hex(b'a')"), many("hex(bytes(input.text))")],
  at: [many("at(b'abc', 1)")],
  base64: ["base64(input.wide)", many("base64(b'a')")],
  "base64.encode": ["base64.encode(input.text)", many("base64.encode(input.text)")],
  "base64.decode": [
    "base64.decode(input.base64)",
    "base64.decode(input.digits)",
    many("base64.decode(input.base64)"),
    many("base64.decode('QQ==')"),
  ],
  base64_encode: ["base64_encode(input.wide)", many("base64_encode(input.text)")],
  base64_decode: [
    "base64_decode(input.base64)",
    "base64_decode(input.digits)",
    many("base64_decode(input.base64)"),
    many("base64_decode('QQ==')"),
  ],
  hmac_sha256: [
    "hmac_sha256(input.text, input.wide)",
    many("hmac_sha256(input.text, 'a')"),
    many("hmac_sha256('a', 'a')"),
  ],
  hash_sha256: [
    "hash_sha256(input.text)",
    many("hash_sha256(input.text)"),
    many("hash_sha256('a')"),
  ],
  slug: ["slug(input.wide)", "slug(input.blanks)", "slug(input.marks)", many("slug(input.marks)")],
  format_number: [
    many("format_number(1.5e300, 100, input.text)"),
    many("format_number(5e-324, 100)"),
    many("format_number(i)"),
  ],
  from_json: ["from_json(input.closed)", "from_json(input.fields)", many("from_json('[1]')")],
  to_json: [
    "to_json(input)",
    "to_json(input.quotes)",
    "to_json(input.controls)",
    "to_json(input.fractions.map(f, f / 3))",
    `to_json(${doubled("input.controls", "c")})`,
    many("to_json(input.map)"),
    many("to_json(input.controls)"),
    many("to_json(i)"),
  ],
  json: [
    "json(input.brackets)",
    "json(input.closed)",
    "json(input.lists)",
    "json(input.maps)",
    "json(input.fields)",
    many("json(input.maps)"),
    many("json('[1]')"),
    many("input.words.exists(w, json('x' + w) == 1)"),
  ],

  // Time, names and the environment
  format_date: [
    "format_date(0, input.brackets)",
    "format_date(0, input.closed)",
    "format_date(0, input.months)",
    many("format_date(0, 'YYYY-MM-DD')"),
  ],
  timestamp: [
    "timestamp(input.digits)",
    "input.times.map(t, timestamp(t))",
    many("timestamp(1.0)"),
  ],
  duration: ["duration(input.digits)", many("duration('1h30m10.123456789s')")],
  ...Object.fromEntries(
    ["FullYear", "Month", "Date", "DayOfMonth", "DayOfWeek", "DayOfYear"].map(
      (name) => [`get${name}`, [many(`get${name}(1.0)`)]],
    ),
  ),
  getHours: [
    "getHours(0, input.text)",
    "input.zones.exists(z, getHours(0, z) == 1)",
    many("getHours(0, 'Europe/Berlin')"),
  ],
  getMinutes: [many("getMinutes('2026-01-01T00:00:00Z')")],
  getSeconds: [many("getSeconds(duration('1h'))")],
  getMilliseconds: [many("getMilliseconds(0, '+01:00')")],
  now: [
    many("now()"),
    many("trim(now())"),
    "cel.bind(t, now(), lists.range(100000).map(i, t == 'x' || t < input.text))",
  ],
  now_unix: [many("now_unix()")],
  uuid: [many("uuid()")],
  random: [many("random()")],
  env: [many("env('WEIR_NO_SUCH_VARIABLE', 'none')")],

  // Macros
  has: [many("has(input.map.constructor)")],
  "cel.bind": [many("cel.bind(x, input.numbers, x)"), doubled("input.text", "x")],
  all: [
    "input.numbers.all(n, n > 'x')",
    "input.numbers.all(n, input.numbers.all(m, m >= 0))",
    "input.numbers.all(n, !(n > 'x' || n < 'x'))",
    "input.numbers.all(i, n, input.numbers.all(j, m, m >= 0))",
    "input.numbers.all(n, input.map.all(k, v, true))",
  ],
  exists: [
    "input.numbers.exists(n, n > 'x')",
    "input.numbers.exists(a, input.numbers.exists(b, input.numbers.exists(c, c > 10)))",
    "input.numbers.exists(n, n > 'x' && n < 'x')",
    "input.numbers.exists(n, [1].exists(m, m > 'x'))",
    "input.numbers.exists(i, n, [1].exists(j, m, m > 'x'))",
  ],
  exists_one: [
    "input.numbers.exists_one(n, input.numbers.exists_one(m, m == n))",
    "input.numbers.exists_one(i, n, input.numbers.exists_one(j, m, m == n))",
  ],
  existsOne: ["input.numbers.existsOne(i, n, input.numbers.existsOne(j, m, m == n))"],
  transformList: [
    "input.numbers.transformList(i, n, input.numbers.transformList(j, m, [i, j, n, m]))",
    "input.map.transformList(k, v, input.map.transformList(l, w, l))",
  ],
  transformMap: [
    "input.numbers.transformMap(i, n, input.numbers.transformMap(j, m, m))",
    "input.map.transformMap(k, v, input.map.transformMap(l, w, {l: w}))",
    many("{'a': 1}.transformMap(k, v, v)"),
  ],
  transformMapEntry: [
    "input.numbers.transformMapEntry(i, n, {string(i): n})",
    "input.map.transformMapEntry(k, v, input.map)",
    many("{'a': 1}.transformMapEntry(k, v, {k: v})"),
  ],
  filter: ["input.numbers.filter(n, n in input.numbers)", many("input.numbers.filter(n, n > 3)")],
  map: [
    many("lists.range(100000).map(j, i * j)"),
    "input.numbers.map(n, input.numbers.map(m, input.text))",
    "input.numbers.map(n, input.numbers)",
    "input.map.map(k, input.map.map(l, l))",
    "input.numbers.map(n, n > 3, {'a': n, 'b': [n], 'c': {'d': n}})",
  ],
  sortBy: ["input.objects.sortBy(o, o.n)", "input.numbers.sortBy(n, input.numbers.sortBy(m, -m))"],

  // Operators
  "==": [
    many("input.same == input.other"),
    many("input.map == input.map"),
    many("input.numbers == [1] + input.numbers"),
    many("input.deep == input.deep"),
  ],
  "!=": [many("input.same + 'a' != input.other + 'a'"), many("input.objects != input.objects")],
  "in": [
    "input.fractions.all(a, input.fractions.all(b, !(b in input.map)))",
    "input.fractions.all(a, input.fractions.all(b, input.map[b] == null))",
    "input.falling.all(a, input.falling.all(b, input.map[b] == null))",
    "input.fractions.all(a, input.fractions.all(b, {b: 1} != null))",
    many("input.other in [input.same, input.same]"),
    many("99 in input.numbers"),
    many("i in {}"),
  ],
  "<": [many("input.same < input.other"), many("i < 3")],
  "<=": [many("input.same <= input.other"), many("bytes('a') <= bytes('b')")],
  ">": [many("input.same > input.other"), many("timestamp(0) > timestamp(1)")],
  ">=": [many("input.same >= input.other")],
  "+": [
    doubled("input.text", "s"),
    doubled("input.numbers", "l"),
    doubled("bytes(input.text)", "b"),
    many("input.numbers + input.numbers"),
    many("input.text + input.wide"),
    many("i + i"),
    many("timestamp(0) + duration('1h')"),
  ],
  "-": [many("i - 1"), many("timestamp(1) - timestamp(0)")],
  "*": [many("i * i")],
  "/": [many("i / 7")],
  "%": [many("i % 7")],
  "&&": ["input.numbers.filter(n, (n > 'x') && false)", many("i > 'x' && false")],
  "||": ["input.numbers.filter(n, (n > 'x') || true)", many("(i > 'x' || i > 'x') || true")],
  "!_": [many("!(i == 1)")],
  "-_": [many("-i")],
  "?:": [many("i > 3 ? input.text : input.numbers")],
  "[]": [many("input.map['k' + string(i)]"), many("input[input.text]")],
  ".": [many("input.map.k1.missing.deep")],
  list: [many("[input.numbers, input.numbers, input.numbers]"), many("[i, i, i, i, i, i, i, i]")],
  map_literal: [many("{'a': i, 'b': i, 'c': i, 'd': i}"), "{input.text: input.text}"],
};

/** A list of two lists of two lists… */
function nestedLists(depth: number): string {
  return Array.from({ length: depth }).reduce<string>(
    (text, _, i) => `cel.bind(f${i}, ${text}, [f${i}, f${i}])`,
    "input.numbers",
  );
}
