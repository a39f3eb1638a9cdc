import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { CommitQueue } from "../../src/connectors/database/drivers/sqlite/commits.ts";
import { openDatabase } from "../../src/connectors/database/drivers/sqlite/mod.ts";
import type { Database, Result } from "../../src/connectors/database/driver.ts";
import { getLogger } from "@logtape/logtape";
import { fails, withDatabase, write } from "./database-support.ts";

const TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, a);";
const rows = [{ n: 0 }];

test("writes of one tick share one commit", async () => {
  const ran: string[] = [];
  const database = {
    isTransaction: false,
    prepare: (sql: string) => ({ get: () => ran.push(sql) }),
  };
  const queue = new CommitQueue(database, 0);
  const results = await Promise.all(
    Array.from({ length: 100 }, (_, i) => queue.push(() => i)),
  );
  assert.deepEqual(results, Array.from({ length: 100 }, (_, i) => i));
  assert.deepEqual(ran, ["BEGIN IMMEDIATE", "COMMIT"]);
  await Promise.all(Array.from({ length: 2500 }, () => queue.push(() => undefined)));
  assert.equal(ran.filter((sql) => sql === "COMMIT").length, 4);
});

test("nothing is answered before its commit", async () => {
  let committed = false;
  const run = (sql: string) => void (committed = sql === "COMMIT");
  const database = { isTransaction: true, prepare: (sql: string) => ({ get: () => run(sql) }) };
  const queue = new CommitQueue(database, 0);
  await Promise.all(Array.from({ length: 3 }, async () => {
    await queue.push(() => assert.equal(committed, false));
    assert.equal(committed, true);
  }));
});

test("a commit that fails fails all of its writes and the next goes well", async () => {
  const broken = new Error("no");
  let fail = true;
  let rollbacks = 0;
  const database = {
    isTransaction: true,
    prepare: (sql: string) => ({
      get() {
        if (sql === "COMMIT" && fail) throw broken;
        if (sql === "ROLLBACK") rollbacks++;
      },
    }),
  };
  const queue = new CommitQueue(database, 0);
  const outcomes = await Promise.allSettled([1, 2, 3].map((i) => queue.push(() => i)));
  assert.deepEqual(outcomes, Array(3).fill({ status: "rejected", reason: broken }));
  assert.equal(rollbacks, 1);
  fail = false;
  assert.equal(await queue.push(() => 4), 4);
});

test("one commit takes no more transactions once it has run a thousand statements", async () => {
  const ran: string[] = [];
  const database = {
    isTransaction: true,
    prepare: (sql: string) => ({ get: () => ran.push(sql) }),
  };
  const queue = new CommitQueue(database, 0);
  const orders: number[] = [];
  await Promise.all(Array.from({ length: 30 }, (_, i) =>
    queue.transact(() => {
      for (let statement = 0; statement < 150; statement++) queue.count();
      orders.push(i);
    })));
  assert.deepEqual(orders, Array.from({ length: 30 }, (_, i) => i));
  // 7 times 150 are more than a thousand.
  assert.equal(ran.filter((sql) => sql === "COMMIT").length, 5);
});

test("a commit that fails fails all of its transactions", async () => {
  const ran: string[] = [];
  const broken = new Error("no");
  const database = {
    isTransaction: true,
    prepare: (sql: string) => ({
      get() {
        ran.push(sql);
        if (sql === "COMMIT") throw broken;
      },
    }),
  };
  const queue = new CommitQueue(database, 0);
  const outcomes = await Promise.allSettled([1, 2].map((i) => queue.transact(() => i)));
  assert.deepEqual(outcomes, Array(2).fill({ status: "rejected", reason: broken }));
  assert.deepEqual(ran, ["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"]);
});

