/** Transactions of several writes: `transact` of a database connector. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { DatabaseConnector } from "../../src/connectors/database/connector.ts";
import type { DatabaseDestination } from "../../src/connectors/database/options.ts";
import type { Cancellable, Transaction } from "../../src/contract/connector.ts";
import { connector, fails, withDatabase, write } from "./database-support.ts";

const SCHEMA = `CREATE TABLE orders (id INTEGER PRIMARY KEY, total);
  CREATE TABLE lines (id INTEGER PRIMARY KEY, of INTEGER NOT NULL, text TEXT UNIQUE);`;

/** What a `to` block with these attributes does in a transaction. */
function put(
  transaction: Transaction,
  { operation, target, payload = {}, ...options }: {
    readonly operation?: string;
    readonly target?: string;
    readonly payload?: unknown;
  } & DatabaseDestination,
): unknown {
  const request = { operation, target, payload, options, scope: {}, event: undefined };
  return transaction.write(request);
}

const order = (transaction: Transaction, payload: unknown) =>
  put(transaction, { target: "orders", payload });
const line = (transaction: Transaction, payload: unknown) =>
  put(transaction, { target: "lines", payload });

function count(db: DatabaseConnector, table: string): Promise<unknown> {
  return write(db, { query: `SELECT count(*) AS n FROM ${table}` });
}

async function holds(db: DatabaseConnector, orders: number, lines: number): Promise<void> {
  assert.deepEqual(await count(db, "orders"), [{ n: orders }]);
  assert.deepEqual(await count(db, "lines"), [{ n: lines }]);
}

test("all writes of a transaction see those before, and are there when it has ended", async () => {
  await withDatabase(SCHEMA, async (db, file) => {
    const other = new DatabaseSync(file);
    const result = await db.transact((transaction) => {
      const { id } = order(transaction, { total: 3 }) as { readonly id: number };
      line(transaction, { of: id, text: "a" });
      const update = { operation: "UPDATE", target: "orders", key: ["id"] };
      put(transaction, { ...update, payload: { id, total: 4 } });
      const upsert = { operation: "UPSERT", target: "lines", key: ["text"] };
      put(transaction, { ...upsert, payload: { of: id, text: "b" } });
      put(transaction, {
        operation: "DELETE",
        target: "lines",
        key: ["text"],
        payload: { text: "b" },
      });
      put(transaction, {
        query: "INSERT INTO lines (of, text) VALUES (:of, 'c')",
        payload: { of: id },
      });
      const seen = put(transaction, { query: "SELECT id, text FROM lines ORDER BY text" });
      assert.equal(other.prepare("SELECT count(*) AS n FROM orders").get()?.n, 0);
      return { seen, order: put(transaction, { query: "SELECT total FROM orders" }) };
    });
    assert.deepEqual(result, {
      seen: [{ id: 1, text: "a" }, { id: 2, text: "c" }],
      order: [{ total: 4 }],
    });
    assert.equal(other.prepare("SELECT count(*) AS n FROM lines").get()?.n, 2);
    other.close();
  });
});

test("a transaction that fails writes nothing, and takes no other write with it", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const broken = new Error("no");
    const outcomes = await Promise.allSettled([
      write(db, { target: "orders", payload: { id: 1 } }),
      db.transact((transaction) => {
        order(transaction, { id: 2 });
        order(transaction, { id: 1 });
      }),
      write(db, { target: "orders", payload: { id: 3 } }),
      db.transact((transaction) => {
        order(transaction, { id: 4 });
        throw broken;
      }),
      db.transact((transaction) => {
        order(transaction, { id: 5 });
        line(transaction, { of: 5, texts: "a" });
      }),
      db.transact((transaction) => {
        order(transaction, { id: 6 });
        // The work goes on, but its transaction has failed.
        assert.throws(() => line(transaction, { of: null }));
        assert.throws(
          () => line(transaction, { of: 6 }),
          fails(/the transaction has ended/, false),
        );
      }),
      db.transact((transaction) => order(transaction, { id: 7 })),
    ]);
    const [, second, , fourth, fifth, sixth] = outcomes.map((outcome) =>
      "reason" in outcome ? outcome.reason : undefined
    );
    assert.ok(fails(/INSERT "orders": UNIQUE constraint failed: orders.id/)(second));
    assert.equal(fourth, broken);
    assert.ok(fails(/there is no column "texts" in table "lines"; did you mean "text"\?/)(fifth));
    assert.ok(fails(/transaction: NOT NULL constraint failed: lines.of/)(sixth));
    assert.deepEqual(await write(db, { query: "SELECT id FROM orders" }), [
      { id: 1 },
      { id: 3 },
      { id: 7 },
    ]);
    await holds(db, 3, 0);
  });
});

