/** What people write in the migrations and queries of MySQL, and locks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accommodate } from "../../src/connectors/database/drivers/sqlite/playing/accommodations.ts";
import type { DatabaseConnector } from "../../src/connectors/database/connector.ts";
import { fails, write } from "./database-support.ts";
import { MYSQL, MYSQL_SHOP, POSTGRES, withPlayed } from "./testing-played-support.ts";

/** Runs `use` with a database of MySQL that SQLite plays. */
async function withMysql(
  migration: string,
  use: (db: DatabaseConnector) => Promise<void>,
): Promise<void> {
  await withPlayed(MYSQL, migration, async (db, [{ by, reason }]) => {
    assert.deepEqual([by, reason], ["SQLite in memory", undefined]);
    await use(db);
  });
}

test("mysql: a table as people write it is played", async () => {
  await withMysql(MYSQL_SHOP, async (db) => {
    const item = { target: "items", payload: { name: "a", shop: 1, n: 2, code: 8 } };
    const row = { id: 1, name: "a", shop: 1, state: "new", size: null, n: 2, extra: null, code: 8 };
    assert.deepEqual(await write(db, item), row);
    const refusals: readonly [object, RegExp][] = [
      [{ name: "a" }, /UNIQUE constraint failed: items\.name, items\.shop/],
      [{ state: "old" }, /CHECK constraint failed/],
      [{ size: "XL" }, /CHECK constraint failed/],
      [{ n: -1 }, /CHECK constraint failed: n >= 0/],
    ];
    for (const [payload, message] of refusals) {
      const request = { target: "items", payload: { name: "b", shop: 1, n: 0, ...payload } };
      await assert.rejects(write(db, request), fails(message));
    }
    const last = { target: "items", payload: { name: "b", shop: 1, n: 0, state: "it's", code: 9 } };
    assert.deepEqual(await write(db, last), {
      ...row,
      id: 2,
      name: "b",
      state: "it's",
      n: 0,
      code: 9,
    });
    const again = write(db, { target: "items", payload: { name: "c", shop: 1, n: 0, code: 8 } });
    await assert.rejects(again, fails(/UNIQUE constraint failed: items\.code/));
    const seeds = await write(db, { query: "SELECT * FROM seeds ORDER BY id" });
    assert.deepEqual(seeds, [{ id: 1, name: "third" }, { id: 2, name: "fourth" }]);
  });
});

test("mysql: indexes are left out wherever they are", () => {
  const taken: readonly [string, string][] = [
    ["(KEY a (n), n INT, INDEX (n), m INT)", "(n INT, m INT)"],
    ["(KEY a (n), INDEX b (n), n INT)", "(n INT)"],
    ["(n INT, m INT, KEY a (n), FULLTEXT KEY b (m), KEY c (m))", "(n INT, m INT)"],
    ["(n INT, UNIQUE KEY a USING BTREE (n) USING BTREE)", "(n INT, UNIQUE (n))"],
    ["(n INT, CONSTRAINT c UNIQUE INDEX a (n))", "(n INT, CONSTRAINT c UNIQUE (n))"],
    ["(b TEXT, KEY a (b(20)), FULLTEXT (b))", "(b TEXT)"],
  ];
  for (const [list, expected] of taken) {
    const sql = accommodate(`CREATE TABLE t ${list}`, "mysql").replaceAll(
      / +(?=[ ,)])|(?<=\( *) +/g,
      "",
    );
    assert.equal(sql, `CREATE TABLE t ${expected}`);
  }
  const length = "CREATE TABLE t (b TEXT); CREATE INDEX i ON t (b(20))";
  assert.match(accommodate(length, "mysql", new Map()), /ON t \(b\s*\)$/);
});

test("played: a query stays one statement", () => {
  const sql = "ALTER TABLE t ADD COLUMN a INT, ADD COLUMN b INT";
  assert.equal(accommodate(sql, "mysql"), sql);
  assert.match(accommodate(sql, "mysql", new Map()), /a INT ?; +ALTER TABLE t ADD COLUMN b INT$/);
});

