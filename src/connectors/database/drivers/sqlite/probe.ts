/** Looks at an SQLite database and changes nothing, not even the files beside it. */
import { access, stat } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { ConnectorError } from "../../../../base/errors.ts";
import { toConnectorError } from "./failures.ts";
import { isApplied, type Migration, MigrationError, MIGRATIONS_TABLE } from "./migrations.ts";

/**
 * What stands at a path, and how many of the migrations wait, in words. A file that is not there yet
 * is none of a failure: the start makes it.
 *
 * @throws {ConnectorError} It is no database, cannot be read, or a migration was changed after it
 * was applied.
 */
export async function probeDatabase(
  connector: string,
  database: string,
  migrations: readonly Migration[],
): Promise<string> {
  if (database === ":memory:") return describe("a database in memory", migrations.length);
  const failed = (cause: unknown) =>
    toConnectorError(connector, `cannot open "${database}"`, cause);
  const exists = await stat(database).then(() => true, (cause) => {
    if (cause.code === "ENOENT") return false;
    throw failed(cause);
  });
  if (!exists) return describe(`there is no file "${database}" yet`, migrations.length);
  const running = await access(`${database}-wal`).then(() => true, () => false);
  try {
    const pending = countPending(database, running, migrations);
    return describe(`"${database}" is there`, pending);
  } catch (error) {
    if (!(error instanceof MigrationError)) throw failed(error);
    throw new ConnectorError(connector, error.message, { cause: error, permanent: true });
  }
}

function countPending(file: string, running: boolean, migrations: readonly Migration[]): number {
  // Opening a database with a write-ahead log makes files beside it, unless it is called immutable;
  // where a server has them open they stand already, and what is in them counts.
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
