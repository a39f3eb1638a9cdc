/** SQL that SQLite takes and the database that it plays does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accommodate } from "../../src/connectors/database/drivers/sqlite/playing/accommodations.ts";
import { fails, write } from "./database-support.ts";
import {
  MYSQL,
  POSTGRES,
  POSTGRES_ARRAYS,
  SQLITE_ALONE,
  UNKNOWN_TO_MYSQL,
  withPlayed,
} from "./testing-played-support.ts";

/** The message with which SQL is refused. */
function refusal(sql: string, syntax: "postgres" | "mysql"): string {
  try {
    accommodate(sql, syntax, new Map());
  } catch (error) {
    assert.ok(error instanceof SyntaxError);
    return error.message;
  }
  return `taken: ${sql}`;
}

test("dialect: what SQLite alone knows is refused for both", () => {
  for (const [sql, unknown] of SQLITE_ALONE) {
    assert.equal(refusal(sql, "postgres"), `PostgreSQL does not know ${unknown}`);
    assert.equal(refusal(sql, "mysql"), `MySQL does not know ${unknown}`);
  }
});

test("dialect: what PostgreSQL and SQLite know is refused for MySQL", () => {
  for (const [sql, unknown] of UNKNOWN_TO_MYSQL) {
    assert.equal(refusal(sql, "mysql"), `MySQL does not know ${unknown}`);
    assert.equal(accommodate(sql, "postgres"), sql);
  }
});

test("dialect: what counts, types, and quotes are refused with what to write", () => {
  const counting = "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, n int)";
  const refused: readonly [string, "postgres" | "mysql", string][] = [
    [counting, "mysql", "MySQL does not know AUTOINCREMENT; write AUTO_INCREMENT"],
    [
      counting,
      "postgres",
      "PostgreSQL does not know AUTOINCREMENT; write GENERATED ALWAYS AS IDENTITY",
    ],
    ["CREATE TABLE a (b BLOB)", "postgres", "PostgreSQL does not know the type BLOB; write bytea"],
    ["CREATE TABLE a (b jsonb)", "mysql", "MySQL does not know the type jsonb; write JSON"],
    ["CREATE TABLE a (b)", "mysql", 'MySQL wants a type for column "b"'],
    ["CREATE TABLE a (B NOT NULL)", "postgres", 'PostgreSQL wants a type for column "b"'],
    ["REPLACE INTO a VALUES (1)", "postgres", "PostgreSQL does not know REPLACE"],
    ["SELECT ifnull(a, 1)", "postgres", "PostgreSQL does not know ifnull()"],
    ["SELECT * FROM `a`", "postgres", 'PostgreSQL does not know names in `…`; write "…"'],
    [
      'CREATE TABLE "a" (b INT)',
      "mysql",
      "\"a\" is a string in MySQL, and a name in SQLite; write '…' for strings and `…` for names",
    ],
  ];
  for (const [sql, syntax, message] of refused) assert.equal(refusal(sql, syntax), message);
});

test("dialect: a long text is no key of MySQL without a length", () => {
  const message = (type: string) =>
    `MySQL does not know keys of a ${type} column such as "b" without a length; ` +
    "write VARCHAR(255) or VARBINARY(255)";
  const refused: readonly [string, string][] = [
    ["CREATE TABLE a (b TEXT PRIMARY KEY)", "TEXT"],
    ["CREATE TABLE a (b longtext UNIQUE)", "LONGTEXT"],
    ["CREATE TABLE a (id INT, b BLOB, PRIMARY KEY (id, B))", "BLOB"],
    ["CREATE TABLE a (`b` TEXT, CONSTRAINT c UNIQUE (b))", "TEXT"],
    ["CREATE TABLE a (b TEXT); CREATE TABLE c (b INT); CREATE INDEX d ON a (b)", "TEXT"],
    ["CREATE TABLE a (b json); CREATE UNIQUE INDEX d ON `a` (`b` DESC)", "JSON"],
  ];
  for (const [sql, type] of refused) assert.equal(refusal(sql, "mysql"), message(type));
  assert.match(refusal("CREATE TABLE a (b text PRIMARY KEY, c text UNIQUE)", "postgres"), /^taken/);
  assert.equal(
    refusal("CREATE TABLE a (b INT); CREATE INDEX d ON a (c)", "mysql"),
    'there is no column "c" in table "a" for a key',
  );
});

