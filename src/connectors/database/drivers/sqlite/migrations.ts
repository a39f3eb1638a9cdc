/** Migrations: SQL files that are applied once each, in the order of their names. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { readTextFile } from "../../../../base/text-file.ts";
import { transactionControl } from "../../query.ts";

/** Where it is recorded what has been applied. */
export const MIGRATIONS_TABLE = "_weir_migrations";

/** One file. */
export interface Migration {
  /** The name of the file. */
  readonly name: string;
  /** Its text. */
  readonly sql: string;
  /** SHA-256 of the text, however its lines end. */
  readonly checksum: string;
}

/**
 * Reads the `*.sql` files of a folder, by name.
 *
 * @throws {Error} The folder cannot be read.
 * @throws {MigrationError} A file is not a regular one, has more than 16 MB, or is not text.
 */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory() && entry.name.endsWith(".sql"));
  return Promise.all(
    files.map(({ name }) => name).sort().map(async (name) => {
      const sql = (await readText(folder, name)).replaceAll("\r\n", "\n");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

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

/** A migration that cannot be applied; `cause` is the database's error where it has one. */
export class MigrationError extends Error {
  /** The error's name. */
  override readonly name = "MigrationError";

  /** Names the file. */
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`migration "${file}" ${reason}`, options);
  }
}

async function readText(folder: string, name: string): Promise<string> {
  const text = await readTextFile(join(folder, name)).catch((cause) => {
    throw new MigrationError(name, `cannot be read: ${cause.message}`, { cause });
  });
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
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
      database.prepare(`INSERT INTO ${MIGRATIONS_TABLE} VALUES (?, ?, ?)`)
        .run(name, checksum, new Date().toISOString());
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
    const reason = `was refused: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new MigrationError(name, reason, { cause });
  }
  const broken = database.prepare('SELECT "table", parent FROM pragma_foreign_key_check').get();
  if (broken !== undefined) {
    const { table, parent } = broken;
    throw new MigrationError(name, `leaves rows of "${table}" that refer to none of "${parent}"`);
  }
}
