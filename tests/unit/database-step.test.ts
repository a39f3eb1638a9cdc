import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import type { Outcome } from "../../src/contract/connector.ts";
import { databaseConnector } from "../../src/connectors/database/mod.ts";
import type { Flow } from "../../src/flow/mod.ts";
import { eventOf, failureOf, probes } from "../support/flow.ts";
import { failuresOf, problemsOf } from "../support/config.ts";
import { codeOf } from "../support/problems.ts";
import { recorder } from "../support/log.ts";
import { configWith, flowWith, withDatabase, withFolder, write } from "./database-support.ts";

const USERS = `CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age);
  INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Bob', 40), (3, 'Bob', 50);`;

/** A flow that answers with what its only step found. */
function found(step: string): string {
  return `step "s" {
    connector = "db"
    ${step}
  }
  response { found = "step.s" }`;
}

/** What such a flow answers; it must not have waited. */
function answer(flow: Flow, input: Readonly<Record<string, unknown>> = {}): unknown {
  const outcome = flow.run(eventOf(input));
  assert.ok(!(outcome instanceof Promise), "it waited");
  return dataOf(outcome);
}

/** What such a flow answers, however long it takes. */
async function answerOf(flow: Flow, input: Readonly<Record<string, unknown>> = {}) {
  return dataOf(await flow.run(eventOf(input)));
}

function dataOf({ response }: Outcome): unknown {
  return (response?.data as { found: unknown }).found;
}

/** The problems of a flow with such a step: the attribute or block, its code and the parameter. */
async function problems(step: string): Promise<readonly string[]> {
  const text = configWith(found(step));
  const all = await failuresOf(text, { connectors: probes });
  return all.map((problem) => {
    const { line, message } = problem;
    const [at] = /\w+/.exec(text.split("\n")[Number(line) - 1]) ?? [];
    const [parameter = ""] = /(?<=":)\w+(?=")/.exec(message) ?? [];
    return `${at} ${codeOf(problem)} ${parameter}`.trim();
  });
}

const ada = { id: 1, name: "Ada", age: 36 };
const bobs = [{ id: 2, name: "Bob", age: 40 }, { id: 3, name: "Bob", age: 50 }];

test("rows: by itself no row is null, one is an object, several are a list", async () => {
  await withDatabase(USERS, async (db) => {
    const query = 'query = "SELECT * FROM users WHERE name = :name ORDER BY id"';
    const cases: readonly (readonly [string, unknown, unknown, unknown])[] = [
      ["", null, ada, bobs],
      ['rows = "auto"', null, ada, bobs],
      ['rows = "one"', null, ada, bobs[0]],
      ['rows = "all"', [], [ada], bobs],
    ];
    for (const [rows, none, one, several] of cases) {
      const flow = await flowWith(db, found(`${query}\n    ${rows}`));
      const names = ["Eve", "Ada", "Bob"];
      const results = await Promise.all(names.map((name) => answerOf(flow, { name })));
      assert.deepEqual(results, [none, one, several], rows);
    }
  });
});

test("the default replaces a missing row, but not an empty list", async () => {
  await withDatabase(USERS, async (db) => {
    const query = 'query = "SELECT * FROM users WHERE id = 9"\n    default = { name = "nobody" }';
    assert.deepEqual(answer(await flowWith(db, found(query))), { name: "nobody" });
    const one = await flowWith(db, found(`${query}\n    rows = "one"`));
    assert.deepEqual(answer(one), { name: "nobody" });
    const all = await flowWith(db, found(`${query}\n    rows = "all"`));
    assert.deepEqual(answer(all), []);
  });
});

test("params are all that a query gets; without them the payload's fields serve", async () => {
  await withDatabase(USERS, async (db) => {
    const query = 'query = "SELECT name FROM users WHERE id = :id"';
    const computed = await flowWith(db, found(`${query}\n    params = { id = "input.n + 1" }`));
    assert.deepEqual(answer(computed, { n: 1, id: 3 }), { name: "Bob" });
    const plain = await flowWith(db, found(query));
    assert.deepEqual(answer(plain, { id: 1, more: {} }), { name: "Ada" });
    const { message, permanent, cause } = await failureOf(() => plain.run(eventOf({ idd: 1 })));
    assert.match(message, /^flow "f" failed/);
    assert.equal(permanent, true);
    assert.match(String(cause), /":id" is in neither payload nor params; did you mean "idd"/);
    await failureOf(() => plain.run({ ...eventOf({}), payload: "text" }));
  });
});

