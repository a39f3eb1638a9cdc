/** What the tests of PostgreSQL share. */
import { DatabaseConnector } from "../../src/connectors/database/connector.ts";
import * as driver from "../../src/connectors/database/drivers/postgres/mod.ts";
import type { Migration } from "../../src/connectors/database/driver.ts";
import type { DatabaseOptions } from "../../src/connectors/database/options.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { type Recorder, recorder } from "../support/log.ts";

/** Options of a connector that the tests set. */
export type Options = Omit<DatabaseOptions, "driver">;

/** A connector named "db" that has not been started, and what it logs. */
export function connector(options: Options): Recorder & { readonly db: DatabaseConnector } {
  const log = recorder();
  const db = new DatabaseConnector(driver, { driver: "postgres", ...options }, {
    name: "db",
    logger: log.logger,
    clock: systemClock,
    constants: {},
    lookUp: () => ({}),
  });
  return { ...log, db };
}

/** Calls `run` with a database that is open, and closes it. */
export async function withOpen<T>(
  options: Options & { readonly list?: readonly Migration[] },
  run: (database: Awaited<ReturnType<typeof driver.openDatabase>>, log: Recorder) => Promise<T>,
): Promise<T> {
  const log = recorder();
  const { list = [], ...rest } = options;
  const database = await driver.openDatabase({
    name: "db",
    options: { driver: "postgres", ...rest },
    migrations: list,
    logger: log.logger,
  });
  try {
    return await run(database, log);
  } finally {
    await database.close();
  }
}

/** A migration of this text. */
export function migration(name: string, sql: string): Migration {
  return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
}

/** Waits until something is so, at most ten seconds. */
export async function until(what: string, is: () => unknown): Promise<void> {
  for (let left = 500; left > 0; left--) {
    if (await is()) return;
    await setTimeout(20);
  }
  throw new Error(`not within 10 s: ${what}`);
}
