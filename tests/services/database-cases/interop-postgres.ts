/** The types of PostgreSQL, as psql and as Weir have their values. psql's time zone is Tokyo's. */
import type { Typed } from "./interop.ts";

const WORDS = "ü\u{1F600} 'x' \"y\" \\n {,} ; --";

/** What comes before the table. */
export const POSTGRES_TYPES = `
  CREATE TYPE mood AS ENUM ('sad', 'very happy');
  CREATE DOMAIN positive AS integer CHECK (value > 0);
  CREATE TYPE pair AS (a integer, b text);
`;

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** A value whose text is the same for all three. */
const same = (type: string, text: string): Typed => ({
  type,
  sql: quoted(text),
  value: text,
  text,
});

/** A number that is a number for Weir. */
const number = (type: string, value: number, text = String(value)): Typed => ({
  type,
  sql: text,
  value,
  text,
});

/** At least one of every type. */
export const postgresTypes: readonly Typed[] = [
  number("smallint", -32768),
  number("integer", 2147483647),
  number("bigint", 9007199254740991),
  same("bigint", "9223372036854775807"),
  same("numeric", "12345678901234567890.0123456789"),
  same("numeric(10,2)", "-3.50"),
  same("numeric", "NaN"),
  number("real", 0.1),
  number("double precision", 0.1),
  number("double precision", 1e300, "1e+300"),
  same("double precision", "NaN"),
  same("double precision", "-Infinity"),
  number("oid", 4294967295),
  { type: "money", sql: "12.34", value: "$12.34", text: "$12.34" },
  same("text", WORDS),
  same("text", ""),
  same("varchar(40)", WORDS),
  same("char(5)", "ab   "),
  same("name", "a_name"),
  { type: "boolean", sql: "true", value: true, text: "t" },
  { type: "boolean", sql: "false", value: false, text: "f" },
  { type: "bytea", sql: "'\\x00ff275c'", value: "AP8nXA==", text: "\\x00ff275c" },
  { type: "bytea", sql: "''", value: "", text: "\\x" },
  {
    type: "json",
    sql: `'{"b":1,"a":[1.5,null,"ü\u{1F600}"]}'`,
    value: { b: 1, a: [1.5, null, "ü\u{1F600}"] },
    text: '{"b":1,"a":[1.5,null,"ü\u{1F600}"]}',
  },
  {
    type: "jsonb",
    sql: `'{"b": 1, "a": [true, {}]}'`,
    value: { a: [true, {}], b: 1 },
    text: '{"a": [true, {}], "b": 1}',
  },
  { type: "jsonb", sql: `'"text"'`, value: "text", text: '"text"' },
  { type: "jsonb", sql: "'[1, 2]'", value: [1, 2], text: "[1, 2]" },
  same("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
  same("date", "2026-01-31"),
  same("date", "infinity"),
  same("date", "0044-03-15 BC"),
  same("time", "12:34:56.789"),
  same("timetz", "12:34:56+02"),
  {
    type: "timestamp",
    sql: "'2026-01-31 23:59:59.123456'",
    value: "2026-01-31T23:59:59.123456Z",
    text: "2026-01-31 23:59:59.123456",
  },
  {
    type: "timestamptz",
    sql: "'2026-02-01 08:59:59.123456+09'",
    value: "2026-01-31T23:59:59.123456Z",
    text: "2026-02-01 08:59:59.123456+09",
  },
  {
    type: "timestamptz(0)",
    sql: "'2026-02-01 09:00:00+09'",
    value: "2026-02-01T00:00:00.000Z",
    text: "2026-02-01 09:00:00+09",
  },
  same("timestamptz", "-infinity"),
  same("interval", "1 year 2 mons 3 days 04:05:06.7"),
  same("inet", "192.168.0.1/24"),
  same("cidr", "2001:db8::/32"),
  same("macaddr", "08:00:2b:01:02:03"),
  same("point", "(1.5,-2)"),
  same("polygon", "((0,0),(1,0),(1,1))"),
  same("int4range", "[1,5)"),
  same("tstzrange", "empty"),
  same("bit(4)", "1010"),
  same("varbit", "10101"),
  same("xml", "<a>ü</a>"),
  same("tsvector", "'a':1 'b':2"),
  same("mood", "very happy"),
  number("positive", 7),
  same("pair", '(1,"a b")'),
  { type: "integer[]", sql: "'{1,NULL,-3}'", value: [1, null, -3], text: "{1,NULL,-3}" },
  { type: "integer[]", sql: "'{}'", value: [], text: "{}" },
  { type: "integer[][]", sql: "'{{1,2},{3,4}}'", value: [[1, 2], [3, 4]], text: "{{1,2},{3,4}}" },
  {
    type: "bigint[]",
    sql: "'{9223372036854775807,1}'",
    value: ["9223372036854775807", 1],
    text: "{9223372036854775807,1}",
  },
  {
    type: "text[]",
    sql: `ARRAY['', 'a,b', '"{}\\', NULL, 'NULL', ${quoted(WORDS)}]`,
    value: ["", "a,b", '"{}\\', null, "NULL", WORDS],
    text: `{"","a,b","\\"{}\\\\",NULL,"NULL","ü\u{1F600} 'x' \\"y\\" \\\\n {,} ; --"}`,
  },
  { type: "boolean[]", sql: "'{t,f}'", value: [true, false], text: "{t,f}" },
  { type: "bytea[]", sql: `ARRAY['\\x00ff'::bytea]`, value: ["AP8="], text: '{"\\\\x00ff"}' },
  {
    type: "jsonb[]",
    sql: `ARRAY['{"a": [1]}'::jsonb, '2']`,
    value: [{ a: [1] }, 2],
    text: '{"{\\"a\\": [1]}",2}',
  },
  {
    type: "timestamptz[]",
    sql: "ARRAY['2026-02-01 09:00:00+09'::timestamptz]",
    value: ["2026-02-01T00:00:00.000Z"],
    text: '{"2026-02-01 09:00:00+09"}',
  },
  {
    type: "mood[]",
    sql: "'{sad,\"very happy\"}'",
    value: ["sad", "very happy"],
    text: '{sad,"very happy"}',
  },
  { type: "positive[]", sql: "'{1,2}'", value: [1, 2], text: "{1,2}" },
  { type: "integer", sql: "NULL", value: null, text: "∅" },
];
