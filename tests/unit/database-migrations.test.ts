import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { connector, fails, withFolder, write } from "./database-support.ts";

type Connector = ReturnType<typeof connector>;

/** Runs `use` with functions that write migrations and start connectors on one database. */
async function withMigrations(
  use: (tools: {
    readonly database: string;
    readonly migrations: string;
    put(name: string, sql: string | Uint8Array): Promise<void>;
    start(): Promise<Connector>;
  }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const database = join(folder, "test.db");
    const migrations = join(folder, "migrations");
    await mkdir(migrations);
    const started: Connector[] = [];
    try {
      await use({
        database,
        migrations,
        put: (name, sql) => writeFile(join(migrations, name), sql),
        async start() {
          const db = connector({ database, migrations });
          started.push(db);
          await db.start();
          return db;
        },
      });
    } finally {
      for (const db of started) await db.close();
    }
  });
}

const applied = (db: Connector) =>
  write(db, { query: "SELECT name FROM _weir_migrations ORDER BY applied_at, name" });

test("migrations run in the order of their names, each once", async () => {
  await withMigrations(async ({ put, start }) => {
    await put("002_b.sql", "INSERT INTO t VALUES (2);");
    await put("001_a.sql", "-- first\nCREATE TABLE t (a);\r\nINSERT INTO t VALUES (1);");
    await put("notes.txt", "this is no SQL");
    const first = await start();
    assert.equal(first.health(), undefined);
    assert.deepEqual(await applied(first), [{ name: "001_a.sql" }, { name: "002_b.sql" }]);
    await first.close();
    await put("003_c.sql", "INSERT INTO t VALUES (3)");
    // How lines end is no change.
    await put("001_a.sql", "-- first\r\nCREATE TABLE t (a);\nINSERT INTO t VALUES (1);");
    const second = await start();
    const found = await write(second, { query: "SELECT a FROM t ORDER BY rowid" });
    assert.deepEqual(found, [{ a: 1 }, { a: 2 }, { a: 3 }]);
  });
});

test("an empty folder and an empty file are fine", async () => {
  await withMigrations(async ({ put, start }) => {
    await (await start()).close();
    await put("1.sql", "");
    await put("2.sql", "-- nothing\n");
    assert.deepEqual(await applied(await start()), [{ name: "1.sql" }, { name: "2.sql" }]);
  });
});

test("a migration that was changed afterwards stops the start before anything is applied", async () => {
  await withMigrations(async ({ put, start }) => {
    await put("b.sql", "CREATE TABLE t (a);");
    await (await start()).close();
    await put("b.sql", "CREATE TABLE t (a, b);");
    await put("a.sql", "CREATE TABLE early (a);");
    await assert.rejects(start(), fails(/migration "b\.sql" was changed after it was applied/));
    await put("b.sql", "CREATE TABLE t (a);");
    await start();
  });
});

test("a migration that is refused leaves nothing behind and stops the next ones", async () => {
  await withMigrations(async ({ database, put, start }) => {
    await put("1.sql", "CREATE TABLE kept (a);");
    await put("2.sql", "CREATE TABLE half (a); INSERT INTO half VALUES (1); CREATE TABEL x (a);");
    await put("3.sql", "CREATE TABLE later (a);");
    await assert.rejects(start(), fails(/migration "2\.sql" was refused: near "TABEL": syntax/));
    const other = new DatabaseSync(database);
    const tables = other.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1");
    assert.deepEqual(tables.all().map(({ name }) => name), ["_weir_migrations", "kept"]);
    other.close();
    await put("2.sql", "CREATE TABLE half (a);");
    await write(await start(), { target: "later", payload: { a: 1 } });
  });
});

test("a migration must not control its transaction", async () => {
  await withMigrations(async ({ put, start }) => {
    for (const word of ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a"]) {
      await put("1.sql", `CREATE TABLE t (a); ${word}; CREATE TABLE u (a);`);
      const named = new RegExp(`"1\\.sql" must not ${word.split(" ")[0]}`);
      await assert.rejects(start(), fails(named));
    }
    await put("1.sql", "CREATE TABLE t (a);");
    await start();
  });
});

test("triggers are applied and work", async () => {
  await withMigrations(async ({ put, start }) => {
    await put(
      "1.sql",
      `CREATE TABLE t (a); CREATE TABLE log (a);
       CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END;`,
    );
    const db = await start();
    await write(db, { target: "t", payload: { a: 7 } });
    assert.deepEqual(await write(db, { query: "SELECT a FROM log" }), [{ a: 7 }]);
  });
});

