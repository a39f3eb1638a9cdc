/** What a database refuses: each error is for good, and says what is wrong. */
import assert from "node:assert/strict";
import type { Refusal } from "./differences.ts";
import type { Topic, Wanted } from "./subject.ts";

/** Errors. */
export const errors: Topic = {
  schema: ({ types: { serial, integer, key, short, double }, table }) => `
    CREATE TABLE parents (id ${integer} PRIMARY KEY)${table};
    INSERT INTO parents VALUES (1);
    CREATE TABLE t (id ${serial}, name ${key} UNIQUE, needed ${integer} NOT NULL, of ${integer},
      n ${integer}, short ${short}, made ${integer} GENERATED ALWAYS AS (n + 1) STORED,
      ratio ${double},
      CONSTRAINT small CHECK (n < 5), CONSTRAINT t_of_fkey FOREIGN KEY (of) REFERENCES parents (id)
    )${table};
    INSERT INTO t (name, needed, of) VALUES ('a', 1, 1);
    CREATE TABLE tickets (id ${serial}, title ${key})${table};
  `,
  cases: {
    "each constraint is a refusal for good that names it": async (subject) => {
      const insert = (payload: object): Wanted => ({ target: "t", payload });
      const refused: readonly (readonly [Refusal, Wanted])[] = [
        ["duplicate", insert({ name: "a", needed: 1 })],
        ["duplicate key of a query", {
          query: "INSERT INTO t (name, needed) VALUES (:name, 1)",
          payload: { name: "a" },
        }],
        ["null", insert({ name: "b" })],
        ["check", insert({ needed: 1, n: 5 })],
        ["foreign key", insert({ needed: 1, of: 9 })],
        ["parent in use", {
          operation: "DELETE",
          target: "parents",
          key: ["id"],
          payload: { id: 1 },
        }],
        ["generated", insert({ needed: 1, made: 7 })],
      ];
      for (const [name, wanted] of refused) {
        await subject.refuses(wanted, subject.differences.refusals[name]);
      }
      await subject.refuses(insert({ needed: null }), /needed/);
      assert.equal((await subject.table("t", "id")).length, 1);
    },

    "an UPDATE that a constraint refuses changes nothing": async (subject) => {
      const wanted = { operation: "UPDATE", target: "t", key: ["name"] };
      await subject.refuses({ ...wanted, payload: { name: "a", n: 9 } }, /small/);
      await subject.refuses({ ...wanted, payload: { name: "a", needed: null } }, /needed/);
      const [row] = await subject.table("t", "id");
      assert.deepEqual([row.n, row.needed], [null, 1]);
    },

    "a text that is too long is refused, not cut": async (subject) => {
      const message = /too long|CHECK constraint failed/i;
      await subject.refuses({ target: "t", payload: { needed: 1, short: "123456" } }, message);
      await subject.refuses({
        operation: "UPDATE",
        target: "t",
        key: ["name"],
        payload: { name: "a", short: "123456" },
      }, message);
    },

    "a table or a column that is not there has a nearest name": async (subject) => {
      const refused: readonly (readonly [Wanted, RegExp])[] = [
        [{ target: "tickts" }, /: there is no table "tickts"; did you mean "tickets"\?$/],
        [{ target: "TICKETS" }, /there is no table "TICKETS"; did you mean "tickets"\?$/],
        [{ target: "" }, /there is no table ""/],
        [{ target: "a\0b" }, /there is no table "a\\u0000b"/],
        [{ target: "x".repeat(1e5) }, /there is no table "x{100}…"$/],
        [{ target: "_weir_migrations", payload: { name: "x" } }, /no table "_weir_migrations"/],
        [
          { target: "tickets", payload: { titel: 1 } },
          /: there is no column "titel" in table "tickets"; did you mean "title"\?$/,
        ],
        [{ target: "tickets", payload: { Title: 1 } }, /no column "Title".*did you mean "title"/],
        [
          { operation: "DELETE", target: "tickets", key: ["idd"], payload: { idd: 1 } },
          /there is no column "idd" in table "tickets"; did you mean "id"/,
        ],
        [
          { operation: "UPDATE", target: "tickets", key: ["id"], payload: { id: 1, tilte: 1 } },
          /there is no column "tilte" in table "tickets"; did you mean "title"/,
        ],
      ];
      for (const [wanted, message] of refused) await subject.refuses(wanted, message);
    },

    "a query that makes no sense is refused for good": async (subject) => {
      const { refusals } = subject.differences;
      await subject.refuses({ query: "SELEC 1" }, refusals.syntax);
      await subject.refuses(
        { query: "SELECT * FROM tickts" },
        refusals["unknown table of a query"],
      );
      await subject.refuses(
        { query: "SELECT titel FROM tickets" },
        refusals["unknown column of a query"],
      );
      await subject.refuses({ query: "INSERT INTO tickets (titel) VALUES (1)" }, /titel/);
      await subject.refuses({ query: "SELECT nothing(1)" }, /nothing/);
      // It says the same the next time.
      await subject.refuses({ query: "SELEC 1" }, refusals.syntax);
    },

    "a payload that is no object is refused": async (subject) => {
      const refused: readonly (readonly [unknown, RegExp])[] = [
        [null, /INSERT needs an object as payload, not null/],
        ["text", /not text/],
        [[1], /not a list/],
      ];
      for (const [payload, message] of refused) {
        await subject.refuses({ target: "tickets", payload }, message);
      }
      await subject.refuses({ payload: {} }, /INSERT needs a target/);
      assert.deepEqual(await subject.table("tickets", "id"), []);
    },

    "the database works on after every error": async (subject) => {
      assert.equal(subject.db.health(), undefined);
      await subject.write({ target: "tickets", payload: { title: "last" } });
      assert.equal((await subject.table("tickets", "id")).length, 1);
    },
  },
};
