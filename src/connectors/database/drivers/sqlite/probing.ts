/** Looks at a database without changing it, for `weir check --connect`. */
import { access, stat } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { ConnectorError } from "../../../../base/errors.ts";
import {
  type DriverContext,
  type Inspect,
  type Inspection,
  type Migration,
  MigrationError,
  MIGRATIONS_TABLE,
} from "../../driver.ts";
import { describeFound, migrationFailure } from "../../migrations.ts";
import { InspectedDatabase } from "./inspected.ts";
import { isApplied, migrate } from "./migrations.ts";
import { openError, pathError, pathOf, refuseOtherKinds, refuseUnwritable } from "./opening.ts";

/**
 * Returns whether the file exists, and how many of the migrations are pending. A file that does not
 * exist yet is not a failure: the start makes it. What the start would make is made in memory, so that
 * statements can be compiled. Changes nothing, not even the files beside it.
 *
 * @throws {ConnectorError} It is not a database, cannot be read, a migration was changed after it
 * was applied, or a new database refuses one.
 */
export async function probeDatabase(context: DriverContext, inspect: Inspect): Promise<string> {
  const { name, options, migrations } = context;
  const path = pathOf(options);
  try {
    const exists = path !== ":memory:" && await isThere(name, path);
    if (exists) return await probeFile(context, path, inspect);
    if (path !== ":memory:") refuseUnwritable(name, path);
    const what = path === ":memory:" ? "a database in memory" : `there is no file "${path}" yet`;
    return describeFound(what, migrations.length, await inspectNew(migrations, inspect));
  } catch (cause) {
    if (cause instanceof ConnectorError) throw cause;
    if (!(cause instanceof MigrationError)) throw openError(name, path, cause);
    throw migrationFailure(name, cause);
  }
}

async function isThere(name: string, path: string): Promise<boolean> {
  const exists = await stat(path).then(() => true, (cause) => {
    if (cause.code === "ENOENT") return false;
    throw pathError(name, path, cause);
  });
  refuseOtherKinds(name, path);
  return exists;
}

async function probeFile(
  { name, migrations }: DriverContext,
  file: string,
  inspect: Inspect,
): Promise<string> {
  // Opening a database with a write-ahead log makes files beside it, unless it is called immutable;
  // where a server has them open they exist already, and what is in them counts.
  const running = await access(`${file}-wal`).then(() => true, () => false);
  const path = running ? file : `${pathToFileURL(file)}?immutable=1`;
  const database = new DatabaseSync(path, { ...STRICT, readOnly: true });
  try {
    database.prepare("PRAGMA busy_timeout = 1000").run();
    const pending = countPending(database, migrations);
    if (pending > 0) refuseUnwritable(name, file);
    const found = await inspect(new InspectedDatabase(database, pending));
    return describeFound(`"${file}" is there`, pending, found);
  } finally {
    database.close();
  }
}

/** As `openFile` opens it: a name that does not exist is no text. */
const STRICT = { enableDoubleQuotedStringLiterals: false };

function countPending(database: DatabaseSync, migrations: readonly Migration[]): number {
  const select = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?";
  const recorded = database.prepare(select).get(MIGRATIONS_TABLE) !== undefined;
  if (!recorded) return migrations.length;
  return migrations.filter((migration) => !isApplied(database, migration)).length;
}

/** Makes the database that a start would make, in memory. */
async function inspectNew(
  migrations: readonly Migration[],
  inspect: Inspect,
): Promise<Inspection> {
  const database = new DatabaseSync(":memory:", { ...STRICT, enableForeignKeyConstraints: false });
  try {
    migrate(database, migrations);
    // They have been applied here.
    return await inspect(new InspectedDatabase(database, 0));
  } finally {
    database.close();
  }
}
