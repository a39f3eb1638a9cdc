/** Applies migrations, once each, also where several instances start at the same time. */
import { clearTimeout, setTimeout } from "node:timers";
import type { Client } from "pg";
import type { Logger } from "../../../../contract/connector.ts";
import { type Migration, MigrationError, MIGRATIONS_TABLE } from "../../driver.ts";
import { beginMigration, refuseTransactionControl, wasApplied } from "../../migrations.ts";
import { ask } from "./connecting.ts";
import { explain, sqlState } from "./errors.ts";

/** The advisory lock of all instances: "weir" in ASCII, and the number of what it is for. */
const LOCK = "1466263922, 1";
/** Milliseconds that a start waits for the migrations of another instance before it is tried again. */
const PATIENCE = 30_000;
/** Milliseconds after which the log says for what it waits. */
const QUIET = 2000;
/** Milliseconds for a statement that is quick on every server. */
const QUICK = 5000;

/**
 * Applies what has not been applied yet, each file in a transaction of its own. The connection must
 * not be used for anything else afterwards.
 *
 * @throws {MigrationError} A file was changed after it was applied, or the server refuses it.
 * @throws {Error} The server is away, or another instance holds the lock for too long.
 */
export async function migrate(
  client: Client,
  migrations: readonly Migration[],
  logger: Logger,
): Promise<void> {
  // Without anything to do neither the lock nor the right to make tables is needed.
  if ((await pendingOf(client, migrations)).length === 0) return;
  await lock(client, logger);
  await ask(
    client,
    `CREATE TABLE IF NOT EXISTS ${MIGRATIONS_TABLE} ` +
      "(name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL)",
    QUICK,
  );
  // Another instance may have applied them while this one waited for the lock.
  for (const migration of await pendingOf(client, migrations)) {
    const applied = beginMigration(migration, logger);
    await apply(client, migration);
    applied();
  }
}

/**
 * The migrations that have not been applied. Changes nothing.
 *
 * @throws {MigrationError} One was changed after it was applied.
 */
export async function pendingOf(
  client: Client,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  if (migrations.length === 0) return [];
  const exists = `SELECT to_regclass('${MIGRATIONS_TABLE}') IS NOT NULL AS found`;
  const { rows: [{ found }] } = await ask(client, exists, QUICK);
  if (!found) return migrations;
  const { rows } = await ask(client, `SELECT name, checksum FROM ${MIGRATIONS_TABLE}`, QUICK);
  const recorded = new Map(rows.map(({ name, checksum }) => [name, checksum]));
  return migrations.filter((migration) => !wasApplied(migration, recorded.get(migration.name)));
}

/** Takes the lock, which the end of the connection releases. */
async function lock(client: Client, logger: Logger): Promise<void> {
  // The server itself ends the waiting: a process that only leaves would stay in the queue.
  await ask(client, `SET statement_timeout = 0; SET lock_timeout = ${PATIENCE}`, QUICK);
  const timer = setTimeout(() => {
    logger.info("waiting for another instance, which applies the migrations");
  }, QUIET);
  try {
    await ask(client, `SELECT pg_advisory_lock(${LOCK})`, PATIENCE + QUICK);
  } catch (cause) {
    if (sqlState(cause) !== "55P03") throw cause;
    const reason = "another instance has been applying the migrations for 30 s";
    throw new Error(reason, { cause });
  } finally {
    clearTimeout(timer);
  }
  await ask(client, "SET lock_timeout = DEFAULT", QUICK);
}

async function apply(client: Client, migration: Migration): Promise<void> {
  const { name, checksum } = migration;
  refuseTransactionControl(migration, "postgres");
  await ask(client, "BEGIN", QUICK);
  try {
    await run(client, migration);
    // A dump of pg_dump empties the search path, and leaves other settings behind.
    await ask(client, "RESET ALL; RESET ROLE; SET statement_timeout = 0", QUICK);
    const text = `INSERT INTO ${MIGRATIONS_TABLE} VALUES ($1, $2, now())`;
    await ask(client, { text, values: [name, checksum] }, QUICK);
    await commit(client, name);
  } catch (error) {
    await ask(client, "ROLLBACK", QUICK).catch(() => {});
    throw error;
  }
}

/** Takes as long as it takes: a new index of a large table may need an hour. */
async function run(client: Client, { name, sql }: Migration): Promise<void> {
  await client.query(sql).catch((cause) => {
    throw failure(name, cause, lineOf(sql, cause));
  });
}

/** A deferred constraint may refuse it here. */
async function commit(client: Client, name: string): Promise<void> {
  await client.query("COMMIT").catch((cause) => {
    throw failure(name, cause, undefined);
  });
}

/** What the server refused is final; a lost connection or a full disk is not. */
function failure(name: string, cause: unknown, line: number | undefined): unknown {
  const { reason, permanent } = explain(cause);
  if (!permanent) return cause;
  const place = line === undefined ? "" : ` in line ${line}`;
  return new MigrationError(name, `was refused${place}: ${reason}`, { cause });
}

/** The server counts characters, from 1; some errors have no position. */
function lineOf(sql: string, cause: unknown): number | undefined {
  const { position } = cause as { readonly position?: string };
  if (position === undefined) return undefined;
  const before = [...sql].slice(0, Number(position) - 1);
  return before.filter((character) => character === "\n").length + 1;
}
