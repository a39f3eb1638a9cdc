/** MariaDB in tests: databases of a test's own on the machine's server, and servers of its own. */
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import mysql from "mysql2/promise";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { asUser, copyTemplate, execute, MARIADBD } from "./database-machine.ts";
import { DatabaseServer, type Disk, makePlace, PASSWORD, type Place } from "./database-server.ts";
import type { DatabaseChoice } from "./postgres.ts";

/** The server of this machine. */
export const SHARED_MARIADB = "mysql://root@127.0.0.1:3306/mysql";

/** The user that servers run as where root runs the tests. */
const USER = "mysql";

/** What makes the data of a server small; it needs them also when it runs. */
const SMALL: readonly string[] = [
  "--innodb-data-file-path=ibdata1:4M:autoextend",
  "--innodb-autoextend-increment=1",
  "--innodb-log-file-size=4M",
  "--innodb-undo-tablespaces=0",
];

/** A row as `mysql2` reads it: large whole numbers and dates are text. */
export type MariadbRow = Readonly<Record<string, unknown>>;

/** A database, and a connection of the test's own to it. */
export interface MariadbDatabase {
  readonly name: string;
  /** Where it is, with user and password. */
  readonly url: string;
  /** Runs statements; gives the rows of the last one. Without `values` there may be several. */
  sql(text: string, values?: readonly unknown[]): Promise<readonly MariadbRow[]>;
}

/** A connection that is made when it is needed, and again where it has ended. */
class Link {
  readonly #url: string;
  #connection: Promise<mysql.Connection> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async sql(text: string, values?: readonly unknown[]): Promise<readonly MariadbRow[]> {
    const connection = await (this.#connection ??= this.#connect());
    const [result] = values === undefined
      ? await connection.query(text)
      : await connection.execute(text, values as string[]);
    const last = Array.isArray(result) && isResult(result.at(-1)) ? result.at(-1) : result;
    return Array.isArray(last) ? last as MariadbRow[] : [];
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    // A farewell may find a server that says nothing any more.
    connection?.destroy();
  }

  async #connect(): Promise<mysql.Connection> {
    const forget = () => this.#connection = undefined;
    try {
      const connection = await mysql.createConnection({
        uri: this.#url,
        multipleStatements: true,
        supportBigNumbers: true,
        bigNumberStrings: true,
        dateStrings: true,
        connectTimeout: 10_000,
      });
      // What fails meanwhile rejects as well.
      connection.on("error", forget);
      connection.on("end", forget);
      return connection;
    } catch (error) {
      forget();
      throw error;
    }
  }
}

/** Whether it is the result of one of several statements: rows, or what it has changed. */
function isResult(value: unknown): boolean {
  return Array.isArray(value) || (value instanceof Object && "affectedRows" in value);
}

