/** What writes to MySQL return, with a server that returns rows and as with one that does not. */
import assert from "node:assert/strict";
import { DedupeKeys } from "../../src/connectors/database/dedupe.ts";
import type { Database } from "../../src/connectors/database/driver.ts";
import { Requests } from "../../src/connectors/database/requests.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import { withMariadb } from "../support/mariadb.ts";
import { recorder } from "../support/log.ts";
import { serviceTest } from "../support/services.ts";
import { openedAs, rowsOf } from "./mysql-support.ts";

const SCHEMA = `
  CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) UNIQUE, n INT);
  CREATE TABLE pairs (a VARCHAR(20), b INT, n INT CHECK (n < 100), PRIMARY KEY (a, b));
  CREATE TABLE plain (n INT);
  CREATE TABLE times (id INT PRIMARY KEY, at DATETIME(6), day DATE, note VARCHAR(50));
  CREATE TABLE cased (id INT PRIMARY KEY, a JSON, b TEXT);
  CREATE TABLE CASED (id INT PRIMARY KEY, a TEXT, b JSON);
  CREATE TABLE typed (id INT PRIMARY KEY, s VARCHAR(50) UNIQUE, e ENUM('a', 'b'), amount DECIMAL(10, 2),
    real_ DOUBLE, at DATETIME(3), day DATE, clock TIME, bits BIT(8), note TEXT);
  CREATE TABLE made (id CHAR(36) PRIMARY KEY DEFAULT (UUID()), n INT);
`;

/** What a block asks for. */
interface Wanted {
  readonly operation?: string;
  readonly target?: string;
  readonly payload?: unknown;
  readonly key?: readonly string[];
  readonly query?: string;
  readonly resultUsed?: boolean;
}

function writer(database: Database): (wanted: Wanted) => Promise<unknown> {
  const requests = new Requests("db", database);
  return async ({ operation, target, payload = {}, resultUsed, ...options }) =>
    await requests.write({
      operation,
      target,
      payload,
      options,
      scope: {},
      event: undefined,
      ...(resultUsed === undefined ? {} : { resultUsed }),
    });
}

/** Tests both kinds of server with an empty database. */
async function withBoth(
  name: string,
  run: (
    write: (wanted: Wanted) => Promise<unknown>,
    database: Database,
    returning: boolean,
  ) => Promise<void>,
): Promise<void> {
  for (const returning of [true, false]) {
    const as = returning ? "as MariaDB" : "as MySQL, without RETURNING";
    await serviceTest("mariadb", `${name}, ${as}`, async () => {
      await withMariadb(async ({ url }) => {
        await using database = await openedAs({ returning }, { url });
        await run(writer(database), database, returning);
      }, { schema: SCHEMA });
    });
  }
}

await withBoth("each write returns its row", async (write) => {
  const key = ["id"];
  assert.deepEqual(await write({ target: "t", payload: { name: "a", n: 1 } }), {
    id: 1,
    name: "a",
    n: 1,
  });
  assert.deepEqual(await write({ target: "t", payload: { id: 7, name: "b" } }), {
    id: 7,
    name: "b",
    n: null,
  });
  assert.deepEqual(await write({ target: "t", payload: { id: null, name: "c" } }), {
    id: 8,
    name: "c",
    n: null,
  });
  const update = { operation: "UPDATE", target: "t" };
  assert.deepEqual(await write({ ...update, key, payload: { id: 1, n: 2 } }), {
    id: 1,
    name: "a",
    n: 2,
  });
  // Nothing changes, and the row is found all the same.
  assert.deepEqual(await write({ ...update, key, payload: { id: 1, n: 2 } }), {
    id: 1,
    name: "a",
    n: 2,
  });
  assert.equal(await write({ ...update, key, payload: { id: 99, n: 2 } }), null);
  assert.equal(
    (await write({ ...update, key: ["n"], payload: { n: 2, name: "z" } }) as { id: number }).id,
    1,
  );
  const upsert = { operation: "UPSERT", target: "pairs", key: ["b", "a"] };
  assert.deepEqual(await write({ ...upsert, payload: { a: "x", b: 1, n: 1 } }), {
    a: "x",
    b: 1,
    n: 1,
  });
  assert.deepEqual(await write({ ...upsert, payload: { a: "x", b: 1, n: 5 } }), {
    a: "x",
    b: 1,
    n: 5,
  });
  assert.deepEqual(await write({ ...upsert, payload: { a: "x", b: 1 } }), { a: "x", b: 1, n: 5 });
  await write({ target: "pairs", payload: { a: "x", b: 2, n: 6 } });
  const remove = { operation: "DELETE", target: "pairs", key: ["a"] };
  assert.deepEqual(await write({ ...remove, payload: { a: "x" } }), [
    { a: "x", b: 1, n: 5 },
    { a: "x", b: 2, n: 6 },
  ]);
  assert.equal(await write({ ...remove, payload: { a: "x" } }), null);
  assert.deepEqual(await write({ query: "UPDATE t SET n = 4 WHERE id > 1" }), {
    changes: 2,
    last_insert_id: 0,
  });
  assert.deepEqual(
    await write({ query: "INSERT INTO t (name) VALUES (:name)", payload: { name: "q" } }),
    { changes: 1, last_insert_id: 9 },
  );
});

