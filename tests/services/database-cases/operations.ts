/** INSERT, UPDATE, UPSERT and DELETE, with every shape of what they return. */
import assert from "node:assert/strict";
import { refusal, type Stored, type Subject, type Topic, type Wanted } from "./subject.ts";

const byId = (rows: unknown) =>
  (rows as readonly Stored[]).toSorted((a, b) => Number(a.id) - Number(b.id));

/** The operations of a table. */
export const operations: Topic = {
  schema: ({ types: { serial, integer, key, text }, table }) => `
    CREATE TABLE notes (id ${serial}, title ${key}, state ${key} DEFAULT 'open' NOT NULL, n ${integer})${table};
    CREATE TABLE defaults (id ${serial}, a ${integer} DEFAULT 3, b ${key} DEFAULT 'x')${table};
    CREATE TABLE changed (id ${integer} PRIMARY KEY, room ${key}, n ${integer}, body ${text})${table};
    CREATE TABLE members (ticket ${integer} NOT NULL, person ${key} NOT NULL, role ${key},
      seen ${integer}, PRIMARY KEY (person, ticket))${table};
    CREATE TABLE unlike (id ${integer} PRIMARY KEY, code ${key} UNIQUE, n ${integer}, free ${key})${table};
    CREATE TABLE counted (id ${serial}, n ${integer})${table};
  `,
  cases: {
    "an INSERT gives the row with its defaults and its new key": async (subject) => {
      const row = await subject.write({ target: "notes", payload: { title: "a" } });
      assert.deepEqual(row, { id: 1, title: "a", state: "open", n: null });
      const all = { id: 7, title: "b", state: "done", n: 2 };
      assert.deepEqual(
        await subject.write({ operation: "INSERT", target: "notes", payload: all }),
        all,
      );
      const nulls = { id: 8, title: null, n: undefined };
      assert.deepEqual(await subject.write({ target: "notes", payload: nulls }), {
        id: 8,
        title: null,
        state: "open",
        n: null,
      });
      assert.equal((await subject.table("notes", "id")).length, 3);
    },

    "an INSERT without columns is a row of defaults": async (subject) => {
      for (const id of [1, 2]) {
        const row = await subject.write({ target: "defaults", payload: {} });
        assert.deepEqual(row, { id, a: 3, b: "x" });
      }
    },

    "an UPDATE gives null, the row, or the list of several": async (subject) => {
      await fill(subject);
      const update = (payload: Stored, key = "id") =>
        subject.write({ operation: "UPDATE", target: "changed", key: [key], payload });
      assert.equal(await update({ id: 99, n: 1 }), null);
      assert.deepEqual(await update({ id: 1, n: 5 }), { id: 1, room: "a", n: 5, body: "one" });
      // A value that is there already is an update as well.
      assert.deepEqual(await update({ id: 1, n: 5 }), { id: 1, room: "a", n: 5, body: "one" });
      assert.deepEqual(byId(await update({ room: "a", n: 6 }, "room")), [
        { id: 1, room: "a", n: 6, body: "one" },
        { id: 2, room: "a", n: 6, body: "two" },
      ]);
      // The key's own columns are not set.
      assert.deepEqual(await update({ room: "b", body: null }, "room"), {
        id: 3,
        room: "b",
        n: 3,
        body: null,
      });
      assert.deepEqual((await subject.table("changed", "id")).map(({ n }) => n), [6, 6, 3]);
    },

    "a DELETE gives null, the row, or the list of several": async (subject) => {
      await fill(subject);
      const remove = (payload: Stored, key = "id") =>
        subject.write({ operation: "DELETE", target: "changed", key: [key], payload });
      assert.equal(await remove({ id: 99 }), null);
      // It looks at nothing but the key.
      assert.deepEqual(await remove({ id: 3, nonsense: true }), {
        id: 3,
        room: "b",
        n: 3,
        body: "three",
      });
      assert.deepEqual(byId(await remove({ room: "a" }, "room")), [
        { id: 1, room: "a", n: 1, body: "one" },
        { id: 2, room: "a", n: 2, body: "two" },
      ]);
      assert.deepEqual(await subject.table("changed", "id"), []);
    },

    "an UPSERT inserts, updates, and leaves alone what it is not told of": async (subject) => {
      await fill(subject);
      const upsert = (payload: Stored) =>
        subject.write({ operation: "UPSERT", target: "changed", key: ["id"], payload });
      const fresh = { id: 7, room: "c", n: 7, body: null };
      assert.deepEqual(await upsert({ id: 7, room: "c", n: 7 }), fresh);
      assert.deepEqual(await upsert({ id: 7, n: 8 }), { ...fresh, n: 8 });
      assert.deepEqual(await upsert({ n: 8, id: 7 }), { ...fresh, n: 8 });
      // With the key alone a row that is there stays as it is, and is returned.
      assert.deepEqual(await upsert({ id: 7 }), { ...fresh, n: 8 });
      assert.deepEqual(await upsert({ id: 9 }), { id: 9, room: null, n: null, body: null });
      assert.deepEqual(await upsert({ id: 7, room: null }), { ...fresh, n: 8, room: null });
      assert.equal((await subject.table("changed", "id")).length, 5);
    },

    "a key of several columns finds the row that has all of them": async (subject) => {
      const change = (operation: string, payload: Stored) =>
        subject.write({ operation, target: "members", key: ["ticket", "person"], payload });
      const ann = { ticket: 7, person: "ann", role: "owner", seen: null };
      const bob = { ticket: 7, person: "bob", role: null, seen: null };
      assert.deepEqual(await change("UPSERT", { role: "owner", person: "ann", ticket: 7 }), ann);
      assert.deepEqual(await change("UPSERT", { ticket: 7, person: "bob" }), bob);
      assert.deepEqual(await change("UPSERT", { person: "ann", ticket: 7 }), ann);
      assert.deepEqual(await change("UPDATE", { seen: 1, person: "bob", role: "x", ticket: 7 }), {
        ...bob,
        role: "x",
        seen: 1,
      });
      assert.equal(await change("UPDATE", { ticket: 8, person: "bob", seen: 2 }), null);
      assert.equal(await change("DELETE", { ticket: 8, person: "ann" }), null);
      assert.deepEqual(await change("DELETE", { ticket: 7, person: "ann", role: "nobody" }), ann);
      assert.deepEqual(await subject.table("members", "person"), [{ ...bob, role: "x", seen: 1 }]);
    },

    "an UPSERT by a unique column that is not the primary key": async (subject) => {
      const upsert = (payload: Stored) =>
        subject.write({ operation: "UPSERT", target: "unlike", key: ["code"], payload });
      assert.deepEqual(await upsert({ id: 1, code: "a", n: 1 }), {
        id: 1,
        code: "a",
        n: 1,
        free: null,
      });
      assert.deepEqual(await upsert({ id: 1, code: "a", n: 2 }), {
        id: 1,
        code: "a",
        n: 2,
        free: null,
      });
    },

    "an UPSERT whose key is not unique is refused": async (subject) => {
      await subject.refuses(
        { operation: "UPSERT", target: "unlike", key: ["free"], payload: { id: 5, free: "x" } },
        subject.differences.refusals["upsert key"],
      );
    },

    "a key that is missing or null is refused by name": async (subject) => {
      const key = ["ticket", "person"];
      for (const operation of ["UPDATE", "DELETE", "UPSERT"]) {
        const wanted = (payload: Stored) => ({ operation, target: "members", key, payload });
        await subject.refuses(
          wanted({ ticket: 1, persn: "ann" }),
          /: needs its key "person" in the payload; did you mean "persn"\?$/,
        );
        await subject.refuses(
          wanted({ ticket: 1, person: undefined, seen: 1 }),
          / needs a value for its key "person", not null$/,
        );
      }
      await subject.refuses(
        { operation: "UPDATE", target: "members", key, payload: { ticket: 7, person: "x" } },
        /nothing to set, since the payload has the key "ticket", "person" alone$/,
      );
    },

    "each key is made once, whoever asks at the same time": async (subject) => {
      const rows = await Promise.all(
        Array.from({ length: 50 }, (_, n) => subject.write({ target: "counted", payload: { n } })),
      ) as readonly Stored[];
      assert.deepEqual(rows.map(({ n }) => n), Array.from({ length: 50 }, (_, n) => n));
      assert.equal(new Set(rows.map(({ id }) => id)).size, 50);
      assert.deepEqual(byId(rows), await subject.table("counted", "id"));
    },

    "a write whose result nobody uses gives none, and is done": async (subject) => {
      const target = "counted";
      const [{ n: before }] = await subject.rows("SELECT count(*) AS n FROM counted");
      const key = ["id"];
      const writes: readonly Wanted[] = [
        { target, payload: { id: 900, n: 1 } },
        { operation: "UPSERT", target, key, payload: { id: 900, n: 2 } },
        { operation: "UPSERT", target, key, payload: { id: 901 } },
        { operation: "UPDATE", target, key, payload: { id: 900, n: 3 } },
        { operation: "DELETE", target, key, payload: { id: 901 } },
      ];
      for (const wanted of writes) {
        assert.equal(await subject.write({ ...wanted, resultUsed: false }), undefined);
      }
      const [{ n: after }] = await subject.rows("SELECT count(*) AS n FROM counted");
      assert.equal(after, Number(before) + 1);
      const found = await subject.rows("SELECT n FROM counted WHERE id = 900");
      assert.deepEqual(found, [{ n: 3 }]);
      await subject.refuses(
        { target, payload: { id: 900 }, resultUsed: false },
        /unique|duplicate/i,
      );
    },

    "operations are words of their own": async (subject) => {
      const wanted = (operation: string) => ({ operation, target: "changed", payload: { id: 1 } });
      await assert.rejects(
        subject.write(wanted("INSRT")),
        refusal(/INSRT: no such operation; did you mean "INSERT"/),
      );
      await subject.refuses(wanted("upsert"), /no such operation; did you mean "UPSERT"/);
      await subject.refuses(wanted("UPDATE"), /UPDATE: needs a key/);
    },
  },
};

async function fill(subject: Subject): Promise<void> {
  const removed = await subject.write({ query: "DELETE FROM changed" });
  assert.ok("changes" in (removed as object));
  for (
    const payload of [
      { id: 1, room: "a", n: 1, body: "one" },
      { id: 2, room: "a", n: 2, body: "two" },
      { id: 3, room: "b", n: 3, body: "three" },
    ]
  ) await subject.write({ target: "changed", payload });
}
