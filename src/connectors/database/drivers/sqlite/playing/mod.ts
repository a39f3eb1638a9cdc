/** SQLite in memory plays a database of another driver in a test, where it takes the migrations. */
import type { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../../../../base/clock.ts";
import { ConnectorError } from "../../../../../base/errors.ts";
import { messageOf, quoted, shownWords } from "../../../../../base/shown.ts";
import { KEYS_TABLE } from "../../../dedupe-table.ts";
import { type DriverContext, MigrationError } from "../../../driver.ts";
import { migrationFailure, refuseTransactionControl } from "../../../migrations.ts";
import type { PlayedDriver } from "../../../options.ts";
import { SqliteDatabase } from "../database.ts";
import { accommodate, fullIdentities } from "./accommodations.ts";
import { ChangeLog } from "./change-log.ts";
import { PlayedDatabase } from "./database.ts";
import { PlayedFunctions } from "./functions.ts";
import type { Tables } from "./keys.ts";

export { playedChanges } from "./changes.ts";

/** How the reason of a `MigrationError` begins that has the database's own words. */
const REFUSED = "was refused: ";

/**
 * Opens a database in memory with the migrations of the one that it plays. Where SQLite refuses one of
 * them, every request needs a mock.
 */
export function openPlayed(context: DriverContext, plays: PlayedDriver): PlayedDatabase {
  const { title: service, syntax } = plays;
  try {
    for (const migration of context.migrations) refuseTransactionControl(migration, syntax);
  } catch (error) {
    // The database that is played would refuse it, too.
    if (error instanceof MigrationError) throw migrationFailure(context.name, error);
    throw error;
  }
  try {
    const database = open(context, plays);
    context.played?.({ service, by: "SQLite in memory" });
    return database;
  } catch (error) {
    const reason = refusalOf(error);
    if (reason === undefined) throw error;
    context.played?.({ service, by: "mocks", reason });
    return open({ ...context, migrations: [] }, plays, reason);
  }
}

function open(context: DriverContext, plays: PlayedDriver, refusal?: string): PlayedDatabase {
  const { clock = systemClock, options } = context;
  const { syntax } = plays;
  const tables: Tables = new Map();
  const migrations = context.migrations.map((migration) => {
    try {
      return { ...migration, sql: accommodate(migration.sql, syntax, tables) };
    } catch (cause) {
      throw new MigrationError(migration.name, `${REFUSED}${messageOf(cause)}`, { cause });
    }
  });
  let connection: DatabaseSync | undefined;
  let functions: PlayedFunctions | undefined;
  try {
    const inner = new SqliteDatabase({ ...context, migrations }, (database) => {
      connection = database;
      functions = new PlayedFunctions(database, syntax, clock);
    });
    const full = new Set(context.migrations.flatMap(({ sql }) => fullIdentities(sql, syntax)));
    const database = connection as DatabaseSync;
    const deadLetters = options.changes?.dead_letter;
    return new PlayedDatabase(inner, {
      connection: database,
      played: plays,
      changes: new ChangeLog(database, syntax, clock, full),
      refusal,
      own: [KEYS_TABLE, ...(deadLetters === undefined ? [] : [deadLetters])],
      close: () => functions?.close(),
    });
  } catch (error) {
    functions?.close();
    throw error;
  }
}

/** Why SQLite refuses a migration; undefined where the error is another one. */
function refusalOf(error: unknown): string | undefined {
  const found = error instanceof ConnectorError ? error.cause : error;
  if (!(found instanceof MigrationError)) return undefined;
  const message = shownWords(found.reason.replace(REFUSED, ""));
  return `SQLite refuses the migration ${quoted(found.file)}: ${message}`;
}
