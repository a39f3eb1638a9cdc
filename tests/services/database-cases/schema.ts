/** Tables that change while the connector works with them, and payloads of many shapes. */
import assert from "node:assert/strict";
import type { Topic } from "./subject.ts";

/** More than a connector keeps prepared. */
const SHAPES = 300;

const COLUMNS = Array.from({ length: 10 }, (_, i) => `c${i}`);

/** Changes of tables. */
export const schema: Topic = {
  schema: ({ types: { serial, integer, key }, schema, table }) => `
    ${schema}
    CREATE TABLE changing (id ${serial}, a ${integer})${table};
    CREATE TABLE wide (id ${serial}, ${COLUMNS.map((name) => `${name} ${key}`).join(", ")})${table};
  `,
  cases: {
    "columns and tables that come and go are noticed": async (subject) => {
      const { integer } = subject.differences.types;
      const target = "changing";
      const all = "SELECT * FROM changing WHERE a = :a";
      assert.deepEqual(await subject.write({ target, payload: { a: 1 } }), { id: 1, a: 1 });
      assert.deepEqual(await subject.rows(all, { a: 1 }), [{ id: 1, a: 1 }]);

      await subject.write({ query: `ALTER TABLE changing ADD COLUMN b ${integer}` });
      assert.deepEqual(await subject.write({ target, payload: { a: 2 } }), {
        id: 2,
        a: 2,
        b: null,
      });
      assert.deepEqual(await subject.write({ target, payload: { b: 3 } }), {
        id: 3,
        a: null,
        b: 3,
      });
      assert.deepEqual(await subject.rows(all, { a: 2 }), [{ id: 2, a: 2, b: null }]);

      await subject.write({ query: `CREATE TABLE fresh (c ${integer})` });
      assert.deepEqual(await subject.write({ target: "fresh", payload: { c: 3 } }), { c: 3 });

      await subject.write({ query: "ALTER TABLE changing DROP COLUMN b" });
      await subject.write({ query: "DROP TABLE fresh" });
      await subject.refuses({ target, payload: { b: 2 } }, /\bb\b/);
      await subject.refuses({ target: "fresh", payload: { c: 3 } }, /\bfresh\b/);
      assert.deepEqual(await subject.write({ target, payload: { a: 4 } }), { id: 4, a: 4 });
      assert.deepEqual(await subject.rows(all, { a: 4 }), [{ id: 4, a: 4 }]);
    },

    "a table may be named with its schema": async (subject) => {
      const { schemaName } = subject.differences;
      if (schemaName === undefined) {
        return await subject.refuses(
          { target: "main.changing", payload: { a: 1 } },
          /no table "main\.changing"/,
        );
      }
      const [{ name }] = await subject.rows(schemaName);
      const target = `${name}.things`;
      assert.deepEqual(await subject.write({ target, payload: { a: 1 } }), { a: 1 });
      const key = ["a"];
      assert.deepEqual(
        await subject.write({ operation: "DELETE", target, key, payload: { a: 1 } }),
        {
          a: 1,
        },
      );
      await subject.refuses(
        { target: `${name}.thing`, payload: { a: 1 } },
        /no table ".*thing"/,
      );
      await subject.refuses({ target, payload: { b: 1 } }, /no column "b"/);
    },

    "payloads of more shapes than are kept prepared": async (subject) => {
      const shapes = Array.from(
        { length: SHAPES },
        (_, i) => COLUMNS.filter((_, column) => (i + 1) >> column & 1),
      );
      for (let round = 0; round < 2; round++) {
        await Promise.all(shapes.map((columns) => {
          const payload = Object.fromEntries(columns.map((name) => [name, name]));
          return subject.write({ target: "wide", payload });
        }));
      }
      const rows = await subject.rows("SELECT count(*) AS n, count(c0) AS a FROM wide");
      assert.deepEqual(rows, [{ n: 2 * SHAPES, a: SHAPES }]);
    },
  },
};