await withBoth("rows of one tick are numbered and returned in their order", async (write) => {
  await write({ target: "t", payload: { name: "first" } });
  const rows = await Promise.all(
    Array.from({ length: 60 }, (_, n) => write({ target: "t", payload: { name: `n${n}`, n } })),
  ) as { id: number; name: string; n: number }[];
  rows.forEach((row, n) => assert.deepEqual(row, { id: row.id, name: `n${n}`, n }));
  assert.equal(new Set(rows.map(({ id }) => id)).size, 60);
});

await withBoth("rows of one tick that are refused fail alone", async (write, database) => {
  await write({ target: "pairs", payload: { a: "first", b: 0 } });
  const bad = new Set([3, 17, 18, 39]);
  const outcomes = await Promise.allSettled(
    Array.from(
      { length: 40 },
      (_, b) => write({ target: "pairs", payload: { a: "x", b, n: bad.has(b) ? 100 : b } }),
    ),
  );
  const failed = outcomes.flatMap((outcome, b) => outcome.status === "rejected" ? [b] : []);
  assert.deepEqual(failed, [...bad]);
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") continue;
    assert.match(outcome.reason.message, /INSERT "pairs": CONSTRAINT `pairs\.n` failed/);
    assert.ok(outcome.reason.permanent);
  }
  const [{ count }] = await rowsOf(database, "SELECT COUNT(*) AS count FROM pairs");
  assert.equal(count, 37);
  // The same row twice: one of them stays, the first one where both are in one batch.
  const twice = await Promise.allSettled(
    [1, 2, 2, 3].map((b) => write({ target: "pairs", payload: { a: "y", b } })),
  );
  const [one, two, same, three] = twice.map(({ status }) => status);
  assert.deepEqual([one, three], ["fulfilled", "fulfilled"]);
  assert.deepEqual([two, same].sort(), ["fulfilled", "rejected"]);
});

await withBoth("an UPSERT changes the row of its own key alone", async (write, database) => {
  await write({ target: "t", payload: { id: 1, name: "a", n: 1 } });
  await write({ target: "t", payload: { id: 2, name: "b", n: 2 } });
  const upsert = { operation: "UPSERT", target: "t", key: ["id"] };
  // MySQL would change the row 1 here, whose name is the same.
  await assert.rejects(
    write({ ...upsert, payload: { id: 3, name: "a", n: 9 } }),
    /UPSERT "t": Duplicate entry 'a' for key 'name'/,
  );
  await assert.rejects(
    write({ ...upsert, payload: { id: 2, name: "a", n: 9 } }),
    /UPSERT "t": Duplicate entry 'a' for key 'name'/,
  );
  assert.deepEqual(await write({ ...upsert, payload: { id: 2, name: "c", n: 3 } }), {
    id: 2,
    name: "c",
    n: 3,
  });
  assert.deepEqual(await write({ ...upsert, payload: { id: 4, name: "d", n: 4 } }), {
    id: 4,
    name: "d",
    n: 4,
  });
  const byName = { operation: "UPSERT", target: "t", key: ["name"] };
  assert.deepEqual(await write({ ...byName, payload: { name: "d", n: 5 } }), {
    id: 4,
    name: "d",
    n: 5,
  });
  assert.deepEqual(await rowsOf(database, "SELECT id, name, n FROM t ORDER BY id"), [
    { id: 1, name: "a", n: 1 },
    { id: 2, name: "c", n: 3 },
    { id: 4, name: "d", n: 5 },
  ]);
  // A part of a text may be unique as well, and is no key.
  await rowsOf(database, "CREATE UNIQUE INDEX short ON pairs (a(2))");
  await write({ target: "pairs", payload: { a: "abc", b: 1 } });
  const inPairs = { operation: "UPSERT", target: "pairs", key: ["a", "b"] };
  await assert.rejects(
    write({ ...inPairs, payload: { a: "abd", b: 1, n: 1 } }),
    /Duplicate entry 'ab' for key 'short'/,
  );
  assert.deepEqual(await write({ ...inPairs, payload: { a: "abc", b: 1, n: 1 } }), {
    a: "abc",
    b: 1,
    n: 1,
  });
  const error = await write({ ...upsert, key: ["n"], payload: { n: 5, name: "e" } }).then(
    () => assert.fail("not refused"),
    (error) => error,
  );
  assert.match(error.message, /"n" alone; its key must be the primary key or unique$/);
  assert.ok(error instanceof ConnectorError && error.permanent);
});

