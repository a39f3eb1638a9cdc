import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { createRuntime } from "../../src/runtime/mod.ts";
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

test("an answer survives with its key; a key that is kept again has its new answer", async () => {
  await withFolder(async (folder) => {
    const database = join(folder, "a.db");
    const first = connector({ database });
    await first.start();
    assert.equal(await first.dedupeStore.answer?.("f", "k", NOW), undefined);
    await first.dedupeStore.add("f", "k", NOW, NOW + 1000, '{"ü":"\u{1F600}"}');
    await first.dedupeStore.add("f", "none", NOW, NOW + 1000);
    await first.close();
    const second = connector({ database });
    await second.start();
    const { dedupeStore } = second;
    assert.equal(await dedupeStore.answer?.("f", "k", NOW + 999), '{"ü":"\u{1F600}"}');
    assert.equal(await dedupeStore.answer?.("f", "k", NOW + 1000), undefined);
    assert.equal(await dedupeStore.answer?.("f", "none", NOW), undefined);
    assert.equal(await dedupeStore.answer?.("g", "k", NOW), undefined);
    await dedupeStore.add("f", "k", NOW, NOW + 1000, "2");
    assert.equal(await dedupeStore.answer?.("f", "k", NOW), "2");
    await dedupeStore.add("f", "k", NOW, NOW + 1000);
    assert.equal(await dedupeStore.answer?.("f", "k", NOW), undefined);
    await second.close();
  });
});

/** The table as an earlier version has made it, with one key. */
const EARLIER = `
  CREATE TABLE _weir_keys (flow TEXT NOT NULL, key TEXT NOT NULL, until DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (flow, key));
  CREATE INDEX _weir_keys_until ON _weir_keys (until);
  INSERT INTO _weir_keys VALUES ('f', 'old', ${NOW + 1000});
`;

function columnsOf(file: string): readonly unknown[] {
  const database = new DatabaseSync(file);
  const found = database.prepare("SELECT name FROM pragma_table_info('_weir_keys')").all();
  database.close();
  return found.map(({ name }) => name);
}

test("a table of an earlier version gets its column for answers with the next key", async () => {
  await withDatabase(TABLE, async (db, file) => {
    const earlier = new DatabaseSync(file);
    earlier.exec(EARLIER);
    earlier.close();
    assert.equal(db.dedupeStore.has("f", "old", NOW), true);
    assert.equal(await db.dedupeStore.answer?.("f", "old", NOW), undefined);
    assert.deepEqual(columnsOf(file), ["flow", "key", "until"]);
    // All at once, as the flows of a service do.
    await Promise.all(
      ["a", "b", "c"].map((key) => db.dedupeStore.add("f", key, NOW, NOW + 1000, key)),
    );
    assert.deepEqual(columnsOf(file), ["flow", "key", "until", "answer"]);
    assert.equal(db.dedupeStore.has("f", "old", NOW), true);
    assert.equal(await db.dedupeStore.answer?.("f", "b", NOW), "b");
    await db.dedupeStore.add("f", "old", NOW, NOW + 1000, "again");
    assert.equal(await db.dedupeStore.answer?.("f", "old", NOW), "again");
  });
});

test("two processes may add the column at the same moment", async () => {
  await withDatabase(TABLE, async (db, file) => {
    const earlier = new DatabaseSync(file);
    earlier.exec(EARLIER);
    earlier.close();
    const other = connector({ database: file });
    await other.start();
    await Promise.all([
      db.dedupeStore.add("f", "a", NOW, NOW + 1000, "1"),
      other.dedupeStore.add("f", "b", NOW, NOW + 1000, "2"),
    ]);
    assert.equal(await db.dedupeStore.answer?.("f", "b", NOW), "2");
    assert.equal(await other.dedupeStore.answer?.("f", "a", NOW), "1");
    await other.close();
  });
});

test("the column may come from another process, or go again", async () => {
  await withDatabase(TABLE, async (db, file) => {
    const other = new DatabaseSync(file);
    other.exec(EARLIER);
    assert.equal(db.dedupeStore.has("f", "old", NOW), true);
    other.exec("ALTER TABLE _weir_keys ADD COLUMN answer TEXT");
    other.exec("UPDATE _weir_keys SET answer = '1'");
    assert.equal(await db.dedupeStore.answer?.("f", "old", NOW), "1");
    await db.dedupeStore.add("f", "a", NOW, NOW + 1000, "2");
    other.exec("ALTER TABLE _weir_keys DROP COLUMN answer");
    other.close();
    assert.equal(await db.dedupeStore.answer?.("f", "old", NOW), undefined);
    assert.equal(db.dedupeStore.has("f", "old", NOW), true);
    await db.dedupeStore.add("f", "b", NOW, NOW + 1000, "3");
    assert.equal(await db.dedupeStore.answer?.("f", "b", NOW), "3");
  });
});

test("the column goes again while the statements are in use, and the next key adds it", async () => {
  await withDatabase(TABLE, async (db, file) => {
    await db.dedupeStore.add("f", "a", NOW, NOW + 1000, "1");
    const other = new DatabaseSync(file);
    other.exec("ALTER TABLE _weir_keys DROP COLUMN answer");
    other.close();
    await db.dedupeStore.add("f", "b", NOW, NOW + 1000, "2");
    assert.equal(await db.dedupeStore.answer?.("f", "b", NOW), "2");
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
  assert.throws(
    () => closed.dedupeStore.has("f", "k", NOW),
    fails(/has not been opened yet/, false),
  );
  assert.throws(
    () => closed.dedupeStore.add("f", "k", NOW, NOW),
    fails(/has not been opened yet/, false),
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

test("a request that is repeated gets the status and the row of the first, across a restart", async () => {
  await withFolder(async (folder) => {
    const database = join(folder, "a.db");
    const setup = new DatabaseSync(database);
    setup.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)");
    setup.close();
    const config = `
      connector "api" {
        type = "rest"
        port = 0
      }
      connector "db" {
        type     = "database"
        driver   = "sqlite"
        database = ${JSON.stringify(database)}
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
        to {
          connector = "db"
          target    = "orders"
          transform {
            item = "input.item"
          }
        }
      }
    `;
    const answers: unknown[] = [];
    for (let start = 0; start < 2; start++) {
      const runtime = await createRuntime(config);
      for (const item of ["tea", "milk"]) {
        const request = new Request("http://localhost/orders", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ key: "k", item }),
        });
        const response = await runtime.fetch(request);
        answers.push([response.status, await response.json()]);
      }
      await runtime.close();
    }
    assert.deepEqual(answers, Array(4).fill([201, { id: 1, item: "tea" }]));
  });
});
