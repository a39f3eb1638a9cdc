import assert from "node:assert/strict";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import {
  CannotStartError,
  ReadBrokenError,
} from "../../src/connectors/database/drivers/sqlite/errors.ts";
import { readerCommand } from "../../src/connectors/database/drivers/sqlite/reader.ts";
import { Readers } from "../../src/connectors/database/drivers/sqlite/readers.ts";
import { cancel } from "../../src/flow/coroutine.ts";
import { fails, withDatabase, withFolder, write } from "./database-support.ts";
import { join } from "node:path";

const MANY = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :most)";
const ENDLESS = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) " +
  "SELECT count(*) AS n FROM c";

/** Runs `use` with readers of a file that somebody writes to. */
async function withReaders(
  use: (readers: Readers, writer: DatabaseSync) => Promise<void>,
  idle?: number,
): Promise<void> {
  await withFolder(async (folder) => {
    const database = join(folder, "a.db");
    const writer = new DatabaseSync(database);
    writer.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (a)");
    const readers = new Readers({ database, patience: 1000 }, idle);
    try {
      await use(readers, writer);
    } finally {
      await readers.close();
      writer.close();
    }
  });
}

const order = (sql: string, first = false) => ({ sql, values: [], first });

test("a read in another process returns the same values", async () => {
  const schema = 'CREATE TABLE t (id INTEGER PRIMARY KEY, any, "__proto__");' +
    `INSERT INTO t (any, "__proto__") VALUES (1, 'p'), (-1.5, 2), (9e999, 3), (-9e999, NULL),
     (9007199254740993, 4), (-9223372036854775808, 5), ('ü\u{1F600}', 6), (x'00ff', 7), (NULL, 8),
     ('', 9), (x'', 10), (1e300, 11);`;
  await withDatabase(schema, async (db) => {
    const elsewhere = await write(db, { query: "SELECT * FROM t ORDER BY id" }) as unknown[];
    assert.equal(elsewhere.length, 12);
    for (const row of elsewhere) {
      const payload = { id: (row as { id: unknown }).id };
      const here = await write(db, { query: "SELECT * FROM t WHERE id = :id", payload });
      assert.deepEqual([row], here);
      assert.equal(Object.getPrototypeOf(row), Object.prototype);
    }
    const query = "SELECT max(typeof(:a)) AS a, max(typeof(:b)) AS b, max(:c) AS c, max(:d) AS d " +
      "FROM t WHERE :e IS NULL";
    const payload = { a: new Uint8Array([1]), b: 2n ** 60n, c: "9", d: true, e: null };
    assert.deepEqual(await write(db, { query, payload }), [{
      a: "blob",
      b: "integer",
      c: "9",
      d: 1,
    }]);
  });
});

test("rows: what a step makes of them is the same elsewhere", async () => {
  await withDatabase("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3);", async (db) => {
    const query = "SELECT a FROM t WHERE a >= :from ORDER BY a";
    const cases = [
      ["auto", [[{ a: 2 }, { a: 3 }], { a: 3 }, null]],
      ["one", [{ a: 2 }, { a: 3 }, null]],
      ["all", [[{ a: 2 }, { a: 3 }], [{ a: 3 }], []]],
    ] as const;
    for (const [rows, expected] of cases) {
      for (const [i, from] of [2, 3, 4].entries()) {
        assert.deepEqual(await write(db, { query, rows, payload: { from } }), expected[i], rows);
      }
    }
  });
});

test("a result of many rows is complete and in order, and does not block", async () => {
  await withDatabase("CREATE TABLE t (a);", async (db) => {
    const query = `${MANY} SELECT n, 'row ' || n AS text FROM c`;
    await write(db, { query, payload: { most: 1 } });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const rows = await write(db, { query, payload: { most: 50_000 } }) as { n: number }[];
    clearInterval(timer);
    assert.equal(rows.length, 50_000);
    assert.ok(rows.every(({ n }, i) => n === i + 1));
    assert.ok(turns >= 5, `${turns} turns`);
  });
});

test("an error of SQLite's elsewhere is one as here", async () => {
  await withDatabase("CREATE TABLE t (a); INSERT INTO t VALUES (1);", async (db, file) => {
    const query = "SELECT abs(a * -9223372036854775807 - 1) AS a FROM t";
    await assert.rejects(write(db, { query }), fails(/query: integer overflow/));
    // The process is none the worse for it.
    assert.deepEqual(await write(db, { query: "SELECT a FROM t" }), [{ a: 1 }]);
    const options = { query: "SELECT a FROM t ORDER BY a" };
    const other = new DatabaseSync(file);
    other.exec("ALTER TABLE t ADD COLUMN b");
    other.exec("DROP TABLE t");
    other.close();
    await assert.rejects(write(db, options), fails(/query: no such table: t/));
  });
});

test("a write that was acked is seen by the next read, whoever wrote", async () => {
  await withReaders(async (readers, writer) => {
    const insert = writer.prepare("INSERT INTO t VALUES (?)");
    for (let n = 1; n <= 200; n++) {
      insert.run(n);
      assert.deepEqual(await readers.read(order("SELECT count(*) AS n FROM t")), [{ n }]);
    }
  });
});

