/** Applies migrations, once each. */
import type { DatabaseSync } from "node:sqlite";
import type { Logger } from "../../../../contract/connector.ts";
import { type Migration, MigrationError, MIGRATIONS_TABLE } from "../../driver.ts";
import { beginMigration, refuseTransactionControl, wasApplied } from "../../migrations.ts";
import { messageAbout } from "./errors.ts";

/**
 * Applies what has not been applied yet, each file in a transaction of its own. Foreign keys must be
 * off, since a table that others refer to could not be rebuilt otherwise; they are checked at the
 * end of each file. Several processes may do this at once. The log, if there is one, says which of
 * them runs.
 *
 * @throws {MigrationError} A file was changed after it was applied, or the database refuses it.
 */
export function migrate(
  database: DatabaseSync,
  migrations: readonly Migration[],
  logger?: Logger,
): void {
  if (migrations.length === 0) return;
  const table = `CREATE TABLE IF NOT EXISTS ${MIGRATIONS_TABLE}
    (name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)`;
  database.prepare(table).run();
  const pending = migrations.filter((migration) => !isApplied(database, migration));
  for (const migration of pending) apply(database, migration, logger);
}

/**
 * Whether a migration is recorded in the database, whose table for that must be there.
 *
 * @throws {MigrationError} The file was changed after it was applied.
 */
export function isApplied(database: DatabaseSync, migration: Migration): boolean {
  const select = `SELECT checksum FROM ${MIGRATIONS_TABLE} WHERE name = ?`;
  return wasApplied(migration, database.prepare(select).get(migration.name)?.checksum);
}

function apply(database: DatabaseSync, migration: Migration, logger: Logger | undefined): void {
  const { name, checksum } = migration;
  refuseTransactionControl(migration, "sqlite");
  database.prepare("BEGIN IMMEDIATE").run();
  try {
    // Another process may have applied it while this one waited for the lock.
    let applied: (() => void) | undefined;
    if (!isApplied(database, migration)) {
      applied = logger && beginMigration(migration, logger);
      run(database, migration);
      const now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
      database.prepare(`INSERT INTO ${MIGRATIONS_TABLE} VALUES (?, ?, ${now})`)
        .run(name, checksum);
    }
    database.prepare("COMMIT").run();
    applied?.();
  } catch (error) {
    if (database.isTransaction) database.prepare("ROLLBACK").run();
    throw error;
  }
}

function run(database: DatabaseSync, { name, sql }: Migration): void {
  try {
    database.exec(sql);
  } catch (cause) {
    const reason = `was refused: ${messageAbout(cause, sql)}`;
    throw new MigrationError(name, reason, { cause });
  }
  const broken = database.prepare('SELECT "table", parent FROM pragma_foreign_key_check').get();
  if (broken !== undefined) {
    const { table, parent } = broken;
    throw new MigrationError(name, `leaves rows of "${table}" that refer to none of "${parent}"`);
  }
}
