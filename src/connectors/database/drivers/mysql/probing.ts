/** Looks at a database without changing it, for `weir check --connect`. */
import { withTimeout } from "../../../../base/timeout.ts";
import type {
  DriverContext,
  Explanation,
  Inspect,
  Inspected,
  Row,
  StatementOptions,
} from "../../driver.ts";
import { describeFound } from "../../migrations.ts";
import type { Connection } from "./connection.ts";
import { dialect } from "./dialect.ts";
import { DeadlineError, errnoOf, explain, RefusedError, withKnownNames } from "./errors.ts";
import { pending } from "./migrations.ts";
import { open, openFailure } from "./opening.ts";
import { readSettings } from "./settings.ts";
import { Call, MysqlStatement } from "./statement.ts";
import { Tables } from "./tables.ts";

/** Milliseconds for each statement of a look at the database. */
const PROBING = 5000;

/** A table, a column or a function that does not exist. */
const LACKING = new Set([1054, 1146, 1305]);

/** A statement that the server runs, and cannot compile alone. */
const NOT_COMPILED = 1295;

/**
 * Returns what the server is, and what is known of migrations and statements, which the server compiles
 * and does not run. Changes nothing.
 *
 * @throws {ConnectorError} It cannot be reached, refuses the user, or a migration was changed after it
 * was applied.
 */
export async function probeDatabase(context: DriverContext, inspect: Inspect): Promise<string> {
  const { name, options, migrations } = context;
  const settings = await readSettings(name, options);
  const connection = await open(name, { ...settings, statementTimeout: PROBING });
  try {
    const { length } = migrations.length === 0 ? [] : await pending(connection, migrations);
    const { mariadb, version } = connection.server;
    const what = `"${settings.database}" is there, on ${mariadb ? "" : "MySQL "}${version}`;
    return describeFound(what, length, await inspect(new InspectedDatabase(connection, length)));
  } catch (cause) {
    throw openFailure(name, settings, cause);
  } finally {
    connection.destroy();
  }
}

/** A database whose statements are compiled and never run. */
class InspectedDatabase implements Inspected {
  readonly dialect = dialect;
  readonly pending: number;
  readonly #connection: Connection;
  readonly #tables: Tables;

  constructor(connection: Connection, pending: number) {
    this.#connection = connection;
    this.pending = pending;
    const ask = async (sql: string): Promise<readonly Row[]> => {
      const reply = await connection.run(sql);
      return "affectedRows" in reply ? [] : reply;
    };
    this.#tables = new Tables(ask, connection.server);
  }

  async describe(table?: string): Promise<readonly string[]> {
    if (table === undefined) return await this.#tables.names();
    return [...(await this.#tables.read(table))?.columns.keys() ?? []];
  }

  async compile(sql: string, options: StatementOptions): Promise<void> {
    const statement = new MysqlStatement(sql, options);
    const { write, names } = statement;
    // It refuses an UPSERT whose key is none of the table's.
    if (write !== undefined) {
      new Call(statement, names.map(() => null), await this.#tables.read(write.table));
    }
    const compiling = this.#connection.compile(statement.compilable);
    try {
      await withTimeout(compiling, PROBING, () => {
        throw new DeadlineError(`the server has not answered within ${PROBING / 1000} s`);
      });
    } catch (cause) {
      if (errnoOf(cause) === NOT_COMPILED) return;
      throw await withKnownNames(
        cause,
        (kind) => kind === "table" ? this.#tables.names() : this.#tables.columnNames(),
      );
    }
  }

  explain(error: unknown): Explanation {
    return explain(error);
  }

  lacks(error: unknown): boolean {
    return error instanceof RefusedError || LACKING.has(errnoOf(error) ?? 0);
  }
}
