/** The types of MariaDB, as its client and as Weir have their values. The client's zone is Tokyo's. */
import type { Typed } from "./interop.ts";

const WORDS = "ü\u{1F600} 'x' \"y\" \\ n {,} ; --";

const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;

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

const hex = (column: string) => `HEX(${column})`;

/** At least one of every type. */
export const mariadbTypes: readonly Typed[] = [
  number("TINYINT", -128),
  number("BOOLEAN", 1),
  number("SMALLINT", 32767),
  number("MEDIUMINT", -8388608),
  number("INT", 2147483647),
  number("INT UNSIGNED", 4294967295),
  number("BIGINT", -9007199254740991),
  same("BIGINT", "-9223372036854775808"),
  same("BIGINT UNSIGNED", "18446744073709551615"),
  same("DECIMAL(40,10)", "12345678901234567890.0123456789"),
  same("DECIMAL(10,2)", "-3.50"),
  number("FLOAT", 1.5),
  number("DOUBLE", 0.1),
  number("DOUBLE", 1e300, "1e300"),
  number("YEAR", 2026),
  { type: "BIT(8)", sql: "b'10100101'", value: 165, text: "A5", show: hex },
  same("CHAR(5)", "ab"),
  same("VARCHAR(40)", WORDS),
  same("TINYTEXT", "tiny"),
  same("TEXT", WORDS),
  same("MEDIUMTEXT", ""),
  same("LONGTEXT", "long"),
  { type: "BINARY(3)", sql: "X'00FF'", value: "AP8A", text: "00FF00", show: hex },
  { type: "VARBINARY(9)", sql: "X'00FF275C'", value: "AP8nXA==", text: "00FF275C", show: hex },
  { type: "TINYBLOB", sql: "''", value: "", text: "", show: hex },
  { type: "BLOB", sql: "X'00FF'", value: "AP8=", text: "00FF", show: hex },
  { type: "LONGBLOB", sql: "X'0A0D1A'", value: "Cg0a", text: "0A0D1A", show: hex },
  same("DATE", "2026-01-31"),
  same("TIME", "-12:34:56"),
  same("TIME(3)", "838:59:58.123"),
  {
    type: "DATETIME",
    sql: "'2026-01-31 23:59:59'",
    value: "2026-01-31T23:59:59.000Z",
    text: "2026-01-31 23:59:59",
  },
  {
    type: "DATETIME(6)",
    sql: "'2026-01-31 23:59:59.123456'",
    value: "2026-01-31T23:59:59.123456Z",
    text: "2026-01-31 23:59:59.123456",
  },
  {
    type: "TIMESTAMP(3) NULL",
    sql: "'2026-02-01 08:59:59.123'",
    value: "2026-01-31T23:59:59.123Z",
    text: "2026-02-01 08:59:59.123",
  },
  {
    type: "JSON",
    sql: `'{"b":1,"a":[1.5,null,"ü\u{1F600}"]}'`,
    value: { b: 1, a: [1.5, null, "ü\u{1F600}"] },
    text: '{"b":1,"a":[1.5,null,"ü\u{1F600}"]}',
  },
  { type: "JSON", sql: "'[1,2]'", value: [1, 2], text: "[1,2]" },
  { type: "JSON", sql: `'"text"'`, value: "text", text: '"text"' },
  same("ENUM('sad', 'very happy')", "very happy"),
  same("SET('a', 'b', 'c')", "a,c"),
  same("UUID", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
  same("INET6", "2001:db8::1"),
  same("INET4", "192.168.0.1"),
  { type: "INT", sql: "NULL", value: null, text: "NULL" },
];
