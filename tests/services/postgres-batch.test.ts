/** Statements of the PostgreSQL driver: batches with one Sync, refusals, lost connections. */
import assert from "node:assert/strict";
import type pg from "pg";
import { LostConnectionError } from "../../src/connectors/database/drivers/postgres/answers.ts";
import type { StatementConnection } from "../../src/connectors/database/drivers/postgres/batch.ts";
import type { Row } from "../../src/connectors/database/driver.ts";
import type { BatchOutcome } from "../../src/connectors/database/group-commit.ts";
import { GroupCommit } from "../../src/connectors/database/group-commit.ts";
import { type PostgresDatabase, withPostgres } from "../support/postgres.ts";
import {
  committed,
  statementOf,
  type Statements,
  withStatements,
} from "../support/postgres-statements.ts";
import { serviceTest } from "../support/services.ts";

const TIMEOUT = { timeout: 10_000 };

const insert = statementOf("INSERT INTO items (id, name) VALUES ($1, $2) RETURNING *", "first");
const silent = statementOf("INSERT INTO items (id, name) VALUES ($1, $2)", "none");
const write = (id: unknown, statement = insert) => ({ statement, values: [id, `n${id}`] });
const row = (id: number) => [{ id, name: `n${id}` }];

/** Registers a test with a table `items` and one connection. */
function databaseTest(
  name: string,
  run: (parts: Statements & { readonly database: PostgresDatabase }) => Promise<void>,
): Promise<void> {
  const schema = "create table items (id int primary key, name text)";
  return serviceTest("postgres", `postgres batch: ${name}`, () =>
    withPostgres(
      (database) => withStatements(database.url, (statements) => run({ ...statements, database })),
      { schema },
    ));
}

async function ids({ sql }: PostgresDatabase): Promise<readonly unknown[]> {
  return (await sql("select id from items order by id")).map(({ id }) => id);
}

/** The code of the server's error, of a write that was refused. */
function refusal(outcome: BatchOutcome): readonly [number, string | undefined] {
  assert.ok("refused" in outcome, JSON.stringify(outcome));
  return [outcome.refused, (outcome.error as pg.DatabaseError).code];
}

await databaseTest("all kinds of statements in one transaction, results in order", async (
  { connection, database },
) => {
  const outcome = await connection.run([
    write(1),
    write(2, silent),
    { statement: statementOf("UPDATE items SET name = $1 WHERE id > $2"), values: ["x", 0] },
    { statement: statementOf("UPDATE items SET id = id + 10 RETURNING id"), values: [] },
    { statement: statementOf("DELETE FROM items WHERE id = $1"), values: [11] },
    { statement: statementOf("WITH a AS (SELECT 1 AS n) SELECT n FROM a", "first"), values: [] },
    { statement: statementOf("UPDATE items SET name = 'y' WHERE false RETURNING *"), values: [] },
  ], TIMEOUT);
  assert.deepEqual(committed(outcome), [
    row(1),
    [],
    { changes: 2, last_insert_id: null },
    [{ id: 11 }, { id: 12 }],
    { changes: 1, last_insert_id: null },
    [{ n: 1 }],
    [],
  ]);
  assert.deepEqual(await database.sql("select * from items"), [{ id: 12, name: "x" }]);
});

for (const bad of [0, 2, 4]) {
  await databaseTest(`number ${bad} of 5 is refused, and nothing is committed`, async (
    { connection, database },
  ) => {
    await database.sql("insert into items values (99)");
    const batch = [0, 1, 2, 3, 4].map((id) => write(id === bad ? 99 : id));
    assert.deepEqual(refusal(await connection.run(batch, TIMEOUT)), [bad, "23505"]);
    assert.deepEqual(await ids(database), [99]);
    // The connection is as good as before.
    assert.deepEqual(committed(await connection.run([write(5)], TIMEOUT)), [row(5)]);
  });
}

