/** What the tests of the database connector share. */
import { getLogger } from "@logtape/logtape";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import type { Connector, WriteRequest } from "../../src/contract/connector.ts";
import { DatabaseConnector } from "../../src/connectors/database/connector.ts";
import * as sqlite from "../../src/connectors/database/drivers/sqlite/mod.ts";
import type {
  DatabaseDestination,
  DatabaseOptions,
} from "../../src/connectors/database/options.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import { compileExpression } from "../../src/expression/mod.ts";
import { Flow } from "../../src/flow/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { probes } from "../support/flow.ts";

/** A parameter's expression. */
export const param = (source: string) => compileExpression(source, ["input"]);

/** The options of an SQLite database. */
export type SqliteOptions = Pick<DatabaseOptions, "database" | "migrations" | "patience">;

/** A connector named "db" that has not been started. */
export function connector(options: SqliteOptions): DatabaseConnector {
  return new DatabaseConnector(sqlite, { ...options, driver: "sqlite" }, {
    name: "db",
    logger: getLogger(["weir", "db"]),
    clock: systemClock,
    constants: {},
    lookUp: () => ({}),
  });
}

/** Writes as a `to` block with these attributes would. */
export async function write(
  to: DatabaseConnector,
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

/** Flows whose source is `a` of type probe; they may use `db`, a database, and `b`, a probe. */
export function configWith(body: string): string {
  const probe = (name: string) => `connector "${name}" {\n  type = "probe"\n}\n`;
  const database = 'type = "database"\n  driver = "sqlite"\n  database = ":memory:"';
  return `${probe("a")}${probe("b")}connector "db" {\n  ${database}\n}
flow "f" {
  from { connector = "a" }
  ${body}
}
`;
}

/** The flow of `configWith(body)` on a started database; `write` is what `b` does. */
export async function flowWith(
  db: DatabaseConnector,
  body: string,
  write: (request: WriteRequest) => unknown = () => undefined,
): Promise<Flow> {
  const model = await loadConfig(configWith(body), { connectors: probes });
  return new Flow(model.flows[0], {
    connectors: new Map<string, Connector>([["b", { write }], ["db", db]]),
    constants: {},
    logger: getLogger(["weir", "f"]),
    clock: systemClock,
    random: () => 0.5,
  });
}

/** Runs `use` with a started connector and a folder of its own; both are gone afterwards. */
export async function withDatabase(
  schema: string,
  use: (db: DatabaseConnector, file: string) => Promise<void>,
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
