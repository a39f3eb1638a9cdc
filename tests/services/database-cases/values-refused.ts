/** What `weir check` says that a column can never store: the database refuses all of it. */
import assert from "node:assert/strict";
import type { ValueKind } from "../../../src/base/known-value.ts";
import type { Details } from "../../../src/connectors/database/driver.ts";
import { openSchema } from "../../../src/connectors/database/drivers/sqlite/schema/mod.ts";
import { SAMPLES } from "../../../src/connectors/database/inspection/samples.ts";
import { wrongValue } from "../../../src/connectors/database/inspection/values.ts";
import type { Kind } from "./differences.ts";
import type { Subject, Topic, Wanted } from "./subject.ts";

/** The kinds of which no value can be stored in a column of a type; "" for none. */
type Refused = Readonly<Record<string, string>>;

const TEXTS_WITHOUT_NUMBERS = "email url uuid ip date time";
const NO_NUMBERS = `list object ${TEXTS_WITHOUT_NUMBERS}`;

const REFUSED: Readonly<Record<Kind, Refused>> = {
  sqlite: {
    INT: NO_NUMBERS,
    INTEGER: NO_NUMBERS,
    REAL: NO_NUMBERS,
    TEXT: "",
    BLOB: `boolean integer number long text list object ${TEXTS_WITHOUT_NUMBERS}`,
    ANY: "",
  },
  postgres: {
    smallint: `boolean ${NO_NUMBERS}`,
    integer: `boolean ${NO_NUMBERS}`,
    bigint: `boolean ${NO_NUMBERS}`,
    real: `boolean ${NO_NUMBERS}`,
    "double precision": `boolean ${NO_NUMBERS}`,
    "numeric(30, 2)": `boolean ${NO_NUMBERS}`,
    boolean: `long list object ${TEXTS_WITHOUT_NUMBERS}`,
    text: "",
    "varchar(200)": "",
    uuid: "boolean integer number long list object email url ip date time",
    jsonb: "",
    json: "",
    bytea: `boolean integer number list object ${TEXTS_WITHOUT_NUMBERS}`,
    timestamptz: "boolean integer number list object",
    "timestamp(3)": "boolean integer number list object",
    date: "boolean integer number list object",
    time: "",
    interval: "",
    inet: "",
    "integer[]": `boolean integer number long object ${TEXTS_WITHOUT_NUMBERS}`,
    "text[]": `boolean integer number long object ${TEXTS_WITHOUT_NUMBERS}`,
  },
  mysql: {
    TINYINT: NO_NUMBERS,
    BOOLEAN: NO_NUMBERS,
    INT: NO_NUMBERS,
    "BIGINT UNSIGNED": NO_NUMBERS,
    FLOAT: NO_NUMBERS,
    DOUBLE: NO_NUMBERS,
    "DECIMAL(30, 2)": NO_NUMBERS,
    YEAR: NO_NUMBERS,
    "VARCHAR(200)": "",
    TEXT: "",
    JSON: "",
    BLOB: `boolean integer number list object ${TEXTS_WITHOUT_NUMBERS}`,
    "VARBINARY(200)": `boolean integer number list object ${TEXTS_WITHOUT_NUMBERS}`,
    "DATETIME(3)": "list object",
    TIMESTAMP: "list object",
    DATE: "list object",
    TIME: "",
    "ENUM('a', '1')": "",
  },
};

/** Kinds that a column of a type refuses, and of which `check` says nothing. */
const UNSAID: Readonly<Record<Kind, Refused>> = {
  sqlite: {},
  postgres: {
    smallint: "long",
    integer: "long",
    timestamptz: "long email url uuid ip",
    "timestamp(3)": "long email url uuid ip",
    date: "long email url uuid ip",
    time: "boolean long list object email url uuid date time",
    interval: "boolean long object email url uuid date time",
    inet: "boolean integer number long list object email url uuid date time",
  },
  mysql: {
    TINYINT: "long",
    BOOLEAN: "long",
    INT: "long",
    YEAR: "long",
    "DATETIME(3)": "long email url",
    TIMESTAMP: "long email url",
    DATE: "long email url",
    TIME: "long list object email url uuid ip date time",
    "ENUM('a', '1')": "long list object email url uuid ip date time",
  },
};