await databaseTest("a group commit writes all but the refused ones", async (
  { connection, database },
) => {
  await database.sql("insert into items select 10 * n from generate_series(0, 9) n");
  const commit = new GroupCommit({
    execute: (batch, signal) => connection.run(batch, { timeout: 10_000, signal }),
    mayRepeat: () => false,
    lanes: 1,
    largest: 64,
  });
  const ends = await Promise.allSettled(Array.from({ length: 100 }, (_, id) => {
    // A value that cannot be sent is refused in the same way.
    return commit.push(id % 10 === 5 ? write(id + 0.5) : write(id));
  }));
  const refused = ends.flatMap(({ status }, id) => status === "rejected" ? [id] : []);
  assert.deepEqual(refused.map((id) => id % 5), Array(20).fill(0));
  assert.deepEqual(
    (ends[5] as PromiseRejectedResult).reason.message,
    'parameter ":a" is 5.5, ' +
      "and must be a whole number",
  );
  assert.equal((await ids(database)).length, 90);
});

await databaseTest("where all are refused, all fail", async ({ connection, database }) => {
  await database.sql("insert into items select generate_series(0, 9)");
  const commit = new GroupCommit({
    execute: (batch, signal) => connection.run(batch, { timeout: 10_000, signal }),
    mayRepeat: () => false,
    lanes: 1,
    largest: 64,
  });
  const ends = await Promise.allSettled(
    Array.from({ length: 10 }, (_, id) => commit.push(write(id))),
  );
  assert.deepEqual(ends.map(({ status }) => status), Array(10).fill("rejected"));
});

await databaseTest("what comes before a value that cannot be sent is written", async (
  { connection, database },
) => {
  const outcome = await connection.run([write(1), write("2"), write(NaN), write(3)], TIMEOUT);
  assert.deepEqual(committed(outcome), [row(1), row(2)]);
  const [index, code] = refusal(await connection.run([write(NaN), write(3)], TIMEOUT));
  assert.deepEqual([index, code], [0, undefined]);
  assert.deepEqual(await ids(database), [1, 2]);
});

await databaseTest("a deferred constraint fails the commit, and is found", async (
  { connection, database },
) => {
  await database.sql(
    "create table orders (item int references items deferrable initially deferred)",
  );
  await database.sql("insert into items select generate_series(0, 9)");
  const order = statementOf("INSERT INTO orders VALUES ($1)", "none");
  const batch = [1, 2, 77, 3].map((id) => ({ statement: order, values: [id] }));
  const outcome = await connection.run(batch, TIMEOUT);
  assert.ok("failed" in outcome);
  assert.equal(outcome.written, "no");
  assert.equal(outcome.halve, true);
  assert.equal((outcome.failed as pg.DatabaseError).code, "23503");
  const commit = new GroupCommit({
    execute: (batch, signal) => connection.run(batch, { timeout: 10_000, signal }),
    mayRepeat: () => false,
    lanes: 1,
    largest: 64,
  });
  const ends = await Promise.allSettled(batch.map((step) => commit.push(step)));
  assert.deepEqual(ends.map(({ status }) => status === "fulfilled"), [true, true, false, true]);
  assert.equal((await database.sql("select * from orders")).length, 3);
});

await databaseTest("a statement that is wrong refuses itself alone", async (
  { connection, database },
) => {
  const wrong = statementOf("INSERT INTO nowhere VALUES ($1)");
  const batch = [write(1), { statement: wrong, values: [1] }, write(2)];
  assert.deepEqual(committed(await connection.run(batch, TIMEOUT)), [row(1)]);
  assert.deepEqual(refusal(await connection.run(batch.slice(1), TIMEOUT)), [0, "42P01"]);
  assert.deepEqual(await ids(database), [1]);
});

await databaseTest("what must be alone in its transaction is", async ({ connection }) => {
  const alone = [
    statementOf("VACUUM items"),
    statementOf(" -- comment\n/* another */ CREATE INDEX CONCURRENTLY ON items (name)"),
  ];
  for (const statement of alone) {
    const batch = [write(1), { statement, values: [] }, write(2)];
    assert.equal(committed(await connection.run(batch, TIMEOUT)).length, 1);
    const changes = { changes: 0, last_insert_id: null };
    assert.deepEqual(committed(await connection.run(batch.slice(1), TIMEOUT)), [changes]);
    await connection.query(statementOf("DELETE FROM items"), [], TIMEOUT);
  }
});

