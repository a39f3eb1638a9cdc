/** What flows do with a database: steps, `each`, `atomic`, and the keys of `dedupe`. */
import assert from "node:assert/strict";
import { refusal, type Stored, type Subject, type Topic } from "./subject.ts";

const ATOMIC = `
  to "order" {
    connector = "db"
    target    = "orders"
    atomic    = true
    transform { total = "input.total" }
  }
  to {
    connector = "db"
    target    = "items"
    atomic    = true
    each      = "input.lines"
    transform {
      of    = "results.order.id"
      label = "item"
    }
  }
  to "seen" {
    connector = "db"
    atomic    = true
    query     = "SELECT count(*) AS n FROM items WHERE of = :id"
    params    = { id = "results.order.id" }
  }
  response {
    id   = "results.order.id"
    seen = "results.seen[0].n"
  }
`;

/** Flows. */
export const flows: Topic = {
  schema: ({ types: { serial, integer, key, json, boolean }, table }) => `
    CREATE TABLE orders (id ${serial}, total ${integer})${table};
    CREATE TABLE items (id ${serial}, of ${integer} NOT NULL, label ${key} UNIQUE)${table};
    CREATE TABLE users (id ${serial}, name ${key}, tags ${json}, admin ${boolean})${table};
    CREATE TABLE listed (id ${serial}, n ${integer} CHECK (n < 100))${table};
  `,
  cases: {
    "a step finds what a destination has written": async (subject) => {
      const put = await subject.flow(`
        to {
          connector = "db"
          target    = "users"
          transform {
            name  = "input.name"
            tags  = "input.tags"
            admin = "true"
          }
        }
        response { id = "output.id" }
      `);
      const { response } = await put({ name: "Ada", tags: ["a", "b"] });
      const { id } = response?.data as Stored;
      const get = await subject.flow(`
        step "user" {
          connector = "db"
          query     = "SELECT name, tags, admin FROM users WHERE id = :id"
          params    = { id = "input.id" }
        }
        response { user = "step.user" }
      `);
      const { jsonIsData, booleans } = subject.differences;
      assert.deepEqual((await get({ id })).response?.data, {
        user: { name: "Ada", tags: jsonIsData ? ["a", "b"] : '["a","b"]', admin: booleans[0] },
      });
      assert.deepEqual((await get({ id: -1 })).response?.data, { user: null });
    },

    "`each` writes a row for every element": async (subject) => {
      const run = await subject.flow(`
        to "rows" {
          connector = "db"
          target    = "listed"
          each      = "input.list"
          transform { n = "item" }
        }
        response { rows = "results.rows.map(r, r.n)" }
      `);
      assert.deepEqual((await run({ list: [3, 1, 2] })).response?.data, { rows: [3, 1, 2] });
      assert.deepEqual((await run({ list: [] })).response?.data, { rows: [] });
      await assert.rejects(run({ list: [4, 100, 5] }));
      // Without `atomic` what was written before the refusal stays.
      assert.deepEqual((await subject.table("listed", "n")).map(({ n }) => n), [1, 2, 3, 4]);
    },

    "`atomic` writes all, and each block sees those before": async (subject) => {
      const run = await subject.flow(ATOMIC);
      const before = await counts(subject);
      const { response } = await run({ total: 7, lines: ["a", "b"] });
      assert.equal((response?.data as Stored).seen, 2);
      assert.deepEqual(await counts(subject), [before[0] + 1, before[1] + 2]);
    },

    "`atomic` writes nothing where one block is refused": async (subject) => {
      const run = await subject.flow(ATOMIC);
      await run({ total: 1, lines: ["kept"] });
      const before = await counts(subject);
      await assert.rejects(run({ total: 7, lines: ["new", "kept"] }));
      assert.deepEqual(await counts(subject), before);
      // The connection is as good as before.
      await run({ total: 8, lines: ["newer"] });
      assert.deepEqual(await counts(subject), [before[0] + 1, before[1] + 1]);
    },

    "nobody sees a transaction before its commit": async (subject) => {
      const before = await counts(subject);
      const inside = Promise.withResolvers<void>();
      const resume = Promise.withResolvers<void>();
      const waiting = subject.transact(async (write) => {
        const { id } = await write({ target: "orders", payload: { total: 3 } }) as Stored;
        await write({ target: "items", payload: { of: id, label: "unseen" } });
        const [{ n }] = await write({ query: "SELECT count(*) AS n FROM orders" }) as [Stored];
        assert.equal(n, before[0] + 1);
        inside.resolve();
        await resume.promise;
      });
      try {
        await Promise.race([inside.promise, waiting]);
        assert.deepEqual(await counts(subject), before);
      } finally {
        resume.resolve();
        await waiting;
      }
      assert.deepEqual(await counts(subject), [before[0] + 1, before[1] + 1]);
    },

    "an error in a transaction undoes it, and stays what it is": async (subject) => {
      const before = await counts(subject);
      const broken = new Error("no");
      await assert.rejects(
        subject.transact(async (write) => {
          await write({ target: "orders", payload: { total: 1 } });
          throw broken;
        }),
        (error) => error === broken,
      );
      await assert.rejects(
        subject.transact(async (write) => {
          await write({ target: "orders", payload: { total: 1 } });
          await write({ target: "items", payload: { of: null } });
        }),
        refusal(/of/),
      );
      assert.deepEqual(await counts(subject), before);
    },

    "of transactions that keep one key of `dedupe` at the same time, one is undone": async (
      subject,
    ) => {
      const { db } = subject;
      const now = Date.now();
      await db.dedupeStore.prepare?.(now);
      const keep = (time: number) =>
        db.transact(async ({ dedupeKeys }) => {
          await dedupeKeys?.add("together", "k", time, time + 1000);
          return "kept";
        });
      const ends = await Promise.allSettled([keep(now), keep(now), keep(now)]);
      const failures = ends.filter(({ status }) => status === "rejected");
      assert.equal(failures.length, 2);
      for (const { reason } of failures as readonly PromiseRejectedResult[]) {
        assert.equal(reason.permanent, true, reason.message);
      }
      await assert.rejects(Promise.resolve(keep(now + 999)));
      assert.equal(await keep(now + 1000), "kept");
    },
    "a key of `dedupe` is known until its time, with its answer": async (subject) => {
      const { dedupeStore } = subject.db;
      const now = Date.UTC(2026, 0, 1);
      assert.equal(await dedupeStore.has("f", "k", now), false);
      assert.equal(await dedupeStore.answer?.("f", "k", now), undefined);
      const answer = '{"ü":"\u{1F600}"}';
      await dedupeStore.add("f", "k", now, now + 1000, answer);
      await dedupeStore.add("f", "", now, now + 1000);
      for (
        const [flow, key, time, known] of [
          ["f", "k", now + 999, true],
          ["f", "k", now + 1000, false],
          ["f", "other", now, false],
          ["g", "k", now, false],
          ["f", "", now, true],
          ["F", "k", now, false],
          ["f", "K", now, false],
          ["f", "k ", now, false],
        ] as const
      ) assert.equal(await dedupeStore.has(flow, key, time), known, `${flow} ${key} ${time}`);
      assert.equal(await dedupeStore.answer?.("f", "k", now), answer);
      assert.equal(await dedupeStore.answer?.("f", "", now), undefined);
      await dedupeStore.add("f", "k", now, now + 500, "2");
      assert.equal(await dedupeStore.answer?.("f", "k", now), "2");
      assert.equal(await dedupeStore.has("f", "k", now + 600), false);
    },

    "keys of `dedupe` at the same time, and keys that are long": async (subject) => {
      const { dedupeStore } = subject.db;
      const now = Date.UTC(2026, 0, 2);
      const keys = [...Array(100).keys()].map((n) => `key ${n}`);
      await Promise.all(keys.map((key) => dedupeStore.add("many", key, now, now + 1000)));
      const known = await Promise.all(keys.map((key) => dedupeStore.has("many", key, now)));
      assert.ok(known.every((one) => one));
    },

    "a flow runs once for a key, and answers the same the next time": async (subject) => {
      const run = await subject.flow(`
        dedupe {
          key   = "input.key"
          ttl   = "1h"
          store = "db"
        }
        to {
          connector = "db"
          target    = "orders"
          transform { total = "input.total" }
        }
        response { total = "output.total" }
      `);
      const before = await counts(subject);
      for (let time = 0; time < 2; time++) {
        const { response } = await run({ key: "once", total: 12 + time });
        assert.deepEqual(response?.data, { total: 12 });
      }
      assert.deepEqual(await counts(subject), [before[0] + 1, before[1]]);
    },
  },
};

async function counts(subject: Subject): Promise<readonly [number, number]> {
  const count = async (table: string): Promise<number> =>
    (await subject.rows(`SELECT count(*) AS n FROM ${table}`))[0].n as number;
  return [await count("orders"), await count("items")];
}