test("transactions have savepoints once one has failed or waited, until a flush without a failure", async () => {
  const ran: string[] = [];
  let open = false;
  const effects: Readonly<Record<string, boolean>> = {
    "BEGIN IMMEDIATE": true,
    COMMIT: false,
    ROLLBACK: false,
  };
  const queue = new CommitQueue({
    get isTransaction() {
      return open;
    },
    prepare: (sql) => ({
      get() {
        ran.push(sql.split(" weir")[0]);
        open = effects[sql] ?? open;
      },
    }),
  }, 0);
  const works: Readonly<Record<string, () => unknown>> = {
    good: () => ran.push("good"),
    bad() {
      ran.push("bad");
      throw new Error("bad");
    },
    slow: async () => ran.push(await Promise.resolve("slow")),
  };
  const flush = async (names: string) => {
    ran.length = 0;
    await Promise.allSettled(names.split(" ").map((name) => queue.transact(works[name])));
    return ran.join(" ").replaceAll("BEGIN IMMEDIATE", "BEGIN");
  };
  assert.equal(await flush("good good"), "BEGIN good good COMMIT");
  const saved = (name: string) => `SAVEPOINT ${name} RELEASE`;
  const undone = "SAVEPOINT bad ROLLBACK TO RELEASE";
  assert.equal(
    await flush("good good bad good bad bad"),
    `BEGIN good good bad ROLLBACK BEGIN ${saved("good")} ${saved("good")} COMMIT ` +
      `BEGIN ${saved("good")} ${undone} ${undone} COMMIT`,
  );
  assert.equal(await flush("bad good"), `BEGIN ${undone} ${saved("good")} COMMIT`);
  assert.equal(await flush("good good"), `BEGIN ${saved("good")} ${saved("good")} COMMIT`);
  assert.equal(await flush("good slow bad"), `BEGIN good slow ${undone} COMMIT`);
});

test("one write that fails takes none of the others with it", async () => {
  await withDatabase(TABLE, async (db) => {
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => {
      return write(db, { target: "t", payload: { id: i === 60 ? 5 : i } });
    }));
    const failed = outcomes.flatMap(({ status }, i) => status === "rejected" ? [i] : []);
    assert.deepEqual(failed, [60]);
    assert.deepEqual(await write(db, { query: "SELECT count(*) AS n FROM t" }), [{ n: 99 }]);
  });
});

test("neither does one whose conflict undoes the whole transaction", async () => {
  const schema = "CREATE TABLE t (id UNIQUE ON CONFLICT ROLLBACK);";
  await withDatabase(schema, async (db) => {
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => {
      return write(db, { target: "t", payload: { id: i % 10 === 9 ? 0 : i } });
    }));
    assert.equal(outcomes.filter(({ status }) => status === "rejected").length, 10);
    assert.deepEqual(await write(db, { query: "SELECT count(*) AS n FROM t" }), [{ n: 90 }]);
  });
});

test("neither does one that only the commit finds wrong", async () => {
  const schema = `${TABLE}
    CREATE TABLE child (of INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED);`;
  await withDatabase(schema, async (db) => {
    await write(db, { target: "t", payload: { id: 1 } });
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => {
      return write(db, { target: "child", payload: { of: i === 33 ? 2 : 1 } });
    }));
    const failed = outcomes.flatMap(({ status }, i) => status === "rejected" ? [i] : []);
    assert.deepEqual(failed, [33]);
    const [outcome] = outcomes.filter(({ status }) => status === "rejected");
    assert.ok("reason" in outcome && fails(/FOREIGN KEY constraint failed/)(outcome.reason));
    assert.deepEqual(await write(db, { query: "SELECT count(*) AS n FROM child" }), [{ n: 99 }]);
  });
});

test("many writers at once each get their own row", async () => {
  await withDatabase(TABLE, async (db) => {
    const ids = new Set<unknown>();
    await Promise.all(Array.from({ length: 50 }, async (_, writer) => {
      for (let i = 0; i < 20; i++) {
        const row = await write(db, { target: "t", payload: { a: `${writer}/${i}` } });
        assert.ok(typeof row === "object" && row !== null && "a" in row && "id" in row);
        assert.equal(row.a, `${writer}/${i}`);
        ids.add(row.id);
      }
    }));
    assert.equal(ids.size, 1000);
  });
});

test("a write waits for another process's lock and fails when that takes too long", async () => {
  await withDatabase(TABLE, async (db, file) => {
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const waiting = write(db, { target: "t", payload: { a: "late" } });
    await assert.rejects(waiting, fails(/INSERT "t": database is locked/, false));
    // Reads go on meanwhile.
    assert.deepEqual(await write(db, { query: "SELECT count(*) AS n FROM t" }), rows);
    const lucky = write(db, { target: "t", payload: { id: 1, a: "in time" } });
    await new Promise((resolve) => setTimeout(resolve, 20));
    other.exec("ROLLBACK");
    other.close();
    assert.deepEqual(await lucky, { id: 1, a: "in time" });
  }, { patience: 1000 });
});

