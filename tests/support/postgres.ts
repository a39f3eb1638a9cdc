/** PostgreSQL in tests: databases of a test's own on the machine's server, and servers of its own. */
import { appendFile, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import pg from "pg";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { asUser, copyTemplate, execute, postgresPrograms } from "./database-machine.ts";
import { until } from "./socket-probe.ts";
import { DatabaseServer, type Disk, makePlace, PASSWORD, type Place } from "./database-server.ts";

/** The server of this machine. */
export const SHARED_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres";

/** The user that servers run as where root runs the tests. */
const USER = "postgres";

/** A row as `pg` reads it. */
export type PostgresRow = Readonly<Record<string, unknown>>;

/** A database, and a connection of the test's own to it. */
export interface PostgresDatabase {
  readonly name: string;
  /** Where it is, with user and password. */
  readonly url: string;
  /** Runs statements; gives the rows of the last one. Without `values` there may be several. */
  sql(text: string, values?: readonly unknown[]): Promise<readonly PostgresRow[]>;
}

/** A connection that is made when it is needed, and again where it has ended. */
class Link {
  readonly #url: string;
  #client: Promise<pg.Client> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async sql(text: string, values?: readonly unknown[]): Promise<readonly PostgresRow[]> {
    const client = await (this.#client ??= this.#connect());
    const result = await client.query(text, values === undefined ? undefined : [...values]);
    // Several statements have several results, which the types do not say.
    return (Array.isArray(result) ? result.at(-1) : result).rows;
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: 10_000 });
    const forget = () => this.#client = undefined;
    // What fails meanwhile rejects as well.
    client.on("error", forget);
    client.on("end", forget);
    await client.connect().catch((error) => {
      forget();
      throw error;
    });
    return client;
  }
}

/** What a database of a test's own is made with. */
export interface DatabaseChoice {
  /** Where an administrator connects; the machine's server by default. */
  readonly at?: string;
  /** SQL that it begins with. */
  readonly schema?: string;
}

