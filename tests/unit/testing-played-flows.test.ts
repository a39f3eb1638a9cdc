import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type ConfigTestResults, runConfigTests } from "../../src/testing/mod.ts";
import { withFolder } from "./database-support.ts";

const ORDERS = `CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  paid boolean NOT NULL DEFAULT false,
  lines jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);`;

/** What SQLite has not. */
const MOOD = "CREATE TYPE mood AS ENUM ('sad', 'ok');";

/** Orders of callers in a PostgreSQL that nothing connects to. */
const FLOWS = `
connector "api" {
  type = "rest"
  port = 0
}
connector "db" {
  type       = "database"
  driver     = "postgres"
  url        = "postgres://nobody@127.0.0.1:1/nothing"
  migrations = "migrations"
}
flow "order" {
  from {
    connector = "api"
    operation = "POST /orders"
  }
  to {
    connector = "db"
    target    = "orders"
  }
}
flow "paid" {
  from {
    connector = "api"
    operation = "GET /paid"
  }
  step "found" {
    connector = "db"
    query     = "SELECT id FROM orders WHERE paid = :paid AND at > now() - interval '1 day'"
    params    = { paid = "true" }
    on_error  = "skip"
  }
  response { found = "step.found" }
}
`;

/** Runs tests of the flows on a database with this migration. */
async function run(migration: string, tests: string): Promise<ConfigTestResults> {
  let results: ConfigTestResults | undefined;
  await withFolder(async (folder) => {
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations", "001.sql"), migration);
    results = await runConfigTests([{ path: "shop.hcl", text: FLOWS + tests, folder }]);
  });
  assert.ok(results);
  return results;
}

/** The report without references, which are random. */
function reportOf({ report }: ConfigTestResults): string {
  return report.replaceAll(/ \(ref [0-9a-f]+\)/g, "");
}

const ORDER = `
test "an order is kept" {
  given "api" {
    operation = "POST /orders"
    data      = { lines = [1, 2] }
  }
  expect "api" {
    status = 201
    data   = { id = 1, paid = false, lines = [1, 2], at = "2026-01-01T00:00:00.000Z" }
  }
  expect "db" {
    target = "orders"
    data   = { lines = [1, 2] }
  }
}
`;

test("played: a flow sees the rows of PostgreSQL, and the report says what plays it", async () => {
  const results = await run(ORDERS, ORDER + ORDER.replace("an order", "another order"));
  assert.equal(
    reportOf(results),
    `ok      an order is kept
ok      another order is kept
db (PostgreSQL): played by SQLite in memory
2 tests, all passed`,
  );
  assert.deepEqual(results.played, [
    { connector: "db", service: "PostgreSQL", by: "SQLite in memory" },
  ]);
});

const PAID = `
test "paid orders" {
  given "api" { operation = "GET /paid" }
  expect "api" { data = { found = null } }
}
test "paid orders, mocked" {
  mock "db" {
    step    = "found"
    returns = { id = 7 }
  }
  given "api" { operation = "GET /paid" }
  expect "api" { data = { found = { id = 7 } } }
}
`;

test("played: a query that SQLite refuses fails the test, even if the flow goes on", async () => {
  assert.equal(
    reportOf(await run(ORDERS, PAID)),
    `FAILED  paid orders
        shop.hcl:37  connector "db": query: SQLite, which plays PostgreSQL in tests, refuses it: near "'1 day'": syntax error; answer it with a mock, or write real = true into the test
ok      paid orders, mocked
db (PostgreSQL): played by SQLite in memory
2 tests, 1 failed`,
  );
});

const MOCKED = `
test "an order, mocked" {
  mock "db" {
    target  = "orders"
    returns = { id = 7 }
  }
  given "api" {
    operation = "POST /orders"
    data      = { lines = [] }
  }
  expect "api" { data = { id = 7 } }
}
`;

test("played: where SQLite refuses a migration, what has no mock fails and says why", async () => {
  const reason = 'SQLite refuses the migration "001.sql": near "TYPE": syntax error';
  const results = await run(MOOD, ORDER + MOCKED);
  const [failed, ...others] = results.results;
  const [mistake, unanswered] = failed.failures.map(({ message }) => message);
  assert.equal(unanswered, 'expect "api": nothing received matches');
  assert.equal(
    mistake,
    `connector "db": INSERT: nothing plays PostgreSQL, since ${reason}; answer it with a mock, ` +
      "or write real = true into the test",
  );
  assert.deepEqual(others.map(({ failures }) => failures), [[]]);
  assert.equal(
    reportOf(results),
    `db (PostgreSQL): mocks alone, since ${reason}
FAILED  an order is kept
        shop.hcl:37  connector "db": INSERT: nothing plays PostgreSQL; answer it with a mock, or write real = true into the test
ok      an order, mocked
2 tests, 1 failed`,
  );
  assert.deepEqual(results.played, [
    { connector: "db", service: "PostgreSQL", by: "mocks", reason },
  ]);
});

test("played: the reason is printed once, and a test that lacks mocks has two lines", async () => {
  const both = `test "both" {
  given "api" {
    operation = "POST /orders"
    data      = { lines = [] }
  }
  expect "api" { data = { id = 1 } }
  given "api" { operation = "GET /paid" }
}
`;
  const { report } = await run(MOOD, MOCKED + both + ORDER);
  assert.deepEqual(report.split("\n").map((line) => line.replace(/;.*/, "")), [
    'db (PostgreSQL): mocks alone, since SQLite refuses the migration "001.sql": near "TYPE": syntax error',
    "ok      an order, mocked",
    "FAILED  both",
    '        shop.hcl:48  connector "db": INSERT: nothing plays PostgreSQL',
    "FAILED  an order is kept",
    '        shop.hcl:57  connector "db": INSERT: nothing plays PostgreSQL',
    "3 tests, 2 failed",
  ]);
  assert.match(report, /into the test \(and 1 more\)$/m);
});

test("a test with real = true and a server that does not answer fails with its reason", async () => {
  const real = ORDER.replace("{", "{\n  real = true");
  const results = await run(ORDERS, real);
  const [{ failures }] = results.results;
  assert.equal(failures.length, 1);
  assert.match(failures[0].message, /^connector "db": .*127\.0\.0\.1.*ECONNREFUSED/);
  assert.match(results.report, /\ndb \(PostgreSQL\): real\n1 test, 1 failed$/);
});

test("played: SQLite itself is no news", async () => {
  const config = `
    connector "db" {
      type     = "database"
      driver   = "sqlite"
      database = ":memory:"
    }
    test "nothing happens" {
      expect "db" { nothing = true }
    }
  `;
  const { report, played } = await runConfigTests(config);
  assert.equal(report, "ok      nothing happens\n1 test, all passed");
  assert.deepEqual(played, []);
});
