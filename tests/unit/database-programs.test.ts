import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { mayTakeLong } from "../../src/connectors/database/drivers/sqlite/programs.ts";

function database(): DatabaseSync {
  const made = new DatabaseSync(":memory:");
  made.exec(`
    CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, room TEXT, a INT, b INT, body TEXT);
    CREATE INDEX t_room ON t (room);
    CREATE UNIQUE INDEX t_ab ON t (a, b);
    CREATE TABLE k (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
    CREATE TEMP TABLE own (x);
    ATTACH ':memory:' AS other;
    CREATE TABLE other.o (x);
    CREATE VIRTUAL TABLE words USING fts5(body);
  `);
  return made;
}

/** Queries that look a row up, in one step for each table, or look at no table. */
const quick = [
  "SELECT 1",
  "SELECT ?1 AS a, upper(?2) || 'x' AS b, datetime('now') AS c",
  "SELECT * FROM t WHERE id = ?1",
  "SELECT * FROM t WHERE name = ?1",
  "SELECT * FROM t WHERE a = ?1 AND b = ?2",
  "SELECT * FROM t WHERE id = ?1 AND room = ?2 AND body IS NOT NULL LIMIT 1",
  "SELECT v FROM k WHERE k = ?1",
  "SELECT count(*) AS n FROM t WHERE name = ?1",
  "SELECT EXISTS (SELECT 1 FROM t WHERE name = ?1) AS there",
  "SELECT coalesce(max(a), 0) AS a FROM t WHERE id = ?1",
  "SELECT (SELECT name FROM t WHERE id = 1) AS name",
  "SELECT t.*, k.v FROM t JOIN k ON k.k = t.name WHERE t.id = ?1",
  "SELECT t.*, k.v FROM t LEFT JOIN k ON k.k = t.name WHERE t.id = ?1",
  "SELECT name, json_extract(body, '$.a') AS a, body ->> 'b' AS b FROM t WHERE id = ?1",
  "SELECT CASE WHEN a > 1 THEN 'many' ELSE round(a / 2.0, 1) END AS a FROM t WHERE id = ?1",
  "SELECT * FROM t WHERE id = ?1 UNION ALL SELECT * FROM t WHERE id = ?2",
  "EXPLAIN SELECT * FROM t",
  "EXPLAIN QUERY PLAN SELECT * FROM t",
];

/** Queries with a loop, or with a function that may take long by itself. */
const slow = [
  "SELECT * FROM t",
  "SELECT count(*) FROM t",
  "SELECT max(id) FROM t",
  "SELECT * FROM t WHERE body = ?1",
  "SELECT * FROM t WHERE room = ?1",
  "SELECT * FROM t WHERE room = ?1 ORDER BY id DESC LIMIT 5",
  "SELECT * FROM t WHERE a = ?1",
  "SELECT * FROM t WHERE id > ?1",
  "SELECT * FROM t WHERE id IN (1, 2)",
  "SELECT * FROM t WHERE id = ?1 OR name = ?2",
  "SELECT EXISTS (SELECT 1 FROM t WHERE room = ?1)",
  "SELECT (SELECT count(*) FROM t) AS n",
  "SELECT * FROM t JOIN k WHERE t.id = 1",
  "SELECT * FROM words WHERE words MATCH ?1",
  "SELECT value FROM json_each(?1)",
  "VALUES (1), (2)",
  "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
  "SELECT * FROM t WHERE id = ?1 AND body LIKE ?2",
  "SELECT ?1 GLOB ?2",
  "SELECT zeroblob(?1)",
  "SELECT printf('%*c', ?1, 'x')",
  "SELECT replace(body, 'a', ?1) FROM t WHERE id = ?2",
  "SELECT trim(body, ?1) FROM t WHERE id = ?2",
];

/** Queries that no other connection could answer. */
const own = [
  "SELECT * FROM own",
  "SELECT * FROM other.o ORDER BY x",
  "SELECT count(*) FROM t JOIN own",
  "SELECT last_insert_rowid() AS id",
  "SELECT * FROM t WHERE id >= last_insert_rowid()",
  "SELECT changes() AS a, total_changes() AS b",
];

test("a look-up by all columns of a key does not take long", () => {
  for (const sql of quick) assert.equal(mayTakeLong(database(), sql), false, sql);
});

test("whatever has a loop or an expensive function may take long", () => {
  for (const sql of slow) assert.equal(mayTakeLong(database(), sql), true, sql);
});

test("what only its own connection has stays there", () => {
  for (const sql of own) assert.equal(mayTakeLong(database(), sql), false, sql);
});
