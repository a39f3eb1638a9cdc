/** SQLite as a database, through `node:sqlite`. */
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { ConnectorError } from "../../../../base/errors.ts";
import { makeFolder } from "../../../../base/folder.ts";
import {
  type Database,
  type DriverContext,
  type Migration,
  MigrationError,
  MIGRATIONS_TABLE,
} from "../../driver.ts";
import { SqliteDatabase } from "./database.ts";
import { isApplied } from "./migrations.ts";
import { openError, pathError, refuseOtherKinds, refuseUnwritable } from "./opening.ts";

/** Makes the folder, opens the file and applies the migrations. */
export function openDatabase(context: DriverContext): Promise<Database> {
  return new Promise((resolve) => {
    makeFolderOf(context);
    resolve(new SqliteDatabase(context));
  });
}

function makeFolderOf({ name, options: { database } }: DriverContext): void {
  if (database === ":memory:") return;
  const folder = dirname(database);
  try {
    makeFolder(folder);
  } catch (cause) {
    const reason = (cause as Error).message;
    const message =
      `cannot make the folder "${folder}": ${reason}; make it, or let the user that ` +
      "runs Weir write to the folder above it";
    throw new ConnectorError(name, message, { cause, permanent: true });
  }
}

/**
 * Returns whether the file exists, and how many of the migrations are pending. A file that does not
 * exist yet is not a failure: the start makes it. Changes nothing, not even the files beside it.
 *
 * @throws {ConnectorError} It is not a database, cannot be read, or a migration was changed after it
 * was applied.
 */
export async function probeDatabase(context: DriverContext): Promise<string> {
  const { name, options: { database }, migrations } = context;
  if (database === ":memory:") return describe("a database in memory", migrations.length);
  const exists = await stat(database).then(() => true, (cause) => {
    if (cause.code === "ENOENT") return false;
    throw pathError(name, database, cause);
  });
  refuseOtherKinds(name, database);
  if (!exists) {
    refuseUnwritable(name, database);
    return describe(`there is no file "${database}" yet`, migrations.length);
  }
  const running = await access(`${database}-wal`).then(() => true, () => false);
  try {
    const pending = countPending(database, running, migrations);
    if (pending > 0) refuseUnwritable(name, database);
    return describe(`"${database}" is there`, pending);
  } catch (cause) {
    if (cause instanceof ConnectorError) throw cause;
    if (!(cause instanceof MigrationError)) throw openError(name, database, cause);
    const options = { code: "migration-failed", cause, permanent: true };
    throw new ConnectorError(name, cause.message, options);
  }
}

function countPending(file: string, running: boolean, migrations: readonly Migration[]): number {
  // Opening a database with a write-ahead log makes files beside it, unless it is called immutable;
  // where a server has them open they exist already, and what is in them counts.
  const path = running ? file : `${pathToFileURL(file)}?immutable=1`;
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.prepare("PRAGMA busy_timeout = 1000").run();
    const select = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?";
    const recorded = database.prepare(select).get(MIGRATIONS_TABLE) !== undefined;
    if (!recorded) return migrations.length;
    return migrations.filter((migration) => !isApplied(database, migration)).length;
  } finally {
    database.close();
  }
}

function describe(what: string, pending: number): string {
  if (pending === 0) return what;
  return `${what}; ${pending === 1 ? "1 migration waits" : `${pending} migrations wait`}`;
}
