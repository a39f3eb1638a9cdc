/** Many writes in one tick: each succeeds or fails alone, and no transaction sees half of another. */
import assert from "node:assert/strict";
import { pause } from "../../support/socket-probe.ts";
import { refusal, type Stored, type Subject, type Topic } from "./subject.ts";

/** How many writes one tick has. */
const MANY = 1000;

/** Writes at the same time. */
export const concurrent: Topic = {
  schema: ({ types: { serial, integer, key }, deferred, table }) => `
    CREATE TABLE many (id ${serial}, n ${integer} UNIQUE, small ${integer} CHECK (small < 5))${table};
    CREATE TABLE mixed (id ${integer} PRIMARY KEY, n ${integer} NOT NULL)${table};
    CREATE TABLE accounts (name ${key} PRIMARY KEY, money ${integer} NOT NULL CHECK (money >= 0))${table};
    CREATE TABLE parents (id ${integer} PRIMARY KEY)${table};
    CREATE TABLE late (id ${integer} PRIMARY KEY, of ${integer}
      ${deferred ? "REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED" : ""})${table};
  `,
  cases: {
    "of a thousand inserts in one tick, those that are refused fail alone": async (subject) => {
      await subject.write({ target: "many", payload: { n: 500 } });
      const outcomes = await Promise.allSettled(
        Array.from(
          { length: MANY },
          (_, n) => subject.write({ target: "many", payload: { n, small: n % 100 === 7 ? 5 : 4 } }),
        ),
      );
      const failed = outcomes.flatMap(({ status }, n) => status === "rejected" ? [n] : []);
      const expected = [...Array(10).keys()].map((i) => i * 100 + 7);
      assert.deepEqual(failed, [...expected, 500].sort((a, b) => a - b));
      for (const [n, outcome] of outcomes.entries()) {
        if (outcome.status === "fulfilled") assert.equal((outcome.value as Stored).n, n);
        else {refusal(
            n === 500 ? subject.differences.refusals["duplicate in many"] : /check|constraint/i,
          )(outcome.reason);}
      }
      const rows = await subject.table("many", "n");
      assert.deepEqual(
        rows.map(({ n }) => n),
        [...Array(MANY).keys()].filter((n) => n === 500 || !failed.includes(n)),
      );
    },

    "writes of every kind in one tick happen in their order": async (subject) => {
      const key = ["id"];
      const target = "mixed";
      // The first write to a table asks for its columns, while others go on.
      assert.equal(
        await subject.write({ operation: "DELETE", target, key, payload: { id: 1 } }),
        null,
      );
      const outcomes = await Promise.allSettled([
        subject.write({ target, payload: { id: 1, n: 1 } }),
        subject.write({ operation: "UPDATE", target, key, payload: { id: 1, n: 2 } }),
        subject.write({ target, payload: { id: 1, n: 9 } }),
        subject.write({ query: "UPDATE mixed SET n = n + 1 WHERE id = 1" }),
        subject.write({ operation: "UPSERT", target, key, payload: { id: 2, n: 5 } }),
        subject.write({ target, payload: { id: 3, n: null } }),
        subject.write({ operation: "UPSERT", target, key, payload: { id: 2, n: 6 } }),
        subject.write({ operation: "DELETE", target, key, payload: { id: 1 } }),
      ]);
      const results = outcomes.map((outcome) =>
        outcome.status === "rejected" ? "refused" : outcome.value
      );
      assert.deepEqual(
        [results[0], results[1], results[2], (results[3] as Stored).changes, ...results.slice(4)],
        [
          { id: 1, n: 1 },
          { id: 1, n: 2 },
          "refused",
          1,
          { id: 2, n: 5 },
          "refused",
          { id: 2, n: 6 },
          { id: 1, n: 3 },
        ],
      );
      assert.deepEqual(await subject.table("mixed", "id"), [{ id: 2, n: 6 }]);
    },

    "a conflict that only the commit finds fails one alone": async (subject) => {
      if (!subject.differences.deferred) return;
      await subject.write({ target: "parents", payload: { id: 1 } });
      const outcomes = await Promise.allSettled(
        Array.from(
          { length: 40 },
          (_, id) => subject.write({ target: "late", payload: { id, of: id === 33 ? 2 : 1 } }),
        ),
      );
      const failed = outcomes.flatMap(({ status }, i) => status === "rejected" ? [i] : []);
      assert.deepEqual(failed, [33]);
      assert.equal((await subject.table("late", "id")).length, 39);
    },

    "money moves in transactions, and none is made or lost": async (subject) => {
      const accounts = ["a", "b", "c", "d"];
      for (const name of accounts) {
        await subject.write({ target: "accounts", payload: { name, money: 100 } });
      }
      // In both directions: databases with row locks find deadlocks, which are repeated.
      const pairs = [["a", "b"], ["b", "a"], ["c", "d"], ["d", "c"], ["a", "b"], ["c", "d"]];
      await Promise.all(pairs.map(([from, to], i) => move(subject, from, to, 1 + i)));
      const rows = await subject.table("accounts", "name");
      assert.equal(rows.reduce((sum, { money }) => sum + Number(money), 0), 400);
      const poor = move(subject, "a", "b", 1000);
      await assert.rejects(poor, refusal(/accounts|check/i));
      assert.deepEqual(await subject.table("accounts", "name"), rows);
    },
  },
};

async function move(subject: Subject, from: string, to: string, money: number): Promise<void> {
  await subject.transact(async (write) => {
    const query = "UPDATE accounts SET money = money + :money WHERE name = :name";
    await write({ query, payload: { name: to, money } });
    await pause(20);
    await write({ query, payload: { name: from, money: -money } });
  });
}
