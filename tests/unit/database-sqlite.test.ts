import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { connector, fails, param, withDatabase, withFolder, write } from "./database-support.ts";
import { join } from "node:path";

const MESSAGES = `CREATE TABLE messages (id INTEGER PRIMARY KEY, room TEXT, body TEXT UNIQUE, n);`;

test("an insert returns the row as it is stored", async () => {
  await withDatabase(MESSAGES, async (db) => {
    const row = await write(db, { target: "messages", payload: { room: "a", body: "hi" } });
    assert.deepEqual(row, { id: 1, room: "a", body: "hi", n: null });
    const other = await write(db, { operation: "INSERT", target: "messages", payload: {} });
    assert.deepEqual(other, { id: 2, room: null, body: null, n: null });
  });
});

test("what was written is there after a restart", async () => {
  await withFolder(async (folder) => {
    const database = join(folder, "deep", "er", "a.db");
    const query = "CREATE TABLE t (a)";
    const first = connector({ database });
    await first.start();
    await write(first, { query });
    await write(first, { target: "t", payload: { a: "kept" } });
    await first.close();
    const second = connector({ database });
    await second.start();
    assert.deepEqual(await write(second, { query: "SELECT a FROM t" }), [{ a: "kept" }]);
    await second.close();
  });
});

test("UPDATE, DELETE and UPSERT find rows by their key", async () => {
  await withDatabase(MESSAGES, async (db) => {
    const change = (operation: string, payload: unknown, key = "id") =>
      write(db, { operation, target: "messages", key: [key], payload });
    const stored = { id: 7, room: "a", body: "x", n: null };
    assert.deepEqual(await change("UPSERT", { id: 7, room: "a", body: "x" }), stored);
    assert.deepEqual(await change("UPSERT", { id: 7, body: "y" }), { ...stored, body: "y" });
    assert.deepEqual(await change("UPSERT", { id: 7 }), { ...stored, body: "y" });
    assert.deepEqual(await change("UPDATE", { id: 7, n: 3 }), { ...stored, body: "y", n: 3 });
    assert.equal(await change("UPDATE", { id: 8, n: 3 }), null);
    await change("UPSERT", { id: 8, room: "a" });
    const both = await change("UPDATE", { room: "a", n: 1 }, "room");
    assert.deepEqual(both, [{ ...stored, body: "y", n: 1 }, {
      id: 8,
      room: "a",
      body: null,
      n: 1,
    }]);
    // A DELETE looks at nothing but the key.
    assert.deepEqual(await change("DELETE", { id: 8, nonsense: true }), {
      id: 8,
      room: "a",
      body: null,
      n: 1,
    });
    assert.equal(await change("DELETE", { id: 8 }), null);
  });
});

test("a key of several columns finds the row that has all of them", async () => {
  const schema = `CREATE TABLE members (ticket INTEGER, user TEXT, role TEXT, seen INTEGER,
    PRIMARY KEY (user, ticket));`;
  await withDatabase(schema, async (db) => {
    const change = (operation: string, payload: unknown) =>
      write(db, { operation, target: "members", key: ["ticket", "user"], payload });
    const ann = { ticket: 7, user: "ann", role: "owner", seen: null };
    const bob = { ticket: 7, user: "bob", role: null, seen: null };
    const { seen: _, ...sent } = ann;
    assert.deepEqual(await change("UPSERT", sent), ann);
    // With nothing but the key, the row is inserted or stays as it is.
    assert.deepEqual(await change("UPSERT", { ticket: 7, user: "bob" }), bob);
    assert.deepEqual(await change("UPSERT", { user: "ann", ticket: 7 }), ann);
    assert.deepEqual(await change("UPSERT", { role: "guest", user: "ann", ticket: 7 }), {
      ...ann,
      role: "guest",
    });
    assert.deepEqual(await change("UPDATE", { seen: 1, user: "bob", role: "owner", ticket: 7 }), {
      ...bob,
      role: "owner",
      seen: 1,
    });
    assert.equal(await change("UPDATE", { ticket: 8, user: "bob", seen: 2 }), null);
    assert.equal(await change("DELETE", { ticket: 8, user: "ann" }), null);
    await change("DELETE", { ticket: 7, user: "ann", role: "nobody" });
    const query = "SELECT user, seen FROM members";
    assert.deepEqual(await write(db, { query }), [{ user: "bob", seen: 1 }]);
  });
});

