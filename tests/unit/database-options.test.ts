/** What a `connector` block of a database may say, for drivers of every kind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../src/base/errors.ts";
import { checkDestination } from "../../src/connectors/database/checks.ts";
import { checkConnector } from "../../src/connectors/database/connector-checks.ts";
import type { Driver, Syntax } from "../../src/connectors/database/driver.ts";
import { databaseConnector } from "../../src/connectors/database/mod.ts";
import { type DatabaseOptions, fields } from "../../src/connectors/database/options.ts";
import { defineConnector } from "../../src/contract/definition.ts";
import { attribute } from "../../src/contract/fields.ts";
import { text } from "../../src/contract/value-schema.ts";
import type { Problem } from "../../src/base/problem.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { codeOf } from "../support/problems.ts";

const SERVER = ["url", "host", "port", "database", "user", "password", "tls", "pool"];

const driver = (title: string, attributes: readonly string[]): Driver => ({
  title,
  syntax: "sqlite",
  attributes,
  load: () => Promise.reject(new Error("it is not loaded")),
});

/** As the table of drivers is: one with files, two with servers, of which one has changes. */
const drivers: Readonly<Record<string, Driver>> = {
  sqlite: driver("SQLite", ["database"]),
  postgres: {
    ...driver("PostgreSQL", [...SERVER, "statement_timeout", "changes"]),
    schemes: ["postgres", "postgresql"],
  },
  mysql: { ...driver("MySQL", [...SERVER, "statement_timeout"]), schemes: ["mysql"] },
};

const database = defineConnector({
  fields: { driver: attribute(text(), { about: "Any.", required: true }), ...fields },
  check: (options) => checkConnector(options, drivers),
  create: () => ({}),
});

/** The options of a block, or its problems. */
async function read(body: string): Promise<DatabaseOptions> {
  const config = `connector "db" {\n  type = "database"\n${body}\n}\n`;
  const model = await loadConfig([{ path: "a.hcl", text: config, folder: "/srv/app" }], {
    connectors: { database },
  });
  return model.connectors.get("db")?.options as DatabaseOptions;
}

/** The problems as `line:column code`. */
async function problemsOf(body: string): Promise<readonly string[]> {
  const found = await read(body).then(() => [], (error) => {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  });
  return found.map((problem: Problem) => `${problem.line}:${problem.column} ${codeOf(problem)}`);
}

test("what the driver takes is good", async () => {
  const good = [
    'driver = "sqlite"\ndatabase = "a.db"\nmigrations = "m"',
    'driver = "postgres"\nurl = "postgres://localhost/a"\ntls = true\nmigrations = "m"',
    'driver = "postgres"\nurl = "postgres://localhost/a"\nchanges {\n}\npool {\n max = 1\n}',
    'driver = "mysql"\nhost = "h"\nport = 3306\ndatabase = "d"\nuser = "u"\npassword = ""',
    'driver = "mysql"\ndatabase = "d"\nstatement_timeout = "1s"\ntls {\n server_name = "a"\n}',
    'driver = "mysql"\ndatabase = "d"\ntls {\n cert = "a"\n key = "b"\n}',
  ];
  for (const body of good) assert.deepEqual(await problemsOf(body), [], body);
});

test("an attribute of another driver is an error that names the driver", async () => {
  const rows: ReadonlyArray<readonly [body: string, ...problems: string[]]> = [
    ['driver = "sqlite"\ndatabase = "a"\nurl = "b"', "5:7 unused-attribute"],
    ['driver = "sqlite"\ndatabase = "a"\npool {\n}', "5:1 unused-attribute"],
    ['driver = "sqlite"\ndatabase = "a"\ntls = false', "5:7 unused-attribute"],
    [
      'driver = "sqlite"\ndatabase = "a"\nhost = "b"\nport = 1\nuser = "c"\npassword = "d"',
      "5:8 unused-attribute",
      "6:8 unused-attribute",
      "7:8 unused-attribute",
      "8:12 unused-attribute",
    ],
    ['driver = "sqlite"\ndatabase = "a"\nstatement_timeout = "1s"', "5:21 unused-attribute"],
    ['driver = "mysql"\ndatabase = "a"\nchanges {\n slot = "b"\n}', "5:1 unused-attribute"],
  ];
  for (const [body, ...expected] of rows) assert.deepEqual(await problemsOf(body), expected, body);
});