/** Calls `run` with an empty database, and drops it afterwards, whoever is connected. */
export async function withPostgres<T>(
  run: (database: PostgresDatabase) => Promise<T>,
  { at = SHARED_POSTGRES, schema }: DatabaseChoice = {},
): Promise<T> {
  const name = `weir_test_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = new Link(at);
  try {
    // Nobody is ever connected to this template.
    await admin.sql(`create database ${name} template template0`);
    await admin.close();
    const url = Object.assign(new URL(at), { pathname: name }).href;
    const link = new Link(url);
    try {
      if (schema !== undefined) await link.sql(schema);
      return await run({ name, url, sql: (text, values) => link.sql(text, values) });
    } finally {
      await link.close();
      await admin.sql(`drop database ${name} with (force)`);
    }
  } finally {
    await admin.close();
  }
}

/** What a server of a test's own is made with. */
export interface PostgresServerOptions extends Disk {
  /** Whether it speaks TLS, too; false by default. See {@link PostgresServer.certificate}. */
  readonly tls?: boolean;
  /** Whether each commit waits for the disk; false by default. A killed process loses nothing. */
  readonly fsync?: boolean;
  /** 20 by default. Three of them are for administrators. */
  readonly maxConnections?: number;
  /** More settings of `postgresql.conf`, such as `{ deadlock_timeout: "10ms" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of `pg_hba.conf` that come before `host all all 127.0.0.1/32 scram-sha-256`. */
  readonly hba?: readonly string[];
}

/**
 * A server of a test's own: with passwords (`scram-sha-256`) and `wal_level = logical`. It listens on
 * 127.0.0.1 and on a Unix socket in its `folder`. The administrator is `postgres`, with `PASSWORD`.
 */
export class PostgresServer extends DatabaseServer {
  /** What it shows to clients, and what they must trust; undefined without `tls`. */
  readonly certificate: Certificate | undefined;
  protected readonly stopSignal = "SIGINT";
  readonly #programs: string;
  readonly #link: Link;

  private constructor(
    place: Place,
    options: PostgresServerOptions,
    programs: string,
    certificate: Certificate | undefined,
  ) {
    super(place, options);
    this.#programs = programs;
    this.certificate = certificate;
    this.#link = new Link(this.url());
  }

  /** Starts one. The caller must `end` it; see {@link withPostgresServer}. */
  static async open(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const programs = await postgresPrograms();
    if (programs === undefined) throw new Error("there is no /usr/lib/postgresql/*/bin/postgres");
    let certificate: Certificate | undefined;
    const place = await makePlace(USER, options, async (made) => {
      await fill(made, programs, options);
      if (options.tls) certificate = await makeCertificate(made.folder, "server");
      await configure(made, options, certificate);
    });
    const server = new PostgresServer(place, options, programs, certificate);
    try {
      await server.start();
    } catch (error) {
      await server.end();
      throw error;
    }
    return server;
  }

  /** Where its administrator, or somebody else, finds a database, over TCP. */
  url(database = "postgres", user = "postgres", password: string = PASSWORD): string {
    const who = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
    return `postgres://${who}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  /** Runs statements in the database `postgres` as its administrator; gives the rows of the last. */
  sql(text: string, values?: readonly unknown[]): Promise<readonly PostgresRow[]> {
    return this.#link.sql(text, values);
  }

  /** Changes settings that need no restart. */
  async set(settings: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(settings)) {
      await this.sql(`alter system set ${name} = '${value.replaceAll("'", "''")}'`);
    }
    await this.sql("select pg_reload_conf()");
  }

  protected command(): readonly string[] {
    return [...asUser(USER, "QUIT"), join(this.#programs, "postgres"), "-D", this.data];
  }

  protected async ready(): Promise<boolean> {
    const file = join(this.data, "postmaster.pid");
    const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
    // One that was killed has left its file.
    return lines[0] === String(this.pid) && lines[7]?.trim() === "ready";
  }

  protected override letGo(): Promise<void> {
    return this.#link.close();
  }
}

/**
 * Removes a replication slot, if there is one, once nothing reads from it: the server notices a moment
 * later that a reader's connection has ended.
 */
export async function dropSlot(sql: PostgresDatabase["sql"], slot: string): Promise<void> {
  await until(`the slot ${slot} is free`, async () => {
    const used = "select active from pg_replication_slots where slot_name = $1 and active";
    return (await sql(used, [slot])).length === 0;
  });
  const drop =
    "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1";
  await sql(drop, [slot]);
}

/** Calls `run` with a server of its own, and removes it afterwards. */
export async function withPostgresServer<T>(
  run: (server: PostgresServer) => Promise<T>,
  options: PostgresServerOptions = {},
): Promise<T> {
  const server = await PostgresServer.open(options);
  try {
    return await run(server);
  } finally {
    await server.end();
  }
}

async function fill({ folder, data }: Place, programs: string, { disk }: Disk): Promise<void> {
  const version = basename(dirname(programs));
  await copyTemplate(`postgres-${version}`, USER, data, async (template) => {
    const password = join(dirname(template), "password");
    await writeFile(password, PASSWORD);
    const access = ["--auth=scram-sha-256", `--pwfile=${password}`, "--username=postgres"];
    const text = ["--encoding=UTF8", "--locale=C.UTF-8"];
    const quick = ["--no-sync", "--wal-segsize=1"];
    const initdb = [join(programs, "initdb"), "-D", template, ...access, ...text, ...quick];
    await execute([...asUser(USER, "KILL"), ...initdb], dirname(template));
  });
  if (disk === undefined) return;
  // What fills up must be the tables' disk: without space for its log, a server ends.
  await execute(["mv", join(data, "pg_wal"), folder]);
  await symlink(join(folder, "pg_wal"), join(data, "pg_wal"));
}

async function configure(
  { folder, data, port }: Place,
  { fsync = false, maxConnections = 20, settings = {}, hba = [] }: PostgresServerOptions,
  certificate: Certificate | undefined,
): Promise<void> {
  const all: Record<string, string> = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    wal_level: "logical",
    fsync: fsync ? "on" : "off",
    max_connections: String(maxConnections),
    shared_buffers: "8MB",
    max_wal_size: "16MB",
    min_wal_size: "2MB",
    // Processes that start at intervals cost what a test does not need.
    autovacuum: "off",
    jit: "off",
    ...settings,
  };
  if (certificate !== undefined) {
    Object.assign(all, {
      ssl: "on",
      ssl_cert_file: certificate.cert,
      ssl_key_file: certificate.key,
      ...settings,
    });
  }
  const lines = Object.entries(all).map(([name, value]) =>
    `${name} = '${value.replaceAll("'", "''")}'\n`
  );
  await appendFile(join(data, "postgresql.conf"), lines.join(""));
  const rules = [...hba, "local all all scram-sha-256", "host all all 127.0.0.1/32 scram-sha-256"];
  const replication = "host replication all 127.0.0.1/32 scram-sha-256";
  await writeFile(join(data, "pg_hba.conf"), [...rules, replication, ""].join("\n"));
}
