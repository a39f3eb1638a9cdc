/** Connections: opened within a deadline, set up, and destroyed where they do not answer. */
import { Socket } from "node:net";
import pg, { type Client, type ClientConfig, type QueryConfig, type QueryResult } from "pg";
import { TimeoutError } from "../../../../base/errors.ts";
import { withTimeout } from "../../../../base/timeout.ts";
import { LostConnectionError } from "./answers.ts";
import { DestroyedError } from "./errors.ts";
import type { Server } from "./server.ts";

/** Milliseconds within which a server must have let Weir in. */
const CONNECTING = 5000;

/** What one connection is for. */
export interface ConnectOptions {
  /** Milliseconds; 5000 by default. */
  readonly deadline?: number;
  /** Added to the name in `pg_stat_activity`, such as `migrations`. */
  readonly role?: string;
  /** A connection of the replication protocol, which runs plain statements as well. */
  readonly replication?: "database";
}

/** What is known of a connection beside what `pg` knows. */
interface State {
  readonly raw: Socket;
  lost: Error | undefined;
  readonly listeners: Set<(why: Error) => void>;
  /** The server's number of it; undefined before it is set up. */
  backend: number | undefined;
  /** The server's version, such as `15.20`. */
  version: string;
}

const states = new WeakMap<Client, State>();

/** The inner parts of a `Client` that its types do not have. */
interface Internals {
  readonly connectionParameters: {
    options?: string;
    client_encoding?: string;
    replication?: string;
  };
  readonly connection: {
    upgradeToSSL(host: string, report: (error: Error) => void): void;
  };
}

/**
 * What a client is made with. All is said, since the library would take what is missing from `PG…`
 * variables of the environment.
 */
export function clientConfig(server: Server, { role, replication }: ConnectOptions = {}): Config {
  const { host, port, user, database, password = "", applicationName, tls } = server;
  return {
    host,
    port,
    user,
    database,
    // A function, since the library takes an empty text as none.
    password: () => password,
    application_name: role === undefined ? applicationName : `${applicationName} ${role}`,
    sslnegotiation: "postgres",
    ssl: tls === undefined ? false : {
      ...(tls.ca && { ca: [...tls.ca] }),
      ...(tls.cert && { cert: tls.cert }),
      ...(tls.key && { key: tls.key }),
      rejectUnauthorized: true,
    },
    ...(replication && { replication }),
  };
}

type Config = ClientConfig & { readonly replication?: string };

/**
 * Opens a connection and sets its session: UTC, ISO 8601, the forms in which values are read. When it
 * is lost later, what runs on it fails, and nothing else happens.
 *
 * @throws {Error} The server cannot be reached, refuses it or does not answer in time; `explain` reads it.
 */
export async function connect(server: Server, options: ConnectOptions = {}): Promise<Client> {
  const { deadline = CONNECTING } = options;
  const client = makeClient(server, options);
  const opening = client.connect().then(() => setSession(client, server));
  try {
    await withTimeout(opening, deadline, () => {
      throw new TimeoutError(`the server has not answered within ${deadline / 1000} s`);
    });
  } catch (error) {
    destroy(client, "it was never open");
    throw error;
  }
  return client;
}

function makeClient(server: Server, options: ConnectOptions): Client {
  const raw = new Socket();
  const client = new pg.Client({ ...clientConfig(server, options), stream: () => raw });
  const state: State = {
    raw,
    lost: undefined,
    listeners: new Set(),
    backend: undefined,
    version: "",
  };
  states.set(client, state);
  const lose = (error: Error) => {
    if (state.lost !== undefined) return;
    state.lost = error;
    for (const hear of state.listeners) hear(error);
    state.listeners.clear();
  };
  client.on("error", lose);
  client.on("end", () => lose(new LostConnectionError("the server has closed it")));
  const { connectionParameters, connection } = client as unknown as Internals;
  // Taken from the environment, and never what is wanted here.
  delete connectionParameters.options;
  delete connectionParameters.client_encoding;
  if (options.replication === undefined) delete connectionParameters.replication;
  const serverName = server.tls?.serverName;
  if (serverName !== undefined) {
    // The library overwrites `servername` with the host, for the greeting and for the check.
    const upgrade = connection.upgradeToSSL.bind(connection);
    connection.upgradeToSSL = (_host, report) => upgrade(serverName, report);
  }
  return client;
}

async function setSession(client: Client, { statementTimeout }: Server): Promise<void> {
  const settings: Readonly<Record<string, string>> = {
    TimeZone: "UTC",
    DateStyle: "ISO, YMD",
    IntervalStyle: "postgres",
    bytea_output: "hex",
    extra_float_digits: "1",
    ...(statementTimeout !== undefined && { statement_timeout: String(statementTimeout) }),
  };
  const calls = Object.entries(settings).map(([name, value]) =>
    `set_config('${name}', '${value}', false)`
  );
  const { rows: [row] } = await client.query(
    `SELECT pg_backend_pid() AS backend, current_setting('server_version') AS version, ` +
      calls.join(", "),
  );
  const state = stateOf(client);
  state.backend = Number(row.backend);
  state.version = String(row.version);
  if (Number.parseInt(state.version) < 14) return;
  // Otherwise the server goes on with a statement whose client is gone, and with its locks. Not every
  // system can do it.
  await client.query("SET client_connection_check_interval = '2s'").catch(() => {});
}

function stateOf(client: Client): State {
  const state = states.get(client);
  if (state === undefined) throw new TypeError("the client was not made by connect()");
  return state;
}

/** The number of the server's process for a connection. */
export function backendOf(client: Client): number | undefined {
  return stateOf(client).backend;
}

/** The server's version, such as `15.20 (Debian 15.20-0)`. */
export function versionOf(client: Client): string {
  return stateOf(client).version;
}

/** Whether a connection can no longer be used. */
export function isLost(client: Client): boolean {
  return stateOf(client).lost !== undefined;
}

/**
 * Calls `hear` once, when the connection is lost; at once where it is lost already. Returns a function
 * that ends the listening.
 */
export function onLost(client: Client, hear: (why: Error) => void): () => void {
  const { lost, listeners } = stateOf(client);
  if (lost !== undefined) hear(lost);
  else listeners.add(hear);
  return () => listeners.delete(hear);
}

/** Ends a connection at once. What runs on it fails. */
export function destroy(client: Client, why: string): void {
  const { raw, lost } = stateOf(client);
  const { connection } = client;
  // Otherwise what runs would wait until the socket reports its end, with less to say.
  if (lost === undefined) connection.emit("error", new DestroyedError(why));
  connection.stream.destroy();
  raw.destroy();
}

/** Ends a connection that nothing runs on, and tells the server. */
export async function disconnect(client: Client, deadline = 1000): Promise<void> {
  if (isLost(client)) return;
  await withTimeout(client.end(), deadline, () => destroy(client, "it did not end in time"))
    .catch(() => {});
}

/**
 * Runs a statement. Where it takes longer than `deadline` milliseconds, the connection is destroyed.
 *
 * @throws {TimeoutError} It has taken longer.
 */
export function ask(
  client: Client,
  query: QueryConfig | string,
  deadline: number,
): Promise<QueryResult> {
  return withTimeout(client.query(query as QueryConfig), deadline, () => {
    const why = `the server has not answered within ${deadline / 1000} s`;
    destroy(client, why);
    throw new TimeoutError(why);
  });
}