await withBoth("a key finds what is equal to it, and no row that the server takes for it", async (
  write,
  database,
) => {
  const insert = (payload: unknown) => write({ target: "typed", payload });
  await insert({
    ...{ id: 1, s: "abc", e: "a", amount: "1.50", real_: 1.5, at: "2026-01-01T00:00:00Z" },
    ...{ day: "2026-01-01", clock: "00:00:00", bits: 1, note: "x" },
  });
  await insert({ id: 2, s: "1abc" });
  await insert({ id: 10, s: 0, note: "zero" });
  await insert({ id: 11, s: true, note: "one" });
  await insert({ id: 12, s: 1e20, note: "large" });
  const found = async (column: string, value: unknown): Promise<readonly unknown[]> => {
    const payload = { [column]: value, note: "found" };
    await write({ operation: "UPDATE", target: "typed", key: [column], payload });
    const rows = await rowsOf(database, "SELECT id FROM typed WHERE note = 'found' ORDER BY id");
    await rowsOf(database, "UPDATE typed SET note = NULL");
    return rows.map(({ id }) => id);
  };
  const finds: readonly (readonly [string, unknown, readonly number[]])[] = [
    ...[0, false, "0"].map((value) => ["s", value, [10]] as const),
    ...[1, true, "1"].map((value) => ["s", value, [11]] as const),
    ...[1e20, "100000000000000000000"].map((value) => ["s", value, [12]] as const),
    ["s", 7, []],
    ["s", { a: 1 }, []],
    ["e", 1, []],
    ["e", "a", [1]],
    ...[1, "1", " 1 ", "1.0", "1e0", "+1", true].map((value) => ["id", value, [1]] as const),
    ...[1.5, "1.5", "1.50"].map((value) => ["amount", value, [1]] as const),
    ...[1.5, "1.5", "15e-1"].map((value) => ["real_", value, [1]] as const),
    ...[
      "2026-01-01T00:00:00Z",
      "2026-01-01T01:00:00.000+01:00",
      "2026-01-01 00:00:00",
      "2026-01-01",
    ]
      .map((value) => ["at", value, [1]] as const),
    ...["2026-01-01", "2026-01-01T00:00:00Z"].map((value) => ["day", value, [1]] as const),
    ["clock", "00:00:00", [1]],
    ["bits", "1", [1]],
  ];
  for (const [column, value, ids] of finds) {
    assert.deepEqual(await found(column, value), ids, `${column} ${JSON.stringify(value)}`);
  }
  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ["id", "1abc", /: UPDATE "typed": column "id": is "1abc", which is no number$/],
    ...["", "abc", "0x1", "Infinity", "1 2", "1".repeat(66), [1], { a: 1 }].map((value) =>
      ["id", value, /column "id": is .+, which is no number$/] as const
    ),
    ["id", "1.5", /is "1\.5", which is no whole number$/],
    ["amount", "1.50 or so", /column "amount": is "1\.50 or so", which is no number$/],
    ["real_", "1.5x", /which is no number$/],
    ["bits", "1x", /which is no number$/],
    ...[0, false, 20260101, "2026-01-01abc", "abc", ""].flatMap((value) =>
      ["at", "day"].map((column) => [column, value, /: is .+, which is no time$/] as const)
    ),
    ...[0, "0", "0abc", false].map((value) => ["clock", value, /which is no time$/] as const),
  ];
  for (const [column, value, message] of refused) {
    const error = await found(column, value).then(
      () => assert.fail(`not refused: ${column} ${JSON.stringify(value)}`),
      (error) => error,
    );
    assert.match(error.message, message);
    assert.ok(error.permanent);
  }
  const byText = { target: "typed", key: ["s"] };
  assert.equal(await write({ ...byText, operation: "DELETE", payload: { s: 5 } }), null);
  const gone = await write({ ...byText, operation: "DELETE", payload: { s: false } });
  assert.equal((gone as { id?: unknown }).id, 10);
  const added = await write({ ...byText, operation: "UPSERT", payload: { id: 20, s: 0, e: "b" } });
  assert.equal((added as { id?: unknown }).id, 20);
  const rows = await rowsOf(database, "SELECT id, s FROM typed ORDER BY id");
  assert.deepEqual(rows.map(({ id, s }) => [id, s]), [
    [1, "abc"],
    [2, "1abc"],
    [11, "1"],
    [12, "100000000000000000000"],
    [20, "0"],
  ]);
});