await databaseTest("a killed connection: what was not finished is not written", async (
  { connection, client, database },
) => {
  const slow = statementOf("INSERT INTO items SELECT $1 FROM pg_sleep($2)", "none");
  const running = connection.run(
    [write(1), { statement: slow, values: [2, 30] }, write(3)],
    TIMEOUT,
  );
  const { processID } = client as unknown as { processID: number };
  const active = "select 1 from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'";
  while ((await database.sql(active, [processID])).length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await database.sql("select pg_terminate_backend($1)", [processID]);
  const outcome = await running;
  assert.ok("failed" in outcome && !outcome.halve);
  assert.equal(outcome.written, "no");
  assert.equal((outcome.failed as pg.DatabaseError).code, "57P01");
  assert.notEqual(connection.lost, undefined);
  assert.deepEqual(await ids(database), []);
  // Nothing is sent on it any more.
  const next = await connection.run([write(4)], TIMEOUT);
  assert.ok("failed" in next && next.failed instanceof LostConnectionError);
  assert.equal(next.written, "no");
});

await databaseTest("a cut without an answer leaves it unknown", async ({ connection, client }) => {
  const slow = statementOf("INSERT INTO items SELECT $1 FROM pg_sleep($2)", "none");
  await connection.run([write(0), { statement: slow, values: [1, 0] }], TIMEOUT);
  const running = connection.run([write(2), { statement: slow, values: [3, 1] }], TIMEOUT);
  setTimeout(() => client.connection.stream.destroy(), 100);
  const outcome = await running;
  assert.ok("failed" in outcome && outcome.failed instanceof LostConnectionError);
  assert.equal(outcome.written, "unknown");
  assert.notEqual(connection.lost, undefined);
});

await databaseTest("a connection whose time is up is destroyed", async ({ connection, client }) => {
  const sleep = statementOf("SELECT pg_sleep(30)");
  const started = performance.now();
  await assert.rejects(connection.query(sleep, [], { timeout: 200 }), (error: Error) => {
    assert.ok(error instanceof LostConnectionError);
    assert.equal(error.message, "lost the connection: no answer in 200 ms");
    return true;
  });
  assert.ok(performance.now() - started < 5000);
  assert.notEqual(connection.lost, undefined);
  assert.equal(client.connection.stream.destroyed, true);
});

await databaseTest("an aborted statement is cancelled, and the connection stays", async (
  { connection, cancels },
) => {
  const controller = new AbortController();
  const sleep = statementOf("SELECT pg_sleep(30)");
  const running = connection.query(sleep, [], { timeout: 10_000, signal: controller.signal });
  setTimeout(() => controller.abort(), 200);
  await assert.rejects(running, { code: "57014" });
  assert.equal(cancels(), 1);
  const late = connection.query(sleep, [], { timeout: 10_000, signal: controller.signal });
  await assert.rejects(late, { name: "CancelledError" });
  const ok = await connection.query(statementOf("SELECT 1 AS n"), [], TIMEOUT);
  assert.deepEqual(ok, [{ n: 1 }]);
});

await databaseTest("ALTER TABLE between batches", async ({ connection, database }) => {
  assert.deepEqual(committed(await connection.run([write(1)], TIMEOUT)), [row(1)]);
  await database.sql("alter table items add column more int default 7");
  const outcome = await connection.run([write(2), write(3)], TIMEOUT);
  assert.deepEqual(committed(outcome), [2, 3].map((id) => [{ id, name: `n${id}`, more: 7 }]));
  await database.sql("alter table items drop column name");
  assert.deepEqual(refusal(await connection.run([write(4)], TIMEOUT)), [0, "42703"]);
});

await databaseTest("a column that takes more than before", async ({ connection, database }) => {
  const large = { statement: silent, values: [2 ** 40, "x"] };
  const [, code] = refusal(await connection.run([large], TIMEOUT));
  assert.equal(code, undefined);
  await database.sql("alter table items alter column id type bigint");
  // What is known of the types is asked for again after a second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.deepEqual(committed(await connection.run([large], TIMEOUT)), [[]]);
});

await databaseTest("a server that has forgotten its statements", async ({ connection, client }) => {
  assert.deepEqual(committed(await connection.run([write(1)], TIMEOUT)), [row(1)]);
  await client.query("deallocate all");
  assert.deepEqual(committed(await connection.run([write(2)], TIMEOUT)), [row(2)]);
});

await databaseTest("in an open transaction nothing is repeated", async (
  { connection, client, database },
) => {
  await connection.run([write(1)], TIMEOUT);
  await database.sql("alter table items add column more int default 7");
  await client.query("begin");
  await assert.rejects(connection.query(insert, [2, "x"], TIMEOUT), { code: "0A000" });
  await client.query("rollback");
  await client.query("begin");
  await connection.query(insert, [2, "x"], TIMEOUT);
  assert.deepEqual(await ids(database), [1]);
  await client.query("commit");
  assert.deepEqual(await ids(database), [1, 2]);
});

await databaseTest("reads: rows, the first, none", async ({ connection, database }) => {
  await database.sql("insert into items values (1, 'a'), (2, 'b'), (3, null)");
  const read = (rows: "all" | "first" | "none", sql: string) =>
    connection.query(statementOf(sql, rows), [], TIMEOUT);
  const all = "SELECT * FROM items ORDER BY id";
  assert.deepEqual(await read("all", all), [
    { id: 1, name: "a" },
    { id: 2, name: "b" },
    { id: 3, name: null },
  ]);
  assert.deepEqual(await read("first", all), [{ id: 1, name: "a" }]);
  assert.deepEqual(await read("first", `SELECT * FROM (${all}) a WHERE false`), []);
  assert.deepEqual(await read("none", all), []);
  const [odd] = await read("all", `SELECT 1 AS "__proto__"`) as readonly Row[];
  assert.deepEqual(Object.entries(odd), [["__proto__", 1]]);
  // The server stops after the first row.
  const endless =
    "WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t) SELECT n FROM t";
  assert.deepEqual(await read("first", `SELECT n FROM (${endless}) t`), [{ n: 1 }]);
  assert.deepEqual(await read("all", "SELECT FROM items"), [{}, {}, {}]);
  assert.deepEqual(await read("all", "-- nothing"), { changes: 0, last_insert_id: null });
});

await databaseTest("COPY from the client is refused, and the connection stays", async (
  { connection },
) => {
  const copy = statementOf("COPY items FROM STDIN");
  await assert.rejects(connection.query(copy, [], TIMEOUT), { code: "57014" });
  assert.deepEqual(committed(await connection.run([write(1)], TIMEOUT)), [row(1)]);
});

await databaseTest("statements that nobody uses any more are forgotten", async (
  { connection, client },
) => {
  const count = async () => {
    const { rows } = await client.query("select count(*)::int as n from pg_prepared_statements");
    return rows[0].n as number;
  };
  for (let n = 0; n < 530; n++) await run(connection, n);
  assert.ok(await count() <= 512, `${await count()} are kept`);
});

await databaseTest("a statement that is in use stays, whatever comes with it", async (
  { connection, database },
) => {
  committed(await connection.run([write(0)], TIMEOUT));
  for (let n = 1; n < 512; n++) await run(connection, n);
  // The first one is the oldest of as many as are kept, and the second one is new.
  const other = statementOf("INSERT INTO items (name, id) VALUES ($2, $1)", "none");
  assert.deepEqual(committed(await connection.run([write(1), write(2, other)], TIMEOUT)), [
    row(1),
    [],
  ]);
  assert.deepEqual(await ids(database), [0, 1, 2]);
});

await databaseTest("two connections have no names of statements in common", async (
  { connection, client, database },
) => {
  const names = async (client: pg.Client) => {
    const { rows } = await client.query("select name from pg_prepared_statements");
    return rows.map(({ name }) => String(name));
  };
  await connection.run([write(1)], TIMEOUT);
  await withStatements(database.url, async (second) => {
    await second.connection.run([write(2)], TIMEOUT);
    const [name] = await names(second.client);
    assert.equal((await names(client)).includes(name), false, name);
  });
});

function run(connection: StatementConnection, n: number): Promise<unknown> {
  return connection.query(statementOf(`SELECT ${n}`), [], TIMEOUT);
}

await databaseTest("large values, and more of them than a batch has room for", async (
  { connection, database },
) => {
  const name = "ü".repeat(1_500_000);
  const batch = [1, 2, 3, 4].map((id) => ({ statement: silent, values: [id, name] }));
  const first = committed(await connection.run(batch, TIMEOUT));
  assert.equal(first.length, 2);
  assert.deepEqual(
    await database.sql("select id, length(name)::int as n from items order by id"),
    [{ id: 1, n: 1_500_000 }, { id: 2, n: 1_500_000 }],
  );
});