test("a table that others refer to can be rebuilt, and broken references are refused", async () => {
  await withMigrations(async ({ put, start }) => {
    await put(
      "1.sql",
      `CREATE TABLE parent (id INTEGER PRIMARY KEY);
       CREATE TABLE child (of INTEGER REFERENCES parent (id) ON DELETE CASCADE);
       INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1);`,
    );
    await put(
      "2.sql",
      `CREATE TABLE fresh (id INTEGER PRIMARY KEY, name TEXT);
       INSERT INTO fresh (id) SELECT id FROM parent; DROP TABLE parent;
       ALTER TABLE fresh RENAME TO parent;`,
    );
    const db = await start();
    assert.deepEqual(await write(db, { query: "SELECT * FROM child" }), [{ of: 1 }]);
    const orphan = write(db, { target: "child", payload: { of: 2 } });
    await assert.rejects(orphan, fails(/FOREIGN KEY/));
    await db.close();
    await put("3.sql", "DELETE FROM parent;");
    await assert.rejects(start(), fails(/"3\.sql" leaves rows of "child" that refer to none of/));
  });
});

test("a folder that is missing, a file instead of one, and a file that is no text are named", async () => {
  await withMigrations(async ({ put, start, migrations }) => {
    const database = ":memory:";
    const missing = connector({ database, migrations: join(migrations, "none") });
    await assert.rejects(missing.start(), fails(/cannot read the migrations in ".*none": ENOENT/));
    await put("1.sql", "CREATE TABLE t (a);");
    const file = connector({ database, migrations: join(migrations, "1.sql") });
    await assert.rejects(file.start(), fails(/cannot read the migrations in ".*1\.sql"/));
    await put("2.sql", new Uint8Array([0xff, 0xfe, 0x41]));
    await assert.rejects(
      start(),
      fails(/migrations in .*: migration "2\.sql" cannot be read: it is not UTF-8 text/),
    );
  });
});

test("a folder called like a migration is none", async () => {
  await withMigrations(async ({ start, migrations }) => {
    await mkdir(join(migrations, "1.sql"));
    await start();
  });
});

test("several that start at once apply each migration once", async () => {
  await withMigrations(async ({ put, start }) => {
    for (let i = 0; i < 10; i++) await put(`${i}.sql`, `CREATE TABLE t${i} (a);`);
    const all = await Promise.all([start(), start(), start()]);
    for (const db of all) assert.equal((await applied(db) as unknown[]).length, 10);
  });
});

test("a database that is locked at the start is tried again", async () => {
  await withMigrations(async ({ database, put, start }) => {
    await put("1.sql", "CREATE TABLE t (a);");
    const other = new DatabaseSync(database);
    other.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
    const db = await start();
    assert.match(String(db.health()), /database is locked/);
    await assert.rejects(write(db, { target: "t", payload: {} }), fails(/is locked/, false));
    other.exec("ROLLBACK");
    other.close();
    while (db.health() !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(await write(db, { target: "t", payload: { a: 1 } }), { a: 1 });
  });
});

test("a refused migration of a locked database is found before another service is closed", async () => {
  await withMigrations(async ({ database, put, migrations }) => {
    await put("1.sql", "CREATE TABEL t (a);");
    const other = new DatabaseSync(database);
    other.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
    const db = connector({ database, migrations });
    const preparing = db.prepare();
    await new Promise((resolve) => setTimeout(resolve, 100));
    other.exec("ROLLBACK");
    other.close();
    await assert.rejects(preparing, fails(/migration "1\.sql" was refused/));
    await db.close();
  });
});

test("one that is closed while it waits for the lock does not open later", async () => {
  await withMigrations(async ({ database, put, start }) => {
    await put("1.sql", "CREATE TABLE t (a);");
    const other = new DatabaseSync(database);
    other.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
    const db = await start();
    await db.close();
    other.exec("ROLLBACK");
    other.close();
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(existsSync(`${database}-wal`), false);
    await assert.rejects(write(db, { target: "t", payload: {} }), fails(/is closed/, false));
  });
});

test("a file that is no database, a folder and a path below a file cannot be opened", async () => {
  await withFolder(async (folder) => {
    const text = join(folder, "text.db");
    await writeFile(text, "this is no database, though long enough to look at".repeat(20));
    await assert.rejects(connector({ database: text }).start(), fails(/file is not a database/));
    await assert.rejects(connector({ database: folder }).start(), fails(/it is a folder/));
    const below = connector({ database: join(text, "a.db") });
    await assert.rejects(below.start(), fails(/cannot (open|make the folder)/));
  });
});

test("nothing can be written before the start", async () => {
  const db = connector({ database: ":memory:" });
  await assert.rejects(write(db, { query: "SELECT 1" }), fails(/has not been opened yet/, false));
  await db.close();
});