test("a step that fails may be skipped", async () => {
  await withDatabase(USERS, async (db) => {
    const step = 'query = "SELECT nme FROM users"\n    on_error = "skip"\n    default = "none"';
    assert.equal(answer(await flowWith(db, found(step))), "none");
  });
});

test("a query that writes waits for its commit, and its rows are a step's rows", async () => {
  await withDatabase(USERS, async (db, file) => {
    const other = new DatabaseSync(file);
    const names = () =>
      other.prepare("SELECT name FROM users ORDER BY id").all().map((r) => r.name);
    const run = async (step: string, input = {}) =>
      dataOf(await (await flowWith(db, found(step))).run(eventOf(input)));
    const insert = "INSERT INTO users (name) VALUES (:name) RETURNING id, name";
    assert.deepEqual(await run(`query = "${insert}"`, { name: "Eve" }), { id: 4, name: "Eve" });
    assert.deepEqual(names(), ["Ada", "Bob", "Bob", "Eve"]);
    const update = "UPDATE users SET name = 'Rob' WHERE name = 'Bob' RETURNING id";
    // All rows are written, whatever is asked of the result.
    assert.deepEqual(await run(`query = "${update}"\n    rows = "one"`), { id: 2 });
    assert.deepEqual(names(), ["Ada", "Rob", "Rob", "Eve"]);
    const remove = "DELETE FROM users WHERE name = 'Rob' RETURNING id";
    assert.deepEqual(await run(`query = "${remove}"`), [{ id: 2 }, { id: 3 }]);
    assert.deepEqual(await run(`query = "${remove}"`), null);
    assert.deepEqual(await run(`query = "${remove}"\n    rows = "all"`), []);
    const plain = 'query = "DELETE FROM users WHERE id = 4"';
    assert.deepEqual(await run(plain), { changes: 1, last_insert_id: 4 });
    assert.deepEqual(names(), ["Ada"]);
    other.close();
  });
});

test("a step writes to a table as a destination does", async () => {
  await withDatabase(USERS, async (db) => {
    const run = async (step: string, input = {}) =>
      dataOf(await (await flowWith(db, found(step))).run(eventOf(input)));
    const table = 'target = "users"';
    assert.deepEqual(await run(table, { name: "Eve" }), { id: 4, name: "Eve", age: null });
    const update = `${table}
    operation = "UPDATE"
    key = "id"
    params = {
      id  = "input.who"
      age = "input.years * 2"
    }`;
    assert.deepEqual(await run(update, { who: 1, years: 9 }), { ...ada, age: 18 });
    assert.equal(await run(update, { who: 99, years: 9 }), null);
    const upsert = `${table}\n    operation = "UPSERT"\n    key = "id"`;
    assert.deepEqual(await run(upsert, { id: 9, name: "Zoe" }), { id: 9, name: "Zoe", age: null });
    const remove = `${table}\n    operation = "DELETE"\n    key = "name"`;
    assert.deepEqual(await run(remove, { name: "Bob" }), bobs);
  });
});

test("a destination's SELECT returns the list of rows", async () => {
  await withDatabase(USERS, async (db) => {
    const body = `to {
    connector = "db"
    query     = "SELECT name FROM users WHERE id = :id"
  }
  response { found = "output" }`;
    const flow = await flowWith(db, body);
    assert.deepEqual(answer(flow, { id: 1 }), [{ name: "Ada" }]);
    assert.deepEqual(answer(flow, { id: 9 }), []);
    assert.deepEqual(await write(db, { query: "SELECT 1 AS n" }), [{ n: 1 }]);
  });
});