test("a conflict that undoes the whole commit, or that only the commit finds, fails one alone", async () => {
  const schema = `CREATE TABLE orders (id UNIQUE ON CONFLICT ROLLBACK);
    CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE lines (of INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);`;
  await withDatabase(schema, async (db) => {
    await write(db, { target: "parents", payload: { id: 1 } });
    let calls = 0;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, (_, i) =>
        db.transact((transaction) => {
          calls++;
          order(transaction, { id: `a${i % 20 === 19 ? 0 : i}` });
          order(transaction, { id: `b${i}` });
          line(transaction, { of: i === 33 ? 2 : 1 });
          return i;
        })),
    );
    const failed = outcomes.flatMap(({ status }, i) => status === "rejected" ? [i] : []);
    assert.deepEqual(failed, [19, 33, 39, 59]);
    const late = outcomes[33];
    assert.ok("reason" in late && fails(/transaction: FOREIGN KEY constraint failed/)(late.reason));
    assert.ok(calls > 60, "some had to be repeated");
    await holds(db, 2 * 56, 56);
  });
});

test("while a transaction waits, nobody sees or joins it", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const inside = Promise.withResolvers<void>();
    const resume = Promise.withResolvers<void>();
    const seen: string[] = [];
    const note = (what: string) => <T>(value: T): T => {
      seen.push(what);
      return value;
    };
    const waiting = db.transact(async (transaction) => {
      order(transaction, { id: 1 });
      inside.resolve();
      await resume.promise;
      const { n } =
        (put(transaction, { query: "SELECT count(*) AS n FROM orders" }) as [{ n: 1 }])[0];
      line(transaction, { of: n });
    }).then(note("transaction"));
    await inside.promise;
    const row = write(db, { query: "SELECT id FROM orders WHERE id = 1" }).then(note("read"));
    const elsewhere = count(db, "orders");
    const other = write(db, { target: "orders", payload: { id: 2 } }).then(note("write"));
    assert.deepEqual(await elsewhere, [{ n: 0 }]);
    assert.deepEqual(seen, []);
    resume.resolve();
    await Promise.all([waiting, other]);
    assert.deepEqual(await row, [{ id: 1 }]);
    assert.equal(seen.at(-1), "write");
    await holds(db, 2, 1);
  });
});

test("a transaction that is cancelled leaves nothing, wherever it is", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const inside = Promise.withResolvers<void>();
    const resume = Promise.withResolvers<void>();
    const late: unknown[] = [];
    const first = db.transact((transaction) => order(transaction, { id: 1 })) as Cancellable;
    const second = db.transact(async (transaction) => {
      order(transaction, { id: 2 });
      inside.resolve();
      await resume.promise;
      try {
        order(transaction, { id: 3 });
      } catch (error) {
        late.push(error);
      }
    }) as Cancellable;
    const third = db.transact((transaction) => order(transaction, { id: 4 })) as Cancellable;
    const kept = write(db, { target: "orders", payload: { id: 5 } });
    const never = db.transact((transaction) => order(transaction, { id: 6 })) as Cancellable;
    const ends = Promise.allSettled([first, second, third, never]);
    never.cancel();
    await inside.promise;
    for (const pending of [first, third, second]) pending.cancel();
    for (const end of await ends) {
      assert.ok("reason" in end && fails(/transaction: was cancelled/, false)(end.reason));
    }
    await kept;
    assert.deepEqual(await write(db, { query: "SELECT id FROM orders" }), [{ id: 5 }]);
    resume.resolve();
    await write(db, { target: "orders", payload: { id: 7 } });
    assert.equal(late.length, 1);
    assert.ok(fails(/the transaction has ended/, false)(late[0]));
    await holds(db, 2, 0);
  });
});

