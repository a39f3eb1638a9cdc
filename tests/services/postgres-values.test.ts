/** Values of every type into PostgreSQL and out of it, and those that a type cannot hold. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PostgresStatement } from "../../src/connectors/database/drivers/postgres/statement.ts";
import { TypeCatalog } from "../../src/connectors/database/drivers/postgres/types.ts";
import { withPostgres } from "../support/postgres.ts";
import { statementOf, type Statements, withStatements } from "../support/postgres-statements.ts";
import { serviceTest } from "../support/services.ts";

const TIMEOUT = { timeout: 10_000 };

const SCHEMA = `
  create type mood as enum ('sad', 'it''s "ok"');
  create domain positive as int check (value > 0);
  create domain moods as mood[];
  create type pair as (a int, b text);
`;

/** A value, what comes back of it, and the text that PostgreSQL has for it where that says more. */
type Case = readonly [input: unknown, output: unknown, text?: string];

const same = (...values: unknown[]): Case[] => values.map((value) => [value, value]);

const DATE = new Date("2026-01-02T03:04:05.678Z");
const BYTES = Uint8Array.of(0, 1, 0x5c, 0x22, 255);
const BASE64 = Buffer.from(BYTES).toString("base64");

const VALUES: Readonly<Record<string, readonly Case[]>> = {
  boolean: [...same(true, false, null), [1, true], [0, false], ["yes", true], [undefined, null]],
  smallint: [...same(0, -32768, 32767), ["12", 12], [12n, 12], [-0, 0]],
  integer: same(0, -2147483648, 2147483647),
  bigint: [
    ...same(0, 9007199254740991, -9007199254740991, "9223372036854775807", "-9007199254740992"),
    [9223372036854775807n, "9223372036854775807"],
    [2 ** 60, "1152921504606846976"],
    [-(2 ** 63), "-9223372036854775808"],
  ],
  real: [...same(1.5, -2, "NaN"), [NaN, "NaN"], [Infinity, "Infinity"]],
  "double precision": [
    ...same(0.1, 1e300, 5e-324, "NaN", "-Infinity"),
    [NaN, "NaN"],
    [-Infinity, "-Infinity"],
    [12n, 12],
  ],
  numeric: [
    ...same("1.10", "123456789012345678901234567890.5", "NaN"),
    [1.5, "1.5"],
    [NaN, "NaN"],
    [1e21, "1000000000000000000000"],
    [10n ** 30n, `1${"0".repeat(30)}`],
  ],
  "numeric(10, 2)": [[1, "1.00"], [1.5, "1.50"]],
  text: [
    ...same("", "a", "ünï🙂", "'\"\\{},$1", "x".repeat(300), `ü${"x".repeat(300)}`, "\n\t\r"),
    ["x".repeat(39) + "ü", "x".repeat(39) + "ü"],
    [1, "1"],
    [1.5, "1.5"],
    [12n, "12"],
    [true, "true"],
    [DATE, "2026-01-02T03:04:05.678Z"],
    [{ a: [1] }, '{"a":[1]}'],
    [[1, "b"], '[1,"b"]'],
  ],
  "varchar(5)": same("abcde"),
  "char(3)": [["a", "a  "]],
  json: same(1, "text", true, [1, [2]], { a: { b: null } }, "null", 1.5, ""),
  jsonb: [
    ...same(1, "text", false, [], [1, [2]], { "__proto__x": 1, "ü": "🙂" }, "{", '"\\u0000'),
    [DATE, "2026-01-02T03:04:05.678Z"],
    [12n, 12],
    [JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}')],
  ],
  bytea: [...same("", BASE64), [BYTES, BASE64, "\\x00015c22ff"], [BYTES.subarray(1, 2), "AQ=="]],
  date: [...same("2026-01-02", "infinity"), [DATE, "2026-01-02"], [
    "0044-03-15 BC",
    "0044-03-15 BC",
  ]],
  time: [...same("03:04:05", "03:04:05.123456"), ["03:04", "03:04:00"]],
  timetz: [["03:04:05+02", "03:04:05+02"]],
  timestamp: [
    ...same("infinity", "-infinity", "2026-01-02T03:04:05.123456Z", "0000-12-31T00:00:00.000Z"),
    [DATE, "2026-01-02T03:04:05.678Z", "2026-01-02 03:04:05.678"],
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"],
    ["2026-01-02 03:04:05.1234", "2026-01-02T03:04:05.123400Z"],
    // PostgreSQL itself drops the offset.
    ["2026-01-02T03:04:05.123456+02:00", "2026-01-02T01:04:05.123456Z"],
    ["2026-01-02 03:04-0130", "2026-01-02T04:34:00.000Z"],
    ["2026-01-02", "2026-01-02T00:00:00.000Z"],
  ],
  timestamptz: [
    ...same("infinity", "2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.120Z"),
    [DATE, "2026-01-02T03:04:05.678Z", "2026-01-02 03:04:05.678+00"],
    ["2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000Z"],
    ["2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"],
    [
      new Date("-000043-03-15T01:02:03Z"),
      "-000043-03-15T01:02:03.000Z",
      "0044-03-15 01:02:03+00 BC",
    ],
    [new Date("0000-03-15T01:02:03Z"), "0000-03-15T01:02:03.000Z", "0001-03-15 01:02:03+00 BC"],
    [new Date("+012026-01-02T03:04:05Z"), "+012026-01-02T03:04:05.000Z"],
    [new Date("0099-01-02T03:04:05Z"), "0099-01-02T03:04:05.000Z"],
  ],
  interval: [["1 day 2 hours", "1 day 02:00:00"], [5, "00:00:05"]],
  uuid: same("6f1c5d4e-0000-4000-8000-000000000000"),
  inet: same("10.0.0.1", "::1"),
  xml: same("<a/>"),
  point: [["(1,2)", "(1,2)"]],
  int4range: [["[1,5)", "[1,5)"]],
  oid: same(4294967295),
  int2vector: same("1 2"),
  mood: same("sad", `it's "ok"`),
  positive: same(1),
  pair: same('(1,"a b")'),
  "boolean[]": [...same([true, false, null], []), [[1, 0], [true, false]]],
  "integer[]": [
    ...same([], [1, null, -3], [[1, 2], [3, 4]], [[[1], [2]]], null),
    ["{1,2}", [1, 2]],
    ["[0:1]={7,8}", [7, 8]],
  ],
  "bigint[]": same([1, "9223372036854775807"]),
  "numeric[]": [[[1, "2.50"], ["1", "2.50"]]],
  "double precision[]": [[[1.5, NaN, Infinity], [1.5, "NaN", "Infinity"]]],
  "text[]": same(
    ["", "a", null, "NULL", "null", 'q"\\', "{a,b}", " x ", "ü🙂", "\n"],
    [["a", "b"], ["c", "d"]],
  ),
  "bytea[]": [[[BYTES, BASE64, null], [BASE64, BASE64, null]]],
  "date[]": same(["2026-01-02"]),
  "timestamptz[]": [[[DATE, null, "2026-01-02T03:04:05.123456Z"], [
    "2026-01-02T03:04:05.678Z",
    null,
    "2026-01-02T03:04:05.123456Z",
  ]]],
  "json[]": same([{ a: '"' }, [1, [2]], "text", 5, null]),
  "jsonb[]": same([{ a: [1, { b: '\\"' }] }, [], [[1]], true]),
  "uuid[]": same(["6f1c5d4e-0000-4000-8000-000000000000"]),
  "mood[]": same(["sad", `it's "ok"`, null], [["sad"], ["sad"]]),
  moods: same(["sad"]),
  "positive[]": same([1, 2]),
  "pair[]": same(['(1,"a b")', null]),
  "box[]": [[["(3,4),(1,2)", "(7,8),(5,6)"], ["(3,4),(1,2)", "(7,8),(5,6)"]]],
  "int4range[]": [[["[1,5)"], ["[1,5)"]]],
};