test("a part of the key that is missing or null is refused by name", async () => {
  const schema = "CREATE TABLE members (ticket INTEGER, user TEXT, seen, UNIQUE (ticket, user));";
  await withDatabase(schema, async (db) => {
    const key = ["ticket", "user"];
    for (const operation of ["UPDATE", "DELETE", "UPSERT"]) {
      const change = (payload: unknown) =>
        write(db, { operation, target: "members", key, payload });
      await assert.rejects(
        change({ ticket: 7, usr: "ann" }),
        fails(/: needs its key "user" in the payload; did you mean "usr"\?$/),
      );
      await assert.rejects(
        change({ ticket: 7, user: undefined, seen: 1 }),
        fails(/ needs a value for its key "user", not null$/),
      );
      // The statement is prepared already: each write is checked, not only the first.
      if (operation !== "UPDATE") await change({ ticket: 7, user: "ann", seen: 1 });
      await assert.rejects(
        change({ ticket: null, user: "ann", seen: 1 }),
        fails(/ needs a value for its key "ticket", not null$/),
      );
    }
    await assert.rejects(
      write(db, { operation: "UPDATE", target: "members", key, payload: { ticket: 7, user: "x" } }),
      fails(/nothing to set, since the payload has the key "ticket", "user" alone$/),
    );
  });
});

