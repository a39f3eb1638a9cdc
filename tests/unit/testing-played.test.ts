import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { fails, write } from "./database-support.ts";
import {
  MYSQL,
  MYSQL_NOTES,
  POSTGRES,
  POSTGRES_ORDERS,
  withPlayed,
} from "./testing-played-support.ts";

test("played: a row comes back as it would from PostgreSQL", async () => {
  await withPlayed(POSTGRES, POSTGRES_ORDERS, async (db, played) => {
    assert.deepEqual(played, [{ service: "PostgreSQL", by: "SQLite in memory" }]);
    const payload = {
      name: "a",
      paid: true,
      doc: { a: [1, null, "x"] },
      tags: ["b", "c"],
      flags: [true, false],
      price: 12.5,
      rate: "0.1",
      big: "9007199254740993",
      ratio: 1.5,
      raw: "AAECAw==",
      day: "2026-03-04",
      at: "2026-01-02T03:04:05.678901+02:00",
    };
    const row = await write(db, { target: "orders", payload }) as Record<string, unknown>;
    const { ref, ...others } = row;
    assert.match(String(ref), /^[0-9a-f-]{36}$/);
    assert.deepEqual(others, {
      ...payload,
      id: 1,
      price: "12.50",
      at: "2026-01-02T01:04:05.678901Z",
    });
    const found = await write(db, { query: "SELECT o.*, o.paid AS p FROM orders o" });
    assert.deepEqual(found, [{ ...row, p: true }]);
  });
});

test("played: defaults have the time of the test, and numbers go on after a row was deleted", async () => {
  await withPlayed(POSTGRES, POSTGRES_ORDERS, async (db, _played, clock) => {
    clock.moveTo(Date.UTC(2026, 0, 1, 0, 1));
    const row = await write(db, { target: "orders", payload: {} }) as Record<string, unknown>;
    const { at, name, paid, doc, tags, flags } = row;
    assert.deepEqual({ at, name, paid, doc, tags, flags }, {
      at: "2026-01-01T00:01:00.000Z",
      name: "it's; new",
      paid: false,
      doc: {},
      tags: [],
      flags: null,
    });
    await write(db, { operation: "DELETE", target: "orders", payload: { id: 1 }, key: ["id"] });
    const next = await write(db, { target: "orders", payload: {} }) as Record<string, unknown>;
    assert.equal(next.id, 2);
    const part = { target: "parts", payload: { name: "x" } };
    assert.deepEqual(await write(db, part), { id: 1, name: "x" });
  });
});

test("played: a table may have its usual schema before its name", async () => {
  await withPlayed(POSTGRES, POSTGRES_ORDERS, async (db) => {
    const to = { target: "public.orders", key: ["id"] };
    const made = await write(db, { target: "public.orders", payload: { paid: true } });
    assert.deepEqual((made as Record<string, unknown>).paid, true);
    const kept = await write(db, { ...to, operation: "UPSERT", payload: { id: 1, paid: false } });
    assert.deepEqual(kept, { ...made as object, paid: false });
    await assert.rejects(
      write(db, { target: "public.orders", payload: { paid: "maybe" } }),
      fails(/column "paid" is maybe, which is neither true nor false$/),
    );
    await assert.rejects(
      write(db, { target: "shop.orders", payload: {} }),
      fails(/there is no table "shop\.orders"/),
    );
  });
  await withPlayed(MYSQL, MYSQL_NOTES, async (db) => {
    await assert.rejects(
      write(db, { target: "public.notes", payload: {} }),
      fails(/there is no table "public\.notes"/),
    );
  });
});