/** Registers a test with one connection to a database with types of its own. */
function valuesTest(
  name: string,
  run: (statements: Statements) => Promise<void>,
): Promise<void> {
  return serviceTest(
    "postgres",
    `postgres values: ${name}`,
    () => withPostgres(({ url }) => withStatements(url, run), { schema: SCHEMA }),
  );
}

await valuesTest("each type there and back, in columns and in parameters", async (
  { connection, client },
) => {
  for (const [type, cases] of Object.entries(VALUES)) {
    await client.query(`create table t (v ${type}, n int)`);
    const insert = statementOf("INSERT INTO t VALUES ($1, $2) RETURNING v, v::text AS text");
    const cast = statementOf(`SELECT $1::${type} AS v`);
    for (const [input, output, text] of cases) {
      const what = `${type}: ${typeof input} ${String(input)}`;
      const found = await connection.query(insert, [input, 1], TIMEOUT);
      assert.ok(Array.isArray(found));
      assert.deepEqual(found[0].v, output, what);
      if (text !== undefined) assert.equal(found[0].text, text, what);
      // What has come out can be written again, and is the same.
      assert.deepEqual(await connection.query(cast, [output], TIMEOUT), [{ v: output }], what);
    }
    await client.query("drop table t");
  }
});

/** What each type refuses before it is sent, and the end of the error. */
const NOT_SENT: Readonly<Record<string, readonly (readonly [unknown, string])[]>> = {
  boolean: [
    [2, "is 2, and must be true or false"],
    [{}, "is an object, and must be true or false"],
    [NaN, "is NaN, and must be true or false"],
  ],
  smallint: [
    [1.5, "is 1.5, and must be a whole number"],
    [32768, "is 32768, which is beyond 16 bits"],
    [true, "is true, and must be a whole number"],
    [NaN, "is NaN, and must be a whole number"],
    [[1], "is a list, and must be a whole number"],
  ],
  integer: [
    [-2147483649n, "is -2147483649, which is beyond 32 bits"],
    [Infinity, "is Infinity, and must be a whole number"],
    [DATE, "is a date, and must be a whole number"],
  ],
  bigint: [
    [2n ** 63n, "is 9223372036854775808, which is beyond 64 bits"],
    [2 ** 63, "is 9223372036854776000, which is beyond 64 bits"],
    [1e300, "is 1e+300, which is beyond 64 bits"],
  ],
  numeric: [[true, "is true, and must be a number"], [{}, "is an object, and must be a number"]],
  real: [[false, "is false, and must be a number"]],
  text: [
    ["a\0b", "has a NUL character, which cannot be stored"],
    ["a\ud800", "has half of a surrogate pair, which cannot be stored"],
    [NaN, "is NaN, which cannot be stored"],
    [Infinity, "is Infinity, which cannot be stored"],
    [BYTES, "is bytes, and must be text"],
    [{ a: "\0" }, "has a NUL character, which cannot be stored"],
  ],
  uuid: [[NaN, "is NaN, which cannot be stored"]],
  jsonb: [
    ["a\0b", "has a NUL character, which cannot be stored"],
    [{ "\udfff": 1 }, "has half of a surrogate pair, which cannot be stored"],
    [["\\\0"], "has a NUL character, which cannot be stored"],
    [NaN, "is NaN, which cannot be stored"],
    [{ a: 1n }, "cannot be stored as JSON:"],
  ],
  json: [[Infinity, "is Infinity, which cannot be stored"]],
  bytea: [
    ["*", "is not Base64, as bytes must be"],
    ["AAA", "is not Base64, as bytes must be"],
    ["AA AA", "is not Base64, as bytes must be"],
    [1, "is 1, and must be Base64 text"],
    [{}, "is an object, and must be Base64 text"],
  ],
  date: [[20260101, "is 20260101, and must be ISO 8601 text"]],
  timestamp: [[true, "is true, and must be ISO 8601 text"]],
  timestamptz: [
    [new Date(NaN), "is an invalid date"],
    [1700000000000, "is 1700000000000, and must be ISO 8601 text"],
    ["2026\0", "has a NUL character, which cannot be stored"],
  ],
  "integer[]": [
    [1, "is a number, and must be a list"],
    [{}, "is an object, and must be a list"],
    [[1, [1.5]], "is 1.5, and must be a whole number"],
    ["{\0}", "has a NUL character, which cannot be stored"],
  ],
  "text[]": [[["\0"], "has a NUL character, which cannot be stored"]],
  "bytea[]": [[["?"], "is not Base64, as bytes must be"]],
};

