/** Queries: parameters, the shapes of their results, and what they may be. */
import assert from "node:assert/strict";
import type { Stored, Subject, Topic } from "./subject.ts";

/** The rows of `people`, in the order of their keys. */
const ADA = { id: 1, name: "Ada", age: 36 };
const BOBS = [{ id: 2, name: "Bob", age: 40 }, { id: 3, name: "Bob", age: 50 }];

/** One SQL statement with `:named` parameters. */
export const queries: Topic = {
  schema: ({ types: { serial, integer, key }, table }) => `
    CREATE TABLE people (id ${serial}, name ${key}, age ${integer})${table};
    INSERT INTO people (id, name, age) VALUES (1, 'Ada', 36), (2, 'Bob', 40), (3, 'Bob', 50);
    CREATE TABLE tickets (id ${serial}, title ${key}, open ${integer})${table};
    CREATE TABLE logged (id ${serial}, line ${key}, n ${integer})${table};
  `,
  cases: {
    "the shape of a result is what `rows` says": async (subject) => {
      const query = "SELECT id, name, age FROM people WHERE name = :name ORDER BY id";
      const expected: readonly (readonly [Stored, unknown, unknown, unknown])[] = [
        [{}, [], [ADA], BOBS],
        [{ rows: "all" }, [], [ADA], BOBS],
        [{ rows: "auto" }, null, ADA, BOBS],
        [{ rows: "one" }, null, ADA, BOBS[0]],
      ];
      for (const [options, ...results] of expected) {
        for (const [i, name] of ["Eve", "Ada", "Bob"].entries()) {
          const wanted = { query, ...options, payload: { name } };
          assert.deepEqual(await subject.write(wanted), results[i], JSON.stringify(wanted));
        }
      }
    },

    "a parameter may come twice, and not in the order of the payload": async (subject) => {
      const query =
        "SELECT id FROM people WHERE age BETWEEN :low AND :high OR age = :low ORDER BY id";
      const payload = { high: 45, other: 1, low: 36 };
      assert.deepEqual(await subject.rows(query, payload), [{ id: 1 }, { id: 2 }]);
    },

    "quotes, comments and casts are left alone": async (subject) => {
      const name = subject.quote("a :b");
      const query = `
        -- a comment with :one and '
        SELECT ':two''s' AS ${name}, /* :three " */ name FROM people WHERE id = :id /* ; */;
      `;
      assert.deepEqual(await subject.rows(query, { id: 1 }), [{ "a :b": ":two's", name: "Ada" }]);
      if (subject.kind !== "postgres") return;
      const text = "SELECT :n::int + 1 AS n, $$ :four $$ AS d, $a$ :five $$ $a$ AS e, " +
        `'{"a": 1}'::jsonb ? 'a' AS has, '{"a": 1}'::jsonb ?| array['b'] AS any`;
      assert.deepEqual(await subject.rows(text, { n: 3 }), [
        { n: 4, d: " :four ", e: " :five $$ ", has: true, any: false },
      ]);
    },

    "a parameter has the type that its place needs": async (subject) => {
      const limited = "SELECT id FROM people ORDER BY id LIMIT :count OFFSET :from";
      assert.deepEqual(await subject.rows(limited, { count: 1, from: 1 }), [{ id: 2 }]);
      const sum = "SELECT age + :more AS n FROM people WHERE id = :id";
      assert.deepEqual(await subject.rows(sum, { id: 1, more: 4 }), [{ n: 40 }]);
      const nothing = "SELECT id FROM people WHERE name = :name";
      assert.deepEqual(await subject.rows(nothing, { name: null }), []);
      // Text is compared as text, also where it looks like SQL or a number.
      for (const name of ["x' OR '1'='1", "1; DROP TABLE people", "36"]) {
        assert.deepEqual(await subject.rows(nothing, { name }), []);
      }
    },

    "a write says how many rows it changed": async (subject) => {
      const { insertIds } = subject.differences;
      const insert = "INSERT INTO tickets (title, open) VALUES (:title, 1)";
      const first = await subject.write({ query: insert, payload: { title: "a" } });
      assert.deepEqual(first, { changes: 1, last_insert_id: insertIds ? 1 : null });
      await subject.write({ query: insert, payload: { title: "b" } });
      const update = "UPDATE tickets SET open = :open WHERE open = 1";
      const changed = await subject.write({ query: update, payload: { open: 0 } }) as Stored;
      assert.equal(changed.changes, 2);
      const again = await subject.write({ query: update, payload: { open: 0 } }) as Stored;
      assert.equal(again.changes, 0);
      // A step asks for the same, whatever `rows` says.
      const step = { query: "DELETE FROM tickets WHERE title = 'a'", rows: "one" } as const;
      assert.equal((await subject.write(step) as Stored).changes, 1);
    },

    "RETURNING gives rows": async (subject) => {
      const { insert, update } = subject.differences.returning;
      const added = { query: "INSERT INTO logged (line) VALUES (:line) RETURNING line" };
      const set = { query: "UPDATE logged SET n = :n WHERE line = :line RETURNING n, line" };
      const payload = { line: "x", n: 2 };
      if (insert) assert.deepEqual(await subject.write({ ...added, payload }), [{ line: "x" }]);
      if (update) {
        assert.deepEqual(await subject.write({ ...set, payload }), [{ n: 2, line: "x" }]);
        const none = { ...set, rows: "auto", payload: { n: 1, line: "y" } } as const;
        assert.equal(await subject.write(none), null);
      } else {
        await subject.refuses(
          { ...set, payload },
          subject.differences.refusals["syntax of RETURNING"],
        );
      }
    },

    "two columns of one name are one field, the last": async (subject) => {
      assert.deepEqual(await subject.rows("SELECT 1 AS a, 2 AS a"), [{ a: 2 }]);
    },

    "a thousand rows in order": async (subject) => {
      const query = `WITH RECURSIVE numbers (n) AS (
        SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :most) SELECT n FROM numbers`;
      const rows = await subject.rows(query, { most: 999 });
      assert.deepEqual(rows, Array.from({ length: 999 }, (_, i) => ({ n: i + 1 })));
    },

    "reads at the same time do not wait for each other's results": async (subject) => {
      const query = "SELECT id, :n AS n FROM people WHERE id = :id";
      const ids = Array.from({ length: 60 }, (_, i) => i % 3 + 1);
      const found = await Promise.all(ids.map((id, n) => subject.rows(query, { id, n: `${n}` })));
      assert.deepEqual(found, ids.map((id, n) => [{ id, n: `${n}` }]));
    },

    "what a query lacks is named": async (subject) => {
      await subject.refuses(
        { query: "SELECT :idd AS a", payload: { id: 1 } },
        /":idd" is in neither.*; did you mean "id"/,
      );
      await subject.refuses({ query: "SELECT :a AS a", payload: "x" }, /":a" is in neither/);
      await subject.refuses({ query: "SELECT :toString AS a" }, /":toString" is in neither/);
      await subject.refuses({ query: "SELECT 1; SELECT 2" }, /more than one statement/);
      await refusesTransactions(subject);
    },
  },
};

/** Statements that would change the transaction that the write is in. */
async function refusesTransactions(subject: Subject): Promise<void> {
  for (const query of ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "commit -- ;"]) {
    await subject.refuses({ query }, /BEGIN|COMMIT|ROLLBACK|SAVEPOINT|transaction/i);
  }
  assert.equal((await subject.table("people", "id")).length, 3);
}
