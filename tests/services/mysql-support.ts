/** What the tests of the driver of MySQL share. */
import assert from "node:assert/strict";
import { ConnectorError } from "../../src/base/errors.ts";
import type {
  Database,
  DriverContext,
  Migration,
  Result,
  Row,
  StatementOptions,
} from "../../src/connectors/database/driver.ts";
import { Connection } from "../../src/connectors/database/drivers/mysql/connection.ts";
import {
  type DatabaseTraits,
  MysqlDatabase,
} from "../../src/connectors/database/drivers/mysql/database.ts";
import { openDatabase, probeDatabase } from "../../src/connectors/database/drivers/mysql/mod.ts";
import { readSettings } from "../../src/connectors/database/drivers/mysql/settings.ts";
import type { DatabaseOptions } from "../../src/connectors/database/options.ts";
import { type Recorder, recorder } from "../support/log.ts";

/** The options of a connector, its files of TLS the only ones that are given. */
export type Options =
  & Omit<Partial<DatabaseOptions>, "tls" | "pool">
  & {
    readonly tls?: Partial<NonNullable<DatabaseOptions["tls"]>>;
    readonly pool?: Partial<NonNullable<DatabaseOptions["pool"]>>;
  };

/** What a driver is opened with; its log goes to `log`. */
export function contextOf(
  { tls, pool, ...options }: Options,
  migrations: readonly Migration[] = [],
  log: Recorder = recorder(),
): DriverContext {
  const files = { ca: undefined, cert: undefined, key: undefined, server_name: undefined };
  const limits = { max: 10, acquire_timeout: 10_000, idle_timeout: 60_000 };
  return {
    name: "db",
    options: {
      driver: "mysql",
      ...options,
      ...(tls === undefined ? {} : { tls: { ...files, ...tls } }),
      pool: { ...limits, ...pool },
    },
    migrations,
    logger: log.logger,
  };
}

/** What `check --connect` says. */
export function probed(options: Options, migrations?: readonly Migration[]): Promise<string> {
  const inspect = () => Promise.resolve({ prepared: 0, waiting: 0 });
  return probeDatabase(contextOf(options, migrations), inspect);
}

/** Opens a database; it is closed at the end of its block. */
export async function opened(
  options: Options,
  migrations?: readonly Migration[],
  log?: Recorder,
): Promise<Database & AsyncDisposable> {
  return disposable(await openDatabase(contextOf(options, migrations, log)));
}

/** Opens a database as if the server had these traits. */
export async function openedAs(
  traits: DatabaseTraits,
  options: Options,
): Promise<Database & AsyncDisposable> {
  const context = contextOf(options);
  const settings = await readSettings("db", context.options);
  const connection = await Connection.open(settings);
  return disposable(new MysqlDatabase(context, settings, connection, traits));
}

function disposable(database: Database): Database & AsyncDisposable {
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.close() });
}

/** The error that a call rejects with. */
export async function refused(call: () => Promise<unknown>): Promise<ConnectorError> {
  const error = await call().then((result) => assert.fail(`not refused: ${result}`), (e) => e);
  assert.ok(error instanceof ConnectorError, error);
  return error;
}

/** The rows of a query without parameters. */
export async function rowsOf(database: Database, sql: string): Promise<readonly Row[]> {
  const options: StatementOptions = { rows: "all", background: true, names: [] };
  const result: Result = await database.query(database.prepare(sql, options), []);
  return "changes" in result ? [] : result;
}
