/** Applies migrations, once each. */
import { messageOf } from "../../../../base/shown.ts";
import type { DatabaseSync } from "node:sqlite";
import { type Migration, MigrationError, MIGRATIONS_TABLE } from "../../driver.ts";
import { transactionControl } from "../../query.ts";

/**
 * Applies what has not been applied yet, each file in a transaction of its own. Foreign keys must be
 * off, since a table that others refer to could not be rebuilt otherwise; they are checked at the
 * end of each file. Several processes may do this at once.
 *
 * @throws {MigrationError} A file was changed after it was applied, or the database refuses it.
 */
export function migrate(database: DatabaseSync, migrations: readonly Migration[]): void {
  if (migrations.length === 0) return;
  const table = `CREATE TABLE IF NOT EXISTS ${MIGRATIONS_TABLE}
    (name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)`;
  database.prepare(table).run();
  const pending = migrations.filter((migration) => !isApplied(database, migration));
  for (const migration of pending) apply(database, migration);
}

/**
 * Whether a migration is recorded in the database, whose table for that must be there.
 *
 * @throws {MigrationError} The file was changed after it was applied.
 */
export function isApplied(database: DatabaseSync, { name, checksum }: Migration): boolean {
  const select = `SELECT checksum FROM ${MIGRATIONS_TABLE} WHERE name = ?`;
  const found = database.prepare(select).get(name);
  if (found !== undefined && found.checksum !== checksum) {
    const reason = "was changed after it was applied; put the change into a new file";
    throw new MigrationError(name, reason);
  }
  return found !== undefined;
}

function apply(database: DatabaseSync, migration: Migration): void {
  const { name, sql, checksum } = migration;
  const control = transactionControl(sql);
  if (control !== undefined) {
    throw new MigrationError(name, `must not ${control}: it runs in a transaction of its own`);
  }
  database.prepare("BEGIN IMMEDIATE").run();
  try {
    // Another process may have applied it while this one waited for the lock.
    if (!isApplied(database, migration)) {
      run(database, migration);
      const now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
      database.prepare(`INSERT INTO ${MIGRATIONS_TABLE} VALUES (?, ?, ${now})`)
        .run(name, checksum);
    }
    database.prepare("COMMIT").run();
  } catch (error) {
    if (database.isTransaction) database.prepare("ROLLBACK").run();
    throw error;
  }
}

function run(database: DatabaseSync, { name, sql }: Migration): void {
  try {
    database.exec(sql);
  } catch (cause) {
    const reason = `was refused: ${messageOf(cause)}`;
    throw new MigrationError(name, reason, { cause });
  }
  const broken = database.prepare('SELECT "table", parent FROM pragma_foreign_key_check').get();
  if (broken !== undefined) {
    const { table, parent } = broken;
    throw new MigrationError(name, `leaves rows of "${table}" that refer to none of "${parent}"`);
  }
}