test("values come back as they went in, as far as SQL has them", async () => {
  await withDatabase("CREATE TABLE t (any, i INTEGER, r REAL, s TEXT, b BLOB);", async (db) => {
    const stored = async (column: string, value: unknown) => {
      const row = await write(db, { target: "t", payload: { [column]: value } });
      return (row as Record<string, unknown>)[column];
    };
    assert.equal(await stored("any", 3), 3);
    assert.equal(await stored("any", -1.5), -1.5);
    assert.equal(await stored("any", true), 1);
    assert.equal(await stored("any", false), 0);
    assert.equal(await stored("any", null), null);
    assert.equal(await stored("any", undefined), null);
    assert.equal(await stored("any", "ü\u{1F600}'\";--\n"), "ü\u{1F600}'\";--\n");
    assert.equal(await stored("any", ["\\ud83d", "\u{1F600}"]), '["\\\\ud83d","\u{1F600}"]');
    assert.equal(await stored("any", { a: [1, "x", null] }), '{"a":[1,"x",null]}');
    assert.equal(await stored("any", [1, 2]), "[1,2]");
    assert.equal(await stored("any", new Date(0)), "1970-01-01T00:00:00.000Z");
    assert.equal(await stored("b", new Uint8Array([0, 255])), "AP8=");
    // A whole number in a text column is no "3.0".
    assert.equal(await stored("s", 3), "3");
    assert.equal(await stored("r", 3), 3);
    assert.equal(await stored("i", Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
    assert.equal(await stored("i", "9007199254740993"), "9007199254740993");
    assert.equal(await stored("i", 9007199254740993n), "9007199254740993");
    assert.equal(await stored("i", -(2n ** 63n)), "-9223372036854775808");
    assert.equal(await stored("any", 1e300), 1e300);
    const types = await write(db, {
      query: "SELECT DISTINCT typeof(any) AS type FROM t ORDER BY 1",
    });
    const expected = ["integer", "null", "real", "text"].map((type) => ({ type }));
    assert.deepEqual(types, expected);
  });
});

test("what cannot be stored unchanged is refused by name", async () => {
  await withDatabase("CREATE TABLE t (a);", async (db) => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const refused: readonly (readonly [unknown, RegExp])[] = [
      [NaN, /column "a": is NaN/],
      [-Infinity, /column "a": is -Infinity/],
      [2n ** 63n, /column "a": is beyond 64 bits/],
      ["a\0b", /column "a": has a NUL/],
      ["a\ud83db", /column "a": has half of a surrogate pair, which cannot be stored/],
      ["\ude00\ud83d", /column "a": has half of a surrogate pair/],
      [{ deep: [{ "a\ud83d": 1 }] }, /column "a": has half of a surrogate pair/],
      [["\\\ude00"], /column "a": has half of a surrogate pair/],
      [() => 1, /column "a": is a function/],
      [Symbol("a"), /column "a": is a symbol/],
      [cycle, /column "a": cannot be stored as text/],
      [{ deep: 1n }, /column "a": cannot be stored as text/],
      [new Date(NaN), /column "a": cannot be stored as text/],
    ];
    for (const [a, message] of refused) {
      await assert.rejects(write(db, { target: "t", payload: { a } }), fails(message));
    }
    assert.deepEqual(await write(db, { query: "SELECT * FROM t" }), []);
  });
});

test("a request that makes no sense is refused for good", async () => {
  await withDatabase(MESSAGES, async (db) => {
    const refused: readonly (readonly [Parameters<typeof write>[1], RegExp])[] = [
      [{ target: "mesages", payload: {} }, /no table "mesages"; did you mean "messages"\?/],
      [{ target: "", payload: {} }, /no table ""/],
      [{ target: "a\0b", payload: {} }, /no table "a\\u0000b"/],
      [{ target: "x".repeat(1e6), payload: {} }, /no table "x{100}…"$/],
      [{ target: "sqlite_schema", payload: { name: "x" } }, /no table "sqlite_schema"/],
      [{ target: "_weir_migrations", payload: { name: "x" } }, /no table "_weir_migrations"/],
      [{ target: "messages", payload: { bdy: 1 } }, /no column "bdy" in table "messages"; did you/],
      [{ target: "messages", payload: { Body: 1 } }, /no column "Body".*did you mean "body"/],
      [{ target: "messages", payload: null }, /INSERT needs an object as payload, not null/],
      [{ target: "messages", payload: "text" }, /not text/],
      [{ target: "messages", payload: [1] }, /not a list/],
      [{ payload: {} }, /INSERT needs a target/],
      [
        { target: "messages", operation: "INSRT", payload: {} },
        /INSRT: no such operation; did you mean/,
      ],
      [{ target: "messages", operation: "insert", payload: {} }, /did you mean "INSERT"/],
      [{ target: "messages", operation: "UPDATE", payload: { id: 1 } }, /UPDATE: needs a key/],
      [
        { target: "messages", operation: "UPDATE", key: ["id"], payload: { n: 1 } },
        /needs its key "id" in the payload/,
      ],
      [
        { target: "messages", operation: "UPDATE", key: ["id"], payload: { id: 1 } },
        /nothing to set/,
      ],
      [
        { target: "messages", operation: "DELETE", key: ["idd"], payload: { idd: 1 } },
        /no column "idd" in table "messages"; did you mean "id"/,
      ],
      [
        { target: "messages", operation: "UPSERT", key: ["room"], payload: { room: "a" } },
        /UPSERT: .*; its key must be the primary key or unique/,
      ],
      [{ query: "SELEC 1" }, /query: near "SELEC": syntax error/],
      [{ query: "SELECT * FROM mesages" }, /no such table: mesages; did you mean "messages"/],
      [{ query: "SELECT bdy FROM messages" }, /no such column: bdy; did you mean "body"/],
      [{ query: 'SELECT "bdy" FROM messages' }, /no such column: "bdy".*did you mean "body"/],
      [{ query: "SELECT 1; SELECT 2" }, /more than one statement/],
      [{ query: "SELECT :idd", payload: { id: 1 } }, /":idd" is in neither.*; did you mean "id"/],
      [{ query: "SELECT :a", payload: "text" }, /":a" is in neither payload nor params; add it/],
      [{ query: "SELECT :toString", payload: {} }, /":toString" is in neither/],
      [{ query: "SELECT :a", params: { a: param("input.n + 1") } }, /params\.a: /],
      [{ query: "SELECT :a", payload: { a: NaN } }, /parameter ":a": is NaN/],
    ];
    for (const [request, message] of refused) {
      await assert.rejects(
        write(db, request),
        fails(message),
        JSON.stringify(request).slice(0, 99),
      );
    }
  });
});

test("constraints are permanent failures that name the column", async () => {
  const schema = `${MESSAGES} CREATE TABLE child (of INTEGER NOT NULL REFERENCES messages (id),
    small CHECK (small < 5), made AS (small + 1));`;
  await withDatabase(schema, async (db) => {
    await write(db, { target: "messages", payload: { id: 1, body: "x" } });
    const refused: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
      ["messages", { body: "x" }, /UNIQUE constraint failed: messages\.body/],
      ["messages", { id: 1 }, /UNIQUE constraint failed: messages\.id/],
      ["messages", { id: "x" }, /datatype mismatch/],
      ["child", {}, /NOT NULL constraint failed: child\.of/],
      ["child", { of: 1, small: 5 }, /CHECK constraint failed: small < 5/],
      ["child", { of: 9 }, /FOREIGN KEY constraint failed/],
      ["child", { of: 1, made: 2 }, /cannot INSERT into generated column "made"/],
    ];
    for (const [target, payload, message] of refused) {
      await assert.rejects(write(db, { target, payload }), fails(message));
    }
  });
});