test("a close waits for the transaction that is open", async () => {
  await withDatabase(SCHEMA, async (db, file) => {
    const inside = Promise.withResolvers<void>();
    const resume = Promise.withResolvers<void>();
    const waiting = db.transact(async (transaction) => {
      order(transaction, { id: 1 });
      inside.resolve();
      await resume.promise;
      order(transaction, { id: 2 });
    });
    await inside.promise;
    const closing = db.close();
    resume.resolve();
    await Promise.all([waiting, closing]);
    const after = new DatabaseSync(file);
    assert.equal(after.prepare("SELECT count(*) AS n FROM orders").get()?.n, 2);
    after.close();
    assert.throws(() => db.transact(() => undefined), fails(/is closed/, false));
  });
});

test("a lock that lasts too long fails a transaction before it has begun", async () => {
  await withDatabase(SCHEMA, async (db, file) => {
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    let calls = 0;
    const waiting = db.transact(() => calls++);
    await assert.rejects(
      Promise.resolve(waiting),
      fails(/transaction: database is locked/, false),
    );
    assert.equal(calls, 0);
    other.exec("ROLLBACK");
    other.close();
  }, { patience: 20 });
});

test("a disk that is full, or that cannot be written to, leaves whole transactions alone", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const large = "x".repeat(1000);
    const both = (id: number) =>
      Promise.resolve(db.transact((transaction) => {
        order(transaction, { total: large });
        line(transaction, { of: id, text: `${id} ${large}` });
      }));
    const fill = (from: number) =>
      Promise.allSettled(Array.from({ length: 60 }, (_, i) => both(from + i)));
    await write(db, { query: "PRAGMA max_page_count = 30" });
    const outcomes = await fill(0);
    const stored = outcomes.filter(({ status }) => status === "fulfilled").length;
    assert.ok(stored > 0 && stored < 60, `${stored} were stored`);
    await holds(db, stored, stored);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    assert.ok(failed && fails(/database or disk is full/, false)(failed.reason));
    await write(db, { query: "PRAGMA max_page_count = 10000" });
    assert.ok((await fill(60)).every(({ status }) => status === "fulfilled"));
    await holds(db, stored + 60, stored + 60);
    await Promise.allSettled([write(db, { query: "PRAGMA query_only = 1" })]);
    await assert.rejects(both(200), fails(/attempt to write a readonly/, false));
    await holds(db, stored + 60, stored + 60);
  });
});

test("two connections to one file: each sees whole transactions of the other one", async () => {
  await withDatabase(SCHEMA, async (db, file) => {
    const second = connector({ database: file });
    await second.start();
    const reader = new DatabaseSync(file);
    const counts = reader.prepare(
      "SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM lines) AS lines",
    );
    let ended = false;
    const both = [db, second].map(async (one, number) => {
      for (let i = 0; i < 30; i++) {
        await one.transact(async (transaction) => {
          const { id } = order(transaction, {}) as { readonly id: number };
          if (i % 5 === number) await setImmediate();
          line(transaction, { of: id, text: `${number}/${i}` });
        });
      }
    });
    const running = Promise.all(both).finally(() => ended = true);
    while (!ended) {
      const { orders, lines } = counts.get() ?? {};
      assert.equal(orders, lines);
      await setImmediate();
    }
    await running;
    await holds(db, 60, 60);
    reader.close();
    await second.close();
  });
});
