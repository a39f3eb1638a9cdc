/** What the tests of the database connector share. */

import { getLogger } from "@logtape/logtape";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WriteRequest } from "../../src/connector.ts";
import type { DatabaseDestination } from "../../src/connectors/database/mod.ts";
import { SqliteConnector, type SqliteOptions } from "../../src/connectors/database/sqlite.ts";
import { ConnectorError } from "../../src/errors.ts";
import { compileExpression } from "../../src/expression.ts";

/** A parameter's expression. */
export const param = (source: string) => compileExpression(source, ["input"]);

/** A connector named "db" that has not been started. */
export function connector(options: SqliteOptions): SqliteConnector {
  return new SqliteConnector(options, { name: "db", logger: getLogger(["weir", "db"]) });
}

/** Writes as a `to` block with these attributes would. */
export async function write(
  to: SqliteConnector,
  { operation, target, payload, input = {}, ...options }: {
    readonly operation?: string;
    readonly target?: string;
    readonly payload?: unknown;
    readonly input?: Record<string, unknown>;
  } & DatabaseDestination,
): Promise<unknown> {
  const request: WriteRequest<DatabaseDestination> = {
    operation,
    target,
    payload,
    options,
    scope: { input },
    event: undefined,
  };
  return await to.write(request);
}

/** Runs `use` with a started connector and a folder of its own; both are gone afterwards. */
export async function withDatabase(
  schema: string,
  use: (db: SqliteConnector, file: string) => Promise<void>,
  options: Partial<SqliteOptions> = {},
): Promise<void> {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "1.sql"), schema);
    const database = join(folder, "test.db");
    const db = connector({ database, migrations: folder, ...options });
    await db.start();
    try {
      await use(db, database);
    } finally {
      await db.close();
    }
  });
}

/** Runs `use` with an empty folder that is removed afterwards. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-database-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A predicate for `assert.rejects`: a ConnectorError of "db" with this message. */
export function fails(message: RegExp, permanent = true): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof ConnectorError)) throw error;
    if (error.connector !== "db" || error.permanent !== permanent || !message.test(error.message)) {
      throw new Error(`permanent: ${error.permanent}, message: ${error.message}`);
    }
    return true;
  };
}
