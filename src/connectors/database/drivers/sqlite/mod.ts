/** SQLite as a database, through `node:sqlite`. */
import { dirname } from "node:path";
import { ConnectorError } from "../../../../base/errors.ts";
import { makeFolder } from "../../../../base/folder.ts";
import type { ChangesModule } from "../../changes/feed.ts";
import type { Database, DriverContext, Inspect } from "../../driver.ts";
import { SqliteDatabase } from "./database.ts";
import { pathOf } from "./opening.ts";

/** Makes the folder, opens the file and applies the migrations. */
export async function openDatabase(context: DriverContext): Promise<Database> {
  const { plays } = context.options;
  if (plays !== undefined) return (await import("./playing/mod.ts")).openPlayed(context, plays);
  makeFolderOf(context);
  return new SqliteDatabase(context);
}

/** Looks at the file without changing it. */
export async function probeDatabase(context: DriverContext, inspect: Inspect): Promise<string> {
  return await (await import("./probing.ts")).probeDatabase(context, inspect);
}

/** What a database that another one plays tells of its changes. */
export async function loadPlayedChanges(): Promise<ChangesModule> {
  return (await import("./playing/mod.ts")).playedChanges;
}

function makeFolderOf({ name, options }: DriverContext): void {
  const database = pathOf(options);
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
