/** What SQLite plays, held against the databases themselves, and tests with `real = true`. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { systemClock } from "../../src/base/clock.ts";
import { DatabaseConnector } from "../../src/connectors/database/connector.ts";
import type { PlayedDriver } from "../../src/connectors/database/options.ts";
import { drivers } from "../../src/connectors/database/drivers/mod.ts";
import { type ConfigTestResults, runConfigTests } from "../../src/testing/mod.ts";
import { getLogger } from "@logtape/logtape";
import { withMariadb } from "../support/mariadb.ts";
import { withPostgres } from "../support/postgres.ts";
import { serviceTest } from "../support/services.ts";
import { withFolder, write } from "../unit/database-support.ts";
import {
  MYSQL,
  MYSQL_NOTES,
  MYSQL_SHOP,
  POSTGRES,
  POSTGRES_ARRAYS,
  POSTGRES_ORDERS,
  SQLITE_ALONE,
  UNKNOWN_TO_MYSQL,
  withPlayed,
} from "../unit/testing-played-support.ts";

/** Calls `use` with a connector to an empty database that has had one migration. */
async function withReal(
  driver: "postgres" | "mysql",
  migration: string,
  use: (db: DatabaseConnector) => Promise<void>,
): Promise<void> {
  const withServer = driver === "postgres" ? withPostgres : withMariadb;
  await withServer(({ url }) =>
    withFolder(async (folder) => {
      await writeFile(join(folder, "001.sql"), migration);
      const options = { driver, url, migrations: folder };
      const db = new DatabaseConnector(await drivers[driver].load(), options, {
        name: "db",
        logger: getLogger(["weir", "db"]),
        clock: systemClock,
        constants: {},
        lookUp: () => ({}),
      });
      try {
        await db.start();
        await use(db);
      } finally {
        await db.close();
      }
    })
  );
}

/** What each payload becomes as a row; `refused` where the database does not take it. */
async function rowsOf(
  db: DatabaseConnector,
  target: string,
  payloads: readonly object[],
): Promise<readonly unknown[]> {
  const rows: unknown[] = [];
  for (const payload of payloads) {
    try {
      rows.push(await write(db, { target, payload }));
    } catch (error) {
      assert.ok(error instanceof ConnectorError && error.permanent, String(error));
      rows.push("refused");
    }
  }
  return rows;
}

/** In each of them the columns that would be different in every run have a value. */
const PAYLOADS: readonly object[] = [
  { paid: true, doc: { a: [1, null, "x"] }, tags: ["b", "c"], flags: [true, false, null] },
  { paid: false, doc: [], tags: [], flags: null },
  ...["text", 5, true, null, "5", "null", "{}"].map((doc) => ({ doc })),
  ...[12.5, "0.1", 3, "12345678.125", "a", true].map((price) => ({ price })),
  ...[1, 0.5, "7"].map((rate) => ({ rate })),
  ...[5, "9007199254740993", 1.5, "x", true].map((big) => ({ big })),
  ...[1.5, "2.5", "x", 1].map((ratio) => ({ ratio })),
  ...["AAECAw==", "", "A", new Uint8Array([1, 2])].map((raw) => ({ raw })),
  ...["2026-03-04", "2026-02-30", 5].map((day) => ({ day })),
  ...[
    "2026-01-02T03:04:05.678901+02:00",
    "2026-01-02T03:04:05Z",
    "2026-01-02 03:04:05.1Z",
    "2026-02-30T00:00:00Z",
    new Date(5),
    "yesterday evening",
  ].map((at) => ({ at })),
  ...[1, "maybe", "true"].map((paid) => ({ paid })),
  { tags: "a" },
  { name: true },
  { name: 5 },
  { name: { a: 1 } },
].map((payload, index) => ({
  ref: "0192f0c1-2345-7000-8000-000000000000",
  name: `order ${index}`,
  at: "2026-01-01T00:00:00Z",
  ...payload,
}));

/** Compares what becomes of payloads, and what a query returns afterwards. */
async function compare(
  plays: PlayedDriver,
  { driver, migration, target, payloads, query }: {
    readonly driver: "postgres" | "mysql";
    readonly migration: string;
    readonly target: string;
    readonly payloads: readonly object[];
    readonly query: string;
  },
): Promise<void> {
  const outcome = async (db: DatabaseConnector) => ({
    rows: await rowsOf(db, target, payloads),
    found: await write(db, { query, payload: {} }),
  });
  const outcomes: Awaited<ReturnType<typeof outcome>>[] = [];
  await withReal(driver, migration.replace("CONCURRENTLY ", ""), async (db) => {
    outcomes.push(await outcome(db));
  });
  await withPlayed(plays, migration, async (db) => {
    outcomes.push(await outcome(db));
  });
  const [real, played] = outcomes;
  assert.ok(real.rows.some((row) => row === "refused") && Array.isArray(real.found));
  for (const [index, row] of played.rows.entries()) {
    assert.deepEqual(withoutId(row), withoutId(real.rows[index]), JSON.stringify(payloads[index]));
  }
  assert.deepEqual(played.found, real.found);
}