/** More values of each kind, some of which a server could take for something else. */
const MORE: Readonly<Record<ValueKind, readonly unknown[]>> = {
  null: [],
  boolean: [],
  integer: [-5, 32, 255, 1999, 101_112, 2 ** 31, 2 ** 53 - 1, 20_260_131_120_000],
  number: [-0.5, 1e300, 1e-7, 0.1, 20_260_131.5],
  long: ["9223372036854775807", "-9223372036854775808", "18446744073709551615"],
  text: [
    ...[" 12 ", "+1", "-1e-5", ".5", "1.", "0x1F", "1_000", "NaN", "Infinity", "-inf", "inf"],
    ...["t", "yes", "off", "o", "maybe", "now", "epoch", "today", "2026", "20260131", "12 days"],
    ...["[1,2]", '{"a":1}', "{a,b}", "[0:1]={1,2}", "(1,2)", "null", "NULL", "é", "AAA=", "AA"],
    ...["{123e4567-e89b-42d3-a456-426614174000}", "123E4567E89B42D3A456426614174000", "::1"],
    ...["31.01.2026", "1/2/2026", "12:30", "1-2", "1e5", "'1'", '"1"', "1,5", "\n1\n", "b'1'"],
  ],
  list: [[1, 2], [true], [null], [{}], ["2026-01-31"], ["a", 1], [20_260_131]],
  object: [{ a: null }, { "1": 1 }, { value: 1 }, { a: {} }],
  email: ["ann@example.org", "1e5@2.co", "a-b-c@d-e.example"],
  url: ["http://localhost/", "http://1:2/3", "https://a.example/2026-01-31"],
  uuid: ["00000000-0000-0000-0000-000000000000", "12345678-1234-1234-8234-123456789012"],
  ip: ["127.0.0.1", "0.0.0.0", "fe80::1", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "1::"],
  date: ["2000-02-29", "0001-01-01", "9999-12-31"],
  time: ["2000-02-29T23:59:59.999999999Z", "1999-12-31T00:00:00-11:30", "2026-01-31t12:00:00z"],
};

const KINDS = Object.keys(SAMPLES) as readonly ValueKind[];

const valuesOf = (kind: ValueKind) => [
  ...SAMPLES[kind],
  ...MORE[kind],
  ...kind === "number" ? MORE.integer : [],
];

const columnsOf = (kind: Kind) =>
  Object.keys(REFUSED[kind]).map((type, at) => ({ type, name: `c${at}` }));

function tableOf(kind: Kind): string {
  const nullable = kind === "mysql" ? " NULL" : "";
  const columns = columnsOf(kind).map(({ type, name }) => `${name} ${type}${nullable}`);
  return `CREATE TABLE kept (${columns.join(", ")})${kind === "sqlite" ? " STRICT" : ""};`;
}

/** What is known of the table from its migration, while `use` runs. */
async function withDetails(kind: Kind, use: (details: Details) => Promise<void>): Promise<void> {
  const titles = { postgres: "PostgreSQL", mysql: "MySQL" };
  const plays = kind === "sqlite"
    ? undefined
    : { title: titles[kind], syntax: kind, changes: false };
  const migration = { name: "001.sql", sql: tableOf(kind), checksum: "" };
  const opened = await openSchema([migration], plays);
  assert.ok(opened !== undefined && "database" in opened);
  const { details } = opened.database;
  assert.ok(details);
  await use(details);
  await opened.close();
}

/** Whether a column takes a value, from a write to the table or from a query where `check` reads it. */
async function isTaken(subject: Subject, column: string, value: unknown): Promise<boolean> {
  const query = `INSERT INTO kept (${column}) VALUES (:value)`;
  const attempts: Wanted[] = [
    { target: "kept", payload: { [column]: value }, resultUsed: false },
    ...subject.kind === "mysql" ? [] : [{ query, payload: { value }, resultUsed: false }],
  ];
  const taken = await Promise.all(
    attempts.map((one) => subject.write(one).then(() => true, () => false)),
  );
  return taken.includes(true);
}

/** Values that can never be stored. */
export const refused: Topic = {
  schema: () => "SELECT 1;",
  cases: {
    "no value is taken of which check says that it can never be stored": async (subject) => {
      await subject.write({ query: tableOf(subject.kind) });
      await withDetails(subject.kind, (details) => compare(subject, details));
    },
  },
};

/** Writes values of each kind into a column of each type, and compares with what `check` says. */
async function compare(subject: Subject, details: Details): Promise<void> {
  const found: Record<string, string> = {};
  const unsaid: Record<string, string> = {};
  const wrong: string[] = [];
  for (const { type, name } of columnsOf(subject.kind)) {
    const column = {
      table: "kept",
      column: name,
      attribute: "target" as const,
      needsValue: false,
      hasDefault: false,
    };
    const told: string[] = [];
    const silent: string[] = [];
    for (const kind of KINDS.filter((kind) => kind !== "null")) {
      const isTold = wrongValue({ name, values: [{ kind }] }, column, details) !== undefined;
      if (isTold) told.push(kind);
      const values = valuesOf(kind);
      const stored = await Promise.all(values.map((value) => isTaken(subject, name, value)));
      for (const value of values.filter((_, at) => stored[at])) {
        const isRefused = details.refusal("kept", name, value) !== undefined;
        if (isTold || isRefused) wrong.push(`${type} ${JSON.stringify(value)}`);
      }
      if (!stored.includes(true) && !isTold) silent.push(kind);
    }
    found[type] = told.join(" ");
    if (silent.length > 0) unsaid[type] = silent.join(" ");
  }
  assert.deepEqual(wrong, []);
  assert.deepEqual(found, REFUSED[subject.kind]);
  assert.deepEqual(unsaid, UNSAID[subject.kind]);
}
