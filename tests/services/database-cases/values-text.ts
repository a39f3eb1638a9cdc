/** Texts, there and back: through a table, and through the parameter of a query. */
import assert from "node:assert/strict";
import type { Stored, Topic } from "./subject.ts";

/** Texts that something between a client and a table may change. */
const TEXTS: readonly string[] = [
  "",
  " a ",
  "\n\r\t\v\f",
  "ü\u{1F600}\u0301\ufeff\u2028",
  "'\"`\\\\'' $1 ? :a :: -- /* */ ; %s \\0 \\n",
  "'; DROP TABLE texts; --",
  "\u0001\u001a\u007f\u0080\uffff\u{10ffff}",
  "NULL",
  "null",
  "{}",
  "true",
  "0x10",
  "1e5",
  "00123",
  "9007199254740993",
  "2026-01-01T00:00:00Z",
  "x".repeat(1_000_000),
  "\u{1F600}".repeat(20_000),
];

/** Texts. */
export const text: Topic = {
  schema: ({ types: { serial, text, key }, table }) => `
    CREATE TABLE texts (id ${serial}, body ${text}, short ${key})${table};
    CREATE TABLE refused (id ${serial}, body ${text})${table};
    CREATE TABLE keyed (name ${key} PRIMARY KEY, body ${text})${table};
  `,
  cases: {
    "a text comes back as it went in": async (subject) => {
      for (const body of TEXTS) {
        const row = await subject.write({ target: "texts", payload: { body } }) as Stored;
        assert.equal(row.body, body, JSON.stringify(body).slice(0, 99));
        const query = "SELECT body FROM texts WHERE id = :id AND body = :body";
        const found = await subject.rows(query, { id: row.id, body });
        assert.deepEqual(found, [{ body }], JSON.stringify(body).slice(0, 99));
      }
    },

    "what is not text becomes text in a column of text": async (subject) => {
      for (const [value, stored] of [[3, "3"], [-1.5, "-1.5"], [{ a: [1] }, '{"a":[1]}']]) {
        const row = await subject.write({ target: "texts", payload: { short: value } }) as Stored;
        assert.equal(row.short, stored);
      }
    },

    "a text finds its row, and no other one": async (subject) => {
      // Blanks at the end, case and accents are part of a text.
      for (const name of ["a", "a ", "A", "ä", "\u0061\u0308", "ß", "ss", "", " "]) {
        await subject.write({ target: "keyed", payload: { name, body: `of ${name}` } });
      }
      for (const name of ["a", "A", "ä", "\u0061\u0308", "ß", ""]) {
        const query = "SELECT body FROM keyed WHERE name = :name";
        assert.deepEqual(await subject.rows(query, { name }), [{ body: `of ${name}` }]);
        const key = ["name"];
        const payload = { name, body: `new ${name}` };
        const row = await subject.write({ operation: "UPSERT", target: "keyed", key, payload });
        assert.deepEqual(row, payload);
      }
      assert.equal((await subject.table("keyed", "name")).length, 9);
    },

    "what cannot be stored unchanged is refused by name, for good": async (subject) => {
      const refused: readonly (readonly [unknown, RegExp])[] = [
        ["a\0b", /column "body":? has a NUL character, which cannot be stored/],
        ["a\ud83db", /column "body":? has half of a surrogate pair, which cannot be stored/],
        ["\ude00\ud83d", /column "body":? has half of a surrogate pair/],
        [{ deep: [{ "a\ud83d": 1 }] }, /column "body":? has half of a surrogate pair/],
        [["\ude00"], /column "body":? has half of a surrogate pair/],
        [() => 1, /column "body":? is a function/],
        [Symbol("a"), /column "body":? is a symbol/],
      ];
      for (const [body, message] of refused) {
        await subject.refuses({ target: "refused", payload: { body } }, message);
      }
      const parameter = { query: "SELECT id FROM refused WHERE body = :body" };
      await subject.refuses(
        { ...parameter, payload: { body: "a\0b" } },
        /parameter ":body":? has a NUL character/,
      );
      await subject.refuses(
        { ...parameter, payload: { body: "\ud83d" } },
        /parameter ":body":? has half of a surrogate pair/,
      );
      assert.deepEqual(await subject.table("refused", "id"), []);
    },
  },
};
