import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { eventOf } from "../support/flow.ts";
import { connector, fails, flowWith, withDatabase, withFolder, write } from "./database-support.ts";

const TABLE = "CREATE TABLE t (a);";
const NOW = Date.UTC(2026, 0, 1);

/** The names of all tables in a file. */
function tablesOf(file: string): readonly unknown[] {
  const database = new DatabaseSync(file);
  const found = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")
    .all().map(({ name }) => name);
  database.close();
  return found;
}

test("a key survives closing and opening the file", async () => {
  await withFolder(async (folder) => {
    const database = join(folder, "a.db");
    const first = connector({ database });
    await first.start();
    assert.equal(first.dedupeStore.has("f", "k", NOW), false);
    await first.dedupeStore.add("f", "k", NOW, NOW + 1000);
    assert.equal(first.dedupeStore.has("f", "k", NOW), true);
    await first.close();
    const second = connector({ database });
    await second.start();
    assert.equal(second.dedupeStore.has("f", "k", NOW + 999), true);
    assert.equal(second.dedupeStore.has("f", "k", NOW + 1000), false);
    assert.equal(second.dedupeStore.has("f", "other", NOW), false);
    assert.equal(second.dedupeStore.has("g", "k", NOW), false);
    await second.close();
  });
});

test("the table is made with the first key, not by looking for one", async () => {
  await withDatabase(TABLE, async (db, file) => {
    assert.equal(db.dedupeStore.has("f", "k", NOW), false);
    assert.deepEqual(tablesOf(file), ["_weir_migrations", "t"]);
    await db.dedupeStore.add("f", "k", NOW, NOW + 1);
    assert.deepEqual(tablesOf(file), ["_weir_keys", "_weir_migrations", "t"]);
  });
});

test("keeping a key again moves its end", async () => {
  await withDatabase(TABLE, async (db) => {
    await db.dedupeStore.add("f", "k", NOW, NOW + 10);
    await db.dedupeStore.add("f", "k", NOW + 10, NOW + 20);
    assert.equal(db.dedupeStore.has("f", "k", NOW + 15), true);
    // Another process's clock may be behind.
    await db.dedupeStore.add("f", "k", NOW, NOW + 5);
    assert.equal(db.dedupeStore.has("f", "k", NOW + 5), false);
  });
});

test("a key may be any text, and may be kept for any time", async () => {
  await withDatabase(TABLE, async (db) => {
    const keys = ['"', "", "'); DROP TABLE t; --", "ü\u{1F600}", "x".repeat(100_000)];
    for (const key of keys) await db.dedupeStore.add(key, key, NOW, NOW + Number.MAX_SAFE_INTEGER);
    for (const key of keys) assert.equal(db.dedupeStore.has(key, key, NOW * 1000), true);
    assert.equal(db.dedupeStore.has("", '"', NOW), false);
  });
});

test("keys that have run out go as others come, a few with each", async () => {
  await withDatabase(TABLE, async (db) => {
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => db.dedupeStore.add("f", `old ${n}`, NOW, NOW + n + 1)),
    );
    const count = async () => {
      const [{ n }] = await write(db, {
        query: "SELECT count(*) AS n FROM _weir_keys",
      }) as { n: number }[];
      return n;
    };
    assert.equal(await count(), 100);
    await db.dedupeStore.add("g", "new", NOW + 1000, NOW + 2000);
    const left = await count();
    assert.ok(left < 100 && left > 50, `${left} are left`);
    for (let n = 0; n < 100; n++) await db.dedupeStore.add("g", `new ${n}`, NOW + 1000, NOW + 2000);
    assert.equal(await count(), 101);
    assert.equal(db.dedupeStore.has("g", "new", NOW + 1000), true);
  });
});

test("expired keys are removed with every few keys and once a second, and do not pile up", async () => {
  await withDatabase(TABLE, async (db, file) => {
    await db.dedupeStore.add("f", "first", NOW, NOW + 1);
    const other = new DatabaseSync(file);
    const count = () => Number(other.prepare("SELECT count(*) AS n FROM _weir_keys").get()?.n);
    await db.dedupeStore.add("f", "second", NOW + 999, NOW + 9999);
    assert.equal(count(), 2);
    await db.dedupeStore.add("f", "third", NOW + 1000, NOW + 9999);
    assert.equal(count(), 2);
    // Each key lives for 100 ms, and one comes each millisecond.
    for (let n = 0; n < 1000; n++) {
      await db.dedupeStore.add("g", `key ${n}`, NOW + 2000 + n, NOW + 2100 + n);
      assert.ok(count() < 130, `${count()} keys`);
    }
    other.close();
  });
});

