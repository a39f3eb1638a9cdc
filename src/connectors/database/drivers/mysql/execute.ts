/**
 * Runs statements on a connection, so that each has the result that it has with SQLite. MySQL returns no
 * rows of a write, and MariaDB none of an UPDATE: they are read in the same transaction.
 */
import type { Result, Row } from "../../driver.ts";
import type { Connection, Done, Reply } from "./connection.ts";
import { dialect, quoteName } from "./dialect.ts";
import { ERRNO, errnoOf, RefusedError } from "./errors.ts";
import { toInteger } from "./results.ts";
import type { Call } from "./statement.ts";

const NO_ROWS: readonly Row[] = [];

/** Whether one statement at the server does it, so that it needs no transaction. */
export function isAlone(call: Call, returning: boolean): boolean {
  const { operation, returns } = call.statement;
  if (operation === undefined) return true;
  if (operation === "UPSERT" && call.meetsOthers) return false;
  return !returns || (returning && operation !== "UPDATE");
}

/** Whether rows of it can be written together, in one statement. */
export function isListable(call: Call, returning: boolean): boolean {
  const { operation, returns, write } = call.statement;
  if (operation === "UPSERT") return !call.meetsOthers && (!returns || returning);
  if (operation !== "INSERT") return false;
  if (!returns || returning) return true;
  // The server counts the keys of one statement up without a gap.
  const { counter, primaryKey } = call.table ?? {};
  return primaryKey?.length === 1 && primaryKey[0] === counter &&
    write?.columns.includes(primaryKey[0]) === false;
}

/** Runs a statement. Where it is not alone, a transaction must be open. */
export async function execute(
  connection: Connection,
  call: Call,
  returning: boolean,
): Promise<Result> {
  switch (call.statement.operation) {
    case undefined:
      return await runQuery(connection, call);
    case "INSERT":
      return (await insertRows(connection, [call], returning))[0];
    case "UPSERT":
      return await upsert(connection, call, returning);
    case "UPDATE":
      return await update(connection, call);
    case "DELETE":
      return await remove(connection, call, returning);
  }
}

/** Inserts rows with one statement. Their calls are listable, of the same statement. */
export async function insertRows(
  connection: Connection,
  calls: readonly Call[],
  returning: boolean,
): Promise<readonly Result[]> {
  const { statement } = calls[0];
  const { head, tail } = statement.aroundRows;
  const rows = calls.map(({ literals }) => `(${literals.join(",")})`).join(",");
  const end = statement.returns && returning ? " RETURNING *" : "";
  const reply = await connection.run(`${head}${rows}${tail}${end}`);
  if (!statement.returns) return calls.map(() => NO_ROWS);
  if (!isDone(reply)) {
    if (reply.length !== calls.length) {
      throw new RefusedError(`${reply.length} rows came back of ${calls.length} that were written`);
    }
    return reply.map((row) => [row]);
  }
  if (calls.length === 1) return [await readInserted(connection, calls[0], reply)];
  return await readCounted(connection, calls, reply);
}

/** Reads rows whose keys the server has counted. */
async function readCounted(
  connection: Connection,
  calls: readonly Call[],
  { insertId }: Done,
): Promise<readonly Result[]> {
  const counter = calls[0].table?.primaryKey[0] ?? "";
  const step = BigInt(connection.server.keyStep);
  const ids = calls.map((_, index) => BigInt(insertId) + BigInt(index) * step);
  const where = `${quoteName(counter)} IN (${ids.join(",")})`;
  const rows = await readRows(connection, calls[0], where);
  const byId = new Map(rows.map((row) => [String(row[counter]), row]));
  return ids.map((id) => {
    const row = byId.get(String(toInteger(id)));
    return row === undefined ? NO_ROWS : [row];
  });
}

async function readInserted(
  connection: Connection,
  call: Call,
  { insertId }: Done,
): Promise<readonly Row[]> {
  const { primaryKey = [], counter } = call.table ?? {};
  const conditions = primaryKey.map((column) => {
    const given = call.literalOf(column);
    const generated = column === counter && BigInt(insertId) !== 0n;
    const literal = generated ? String(insertId) : given;
    return literal === undefined || literal === "NULL"
      ? undefined
      : `${quoteName(column)} = ${literal}`;
  });
  if (primaryKey.length === 0 || conditions.includes(undefined)) {
    const table = call.statement.write?.table;
    throw new RefusedError(
      `the row of "${table}" cannot be read back: MySQL returns none, so the table needs a primary ` +
        "key that the payload has or that the server counts up",
    );
  }
  return await readRows(connection, call, conditions.join(" AND "));
}

