/** Connections of the PostgreSQL driver to a database of a test's own. */
import pg from "pg";
import type { BatchOutcome } from "../../src/connectors/database/group-commit.ts";
import { StatementConnection } from "../../src/connectors/database/drivers/postgres/batch.ts";
import { PostgresStatement } from "../../src/connectors/database/drivers/postgres/statement.ts";
import { TypeCatalog } from "../../src/connectors/database/drivers/postgres/types.ts";
import type { StatementOptions } from "../../src/connectors/database/driver.ts";

/** A connection of the driver, and the client that it uses. */
export interface Statements {
  readonly client: pg.Client;
  readonly connection: StatementConnection;
  /** How often the server was asked to cancel. */
  readonly cancels: () => number;
}

/** Calls `use` with a connection to this database, and closes it afterwards. */
export async function withStatements<T>(
  url: string,
  use: (statements: Statements) => Promise<T>,
): Promise<T> {
  const options = "-c TimeZone=UTC -c DateStyle=ISO -c bytea_output=hex";
  const client = new pg.Client({ connectionString: url, options });
  client.on("error", () => {});
  await client.connect();
  let cancels = 0;
  const cancel = async () => {
    cancels++;
    const { processID } = client as unknown as { processID: number };
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query("select pg_cancel_backend($1)", [processID]);
    await other.end();
  };
  try {
    const connection = new StatementConnection(client, new TypeCatalog(), cancel);
    return await use({ client, connection, cancels: () => cancels });
  } finally {
    await client.end().catch(() => {});
  }
}

/** A statement whose parameters are called `a`, `b`, … */
export function statementOf(
  sql: string,
  rows: StatementOptions["rows"] = "all",
): PostgresStatement {
  return new PostgresStatement(sql, { rows, background: false, names: [..."abcdefgh"] });
}

/** What a batch has committed. */
export function committed(outcome: BatchOutcome): readonly unknown[] {
  if ("committed" in outcome) return outcome.committed;
  const error = "refused" in outcome ? outcome.error : outcome.failed;
  throw new Error(`is not committed: ${JSON.stringify(outcome)}`, { cause: error });
}