/** Calls `run` with an empty database, and drops it afterwards. */
export async function withMariadb<T>(
  run: (database: MariadbDatabase) => Promise<T>,
  { at = SHARED_MARIADB, schema }: DatabaseChoice = {},
): Promise<T> {
  const name = `weir_test_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = new Link(at);
  try {
    await admin.sql(`create database ${name} character set utf8mb4`);
    const url = Object.assign(new URL(at), { pathname: name }).href;
    const link = new Link(url);
    try {
      if (schema !== undefined) await link.sql(schema);
      return await run({ name, url, sql: (text, values) => link.sql(text, values) });
    } finally {
      await link.close();
      await dropDatabase(admin, name);
    }
  } finally {
    await admin.close();
  }
}

/** A transaction that a failed test has left open would hold the tables' locks. */
async function dropDatabase(admin: Link, name: string): Promise<void> {
  const users = await admin.sql("select id from information_schema.processlist where db = ?", [
    name,
  ]);
  for (const { id } of users) await admin.sql(`kill ${id}`).catch(() => {});
  await admin.sql(`drop database ${name}`);
}

/** What a server of a test's own is made with. */
export interface MariadbServerOptions extends Disk {
  /** Whether it speaks TLS, too; false by default. See {@link MariadbServer.certificate}. */
  readonly tls?: boolean;
  /** Whether each commit waits for the disk; false by default. A killed process loses nothing. */
  readonly fsync?: boolean;
  /** 20 by default, 10 at least; one more is for administrators. */
  readonly maxConnections?: number;
  /** More options of mariadbd, such as `{ "lock-wait-timeout": "1" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * A server of a test's own, which knows no user without a password. It listens on 127.0.0.1 and on a
 * Unix socket `socket` in its `folder`. The administrator is `root`, with `PASSWORD`; `read_only`
 * does not bind it.
 */
export class MariadbServer extends DatabaseServer {
  /** What it shows to clients, and what they must trust; undefined without `tls`. */
  readonly certificate: Certificate | undefined;
  protected readonly stopSignal = "SIGTERM";
  readonly #options: readonly string[];
  readonly #link: Link;

  private constructor(
    place: Place,
    options: MariadbServerOptions,
    certificate: Certificate | undefined,
  ) {
    super(place, options);
    this.certificate = certificate;
    this.#options = [...SMALL, ...optionsOf(place, options, certificate)];
    this.#link = new Link(this.url());
  }

  /** Starts one. The caller must `end` it; see {@link withMariadbServer}. */
  static async open(options: MariadbServerOptions = {}): Promise<MariadbServer> {
    let certificate: Certificate | undefined;
    const place = await makePlace(USER, options, async ({ data, folder }) => {
      await copyTemplate("mariadb", USER, data, install);
      if (options.disk !== undefined) await moveSystem(data, folder);
      if (options.tls) certificate = await makeCertificate(folder, "server");
    });
    const server = new MariadbServer(place, options, certificate);
    try {
      await server.start();
      await server.#setPasswords();
    } catch (error) {
      await server.end();
      throw error;
    }
    return server;
  }

  /** Where its administrator, or somebody else, finds a database, over TCP. */
  url(database = "mysql", user = "root", password: string = PASSWORD): string {
    const who = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
    return `mysql://${who}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  /** Runs statements as its administrator; gives the rows of the last. */
  sql(text: string, values?: readonly unknown[]): Promise<readonly MariadbRow[]> {
    return this.#link.sql(text, values);
  }

  /** Changes global variables, such as `{ read_only: "1" }`. */
  async set(variables: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(variables)) {
      await this.sql(`set global ${name} = ${value}`);
    }
  }

  protected command(): readonly string[] {
    return [...asUser(USER, "KILL"), MARIADBD, "--no-defaults", ...this.#options];
  }

  protected ready(output: string): boolean {
    return output.includes("ready for connections");
  }

  protected override letGo(): Promise<void> {
    return this.#link.close();
  }

  async #setPasswords(): Promise<void> {
    const link = new Link(this.url("mysql", "root", ""));
    try {
      // It is also known by the name of this machine, and with it there are users without a name.
      await link.sql("delete from mysql.global_priv where host not in ('localhost', '127.0.0.1')");
      await link.sql("delete from mysql.global_priv where user = ''; flush privileges");
      for (const host of ["localhost", "127.0.0.1"]) {
        await link.sql(`alter user root@'${host}' identified by '${PASSWORD}'`);
      }
    } finally {
      await link.close();
    }
  }
}

/** Calls `run` with a server of its own, and removes it afterwards. */
export async function withMariadbServer<T>(
  run: (server: MariadbServer) => Promise<T>,
  options: MariadbServerOptions = {},
): Promise<T> {
  const server = await MariadbServer.open(options);
  try {
    return await run(server);
  } finally {
    await server.end();
  }
}

async function install(data: string): Promise<void> {
  const program = ["mariadb-install-db", "--no-defaults", `--datadir=${data}`];
  const users = ["--auth-root-authentication-method=normal", "--skip-test-db"];
  const folder = dirname(data);
  const command = [...program, ...users, "--skip-name-resolve", `--tmpdir=${folder}`, ...SMALL];
  await execute([...asUser(USER, "KILL"), ...command], folder);
  // It has no space on a small disk; the server makes it again.
  await rm(join(data, "ib_buffer_pool"), { force: true });
}

/** What fills up must be the tables' disk: without space for its own files, a server ends. */
async function moveSystem(data: string, folder: string): Promise<void> {
  for (const name of ["ibdata1", "ib_logfile0"]) await execute(["mv", join(data, name), folder]);
}

function optionsOf(
  { folder, data, port }: Place,
  { fsync = false, maxConnections = 20, settings = {}, disk }: MariadbServerOptions,
  certificate: Certificate | undefined,
): string[] {
  const tls = certificate === undefined
    // It makes a certificate of its own otherwise.
    ? { ssl: "0" }
    : { "ssl-cert": certificate.cert, "ssl-key": certificate.key };
  const system = disk === undefined ? data : folder;
  const all = {
    datadir: data,
    "innodb-data-home-dir": system,
    "innodb-log-group-home-dir": system,
    port: String(port),
    "bind-address": "127.0.0.1",
    socket: join(folder, "socket"),
    // A server that starts removes all temporary tables there, those of this machine's server, too,
    // whose statements fail then; it has even crashed.
    tmpdir: folder,
    "pid-file": join(folder, "pid"),
    "skip-name-resolve": "1",
    "character-set-server": "utf8mb4",
    "max-connections": String(maxConnections),
    "innodb-flush-log-at-trx-commit": fsync ? "1" : "2",
    "innodb-flush-method": fsync ? "O_DIRECT" : "nosync",
    "innodb-buffer-pool-size": "8M",
    "key-buffer-size": "64K",
    "performance-schema": "0",
    ...tls,
    ...settings,
  };
  return Object.entries(all).map(([name, value]) => `--${name}=${value}`);
}