/** A number that was refused leaves a gap on servers. */
function withoutId(row: unknown): unknown {
  if (typeof row !== "object") return row;
  const { id: _, ...others } = row as Record<string, unknown>;
  return others;
}

await serviceTest("postgres", "what SQLite plays is what PostgreSQL returns", async () => {
  await compare(POSTGRES, {
    driver: "postgres",
    migration: POSTGRES_ORDERS,
    target: "orders",
    payloads: PAYLOADS,
    query: "SELECT name, paid, doc, tags, price, at FROM orders WHERE paid = true ORDER BY name",
  });
});

/** In each of them the columns that would be different in every run have a value. */
const NOTES: readonly object[] = [
  { done: true, doc: { a: [1, null, "x"] } },
  ...["text", 5, true, "5", "{}", []].map((doc) => ({ doc })),
  ...[1.5, "0.1", 3, "123.1255", "a"].map((price) => ({ price })),
  ...["AAECAw==", "", "A", new Uint8Array([1, 2])].map((raw) => ({ raw })),
  ...[1, 0, 1.5, "x"].map((done) => ({ done })),
  ...["2026-01-02T03:04:05.678901+02:00", "2026-02-30T00:00:00Z", "yesterday"].map((at) => ({
    at,
  })),
  ...["2026-01-02T03:04:05Z", new Date(5000)].map((seen) => ({ seen })),
  { text: true },
  { text: 5 },
  { text: { a: 1 } },
].map((payload, index) => ({ text: `note ${index}`, at: "2026-01-01T00:00:00Z", ...payload }));

await serviceTest("mariadb", "what SQLite plays is what MariaDB returns", async () => {
  await compare(MYSQL, {
    driver: "mysql",
    migration: MYSQL_NOTES,
    target: "notes",
    payloads: NOTES,
    query: "SELECT text, done, doc, price, at, seen FROM notes WHERE done = true ORDER BY text",
  });
});

const ITEMS: readonly object[] = [
  {},
  { name: "A" },
  ...[{ state: "it's", size: "M" }, { state: "old" }, { size: "XL" }, { n: -1 }, { n: null }],
  { code: 8 },
].map((payload, index) => ({ name: `item ${index}`, shop: 1, n: index, ...payload }));

await serviceTest(
  "mariadb",
  "a table as people of MySQL write it is played as MariaDB has it",
  async () => {
    await compare(MYSQL, {
      driver: "mysql",
      migration: MYSQL_SHOP,
      target: "items",
      payloads: [
        ...ITEMS,
        ...ITEMS.slice(0, 1),
        ...ITEMS.slice(-1).map((item) => ({ ...item, name: "x" })),
      ],
      query: `SELECT i.name, state, size, n, code, s.name AS seed FROM items i, seeds s
      ORDER BY n, s.id FOR UPDATE`,
    });
  },
);

await serviceTest("postgres", "PostgreSQL refuses what SQLite alone knows", async () => {
  await withPostgres(async ({ sql }) => {
    await sql("CREATE TABLE a (n int)");
    for (const [text] of SQLITE_ALONE) {
      await assert.rejects(sql(text.replace("TABLE a", "TABLE b")), Error, text);
    }
    await sql("CREATE TABLE c (id INTEGER PRIMARY KEY, n int)");
    await assert.rejects(sql("INSERT INTO c (n) VALUES (1)"), /null value in column "id"/);
  });
});

