import { systemClock } from "../../src/base/clock.ts";
import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFile } from "node:fs/promises";
import type { Body, SourceFile, Span } from "../../src/hcl/tree.ts";
import type { BlockProblem, Destination } from "../../src/contract/definition.ts";
import { databaseConnector } from "../../src/connectors/database/mod.ts";
import type {
  DatabaseDestination,
  DatabaseOptions,
} from "../../src/connectors/database/options.ts";
import { readFields } from "../../src/contract/fields.ts";
import { codeOf } from "../support/problems.ts";
import { param } from "./database-support.ts";

const file: SourceFile = { path: "a.hcl", text: "", folder: "/srv/app" };
const span: Span = { file, start: 0, end: 0 };

/** Reads a `connector` block that has these attributes. */
function read(attributes: Record<string, unknown>): { options: unknown; problems: string[] } {
  const problems: string[] = [];
  const body: Body = {
    attributes: Object.entries(attributes).map(([name, value]) => {
      return { name, nameSpan: span, value, valueSpan: span, verbatim: true };
    }),
    blocks: [],
    span,
  };
  const options = readFields(body, databaseConnector.fields, span, {
    subject: 'connector "db" (database)',
    variables: [],
    env: () => undefined,
    report: (problem) => {
      const [attribute] = /(?<=attribute ")\w+|(?<=: )\w+/.exec(problem.message) ?? [];
      problems.push(`${attribute}: ${codeOf(problem)}`);
    },
  });
  return { options, problems };
}

/** What the check of a `to` block says. */
function check(to: Partial<Destination> & DatabaseDestination): readonly BlockProblem[] {
  const { operation, target, ...options } = to;
  const destination = { operation, target, options };
  return databaseConnector.destination?.check?.(destination, { driver: "sqlite" }) ?? [];
}

const first = (to: Partial<Destination> & DatabaseDestination) => {
  const complaints = check(to);
  assert.equal(complaints.length, 1, JSON.stringify(complaints));
  return complaints[0];
};

test("paths are relative to the folder of the file", () => {
  const { options, problems } = read({
    driver: "sqlite",
    database: "./data/a.db",
    migrations: "m",
  });
  assert.deepEqual(problems, []);
  const { driver, database, migrations, ...others } = options as DatabaseOptions;
  assert.equal(driver, "sqlite");
  assert.equal(database, "/srv/app/data/a.db");
  assert.equal(migrations, "/srv/app/m");
  assert.deepEqual(Object.values(others).filter((value) => value !== undefined), []);
});

test("an absolute path and :memory: stay as they are", () => {
  const database = (value: unknown) =>
    (read({ driver: "sqlite", database: value }).options as { database: unknown }).database;
  assert.equal(database("/var/a.db"), "/var/a.db");
  assert.equal(database(":memory:"), ":memory:");
});

test("what is missing or wrong in a connector block is said once", () => {
  // Whether it needs a database depends on the driver.
  assert.deepEqual(read({}).problems, ["driver: missing-attribute"]);
  assert.deepEqual(read({ driver: "sqlite" }).problems, ["database: missing-attribute"]);
  assert.deepEqual(read({ driver: "sqlit", database: true, migration: "m" }).problems, [
    "migration: unknown-attribute",
    "driver: invalid-value",
    "database: invalid-value",
  ]);
});

test("it is a destination with four operations", () => {
  const { operations } = databaseConnector.destination ?? {};
  assert.deepEqual(operations, ["INSERT", "UPDATE", "DELETE", "UPSERT"]);
});

test("good destinations have no problem", () => {
  assert.deepEqual(check({ target: "t" }), []);
  assert.deepEqual(check({ target: param("input.table"), operation: "INSERT" }), []);
  assert.deepEqual(check({ target: "t", operation: "UPSERT", key: ["id"] }), []);
  assert.deepEqual(check({ query: "SELECT :a", params: { a: param("input.a") } }), []);
});

test("a destination needs a target or a query, and not both", () => {
  assert.equal(codeOf(first({})), "missing-target");
  assert.equal(codeOf(first({ target: "t", query: "SELECT 1" })), "conflicting-attributes");
});

test("UPDATE, DELETE and UPSERT need a key and INSERT takes none", () => {
  for (const operation of ["UPDATE", "DELETE", "UPSERT"]) {
    const complaint = first({ target: "t", operation });
    assert.deepEqual([complaint.attribute, codeOf(complaint)], ["operation", "missing-key"]);
  }
  assert.equal(first({ target: "t", key: ["id"] }).attribute, "key");
});

test("nothing beside a query is ignored", () => {
  assert.equal(first({ query: "SELECT 1", operation: "INSERT" }).attribute, "operation");
  assert.equal(first({ query: "SELECT 1", key: ["id"] }).attribute, "key");
  assert.equal(first({ target: "t", params: { a: param("1") } }).attribute, "params");
  const complaint = first({ query: "SELECT :name", params: { nmae: param("1") } });
  assert.deepEqual([complaint.attribute, codeOf(complaint)], ["params", "unknown-parameter"]);
});

test("a query with two statements is found before anything runs", () => {
  for (const query of ["SELECT 1; SELECT 2", ""]) {
    const complaint = first({ query });
    assert.deepEqual([complaint.attribute, codeOf(complaint)], ["query", "invalid-query"]);
  }
});

test("the connector that it makes stores and finds a row", async () => {
  const logger = getLogger(["weir", "db"]);
  const context = { name: "db", logger, clock: systemClock, constants: {}, lookUp: () => ({}) };
  const options = { driver: "sqlite", database: ":memory:", migrations: undefined };
  const db = await databaseConnector.create(options, context);
  await db.start?.();
  const request = { operation: undefined, target: undefined, payload: { a: 1 }, event: undefined };
  const write = (to: object) => db.write?.({ ...request, scope: {}, options: {}, ...to });
  await write({ options: { query: "CREATE TABLE t (a)" } });
  assert.deepEqual(await write({ target: "t" }), { a: 1 });
  await db.close?.();
});

test("the schema is read without any node: module", async () => {
  for (const name of ["mod.ts", "checks.ts", "options.ts", "statements.ts"]) {
    const url = new URL(`../../src/connectors/database/${name}`, import.meta.url);
    assert.doesNotMatch(await readFile(url, "utf8"), /from "node:/);
  }
});