await withBoth("a row without a key that is known", async (write, _database, returning) => {
  for (const target of ["plain", "made"]) {
    assert.equal(await write({ target, payload: { n: 1 }, resultUsed: false }), undefined);
    const written = write({ target, payload: { n: 2 } });
    if (returning) assert.equal((await written as { n: number }).n, 2);
    else await assert.rejects(written, /cannot be read back: MySQL returns none/);
  }
});

await withBoth("keys of dedupe are exact", async (_write, database) => {
  const keys = new DedupeKeys(database, recorder().logger, (cause) => cause as Error);
  const long = "é".repeat(500);
  const all = ["a", "A", "á", "a ", " a", "\\", "'", long, `${long} `];
  assert.equal(await keys.has("f", "a", 0), false);
  const answer = JSON.stringify({ text: "ü".repeat(70_000) });
  for (const [index, key] of all.entries()) {
    assert.equal(await keys.has("f", key, 5), false, key);
    await keys.add("f", key, 5, 100 + index, answer);
    assert.equal(await keys.has("f", key, 5), true, key);
    assert.equal(await keys.has("g", key, 5), false);
  }
  assert.equal(await keys.answer("f", "A", 5), answer);
  assert.equal(await keys.has("f", "a", 100), false);
  assert.equal(await keys.has("f", "A", 100), true);
  await keys.add("f", "a", 6, 200);
  assert.equal(await keys.has("f", "a", 150), true);
  // Those that have expired are removed in between.
  for (let n = 0; n < 20; n++) await keys.add("f", `later ${n}`, 1e6, 2e6);
  const rows = await rowsOf(database, "SELECT COUNT(*) AS count FROM _weir_keys");
  assert.deepEqual(rows, [{ count: 20 }]);
});

await withBoth("times of a query are converted where the server wants them", async (write) => {
  const query = "INSERT INTO times VALUES (:id, :at, :day, :note)";
  const at = "2026-01-01T01:00:00.123456+01:00";
  const note = "2026-01-02T00:00:00Z";
  for (const id of [1, 2]) {
    const changes = await write({ query, payload: { id, at, day: note, note: `${note}!` } });
    assert.deepEqual(changes, { changes: 1, last_insert_id: 0 });
  }
  const stored = await write({ query: "SELECT at, day, note FROM times" });
  const row = { at: "2026-01-01T00:00:00.123456Z", day: "2026-01-02", note: `${note}!` };
  assert.deepEqual(stored, [row, row]);
  await assert.rejects(
    write({ query, payload: { id: 3, at: "2026-02-30T00:00:00Z", day: null, note: null } }),
    /Incorrect datetime value: '2026-02-30T00:00:00Z'/,
  );
});

await withBoth("tables that differ by case alone are two", async (write, database) => {
  for (const target of ["cased", "CASED"]) {
    const payload = { id: 1, a: "x", b: "x" };
    assert.deepEqual(await write({ target, payload }), payload);
    const [quotes] = await rowsOf(database, `SELECT LENGTH(a) AS a, LENGTH(b) AS b FROM ${target}`);
    assert.deepEqual(quotes, target === "cased" ? { a: 3, b: 1 } : { a: 1, b: 3 });
  }
});