async function update(connection: Connection, call: Call): Promise<Result> {
  const done = await connection.run(call.sql);
  if (!call.statement.returns || changesOf(done) === 0) return NO_ROWS;
  return await readRows(connection, call, keyOf(call));
}

async function remove(connection: Connection, call: Call, returning: boolean): Promise<Result> {
  if (!call.statement.returns) {
    await connection.run(call.sql);
    return NO_ROWS;
  }
  if (returning) return rowsOf(await connection.run(`${call.sql} RETURNING *`));
  const rows = await readRows(connection, call, `${keyOf(call)} FOR UPDATE`);
  if (rows.length > 0) await connection.run(call.sql);
  return rows;
}

async function upsert(connection: Connection, call: Call, returning: boolean): Promise<Result> {
  const { statement } = call;
  // The server would change the row that any of the keys finds, so each is asked for by itself.
  if (call.meetsOthers) await writeByKey(connection, call);
  else if (returning) return (await insertRows(connection, [call], returning))[0];
  else await connection.run(call.sql);
  return statement.returns ? await readRows(connection, call, keyOf(call)) : NO_ROWS;
}

/** Changes the row that the key finds, or inserts it. */
async function writeByKey(connection: Connection, call: Call): Promise<void> {
  const { key = [], columns = [] } = call.statement.write ?? {};
  const set = columns.filter((column) => !key.includes(column));
  const assignments = (set.length === 0 ? key : set).map((column) =>
    `${quoteName(column)} = ${call.literalOf(column)}`
  );
  const change = `UPDATE ${target(call)} SET ${assignments.join(", ")} WHERE ${keyOf(call)}`;
  if (changesOf(await connection.run(change)) > 0) return;
  const names = columns.map(quoteName).join(", ");
  const row = columns.map((column) => call.literalOf(column)).join(", ");
  try {
    await connection.run(`INSERT INTO ${target(call)} (${names}) VALUES (${row})`);
  } catch (error) {
    // Somebody else may have inserted it meanwhile.
    if (errnoOf(error) !== ERRNO.duplicate) throw error;
    if (changesOf(await connection.run(change)) === 0) throw error;
  }
}

async function runQuery(connection: Connection, call: Call): Promise<Result> {
  const { mariadb } = connection.server;
  let reply: Reply | undefined;
  while (reply === undefined) {
    try {
      reply = await connection.run(call.statement.limited(call.sql, mariadb));
    } catch (error) {
      const errno = errnoOf(error);
      const aboutTime = errno === ERRNO.wrongTime || errno === ERRNO.wrongTimeInComparison;
      // The statement has undone itself.
      if (!aboutTime || !call.learnTimes((error as Error).message)) throw error;
    }
  }
  if (!isDone(reply)) return call.statement.needed(reply);
  if (!call.statement.returns) return NO_ROWS;
  return { changes: toInteger(reply.affectedRows), last_insert_id: toInteger(reply.insertId) };
}

async function readRows(
  connection: Connection,
  call: Call,
  where: string,
): Promise<readonly Row[]> {
  return rowsOf(await connection.run(`SELECT * FROM ${target(call)} WHERE ${where}`));
}

function target({ statement: { write } }: Call): string {
  return dialect.quoteTable(write?.table ?? "");
}

function keyOf(call: Call): string {
  const { key = [] } = call.statement.write ?? {};
  return key.map((column) => `${quoteName(column)} = ${call.literalOf(column)}`).join(" AND ");
}

function isDone(reply: Reply): reply is Done {
  return "affectedRows" in reply;
}

function rowsOf(reply: Reply): readonly Row[] {
  return isDone(reply) ? NO_ROWS : reply;
}

function changesOf(reply: Reply): number {
  return isDone(reply) ? Number(reply.affectedRows) : 0;
}
