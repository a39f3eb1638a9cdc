/** Looks at a database without changing it, for `weir check --connect`. */
import type { Client } from "pg";
import type {
  DriverContext,
  Explanation,
  Inspect,
  Inspected,
  StatementOptions,
} from "../../driver.ts";
import { describeFound } from "../../migrations.ts";
import { StatementConnection } from "./batch.ts";
import { columnsOf, lookUpNames, tablesOf } from "./catalog.ts";
import { ask, connect, disconnect, versionOf } from "./connecting.ts";
import { dialect } from "./database.ts";
import { explain, openFailure, sqlState } from "./errors.ts";
import { pendingOf } from "./migrations.ts";
import { readServer, serverName } from "./server.ts";
import { PostgresStatement } from "./statement.ts";
import { TypeCatalog } from "./types.ts";

/** Milliseconds for each connection and each statement of a look at the database. */
const PROBING = 5000;

/** Milliseconds that a statement waits for a lock: the server then says so before the deadline passes. */
const WAITING = 2000;

/** Codes for what does not exist: a table, a column, a function, a type, a schema, a unique index. */
const LACKING = new Set(["42P01", "42703", "42883", "42704", "3F000", "42P10"]);

/**
 * Returns the version of the server, and what is known of migrations and statements, which the server
 * parses and does not run. Changes nothing.
 *
 * @throws {ConnectorError} The server is away or refuses the connection, or a migration was changed
 * after it was applied.
 */
export async function probeDatabase(
  { name, options, migrations }: DriverContext,
  inspect: Inspect,
): Promise<string> {
  const server = await readServer(name, options);
  let client: Client | undefined;
  try {
    client = await connect(server, { role: "check", deadline: PROBING });
    await ask(client, `SET lock_timeout = ${WAITING}`, PROBING);
    const { length } = await pendingOf(client, migrations);
    const what = `PostgreSQL ${versionOf(client).split(" ")[0]}, ${serverName(server)}`;
    return describeFound(what, length, await inspect(new InspectedDatabase(client, length)));
  } catch (cause) {
    throw openFailure(server, cause);
  } finally {
    if (client !== undefined) await disconnect(client);
  }
}

/** A database whose statements are parsed and never run. */
class InspectedDatabase implements Inspected {
  readonly dialect = dialect;
  readonly pending: number;
  readonly #client: Client;
  readonly #statements: StatementConnection;

  constructor(client: Client, pending: number) {
    this.#client = client;
    this.pending = pending;
    // Nothing of it is ever cancelled.
    this.#statements = new StatementConnection(client, new TypeCatalog(), () => Promise.resolve());
  }

  describe(table?: string): Promise<readonly string[]> {
    return table === undefined ? tablesOf(this.#client) : columnsOf(this.#client, table);
  }

  async compile(sql: string, options: StatementOptions): Promise<void> {
    const statement = new PostgresStatement(sql, options);
    const timeout = { timeout: PROBING };
    try {
      await this.#statements.describe(statement, timeout);
      // Only a plan shows whether there is a unique index of its key. EXPLAIN runs nothing.
      if (options.write?.operation === "UPSERT") {
        const explaining = new PostgresStatement(`EXPLAIN ${sql}`, options);
        await this.#statements.query(explaining, options.names.map(() => null), timeout);
      }
    } catch (cause) {
      await lookUpNames(this.#client, cause);
      throw cause;
    }
  }

  explain(error: unknown): Explanation {
    return explain(error);
  }

  lacks(error: unknown): boolean {
    return LACKING.has(sqlState(error) ?? "");
  }
}
