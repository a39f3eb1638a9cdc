/** JSON, lists, bytes, dates and times, there and back. */
import assert from "node:assert/strict";
import type { Stored, Subject, Topic } from "./subject.ts";

/** Writes one value into a column of `data`; gives what the row has. */
async function stored(subject: Subject, column: string, value: unknown): Promise<unknown> {
  const row = await subject.write({ target: "data", payload: { [column]: value } }) as Stored;
  const [found] = await subject.rows(
    `SELECT ${subject.quote(column)} FROM data WHERE id = :id`,
    { id: row.id },
  );
  assert.deepEqual(found[column], row[column]);
  return found[column];
}

/** Data that JSON can hold. */
const JSON_VALUES: readonly unknown[] = [
  {},
  [],
  { a: [1, "x", null, true, { b: [] }], "": 0 },
  [[1, 2], [3], "\u{1F600}'\"\\", 0.1, 1e300, -1],
  { "__proto__x": 1, constructor: 2, "a.b": { "$c": null } },
  ["\\ud83d", "\\u0000", "'; --"],
  [1, 2, 3],
];

/** Data of columns that are neither texts nor numbers. */
export const data: Topic = {
  schema: (
    { types: { serial, json, bytes, timestamp, milliseconds, date, text }, arrays, table },
  ) => `
    CREATE TABLE data (id ${serial}, doc ${json}, bytes ${bytes}, at ${timestamp},
      at_ms ${milliseconds}, day ${date}, body ${text}
      ${arrays ? ", numbers bigint[], texts text[], grid int[][], days date[]" : ""})${table};
    CREATE TABLE untouched (id ${serial}, doc ${json}, bytes ${bytes}, at ${timestamp})${table};
  `,
  cases: {
    "JSON comes back as data, or as the text that it was": async (subject) => {
      for (const value of JSON_VALUES) {
        const found = await stored(subject, "doc", value);
        assert.deepEqual(subject.differences.jsonIsData ? found : JSON.parse(String(found)), value);
      }
    },

    "a text in a column of JSON is a JSON text": async (subject) => {
      const found = await stored(subject, "doc", "plain");
      assert.equal(found, "plain");
      assert.equal(await stored(subject, "doc", null), null);
    },

    "a list in a column of text is JSON": async (subject) => {
      assert.equal(await stored(subject, "body", [1, "a"]), '[1,"a"]');
    },

    "a list in a column of lists is a list": async (subject) => {
      if (!subject.differences.arrays) return await hasNoArrays(subject);
      for (
        const [column, value] of [
          ["numbers", [1, null, -3]],
          ["numbers", []],
          ["numbers", ["9007199254740993", 1]],
          ["texts", ["", "a,b", '"{}\\', null, "NULL", "null", "\u{1F600}'"]],
          ["grid", [[1, 2], [3, 4]]],
          ["days", ["2026-01-01", null]],
        ] as const
      ) assert.deepEqual(await stored(subject, column, value), value);
    },

    "bytes are Base64": async (subject) => {
      for (const bytes of [[], [0], [0, 255, 39, 92], Array.from({ length: 256 }, (_, i) => i)]) {
        const base64 = btoa(String.fromCharCode(...bytes));
        assert.equal(await stored(subject, "bytes", new Uint8Array(bytes)), base64);
        if (subject.differences.typed) assert.equal(await stored(subject, "bytes", base64), base64);
      }
      if (!subject.differences.typed) return;
      for (const bytes of ["a", "§§§§", "AAA=A"]) {
        await subject.refuses(
          { target: "untouched", payload: { bytes } },
          /column "bytes".* Base64/,
        );
      }
    },

    "a time is ISO 8601 in UTC, as exact as its column": async (subject) => {
      const exact = "2026-01-31T23:59:59.123456Z";
      assert.equal(await stored(subject, "at", exact), exact);
      const date = new Date("2026-01-31T23:59:59.123Z");
      if (!subject.differences.typed) {
        assert.equal(await stored(subject, "at", date), date.toISOString());
        return;
      }
      assert.equal(await stored(subject, "at_ms", date), "2026-01-31T23:59:59.123Z");
      assert.equal(
        await stored(subject, "at", date),
        subject.differences.declaredDigits
          ? "2026-01-31T23:59:59.123000Z"
          : "2026-01-31T23:59:59.123Z",
      );
      assert.equal(
        await stored(subject, "at", "2026-01-31T23:59:59.123456+02:00"),
        "2026-01-31T21:59:59.123456Z",
      );
      assert.equal(
        await stored(subject, "at", "1969-12-31T23:59:59.999999Z"),
        "1969-12-31T23:59:59.999999Z",
      );
      assert.equal(
        await stored(subject, "at_ms", "2026-01-01T00:00:00Z"),
        "2026-01-01T00:00:00.000Z",
      );
      for (const at of ["soon", "2026-02-30T00:00:00Z", {}, true]) {
        await subject.refuses({ target: "untouched", payload: { at } }, /./);
      }
    },

    "a day is a day, wherever the server is": async (subject) => {
      for (const day of ["2026-01-01", "1999-12-31", "2024-02-29"]) {
        assert.equal(await stored(subject, "day", day), day);
      }
    },

    "a time finds its row": async (subject) => {
      const at = "2031-05-06T07:08:09.000001Z";
      await subject.write({ target: "data", payload: { at } });
      const query = "SELECT at FROM data WHERE at = :at";
      assert.deepEqual(await subject.rows(query, { at }), [{ at }]);
      assert.deepEqual(await subject.rows(query, { at: "2031-05-06T07:08:09.000002Z" }), []);
    },

    "nothing of what was refused is there": async (subject) => {
      assert.deepEqual(await subject.table("untouched", "id"), []);
    },
  },
};

/** Without arrays a list is JSON. */
async function hasNoArrays(subject: Subject): Promise<void> {
  const found = await stored(subject, "doc", [1, 2]);
  assert.deepEqual(found, subject.differences.jsonIsData ? [1, 2] : "[1,2]");
}