test("SQL in a value, a name, a target or a key does nothing", async () => {
  const schema = 'CREATE TABLE t (a, "a""); DROP TABLE t; --" TEXT);';
  await withDatabase(schema, async (db) => {
    const evil = 'a"); DROP TABLE t; --';
    const row = await write(db, { target: "t", payload: { a: evil, [evil]: evil } });
    assert.deepEqual(row, { a: evil, [evil]: evil });
    for (const name of ["a) VALUES (1); DROP TABLE t; --", 'a"', "a'--", "t; DROP TABLE t"]) {
      const attempts = [
        { target: name, payload: { a: 1 } },
        { target: "t", payload: { [name]: 1 } },
        { target: "t", operation: "DELETE", key: [name], payload: { [name]: 1 } },
        { target: "t", operation: "UPDATE", key: [name], payload: { [name]: 1, a: 2 } },
        { target: "t", operation: "UPSERT", key: [name], payload: { [name]: 1, a: 2 } },
      ];
      for (const attempt of attempts) {
        await assert.rejects(write(db, attempt), fails(/there is no (table|column)/));
      }
    }
    const query = "SELECT count(*) AS n FROM t WHERE a = :a";
    assert.deepEqual(await write(db, { query, payload: { a: evil } }), [{ n: 1 }]);
    assert.deepEqual(await write(db, { query, payload: { a: "x' OR '1'='1" } }), [{ n: 0 }]);
  });
});

test("names that need quotes are columns like any other", async () => {
  const schema =
    'CREATE TABLE "order by" ("select" , "a b", "ü", "x\'y", "__proto__", constructor);';
  await withDatabase(schema, async (db) => {
    const payload = JSON.parse(
      '{"select":1,"a b":2,"ü":3,"x\'y":4,"__proto__":5,"constructor":6}',
    );
    const row = await write(db, { target: "order by", payload });
    assert.equal(JSON.stringify(row), JSON.stringify(payload));
    assert.equal(Object.getPrototypeOf(row), Object.prototype);
    const params = Object.fromEntries([["__proto__", param("input.a")]]);
    const found = await write(db, {
      query: 'SELECT "a b" AS a FROM "order by" WHERE constructor = :constructor + :__proto__',
      params,
      payload: { constructor: 6 },
      input: { a: 0 },
    });
    assert.deepEqual(found, [{ a: 2 }]);
  });
});