test("mysql: what SQLite would take for something else is refused", async () => {
  const refused: readonly [string, RegExp][] = [
    ["CREATE TABLE t (id INT, KEY a (nope))", /there is no column "nope" in table "t" for a key$/],
    ["CREATE TABLE t (b TEXT, KEY a (b))", /MySQL does not know keys of a TEXT column such as "b"/],
    ["CREATE TABLE t (id INT KEY)", /write PRIMARY KEY in place of KEY for column "id"$/],
    ["CREATE TABLE t (id SERIAL)", /SQLite does not know MySQL's SERIAL/],
    ["CREATE TABLE t (b VARCHAR(9) CHARACTER SET binary)", /near "CHARACTER": syntax error$/],
    [
      "CREATE TABLE t (b VARCHAR(9), UNIQUE KEY (b(2)))",
      /SQLite knows no key of the first characters of "b"$/,
    ],
    ["CREATE TABLE t (n INT) AUTO_INCREMENT = 100", /near "=": syntax error$/],
    ["CREATE TABLE t (n INT); ALTER TABLE t ADD COLUMN m INT, DROP COLUMN n", /near ","/],
    ["CREATE TABLE t (n INT); ALTER TABLE t ADD INDEX a (m)", /no column "m" in table "t"/],
    ["ALTER TABLE t ADD COLUMN IF NOT EXISTS n INT", /no migration before .* table "t"$/],
    ["CREATE TABLE t (n INT); ALTER TABLE t ADD COLUMN b TEXT, ADD UNIQUE (b)", /keys of a TEXT/],
    [
      "CREATE TABLE t (n INT PRIMARY KEY, m INT); INSERT INTO t VALUES (1, 2) ON DUPLICATE KEY UPDATE m = m + VALUES(m)",
      /near "DUPLICATE"/,
    ],
  ];
  for (const [migration, message] of refused) {
    await withPlayed(MYSQL, migration, (_db, [{ by, reason = "" }]) => {
      assert.equal(by, "mocks", migration);
      assert.match(reason, message);
      return Promise.resolve();
    });
  }
});

test("mysql: INSERT IGNORE leaves out rows that exist, and refuses others", async () => {
  const table =
    "CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL); INSERT IGNORE INTO t VALUES (1, 1), (1, 2)";
  await withMysql(table, async (db) => {
    const insert = "INSERT IGNORE INTO t (id, n) VALUES (:id, :n)";
    const ignored = await write(db, { query: insert, payload: { id: 1, n: 5 } });
    assert.deepEqual(ignored, { changes: 0, last_insert_id: 0 });
    const missing = write(db, { query: insert, payload: { id: 2, n: null } });
    await assert.rejects(missing, fails(/NOT NULL constraint failed: t\.n/));
    const returning = { query: `${insert} RETURNING n`, payload: { id: 3, n: 6 } };
    assert.deepEqual(await write(db, returning), [{ n: 6 }]);
    assert.deepEqual(await write(db, { query: "SELECT * FROM t" }), [{ id: 1, n: 1 }, {
      id: 3,
      n: 6,
    }]);
    const twice = write(db, {
      query: "INSERT INTO t VALUES (1, 2) ON DUPLICATE KEY UPDATE n = VALUES(n)",
    });
    await assert.rejects(twice, fails(/counts twice in MySQL; operation = "UPSERT" does the same/));
    const updated = await write(db, { query: "UPDATE t SET n = 9" });
    assert.deepEqual(updated, { changes: 2, last_insert_id: 0 });
  });
});

test("played: locks are left out, since there is one connection", async () => {
  const table = "CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 2)";
  const locks = {
    mysql: ["FOR UPDATE", "FOR SHARE OF t NOWAIT", "LOCK IN SHARE MODE SKIP LOCKED"],
    postgres: [
      "FOR UPDATE SKIP LOCKED",
      "FOR SHARE",
      "FOR NO KEY UPDATE OF t, t NOWAIT",
      "FOR KEY SHARE",
    ],
  };
  for (const plays of [POSTGRES, MYSQL]) {
    await withPlayed(plays, table, async (db) => {
      for (const lock of locks[plays.syntax as keyof typeof locks]) {
        for (
          const query of [
            `SELECT n FROM t WHERE id = 1 LIMIT 1 ${lock}`,
            `SELECT n FROM (SELECT n FROM t ${lock}) AS a`,
          ]
        ) assert.deepEqual(await write(db, { query }), [{ n: 2 }], query);
      }
      for (const lock of ["FOR UPDATE OF u", "FOR UPDATE SOON", "FOR NOTHING"]) {
        const refused = write(db, { query: `SELECT n FROM t ${lock}` });
        await assert.rejects(refused, fails(/refuses it: near "(?:UPDATE|NOTHING)": syntax error/));
      }
    });
  }
  await withPlayed(POSTGRES, table, async (db) => {
    for (
      const query of ["SELECT DISTINCT n FROM t FOR UPDATE", "SELECT count(*) FROM t FOR SHARE"]
    ) {
      await assert.rejects(write(db, { query }), fails(/near "(?:UPDATE|SHARE)"/));
    }
  });
});

test("played: an ALTER TABLE of PostgreSQL adds several columns", async () => {
  const table = `CREATE TABLE public.t (id int PRIMARY KEY);
    ALTER TABLE public.t ADD COLUMN IF NOT EXISTS id int, ADD COLUMN a text[] DEFAULT '{x}', ADD b int;
    ALTER TABLE t ADD COLUMN IF NOT EXISTS c int;`;
  await withPlayed(POSTGRES, table, async (db, [{ reason }]) => {
    assert.equal(reason, undefined);
    const row = await write(db, { target: "t", payload: { id: 1 } });
    assert.deepEqual(row, { id: 1, a: ["x"], b: null, c: null });
  });
});
