/** The first words with a server: TLS, the log-in, and how the session is set up. */
import { isIP, type Socket } from "node:net";
import mysql from "mysql2";
import type { ConnectionSettings } from "./settings.ts";

/** What a server is and can do. */
export interface Server {
  readonly mariadb: boolean;
  /** Such as `11.8.9-MariaDB`. */
  readonly version: string;
  /** The largest statement that it takes, in bytes. */
  readonly largestPacket: number;
  /** What two keys that it makes differ by. */
  readonly keyStep: number;
}

/** How a connection differs from those of the pool. */
export interface ConnectionKind {
  /** Whether a text may have several statements. False by default. */
  readonly script?: boolean;
}

/** Logs in over a socket; `host` of the settings is the socket's. */
export function greet(
  { host, port, user, password, database, tls }: ConnectionSettings,
  { script = false }: ConnectionKind,
  socket: Socket,
): Promise<mysql.Connection> {
  const name = tls?.serverName ?? host;
  if (tls !== undefined && isIP(name) !== 0) checkAddress(socket, name);
  const client = mysql.createConnection({
    // The name that the library looks for in the certificate; the socket has its own host.
    host: name,
    port,
    stream: () => socket,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    database,
    charset: "utf8mb4",
    // The server must not ask for files of this machine, nor take names of functions for words.
    flags: ["-LOCAL_FILES", "-IGNORE_SPACE"],
    connectTimeout: 0,
    multipleStatements: script,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    // Values are literals of ours, so that a text may have any character of `?` in it.
    queryFormat: (sql: string) => sql,
    ...(tls === undefined ? {} : { ssl: sslOptions(tls) }),
  });
  return new Promise((resolve, reject) => {
    // It stays, since an error that nobody hears would end the process.
    client.on("error", reject);
    client.connect((error) => error == null ? resolve(client) : reject(error));
  });
}

function sslOptions({ ca, cert, key }: NonNullable<ConnectionSettings["tls"]>): mysql.SslOptions {
  return {
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: true,
    // Without it the library takes any name.
    verifyIdentity: true,
    minVersion: "TLSv1.2",
  };
}

/** For an address the library gives TLS no name to look for, and TLS takes the socket's host then. */
function checkAddress(socket: Socket, address: string): void {
  Object.assign(socket, { _host: address });
}

const TRAITS = "SELECT VERSION() AS version, @@sql_mode AS mode, @@max_allowed_packet AS packet, " +
  "@@auto_increment_increment AS step";

/** Modes that change how quotes and backslashes are read, or have such a mode in them. */
const READING_MODES = new Set([
  "ANSI",
  "ANSI_QUOTES",
  "DB2",
  "MAXDB",
  "MSSQL",
  "NO_BACKSLASH_ESCAPES",
  "ORACLE",
  "POSTGRESQL",
]);

/** Sets the session up, and returns what the server is. */
export async function setUpSession(
  client: mysql.Connection,
  { statementTimeout }: ConnectionSettings,
): Promise<Server> {
  const [{ version, mode, packet, step }] = await ask(client, TRAITS);
  const mariadb = String(version).includes("MariaDB");
  const kept = String(mode).split(",").filter((name) => name !== "" && !READING_MODES.has(name));
  const modes = new Set([...kept, "STRICT_TRANS_TABLES", "ERROR_FOR_DIVISION_BY_ZERO"]);
  const settings = [
    // A server may open a transaction with the first statement, which nobody would commit.
    "autocommit = 1",
    "time_zone = '+00:00'",
    `sql_mode = '${[...modes].join(",")}'`,
  ];
  if (statementTimeout !== undefined) {
    // MariaDB's is for all statements, in seconds; MySQL's for SELECT alone, in milliseconds.
    settings.push(
      mariadb
        ? `max_statement_time = ${statementTimeout / 1000}`
        : `max_execution_time = ${statementTimeout}`,
    );
  }
  await ask(client, "SET NAMES utf8mb4");
  await ask(client, `SET SESSION ${settings.join(", SESSION ")}`);
  return {
    mariadb,
    version: String(version),
    largestPacket: Number(packet),
    keyStep: Number(step),
  };
}

function ask(client: mysql.Connection, sql: string): Promise<Record<string, unknown>[]> {
  return new Promise((resolve, reject) => {
    client.query<mysql.RowDataPacket[]>(sql, (error, rows) => {
      if (error == null) resolve(rows);
      else reject(error);
    });
  });
}