/** What only the server can refuse. */
const REFUSED: Readonly<Record<string, readonly unknown[]>> = {
  boolean: ["maybe"],
  smallint: ["1.5", "abc", "", "70000"],
  bigint: ["9223372036854775808"],
  real: ["abc", 1e300],
  "numeric(3, 1)": [1000],
  "varchar(3)": ["abcd"],
  date: ["2026-02-30", "tomorrowish"],
  timestamp: ["2026-01-02T25:00:00Z", "2026-13-02T03:04:05+02:00"],
  timestamptz: ["", "never"],
  time: ["25:00"],
  uuid: ["abc", 5, {}],
  inet: ["300.0.0.1"],
  mood: ["happy"],
  positive: [-1],
  "integer[]": ["{a}", [[1], [2, 3]], [1, [2]], ["x"]],
  "mood[]": [["happy"]],
  int4range: ["[5,1)"],
};

await valuesTest("what a type cannot hold is refused, and names the parameter", async (
  { connection, client },
) => {
  for (const [type, cases] of Object.entries(NOT_SENT)) {
    await client.query(`create table t (v ${type})`);
    const insert = statementOf("INSERT INTO t VALUES ($1)");
    for (const [value, message] of cases) {
      const running = connection.query(insert, [value], TIMEOUT);
      await assert.rejects(running, (error: Error) => {
        assert.equal(error.name, "ValueError", `${type}: ${error.message}`);
        assert.ok(error.message.startsWith(`parameter ":a" ${message}`), error.message);
        return true;
      });
    }
    await client.query("drop table t");
  }
  for (const [type, values] of Object.entries(REFUSED)) {
    await client.query(`create table t (v ${type})`);
    const insert = statementOf("INSERT INTO t VALUES ($1)");
    for (const value of values) {
      const running = connection.query(insert, [value], TIMEOUT);
      await assert.rejects(running, { name: "error" }, `${type}: ${JSON.stringify(value)}`);
    }
    await client.query("drop table t");
  }
});