test("a read that is given up ends at once, and those after it are done", async () => {
  await withReaders(async (readers) => {
    const endless = Array.from({ length: 6 }, () => readers.read(order(ENDLESS)));
    const after = readers.read(order("SELECT count(*) AS n FROM t"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const read of endless) read.cancel();
    for (const read of endless) await assert.rejects(read, ReadBrokenError);
    assert.deepEqual(await after, [{ n: 0 }]);
    // Giving up what is done does nothing.
    after.cancel();
    cancel(undefined);
    cancel(Promise.resolve());
    assert.deepEqual(await readers.read(order("SELECT count(*) AS n FROM t")), [{ n: 0 }]);
  });
});

test("no process is started for a read that was given up before it began", async () => {
  await withReaders(async (readers) => {
    const endless = readers.read(order(ENDLESS));
    const next = readers.read(order(ENDLESS));
    next.cancel();
    await assert.rejects(next, ReadBrokenError);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(readers.size, 1);
    endless.cancel();
    await assert.rejects(endless, ReadBrokenError);
  });
});

test("short reads share a process, and pass one that takes long", async () => {
  await withReaders(async (readers) => {
    const endless = readers.read(order(ENDLESS));
    const short = Array.from(
      { length: 500 },
      () => readers.read(order("SELECT count(*) AS n FROM t")),
    );
    for (const read of short) assert.deepEqual(await read, [{ n: 0 }]);
    endless.cancel();
    await assert.rejects(endless, ReadBrokenError);
  });
});

test("closing cancels all reads, and nothing is read afterwards", async () => {
  await withReaders(async (readers) => {
    const reads = Array.from({ length: 10 }, () => readers.read(order(ENDLESS)));
    const broken = reads.map((read) => assert.rejects(read, /is closed/));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await readers.close();
    await Promise.all(broken);
    await assert.rejects(readers.read(order("SELECT 1")), /is closed/);
    await readers.close();
  });
});

test("a process without work ends, and one that has work does not", async () => {
  await withReaders(async (readers) => {
    const short = "SELECT count(*) AS n FROM t";
    assert.equal(readers.size, 0);
    const slow = readers.read(
      order(`${MANY.replace(":most", "3000000")} SELECT max(n) AS n FROM c`),
    );
    assert.equal(readers.size, 1);
    assert.deepEqual(await slow, [{ n: 3_000_000 }]);
    assert.deepEqual(await readers.read(order(short)), [{ n: 0 }]);
    const end = performance.now() + 10_000;
    while (readers.size > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(readers.size, 0);
    assert.deepEqual(await readers.read(order(short)), [{ n: 0 }]);
  }, 50);
});

test("without a read there is nothing to close", async () => {
  await withReaders((readers) => readers.close());
});

test("a process reads and cannot write", async () => {
  await withReaders(async (readers) => {
    const writing = readers.read(order("INSERT INTO t VALUES (1) RETURNING a"));
    await assert.rejects(writing, /attempt to write a readonly database/);
  });
});

test("a process that cannot be started fails the read, and the next one is tried again", async () => {
  const { execPath } = process;
  await withReaders(async (readers) => {
    process.execPath = "/nowhere/at/all";
    try {
      for (let n = 0; n < 3; n++) {
        const reads = [1, 2].map(() => readers.read(order("SELECT count(*) AS n FROM t")));
        for (const read of reads) {
          await assert.rejects(read, /could not be started: .*(ENOENT|find)/);
        }
      }
    } finally {
      process.execPath = execPath;
    }
    assert.deepEqual(await readers.read(order("SELECT count(*) AS n FROM t")), [{ n: 0 }]);
  });
});

test("an executable that has its application and nothing else starts no process", async () => {
  const { Deno } = globalThis as { Deno?: { build: Record<string, unknown> } };
  if (Deno === undefined) return;
  const build = Object.getOwnPropertyDescriptor(Deno, "build") as PropertyDescriptor;
  await withReaders(async (readers) => {
    Object.defineProperty(Deno, "build", {
      configurable: true,
      value: { ...Deno.build, standalone: true },
    });
    try {
      assert.equal(readerCommand({ database: "a.db", patience: 1 }), undefined);
      await assert.rejects(readers.read(order("SELECT 1")), CannotStartError);
      await withDatabase("CREATE TABLE t (a); INSERT INTO t VALUES (1);", async (db) => {
        assert.deepEqual(await write(db, { query: "SELECT a FROM t" }), [{ a: 1 }]);
        const options = { query: "SELECT a FROM t" };
        const request = { operation: undefined, target: undefined, payload: {}, event: undefined };
        assert.deepEqual(db.write({ ...request, options, scope: {} }), [{ a: 1 }]);
      });
    } finally {
      Object.defineProperty(Deno, "build", build);
    }
  });
});

test("what is in memory is read where it is written", async () => {
  await withDatabase("CREATE TABLE t (a); INSERT INTO t VALUES (1);", (db) => {
    const request = { operation: undefined, target: undefined, payload: {}, event: undefined };
    assert.deepEqual(
      db.write({ ...request, options: { query: "SELECT a FROM t" }, scope: {} }),
      [{ a: 1 }],
    );
    return Promise.resolve();
  }, { database: ":memory:" });
});
