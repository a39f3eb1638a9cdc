/** The databases that have servers, and what differs between them in the tests of faults. */
import mysql from "mysql2/promise";
import pg from "pg";
import { PASSWORD } from "../support/database-server.ts";
import { MariadbServer, type MariadbServerOptions, withMariadb } from "../support/mariadb.ts";
import { PostgresServer, type PostgresServerOptions, withPostgres } from "../support/postgres.ts";
import type { Service } from "../support/services.ts";

/** The user that Weir connects as. It is no administrator: those are exempt from limits. */
export const USER = "weir";

/** A server of either kind. */
export type TestServer = PostgresServer | MariadbServer;

/** What both kinds of server are made with. */
export type TestServerOptions =
  & Pick<PostgresServerOptions, "tls" | "fsync" | "disk" | "settings">
  & Pick<MariadbServerOptions, "maxConnections">;

/** A row as the test reads it: whole numbers may be text. */
export type TestRow = Readonly<Record<string, unknown>>;

/** A database of one test, and the test's own connection to it as an administrator. */
export interface TestDatabase {
  readonly name: string;
  /** Where Weir finds it. */
  readonly url: string;
  /** Runs statements; gives the rows of the last one. Without `values` there may be several. */
  sql(text: string, values?: readonly unknown[]): Promise<readonly TestRow[]>;
}

/** A connection that does nothing. */
export interface Connection {
  end(): Promise<void>;
}

/** One kind. */
export interface Kind {
  /** As it is called in the names of entries. */
  readonly title: string;
  readonly driver: "postgres" | "mysql";
  readonly service: Service;
  /** A database that every server has. */
  readonly there: string;
  /** Settings of the servers of the tests: a deadlock is noticed soon. */
  readonly settings: Readonly<Record<string, string>>;
  /** Starts a server, with the user {@link USER}. */
  open(options: TestServerOptions): Promise<TestServer>;
  /** Calls `run` with an empty database in which Weir may do everything. */
  withDatabase(server: TestServer, run: (database: TestDatabase) => Promise<void>): Promise<void>;
  /** Connects and does nothing. */
  connect(url: string): Promise<Connection>;
  /** A query with one row, with a column `n`, that takes so many seconds. */
  sleep(seconds: number): string;
  /** The numbers of the sessions that run it. */
  readonly sleeping: string;
  /** How many sessions of Weir run a statement at the moment, those that wait for a lock included. */
  readonly running: string;
  /** The numbers of the sessions of Weir. */
  readonly sessions: string;
  /** Ends a session by its number. */
  end(session: string): string;
  /** How many deadlocks there were in the server. */
  deadlocks(server: TestServer): Promise<number>;
  /** Takes all writes from Weir, or gives them back. */
  readOnly(server: TestServer, on: boolean): Promise<void>;
  /** What the server must have got before it commits a single write of this text. */
  lastOfWrite(text: string): string | Uint8Array;
}

/** PostgreSQL, with the driver "postgres". */
export const postgres: Kind = {
  title: "PostgreSQL",
  driver: "postgres",
  service: "postgres-server",
  there: "postgres",
  settings: { deadlock_timeout: "100ms" },
  async open(options) {
    const server = await PostgresServer.open(options);
    await server.sql(`create role ${USER} login replication password '${PASSWORD}'`);
    return server;
  },
  withDatabase: (server, run) =>
    withPostgres(
      async ({ name, sql }) => await run({ name, url: server.url(name, USER), sql }),
      { at: server.url(), schema: `grant all on schema public to ${USER}` },
    ),
  async connect(url) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client;
  },
  sleep: (seconds) => `SELECT 1 AS n FROM pg_sleep(${seconds})`,
  sleeping: "select pid as id from pg_stat_activity where wait_event = 'PgSleep'",
  running: `select count(*) as n from pg_stat_activity where usename = '${USER}' ` +
    "and state <> 'idle' and backend_type = 'client backend'",
  sessions: `select pid as id from pg_stat_activity where usename = '${USER}' ` +
    "and backend_type = 'client backend'",
  end: (session) => `select pg_terminate_backend(${session})`,
  // The counter is some seconds late.
  deadlocks: (server) => Promise.resolve(server.log.split("deadlock detected").length - 1),
  readOnly: (server, on) =>
    (server as PostgresServer).set({ default_transaction_read_only: on ? "on" : "off" }),
  // The message Sync: without it the server undoes what it has done.
  lastOfWrite: () => new Uint8Array(["S".charCodeAt(0), 0, 0, 0, 4]),
};

/** MariaDB, with the driver "mysql". */
export const mariadb: Kind = {
  title: "MariaDB",
  driver: "mysql",
  service: "mariadb-server",
  there: "mysql",
  settings: {},
  async open(options) {
    const server = await MariadbServer.open(options);
    const rights = "select, insert, update, delete, create, alter, drop, index";
    const user = `${USER}@'127.0.0.1'`;
    await server.sql(`create user ${user} identified by '${PASSWORD}'`);
    await server.sql(`grant ${rights} on *.* to ${user}`);
    return server;
  },
  withDatabase: (server, run) =>
    withMariadb(
      async ({ name, sql }) => await run({ name, url: server.url(name, USER), sql }),
      { at: server.url() },
    ),
  connect: (url) => mysql.createConnection(url),
  sleep: (seconds) => `SELECT SLEEP(${seconds}) AS n`,
  sleeping: "select id from information_schema.processlist where state = 'User sleep'",
  running: "select count(*) as n from information_schema.processlist " +
    `where user = '${USER}' and command <> 'Sleep'`,
  sessions: `select id from information_schema.processlist where user = '${USER}'`,
  end: (session) => `kill ${session}`,
  async deadlocks(server) {
    const [row] = await server.sql("show global status like 'Innodb_deadlocks'");
    return Number(row.Value);
  },
  readOnly: (server, on) => (server as MariadbServer).set({ read_only: on ? "1" : "0" }),
  lastOfWrite: (text) => text,
};

/** The numbers of sessions that a query finds. */
export async function idsOf(server: TestServer, query: string): Promise<readonly number[]> {
  return (await server.sql(query)).map(({ id }) => Number(id));
}