await serviceTest("mariadb", "MariaDB refuses what SQLite alone knows", async () => {
  await withMariadb(async ({ sql }) => {
    await sql("CREATE TABLE a (n int)");
    for (const [text] of [...SQLITE_ALONE, ...UNKNOWN_TO_MYSQL]) {
      await assert.rejects(sql(text.replace("TABLE a", "TABLE b")), Error, text);
    }
    await sql("CREATE TABLE c (id INTEGER PRIMARY KEY, n int)");
    await assert.rejects(sql("INSERT INTO c (n) VALUES (1)"), /'id' doesn't have a default value/);
    await assert.rejects(sql("CREATE TABLE d (b TEXT PRIMARY KEY)"), /without a key length/);
  });
});

await serviceTest("postgres", "arrays in SQL are read as PostgreSQL reads them", async () => {
  const rows: unknown[] = [];
  const read = async (db: DatabaseConnector) => {
    rows.push(await write(db, { query: "SELECT * FROM a ORDER BY id" }));
  };
  await withReal("postgres", POSTGRES_ARRAYS, read);
  await withPlayed(POSTGRES, POSTGRES_ARRAYS, read);
  assert.deepEqual(rows[1], rows[0]);
});

/** Orders of callers; the interval is nothing that SQLite knows. */
const FLOWS = `
connector "api" {
  type = "rest"
  port = 0
}
connector "db" {
  type       = "database"
  driver     = "postgres"
  url        = env("TEST_DATABASE")
  migrations = "migrations"
}
flow "order" {
  from {
    connector = "api"
    operation = "POST /orders"
  }
  dedupe {
    key   = "input.key"
    ttl   = "10m"
    store = "db"
  }
  transform {
    ref   = "uuid()"
    lines = "input.lines"
  }
  to {
    connector = "db"
    target    = "orders"
  }
}
flow "recent" {
  from {
    connector = "api"
    operation = "GET /orders/:ref"
  }
  step "found" {
    connector = "db"
    query     = "SELECT lines FROM orders WHERE ref = :ref AND at > now() - interval '1 minute'"
    params    = { ref = "input.ref" }
  }
  response { lines = "step.found.lines" }
}
`;

const TABLE = `CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE orders (
  ref uuid PRIMARY KEY,
  lines jsonb NOT NULL,
  mood mood NOT NULL DEFAULT 'ok',
  at timestamptz NOT NULL DEFAULT now()
);`;

const KEPT = `
test "an order is kept" {
  real = true
  given "api" {
    operation = "POST /orders"
    data      = { lines = [1, 2], key = "KEY" }
  }
  expect "api" {
    status = 201
    data   = { lines = [1, 2], mood = "ok" }
  }
  expect "db" {
    target = "orders"
    data   = { lines = [1, 2] }
  }
}
`;

const FOUND = `
test "a recent order is found" {
  real = true
  given "api" { operation = "GET /orders/0192f0c1-2345-7000-8000-000000000000" }
  expect "api" { data = { lines = { sum = 3 } } }
}
test "a recent order is mocked" {
  mock "db" { returns = { lines = [] } }
  given "api" { operation = "GET /orders/0192f0c1-2345-7000-8000-000000000000" }
  expect "api" { data = { lines = [] } }
}
`;

/** Runs tests of the flows on a database with this migration. */
async function run(url: string, tests: string): Promise<ConfigTestResults> {
  let results: ConfigTestResults | undefined;
  await withFolder(async (folder) => {
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations", "001.sql"), TABLE);
    const files = [{ path: "shop.hcl", text: FLOWS + tests, folder }];
    const env = (name: string) => name === "TEST_DATABASE" ? url : undefined;
    results = await runConfigTests(files, { env });
  });
  assert.ok(results);
  return results;
}

await serviceTest(
  "postgres",
  "a test with real = true uses the configured database, and resets nothing",
  async () => {
    await withPostgres(async ({ url, sql }) => {
      const kept = "ok      an order is kept\ndb (PostgreSQL): real\n1 test, all passed";
      for (const key of ["first", "second"]) {
        assert.equal((await run(url, KEPT.replace("KEY", key))).report, kept);
      }
      // uuid() has not made the same key twice, and the default is the time of the server.
      const query = "SELECT ref FROM orders WHERE at > now() - interval '1 minute'";
      assert.equal((await sql(query)).length, 2);
      const again = await run(url, KEPT.replace("KEY", "first"));
      assert.equal(again.passed, false, "the key of the first run is still there");
      const made = `('0192f0c1-2345-7000-8000-000000000000', '{"sum": 3}')`;
      await sql(`INSERT INTO orders (ref, lines) VALUES ${made}`);
      assert.equal(
        (await run(url, FOUND)).report,
        `ok      a recent order is found
db (PostgreSQL): mocks alone, since SQLite refuses the migration "001.sql": near "TYPE": syntax error
ok      a recent order is mocked
db (PostgreSQL): real
2 tests, all passed`,
      );
    });
  },
);

await serviceTest(
  "postgres",
  "a test with real = true fails where the server refuses the user or a migration",
  async () => {
    await withPostgres(async ({ url, sql }) => {
      const unknown = Object.assign(new URL(url), { pathname: "/weir_nothing" }).href;
      const [{ failures: [refused] }] = (await run(unknown, KEPT)).results;
      assert.match(refused.message, /database "weir_nothing" does not exist/);
      await sql("CREATE TYPE mood AS ENUM ()");
      const [{ failures: [migration] }] = (await run(url, KEPT)).results;
      assert.match(migration.message, /migration "001\.sql" was refused: .*"mood" already exists/);
    });
  },
);

test("a test with real = true fails where nothing answers, even if its flows ask for nothing", async () => {
  const quiet = 'test "quiet" {\n  real = true\n  expect "api" { nothing = true }\n}\n';
  const [{ failures }] = (await run("postgres://nobody@127.0.0.1:1/nothing", quiet)).results;
  assert.equal(failures.length, 1);
  assert.match(failures[0].message, /^connector "db": cannot open .* ECONNREFUSED/);
});