test("good steps have no problem", async () => {
  for (
    const step of [
      'query = "SELECT 1"',
      'query = "SELECT :a, :b, :a"\n    params = {\n      a = "1"\n      b = "2"\n    }',
      'query = "SELECT :a"\n    rows = "all"',
      'query = "WITH x AS (SELECT 1) UPDATE t SET a = 1 RETURNING a"\n    rows = "one"',
      'query = "PRAGMA table_list"\n    rows = "all"',
      'target = "t"',
      'target = "input.table"\n    rows = "auto"',
      'target = "t"\n    operation = "DELETE"\n    key = "id"\n    params = { id = "input.id" }',
    ]
  ) assert.deepEqual(await problems(step), [], step);
});

test("what a step's query and params lack of each other is said before anything runs", async () => {
  const query = 'query = "SELECT * FROM t WHERE id = :id AND kind = :kind AND id = :id"';
  assert.deepEqual(
    await problems(`${query}\n    params = {\n      idd  = "1"\n      kind = "2"\n    }`),
    ["params missing-parameter id"],
  );
  assert.deepEqual(await problems(`${query}\n    params = {}`), [
    "params missing-parameter id",
    "params missing-parameter kind",
  ]);
  assert.deepEqual(await problems('query = "SELECT :constructor"\n    params = {}'), [
    "params missing-parameter constructor",
  ]);
});

test("rows without a query's rows, and a table write that cannot be, are problems", async () => {
  const cases: readonly (readonly [step: string, problem: string])[] = [
    ['rows = "one"\n    target = "t"', "rows unused-attribute"],
    ['query = "DELETE FROM t"\n    rows = "all"', "rows no-rows"],
    ['rows = "first"\n    query = "SELECT 1"', "rows invalid-value"],
    ['timeout = "1s"', "step missing-target"],
    ['target = "t"\n    query = "SELECT 1"', "query conflicting-attributes"],
    ['target = "t"\n    operation = "SELECT"', "operation unknown-operation"],
    ['target = "t"\n    operation = "UPDATE"', "operation missing-key"],
    ['target = "t"\n    key = "id"', "key unused-attribute"],
    ...["[]", '""', '["id", ""]', "7", '["id", 7]', '["id", ["name"]]', '["id", "name", "id"]'].map(
      (
        key,
      ) =>
        [`target = "t"\n    operation = "DELETE"\n    key = ${key}`, "key invalid-value"] as const,
    ),
    ['query = "SELECT 1; SELECT 2"', "query invalid-query"],
    ['query = "SELECT 1"\n    operation = "INSERT"', "operation unused-attribute"],
    [
      'target = "t"\n    operation = "DELETE"\n    key = "id"\n    params = { idd = "1" }',
      "params missing-key",
    ],
    [
      'target = "t"\n    operation = "DELETE"\n    key = ["id", "b"]\n    params = { id = "1" }',
      "params missing-key",
    ],
  ];
  for (const [step, problem] of cases) assert.deepEqual(await problems(step), [problem], step);
});

test("rows is a word of steps alone", async () => {
  const to = 'to {\n    connector = "db"\n    query = "SELECT 1"\n    rows = "all"\n  }';
  const found = await problemsOf(configWith(to), { connectors: probes });
  assert.deepEqual(found.map((problem) => problem.replace(/^\S+ /, "")), ["unknown-attribute"]);
});

test("under test the database is in memory, with its migrations, and no file is made", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "1.sql"), USERS);
    const options = { driver: "sqlite", database: join(folder, "a.db"), migrations: folder };
    const made = databaseConnector.test?.(options);
    assert.deepEqual(made, { ...options, database: ":memory:", simulated: true });
    const context = {
      name: "db",
      logger: recorder().logger,
      clock: systemClock,
      constants: {},
      lookUp: () => ({}),
    };
    const db = await databaseConnector.create(made, context);
    await db.start?.();
    const [request, scope] = [{ target: undefined, event: undefined, payload: {} }, {}];
    const query = "SELECT name FROM users WHERE id = 1";
    const read = { ...request, operation: undefined, options: { query }, scope };
    assert.deepEqual(db.write?.(read), [{ name: "Ada" }]);
    await db.dedupeStore?.add("f", "k", 0, 1);
    assert.equal(db.dedupeStore?.has("f", "k", 0), true);
    await db.close?.();
    assert.deepEqual(await readdir(folder), ["1.sql"]);
  });
});
