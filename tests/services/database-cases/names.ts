/** Names that need quotes, and names that mean something to JavaScript or to SQL. */
import assert from "node:assert/strict";
import type { Topic } from "./subject.ts";

/** A column of each; JSON keeps `__proto__` as a name like any other. */
const NAMES: readonly string[] = [
  "select",
  "a b",
  "ü",
  "x'y",
  'a"b',
  "a`b",
  "semi;colon -- x",
  "__proto__",
  "constructor",
  "?",
  ":a",
  "$1",
];

function rowOf(first: number): Record<string, unknown> {
  const fields = NAMES.map((name, i) => `${JSON.stringify(name)}:${first + i}`);
  return JSON.parse(`{${fields.join(",")}}`);
}

/** Names. */
export const names: Topic = {
  schema: ({ types: { integer, key }, quote, table }) => `
    CREATE TABLE ${quote("order by")} (
      ${NAMES.map((name) => `${quote(name)} ${integer}`).join(", ")},
      PRIMARY KEY (${quote("a b")}, ${quote("__proto__")})
    )${table};
    CREATE TABLE ${quote("Group")} (${quote("KEY")} ${key} PRIMARY KEY)${table};
    CREATE TABLE plain (a ${integer})${table};
  `,
  cases: {
    "a name that needs quotes is a column like any other": async (subject) => {
      const target = "order by";
      const key = ["a b", "__proto__"];
      const row = rowOf(1);
      const insert = await subject.write({ target, payload: row });
      assert.equal(JSON.stringify(insert), JSON.stringify(row));
      assert.equal(Object.getPrototypeOf(insert), Object.prototype);
      const payload = { ...rowOf(1), ...JSON.parse('{"x\'y":99,"?":98}') };
      // A spread sets no field of that name.
      Object.defineProperty(payload, "__proto__", {
        value: row["__proto__"],
        enumerable: true,
        configurable: true,
      });
      for (const operation of ["UPDATE", "UPSERT", "DELETE"]) {
        const changed = await subject.write({ operation, target, key, payload });
        assert.equal(JSON.stringify(changed), JSON.stringify(payload), operation);
      }
      assert.deepEqual(await subject.table(target, "a b"), []);
    },

    "capital letters are part of a name": async (subject) => {
      const payload = { KEY: "a" };
      assert.deepEqual(await subject.write({ target: "Group", payload }), payload);
      await subject.refuses({ target: "Group", payload: { key: "b" } }, /no column "key".*"KEY"/);
    },

    "names from Object.prototype are unknown columns, and change nothing": async (subject) => {
      for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
        const payload = JSON.parse(`{"${name}":{"polluted":true}}`);
        const named = new RegExp(`no column "${name}"`);
        await subject.refuses({ target: "plain", payload }, named);
        await subject.refuses({ target: name, payload: { a: 1 } }, /no table/);
      }
      assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    },

    "SQL in a name does nothing": async (subject) => {
      for (const name of ["a) VALUES (1); DROP TABLE plain; --", 'a"', "a'--", "a`; SELECT 1"]) {
        const one = { [name]: 1 };
        for (
          const wanted of [
            { target: name, payload: { a: 1 } },
            { target: "plain", payload: one },
            { target: "plain", operation: "DELETE", key: [name], payload: one },
            { target: "plain", operation: "UPDATE", key: [name], payload: { ...one, a: 2 } },
            { target: "plain", operation: "UPSERT", key: [name], payload: { ...one, a: 2 } },
          ]
        ) await subject.refuses(wanted, /there is no (table|column)/);
      }
      assert.deepEqual(await subject.table("plain", "a"), []);
    },
  },
};
