/** Numbers and booleans, there and back. */
import assert from "node:assert/strict";
import type { Stored, Subject, Topic } from "./subject.ts";

/** Writes one value into a column of `numbers`; gives what the row has. */
async function stored(subject: Subject, column: string, value: unknown): Promise<unknown> {
  const row = await subject.write({ target: "numbers", payload: { [column]: value } }) as Stored;
  const [found] = await subject.rows(
    `SELECT ${subject.quote(column)} FROM numbers WHERE id = :id`,
    { id: row.id },
  );
  // What a write gives is what is read later.
  assert.deepEqual(found[column], row[column]);
  return found[column];
}

/** Numbers. */
export const numbers: Topic = {
  schema: ({ types: { serial, integer, double, numeric, boolean }, table }) => `
    CREATE TABLE numbers (id ${serial}, whole ${integer}, small INTEGER, real_number ${double},
      exact ${numeric}, yes ${boolean})${table};
    CREATE TABLE untouched (id ${serial}, whole ${integer}, real_number ${double})${table};
  `,
  cases: {
    "a whole number up to 2^53 is a number": async (subject) => {
      for (const value of [0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53 - 1)]) {
        assert.equal(await stored(subject, "whole", value), value);
      }
      assert.equal(await stored(subject, "small", 2 ** 31 - 1), 2 ** 31 - 1);
    },

    "a whole number beyond 2^53 is text": async (subject) => {
      for (
        const text of [
          "9007199254740993",
          "-9007199254740993",
          `${2n ** 63n - 1n}`,
          `${-(2n ** 63n)}`,
        ]
      ) {
        assert.equal(await stored(subject, "whole", text), text);
        assert.equal(await stored(subject, "whole", BigInt(text)), text);
        const found = await subject.rows(
          "SELECT DISTINCT whole FROM numbers WHERE whole = :n",
          { n: BigInt(text) },
        );
        assert.deepEqual(found, [{ whole: text }]);
      }
      assert.equal(await stored(subject, "whole", "12"), 12);
    },

    "a real number keeps every bit": async (subject) => {
      const values = [0.1, 1 / 3, -1.5, 1e300, -1e-300, 5e-324, Number.MAX_VALUE, 2 ** 60, 1e21];
      for (const value of values) assert.equal(await stored(subject, "real_number", value), value);
      assert.equal(await stored(subject, "real_number", 3), 3);
    },

    "-0 is 0": async (subject) => {
      for (const column of ["real_number", "whole"]) {
        assert.ok(Object.is(Math.abs(await stored(subject, column, -0) as number), 0));
      }
    },

    "an exact number is text, digit by digit": async (subject) => {
      for (const text of ["12345678901234567890.0123456789", "-0.0000000001"]) {
        assert.equal(await stored(subject, "exact", text), text);
      }
    },

    "true and false": async (subject) => {
      const [yes, no] = subject.differences.booleans;
      assert.deepEqual(
        [await stored(subject, "yes", true), await stored(subject, "yes", false)],
        [yes, no],
      );
      assert.equal(await stored(subject, "yes", null), null);
      for (const value of [true, false]) {
        const found = await subject.rows(
          "SELECT count(*) AS n FROM numbers WHERE yes = :yes",
          { yes: value },
        );
        assert.deepEqual(found, [{ n: 1 }]);
      }
    },

    "what is not a number is refused by name": async (subject) => {
      const payload = (whole: unknown) => ({ target: "untouched", payload: { whole } });
      await subject.refuses(payload(NaN), /column "whole":? is NaN, /);
      await subject.refuses(payload(-Infinity), /column "whole":? is -Infinity/);
      await subject.refuses(payload(2n ** 63n), /beyond 64 bits|out of range/i);
      assert.deepEqual(await subject.table("untouched", "id"), []);
    },

    "a column of numbers takes numbers alone, and none is rounded": async (subject) => {
      if (!subject.differences.typed) {
        assert.equal(await stored(subject, "whole", "abc"), "abc");
        assert.equal(await stored(subject, "whole", 1.5), 1.5);
        return;
      }
      for (const whole of ["abc", "", "1.5", 1.5, "1e400", {}, [1]]) {
        await subject.refuses({ target: "untouched", payload: { whole } }, /whole|integer|bigint/i);
      }
      await subject.refuses({ target: "numbers", payload: { small: 2 ** 31 } }, /["']small["']/);
      await subject.refuses({ target: "untouched", payload: { real_number: "x" } }, /./);
      assert.deepEqual(await subject.table("untouched", "id"), []);
    },
  },
};