test("the event loop turns while a lock is waited for", async () => {
  await withDatabase(TABLE, async (db, file) => {
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    let settled = false;
    const waiting = write(db, { target: "t", payload: {} }).finally(() => settled = true);
    let turns = 0;
    while (turns < 10 && !settled) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      turns++;
    }
    assert.equal(settled, false);
    other.exec("ROLLBACK");
    other.close();
    await waiting;
  });
});

test("a read-only database still reads, and its writes fail without a crash", async () => {
  await withDatabase(TABLE, async (db) => {
    // It takes effect as it is prepared, so that it cannot even commit itself.
    await Promise.allSettled([write(db, { query: "PRAGMA query_only = 1" })]);
    const attempt = () => write(db, { target: "t", payload: {} });
    const outcomes = await Promise.allSettled([attempt(), attempt()]);
    for (const outcome of outcomes) {
      assert.ok("reason" in outcome && fails(/attempt to write a readonly/, false)(outcome.reason));
    }
    assert.deepEqual(await write(db, { query: "SELECT count(*) AS n FROM t" }), rows);
    assert.equal(db.health(), undefined);
  });
});

test("a full disk fails what does not fit and keeps what does", async () => {
  await withDatabase(TABLE, async (db) => {
    await write(db, { query: "PRAGMA max_page_count = 20" });
    const large = "x".repeat(1000);
    const fill = () =>
      Promise.allSettled(Array.from({ length: 100 }, () => {
        return write(db, { target: "t", payload: { a: large } });
      }));
    const outcomes = await fill();
    const stored = outcomes.filter(({ status }) => status === "fulfilled").length;
    assert.ok(stored > 0 && stored < 100, `${stored} rows were stored`);
    assert.deepEqual(await write(db, { query: "SELECT count(*) AS n FROM t" }), [{ n: stored }]);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    assert.ok(failed && fails(/database or disk is full/, false)(failed.reason));
    await write(db, { query: "PRAGMA max_page_count = 10000" });
    assert.ok((await fill()).every(({ status }) => status === "fulfilled"));
  });
});

test("closing finishes what has begun and refuses the rest", async () => {
  await withDatabase(TABLE, async (db, file) => {
    const begun = Array.from({ length: 3000 }, () => write(db, { target: "t", payload: {} }));
    const closing = db.close();
    await assert.rejects(write(db, { target: "t", payload: {} }), fails(/is closed/, false));
    await closing;
    await Promise.all(begun);
    await db.close();
    const other = new DatabaseSync(file);
    assert.equal(other.prepare("SELECT count(*) AS n FROM t").get()?.n, 3000);
    other.close();
  });
});

/** An open database in memory with these tables. */
async function opened(schema: string): Promise<Database> {
  const options = { driver: "sqlite", database: ":memory:", migrations: undefined };
  const migrations = [{ name: "1.sql", sql: schema, checksum: "" }];
  return await openDatabase({ name: "db", logger: getLogger(["weir", "db"]), options, migrations });
}

/** Inserts these values into `t`, all of them or none. */
function insertAll(database: Database, values: readonly number[]): Promise<readonly Result[]> {
  const options = { rows: "none", background: false, names: [] } as const;
  const statement = database.prepare("INSERT INTO t VALUES (?1)", options);
  return database.transaction({
    steps: values.map((value) => ({ statement, values: [value] })),
    result: (results) => results,
    error: (cause) => cause as Error,
  });
}

test("the statements of one transaction are undone together, and no others of the commit", async () => {
  for (const conflict of ["ABORT", "ROLLBACK"]) {
    const database = await opened(`CREATE TABLE t (a UNIQUE ON CONFLICT ${conflict});`);
    const outcomes = await Promise.allSettled([
      insertAll(database, [1, 2]),
      insertAll(database, [3, 4, 1, 5]),
      insertAll(database, [3]),
      insertAll(database, []),
    ]);
    const statuses = outcomes.map(({ status }) => status);
    assert.deepEqual(statuses, ["fulfilled", "rejected", "fulfilled", "fulfilled"], conflict);
    const all = database.prepare("SELECT a FROM t ORDER BY a", {
      rows: "all",
      background: true,
      names: [],
    });
    assert.deepEqual(await database.query(all, []), [{ a: 1 }, { a: 2 }, { a: 3 }]);
    await database.close();
  }
});