test("names from Object.prototype are unknown columns and change nothing", async () => {
  await withDatabase("CREATE TABLE t (a);", async (db) => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const payload = JSON.parse(`{"${name}":{"polluted":true}}`);
      const named = new RegExp(`no column "${name}"`);
      await assert.rejects(write(db, { target: "t", payload }), fails(named));
      await assert.rejects(write(db, { target: name, payload: { a: 1 } }), fails(/no table/));
    }
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });
});

test("a query takes its parameters from params, then from the payload", async () => {
  await withDatabase(MESSAGES, async (db) => {
    const done = await write(db, {
      query: "INSERT INTO messages (room, body, n) VALUES (:room, :body, :n)",
      params: { room: param("input.where"), n: param("1 + 2") },
      payload: { room: "not this", body: "b", unnamed: NaN },
      input: { where: "here" },
    });
    assert.deepEqual(done, { changes: 1, last_insert_id: 1 });
    const returned = await write(db, {
      query: "UPDATE messages SET n = :n + :n WHERE room = 'here' RETURNING n, ':n' AS text",
      payload: { n: 4 },
    });
    assert.deepEqual(returned, [{ n: 8, text: ":n" }]);
    const none = await write(db, {
      query: "SELECT * FROM messages WHERE room = :room",
      payload: { room: null },
    });
    assert.deepEqual(none, []);
    const big = await write(db, { query: "SELECT 9007199254740993 AS a, x'00ff' AS b;" });
    assert.deepEqual(big, [{ a: "9007199254740993", b: "AP8=" }]);
  });
});

test("a query that only reads needs no promise", async () => {
  await withDatabase(MESSAGES, (db) => {
    const options = { query: "SELECT 1 AS a" };
    const request = { operation: undefined, target: undefined, payload: {}, event: undefined };
    assert.deepEqual(db.write({ ...request, options, scope: {} }), [{ a: 1 }]);
    return Promise.resolve();
  });
});

test("columns that come and go meanwhile are noticed", async () => {
  await withDatabase("CREATE TABLE t (a);", async (db, file) => {
    await write(db, { target: "t", payload: { a: 1 } });
    const other = new DatabaseSync(file);
    other.exec("ALTER TABLE t ADD COLUMN b; CREATE TABLE u (c);");
    const row = await write(db, { target: "t", payload: { a: 1 } });
    assert.deepEqual(row, { a: 1, b: null });
    assert.deepEqual(await write(db, { target: "t", payload: { b: 2 } }), { a: null, b: 2 });
    assert.deepEqual(await write(db, { target: "u", payload: { c: 3 } }), { c: 3 });
    other.exec("ALTER TABLE t DROP COLUMN b; DROP TABLE u");
    other.close();
    await assert.rejects(write(db, { target: "t", payload: { b: 2 } }), fails(/column named b/));
    await assert.rejects(write(db, { target: "u", payload: { c: 3 } }), fails(/no such table: u/));
    assert.deepEqual(await write(db, { target: "t", payload: { a: 4 } }), { a: 4 });
  });
});

test("more shapes of payload than statements are kept still work", async () => {
  const columns = Array.from({ length: 300 }, (_, i) => `c${i}`);
  await withDatabase(`CREATE TABLE t (${columns.join(", ")});`, async (db) => {
    for (let round = 0; round < 2; round++) {
      await Promise.all(
        columns.map((name) => write(db, { target: "t", payload: { [name]: name } })),
      );
    }
    const all = Object.fromEntries(columns.map((name) => [name, name]));
    assert.deepEqual(await write(db, { target: "t", payload: all }), all);
    assert.deepEqual(await write(db, { query: "SELECT count(*) AS n FROM t" }), [{ n: 601 }]);
  });
});

test("an in-memory database forgets", async () => {
  for (let run = 0; run < 2; run++) {
    const db = connector({ database: ":memory:" });
    await db.start();
    await write(db, { query: "CREATE TABLE t (a)" });
    await db.close();
  }
});