test("dialect: words that are names or strings are no dialect", () => {
  const taken = "CREATE TABLE strict (pragma INT, autoincrement INT, rowid INT) ; " +
    "INSERT INTO strict VALUES (1, 2, 'PRAGMA STRICT WITHOUT ROWID AUTOINCREMENT')";
  for (const syntax of ["postgres", "mysql"] as const) {
    assert.equal(accommodate(taken, syntax), taken);
  }
  const partition = "CREATE TABLE a PARTITION OF b FOR VALUES IN (1, 2)";
  assert.equal(accommodate(partition, "postgres", new Map()), partition);
  for (
    const sql of [
      "CREATE TABLE a (at DATETIME(6))",
      "INSERT INTO iif (n) VALUES (1)",
      "CREATE TABLE a AS SELECT count(*), max(n) FROM b",
      "CREATE TABLE a (n INT, CONSTRAINT FOREIGN KEY (n) REFERENCES b (n))",
      "ALTER TABLE a",
      "ALTER TABLE a ADD",
      "CREATE TABLE a (",
    ]
  ) {
    assert.equal(accommodate(sql, "mysql", new Map()), sql);
  }
});

for (const plays of [POSTGRES, MYSQL]) {
  test(`dialect: INTEGER PRIMARY KEY does not count in ${plays.title}`, async () => {
    const migration = `CREATE TABLE a (id INTEGER PRIMARY KEY, n INT);
      CREATE TABLE b (n INT, id INTEGER, other INT, PRIMARY KEY (id));
      CREATE TABLE c (id VARCHAR(9), n INT, PRIMARY KEY (id, n));`;
    await withPlayed(plays, migration, async (db, [{ by }]) => {
      assert.equal(by, "SQLite in memory");
      for (const target of ["a", "b", "c"]) {
        const inserted = write(db, { target, payload: { n: 1 } });
        await assert.rejects(
          inserted,
          fails(new RegExp(`NOT NULL constraint failed: ${target}\\.id`)),
        );
      }
      const row = { target: "a", payload: { id: 7, n: 1 } };
      assert.deepEqual(await write(db, row), { id: 7, n: 1 });
      await assert.rejects(write(db, row), fails(/UNIQUE constraint failed: a\.id/));
    });
  });
}

test("dialect: the report names the migration and what the server does not know", async () => {
  await withPlayed(MYSQL, "CREATE TABLE a (id INTEGER) STRICT", (_db, [{ by, reason }]) => {
    assert.deepEqual([by, reason], [
      "mocks",
      'SQLite refuses the migration "001.sql": MySQL does not know STRICT',
    ]);
    return Promise.resolve();
  });
});

test("dialect: arrays in the text of PostgreSQL are lists", async () => {
  await withPlayed(POSTGRES, POSTGRES_ARRAYS, async (db, [{ by, reason }]) => {
    assert.deepEqual([by, reason], ["SQLite in memory", undefined]);
    await write(db, { target: "a", payload: { id: 3, counts: [1] } });
    assert.deepEqual(await write(db, { query: "SELECT * FROM a ORDER BY id" }), [
      {
        id: 1,
        tags: ["gift", "a, \"b\" \\ 'c'", null, "NULL"],
        counts: [1, -2, "9007199254740993"],
        flags: [true, false, null],
        prices: ["1.50", "2"],
        deep: [["1.50", "2"], ["3", null]],
      },
      { id: 2, tags: ["x"], counts: [], flags: [], prices: null, deep: null },
      { id: 3, tags: ["new"], counts: [1], flags: null, prices: null, deep: null },
    ]);
    // A default and a literal with a cast are stored as what flows write.
    const query = "SELECT id FROM a WHERE tags = '{new}'::text[]";
    assert.deepEqual(await write(db, { query }), [{ id: 3 }]);
    const update = "UPDATE a SET tags = '{a', counts = '{1,}', flags = '{t}x' WHERE id = 1";
    assert.deepEqual(await write(db, { query: update }), { changes: 1, last_insert_id: null });
    const broken = "SELECT tags, counts, flags FROM a WHERE id = 1";
    assert.deepEqual(await write(db, { query: broken }), [
      { tags: "{a", counts: "{1,}", flags: "{t}x" },
    ]);
  });
});
