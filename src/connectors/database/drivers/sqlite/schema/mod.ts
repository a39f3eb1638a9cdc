/** The tables that migrations make, in a database in memory: what `weir check` knows of a database. */
import { DatabaseSync } from "node:sqlite";
import { messageOf, shownWords } from "../../../../../base/shown.ts";
import { type Migration, MigrationError } from "../../../driver.ts";
import type { PlayedDriver } from "../../../options.ts";
import type { OpenedSchema } from "../../../schema.ts";
import { statementsOf } from "../../../sql/mod.ts";
import { InspectedDatabase } from "../inspected.ts";
import { migrate } from "../migrations.ts";
import { controlIn, failureOf } from "./failure.ts";
import { brokenReference } from "./references.ts";

/** The first words of statements that work on files of their own. */
const ON_FILES = new Set(["ATTACH", "VACUUM"]);

/**
 * Applies migrations to a database in memory. Undefined where that tells nothing: SQLite plays another
 * database and refuses a migration, or a migration works on another file.
 */
export async function openSchema(
  migrations: readonly Migration[],
  plays: PlayedDriver | undefined,
): Promise<OpenedSchema | undefined> {
  const syntax = plays?.syntax ?? "sqlite";
  const statements = migrations.flatMap(({ sql }) => [...statementsOf(sql, syntax)]);
  if (statements.some(({ first = "" }) => ON_FILES.has(first))) return undefined;
  for (const migration of migrations) {
    const refused = controlIn(migration, syntax);
    if (refused !== undefined) return refused;
  }
  if (plays === undefined) return open(migrations);
  const { openPlayedSchema } = await import("../playing/schema.ts");
  return openPlayedSchema(migrations, plays);
}

function open(migrations: readonly Migration[]): OpenedSchema {
  const database = openMemory();
  const close = () => database.close();
  try {
    migrate(database, migrations);
    const broken = brokenReference(database, migrations);
    // As the start does: a statement that cannot check its foreign keys is refused.
    database.exec("PRAGMA foreign_keys = ON");
    if (broken === undefined) return { database: new InspectedDatabase(database, 0), close };
    close();
    return broken;
  } catch (error) {
    close();
    const reason = error instanceof MigrationError
      ? error.reason
      : `was refused: ${shownWords(messageOf(error))}`;
    return failureOf(reason, migrations, openMemory);
  }
}

/** As a start opens a database, before the migrations. */
function openMemory(): DatabaseSync {
  return new DatabaseSync(":memory:", {
    enableForeignKeyConstraints: false,
    enableDoubleQuotedStringLiterals: false,
  });
}