test("played: what a column of PostgreSQL would refuse is refused", async () => {
  await withPlayed(POSTGRES, POSTGRES_ORDERS, async (db) => {
    const refusals: readonly [object, RegExp][] = [
      [{ big: 1.5 }, /column "big" is 1\.5, which is no whole number$/],
      [{ big: true }, /column "big" is true, which is no whole number$/],
      [{ paid: "maybe" }, /column "paid" is maybe, which is neither true nor false$/],
      [{ price: "a" }, /column "price" is a, which is no number$/],
      [{ raw: "A" }, /column "raw" is A, which is no Base64 text, which a column of bytes takes$/],
      [{ at: "yesterday" }, /column "at" is yesterday, which is no time in ISO 8601$/],
      [{ at: "2026-02-30T00:00:00Z" }, /column "at" is 2026-02-30T00:00:00Z, which is no time/],
      [{ day: 5 }, /column "day" is 5, which is no date such as 2026-01-01$/],
      [{ tags: "a" }, /column "tags" is a, which is no list$/],
      [{ ratio: NaN }, /column "ratio".* is NaN, which cannot be stored$/],
      [{ name: "a\0" }, /column "name":? has a NUL character, which cannot be stored$/],
      [{ name: "" }, /CHECK constraint failed: name_is_there$/],
      [{ nmae: "" }, /there is no column "nmae" in table "orders"; did you mean "name"\?$/],
    ];
    for (const [payload, message] of refusals) {
      await assert.rejects(write(db, { target: "orders", payload }), fails(message));
    }
    assert.deepEqual(await write(db, { query: "SELECT * FROM orders" }), []);
  });
});

test("played: queries have the functions and the meanings of PostgreSQL", async () => {
  await withPlayed(POSTGRES, POSTGRES_ORDERS, async (db) => {
    await write(db, { target: "orders", payload: { name: "Änne", doc: { n: 5, s: "x" } } });
    const query = `SELECT lower(name) AS name, doc->>'n' AS n, doc->>'n' = '5' AS same,
      name LIKE '%NNE' AS alike, char_length(name) AS length, now() AS now
      FROM public.orders WHERE doc->>'s' = :s AND id = :id`;
    const payload = { s: "x", id: 1 };
    assert.deepEqual(await write(db, { query, payload }), [{
      ...{ name: "änne", n: "5", same: 1, alike: 0, length: 4 },
      now: "2026-01-01T00:00:00.000Z",
    }]);
    const update = "UPDATE orders SET doc = :doc::jsonb, name = 'b'::text RETURNING doc, name";
    assert.deepEqual(
      await write(db, { query: update, payload: { doc: { a: 1 } } }),
      [{ doc: { a: 1 }, name: "b" }],
    );
  });
});

test("played: a query that SQLite refuses says so, and what to do", async () => {
  await withPlayed(POSTGRES, POSTGRES_ORDERS, async (db) => {
    const query = "SELECT now() - interval '1 day' AS yesterday FROM orders";
    const error = await write(db, { query }).then(() => undefined, (error) => error);
    assert.ok(error instanceof ConnectorError);
    assert.equal(error.code, "needs-mock");
    assert.equal(error.permanent, true);
    assert.match(
      error.message,
      /^connector "db": query: SQLite, which plays PostgreSQL in tests, refuses it: near "AS": syntax error; answer it with a mock, or write real = true into the test$/,
    );
    const cast = write(db, { query: "SELECT :n::int AS n", payload: { n: "5" } });
    await assert.rejects(cast, fails(/refuses it: .*":"/));
    const unknown = write(db, { query: "SELECT nmae FROM orders" });
    await assert.rejects(unknown, fails(/no such column: nmae; answer .*; did you mean "name"\?$/));
  });
});