await valuesTest("a column is named where the statement writes to a table", async (
  { connection, client },
) => {
  await client.query(`create table t ("a ""b" int)`);
  const write = { operation: "INSERT", table: "t", key: [], columns: ['a "b'] } as const;
  const options = { rows: "none", background: false, names: ['a "b'], write } as const;
  const insert = new PostgresStatement(`INSERT INTO t VALUES ($1)`, options);
  await assert.rejects(connection.query(insert, [NaN], TIMEOUT), {
    message: 'column "a \\"b" is NaN, and must be a whole number',
  });
});

await valuesTest("rows are read whatever the session's zone and format are", async (
  { connection, client },
) => {
  await client.query("set timezone = 'Asia/Kathmandu'");
  const read = statementOf("SELECT '2026-01-02T03:04:05.123456Z'::timestamptz AS v");
  assert.deepEqual(await connection.query(read, [], TIMEOUT), [
    { v: "2026-01-02T03:04:05.123456Z" },
  ]);
});

await valuesTest("texts of the server are decoded by their OIDs", async ({ client }) => {
  const types = new TypeCatalog();
  assert.equal(types.decode(16, "t"), true);
  assert.deepEqual(types.decode(1007, "{1,NULL}"), [1, null]);
  const { rows } = await client.query("select 'mood[]'::regtype::oid::int as oid");
  const [{ oid }] = rows as [{ oid: number }];
  assert.deepEqual(types.missing([23, oid]), [oid]);
  // The catalog takes int2vector for an array, so that it must not be asked.
  assert.deepEqual(types.missing([22]), []);
  assert.equal(types.decode(oid, "{sad}"), "{sad}");
  await types.learn(client, [oid, 4294967295]);
  assert.deepEqual(types.missing([oid, 4294967295]), []);
  assert.deepEqual(types.decode(oid, "{sad}"), ["sad"]);
});