test("keys of one tick share one commit with the writes", async () => {
  await withDatabase(TABLE, async (db, file) => {
    await db.dedupeStore.add("f", "first", NOW, NOW + 1000);
    const other = new DatabaseSync(file);
    // It stands still from one commit of another connection to the next.
    const version = () => other.prepare("PRAGMA data_version").get()?.data_version;
    const before = Number(version());
    await Promise.all([
      ...Array.from({ length: 50 }, (_, n) => db.dedupeStore.add("f", String(n), NOW, NOW + 1000)),
      ...Array.from({ length: 50 }, (_, n) => write(db, { target: "t", payload: { a: n } })),
    ]);
    assert.equal(Number(version()), before + 1);
    assert.equal(other.prepare("SELECT count(*) AS n FROM _weir_keys").get()?.n, 51);
    other.close();
  });
});

test("a commit that is undone takes the table along, and the next key makes it again", async () => {
  const schema = `CREATE TABLE t (a UNIQUE ON CONFLICT ROLLBACK); INSERT INTO t VALUES (1);`;
  await withDatabase(schema, async (db) => {
    const [key, refused] = await Promise.allSettled([
      db.dedupeStore.add("f", "k", NOW, NOW + 1000),
      write(db, { target: "t", payload: { a: 1 } }),
    ]);
    assert.equal(refused.status, "rejected");
    assert.equal(key.status, "fulfilled");
    assert.equal(db.dedupeStore.has("f", "k", NOW), true);
  });
});

test("without its table no key is known, and the next key makes it again", async () => {
  await withDatabase(TABLE, async (db) => {
    await db.dedupeStore.add("f", "a", NOW, NOW + 1000);
    await write(db, { query: "DROP TABLE _weir_keys" });
    assert.equal(db.dedupeStore.has("f", "a", NOW), false);
    await db.dedupeStore.add("f", "b", NOW, NOW + 1000);
    assert.equal(db.dedupeStore.has("f", "b", NOW), true);
    assert.equal(db.dedupeStore.has("f", "a", NOW), false);
  });
});

test("the keys' table is neither a target nor a hint", async () => {
  await withDatabase(TABLE, async (db) => {
    await db.dedupeStore.add("f", "k", NOW, NOW + 1000);
    await assert.rejects(
      write(db, { target: "_weir_keys", payload: { flow: "f" } }),
      fails(/there is no table "_weir_keys"$/),
    );
    await assert.rejects(
      write(db, { target: "_weir_key", payload: { flow: "f" } }),
      fails(/there is no table "_weir_key"$/),
    );
    await assert.rejects(
      write(db, { query: "SELECT * FROM weir_keys" }),
      fails(/no such table: weir_keys$/),
    );
  });
});

test("without an open database there are no keys, and a read-only one keeps none", async () => {
  const closed = connector({ database: ":memory:" });
  assert.throws(() => closed.dedupeStore.has("f", "k", NOW), fails(/has not been started/, false));
  assert.throws(
    () => closed.dedupeStore.add("f", "k", NOW, NOW),
    fails(/has not been started/, false),
  );
  await withDatabase(TABLE, async (db) => {
    await Promise.allSettled([write(db, { query: "PRAGMA query_only = 1" })]);
    await assert.rejects(
      async () => await db.dedupeStore.add("f", "k", NOW, NOW + 1),
      fails(/dedupe: attempt to write a readonly database/, false),
    );
    assert.equal(db.dedupeStore.has("f", "k", NOW), false);
  });
});

test("a flow with such a store handles an event once, across a restart", async () => {
  const body = `dedupe {
    key   = "input.id"
    ttl   = "10m"
    store = "db"
  }
  to { connector = "b" }`;
  await withFolder(async (folder) => {
    const handled: unknown[] = [];
    for (let start = 0; start < 2; start++) {
      const db = connector({ database: join(folder, "a.db") });
      await db.start();
      const flow = await flowWith(db, body, ({ payload }) => handled.push(payload));
      for (const id of [1, 1, start + 2]) await flow.run(eventOf({ id }));
      flow.close();
      await db.close();
    }
    assert.deepEqual(handled, [{ id: 1 }, { id: 2 }, { id: 3 }]);
  });
});