test("played: where SQLite refuses a migration, everything needs a mock but the keys of dedupe", async () => {
  const schema = "CREATE TABLE a (id int);\nCREATE TYPE mood AS ENUM ('sad', 'ok');";
  await withPlayed(POSTGRES, schema, async (db, played) => {
    const reason = 'SQLite refuses the migration "001.sql": near "TYPE": syntax error';
    assert.deepEqual(played, [{ service: "PostgreSQL", by: "mocks", reason }]);
    assert.equal(db.health(), undefined);
    const message = new RegExp(
      `nothing plays PostgreSQL, since ${reason}; answer it with a mock, or write real = true`,
    );
    for (const request of [{ target: "a", payload: { id: 1 } }, { query: "SELECT 1 AS n" }]) {
      const error = await write(db, request).then(() => undefined, (error) => error);
      assert.match(error.message, message);
      assert.equal(error.code, "needs-mock");
    }
    await db.dedupeStore.add("f", "k", 0, 1000, "{}");
    assert.equal(await db.dedupeStore.has("f", "k", 1), true);
    assert.equal(await db.transact(() => 7), 7);
  });
});

test("played: a key that counts and is not the primary key is no silent null", async () => {
  await withPlayed(POSTGRES, "CREATE TABLE a (n serial, id int PRIMARY KEY)", async (db) => {
    const inserted = write(db, { target: "a", payload: { id: 1 } });
    await assert.rejects(inserted, fails(/NOT NULL constraint failed: a\.n$/));
  });
});

test("played: the options of a sequence are not passed over", async () => {
  const schema =
    "CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY (START WITH 100) PRIMARY KEY)";
  await withPlayed(POSTGRES, schema, (_db, [{ by, reason }]) => {
    assert.deepEqual([by, reason], [
      "mocks",
      'SQLite refuses the migration "001.sql": near "(": syntax error',
    ]);
    return Promise.resolve();
  });
});

test("played: a row comes back as it would from MySQL", async () => {
  await withPlayed(MYSQL, MYSQL_NOTES, async (db, played) => {
    assert.deepEqual(played, [{ service: "MySQL", by: "SQLite in memory" }]);
    const payload = {
      ...{ done: true, doc: [1], price: 1.5, raw: "AA==" },
      seen: "2026-01-01T00:00:00.600Z",
    };
    assert.deepEqual(await write(db, { target: "notes", payload }), {
      id: 1,
      text: "it's\n",
      done: 1,
      doc: [1],
      price: "1.500",
      raw: "AA==",
      at: "2026-01-01T00:00:00.000000Z",
      seen: "2026-01-01T00:00:01.000Z",
    });
    const query =
      "SELECT concat('a', NULL) AS c, length('ä') AS l, now(6) AS n, uuid() <> uuid() AS u";
    assert.deepEqual(await write(db, { query }), [
      { c: null, l: 2, n: "2026-01-01T00:00:00.000Z", u: 1 },
    ]);
  });
});

test("played: what means something else in SQLite is refused", async () => {
  await withPlayed(MYSQL, MYSQL_NOTES, async (db) => {
    const or = write(db, { query: "SELECT done || 1 AS n FROM notes" });
    await assert.rejects(or, fails(/refuses it: \|\| is OR in MySQL, and joins texts in SQLite/));
    const half = write(db, { query: "SELECT id / 2 AS n FROM notes" });
    await assert.rejects(half, fails(/refuses it: 5 \/ 2 is 2\.5 in MySQL, and 2 in SQLite/));
    const text = write(db, { query: "SELECT '/' AS a, '||' AS b -- || /" });
    assert.deepEqual(await text, [{ a: "/", b: "||" }]);
  });
});

test("played: a program of PostgreSQL is what SQLite refuses, and BEGIN what Weir refuses", async () => {
  const program = `CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN; PERFORM pg_notify('a', ''); END; $$;`;
  await withPlayed(POSTGRES, program, (_db, [{ by, reason }]) => {
    assert.deepEqual([by, reason], [
      "mocks",
      'SQLite refuses the migration "001.sql": near "FUNCTION": syntax error',
    ]);
    return Promise.resolve();
  });
  await assert.rejects(
    withPlayed(POSTGRES, "BEGIN; CREATE TABLE a (n int); COMMIT", () => Promise.resolve()),
    fails(/migration "001\.sql" must not BEGIN: it runs in a transaction of its own$/),
  );
});