test("a url and its parts exclude each other, and a server needs one or the other", async () => {
  const rows: ReadonlyArray<readonly [body: string, ...problems: string[]]> = [
    ['driver = "postgres"\nurl = "postgres://h"\nhost = "h"', "5:8 conflicting-attributes"],
    [
      'driver = "mysql"\nurl = "MySQL://h"\ndatabase = "d"\nport = 1\nuser = "a"\npassword = "b"',
      "5:12 conflicting-attributes",
      "6:8 conflicting-attributes",
      "7:8 conflicting-attributes",
      "8:12 conflicting-attributes",
    ],
    ['driver = "postgres"\nhost = "h"\nuser = "u"', "1:1 missing-attribute"],
    ['driver = "sqlite"', "1:1 missing-attribute"],
    ['driver = "postgres"\nurl = "mysql://h/d"', "4:7 invalid-url"],
    ['driver = "mysql"\nurl = "localhost/d"', "4:7 invalid-url"],
    ['driver = "mysql"\nurl = "mysql://h:port/d"', "4:7 invalid-url"],
    ['driver = "mysql"\nurl = ""', "4:7 invalid-value"],
    ['driver = "mysql"\ndatabase = ""', "4:12 invalid-value"],
    ['driver = "sqlite"\ndatabse = "a"', "4:1 unknown-attribute"],
  ];
  for (const [body, ...expected] of rows) assert.deepEqual(await problemsOf(body), expected, body);
});

test("values out of range, and a certificate without its key, are errors", async () => {
  const server = 'driver = "postgres"\ndatabase = "d"\n';
  const rows: ReadonlyArray<readonly [body: string, ...problems: string[]]> = [
    ["port = 0", "5:8 invalid-value"],
    ["port = 65536", "5:8 invalid-value"],
    ['port = "x"', "5:8 invalid-value"],
    ['host = ["a"]', "5:8 invalid-value"],
    ['host = ""', "5:8 invalid-value"],
    ["pool {\n max = 0\n}", "6:8 invalid-value"],
    ["pool {\n max = 1001\n}", "6:8 invalid-value"],
    ['pool {\n idle = "1s"\n}', "6:2 unknown-attribute"],
    ['pool {\n acquire_timeout = "x"\n}', "6:20 invalid-value"],
    ['statement_timeout = "0.1ns"', "5:21 invalid-value"],
    ['tls = "yes"', "5:7 invalid-value"],
    ['tls {\n cert = "a"\n}', "5:1 missing-attribute"],
    ['tls {\n key = "a"\n}', "5:1 missing-attribute"],
    ['tls {\n cert = "a"\n kye = "b"\n}', "7:2 unknown-attribute"],
    ["tls = true\ntls {\n}", "6:1 conflicting-attributes"],
    [`changes {\n slot = "${"a".repeat(64)}"\n}`, "6:9 invalid-value"],
    ['changes {\n slot = ""\n}', "6:9 invalid-value"],
    ["changes {\n max_retries = -1\n}", "6:16 invalid-value"],
  ];
  for (const [body, ...expected] of rows) {
    assert.deepEqual(await problemsOf(server + body), expected, body);
  }
});

test("a database is a path for SQLite and a name for the others", async () => {
  const databaseOf = async (body: string) => (await read(body)).database;
  assert.equal(await databaseOf('driver = "sqlite"\ndatabase = "data/a.db"'), "/srv/app/data/a.db");
  assert.equal(await databaseOf('driver = "sqlite"\ndatabase = ":memory:"'), ":memory:");
  assert.equal(await databaseOf('driver = "postgres"\ndatabase = "app"'), "app");
  assert.equal(await databaseOf('driver = "mysql"\ndatabase = "a/b"'), "a/b");
  assert.equal(await databaseOf('driver = "mysql"\nurl = "mysql://localhost/a"'), undefined);
});

test("the files that a start reads are those of migrations and of tls", async () => {
  const options = await read(`driver = "mysql"
database = "a"
migrations = "sql"
tls {
  ca   = "ca.pem"
  cert = "/etc/a.pem"
  key  = "key.pem"
}`);
  assert.deepEqual(databaseConnector.files?.(options), [
    { path: "/srv/app/sql", kind: "files", ending: ".sql", attribute: "migrations" },
    { path: "/srv/app/ca.pem", kind: "file" },
    { path: "/etc/a.pem", kind: "file" },
    { path: "/srv/app/key.pem", kind: "file" },
  ]);
  const plain = await read('driver = "sqlite"\ndatabase = "a.db"');
  assert.deepEqual(databaseConnector.files?.(plain), []);
});

test("a query that changes its connection is a problem, by the database", () => {
  const rows: ReadonlyArray<readonly [syntax: Syntax, query: string, ...problems: string[]]> = [
    ["mysql", "SET SESSION sql_mode = ''", "query invalid-query"],
    ["mysql", "USE other", "query invalid-query"],
    ["mysql", "PREPARE a FROM 'SELECT 1'", "query invalid-query"],
    ["mysql", "SET STATEMENT max_statement_time = 1 FOR SELECT 1"],
    ["postgres", "SET search_path = a", "query invalid-query"],
    ["postgres", "LISTEN a", "query invalid-query"],
    ["postgres", "SET CONSTRAINTS ALL DEFERRED"],
  ];
  for (const [syntax, query, ...expected] of rows) {
    const found = checkDestination(
      { operation: undefined, target: undefined, options: { query } },
      syntax,
    );
    const problems = found.map((problem) => `${problem.attribute} ${codeOf(problem)}`);
    assert.deepEqual(problems, expected, query);
  }
});
