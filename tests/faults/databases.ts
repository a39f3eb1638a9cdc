/**
 * What the tests of databases with servers stand on: a server of the test file, a database of the
 * test, a service that keeps notes in it, and clients that write without a pause.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after } from "node:test";
import { service, serviceTest } from "../support/services.ts";
import type { WebClient } from "../support/web-client.ts";
import type { Kind, TestDatabase, TestServer, TestServerOptions } from "./database-kinds.ts";
import { type Bench, codeOf, onBench, pause } from "./downstream.ts";
import { runtime } from "./stage.ts";

/** One test of a database. */
export interface DatabaseScene {
  readonly kind: Kind;
  readonly bench: Bench;
  readonly server: TestServer;
  readonly database: TestDatabase;
}

/** Registers entries about one kind of database. */
export type DatabaseFault = (
  entry: string,
  body: (scene: DatabaseScene) => Promise<void>,
) => Promise<void>;

/** Megabytes of the data's disk, where this machine can have one. */
const DISK = 64;

/**
 * Returns what registers the entries of a test file. They share one server, which runs when a body
 * begins, with a small disk where this machine can have one.
 */
export async function databaseFaults(
  kind: Kind,
  options: TestServerOptions = {},
): Promise<DatabaseFault> {
  const small = (await service("tmpfs")).ok ? { disk: DISK } : {};
  let shared: Promise<TestServer> | undefined;
  after(async () => await (await shared)?.end());
  return async (entry, body) => {
    await serviceTest(kind.service, `${runtime} serve: ${kind.title} ${entry}`, async () => {
      const server =
        await (shared ??= kind.open({ settings: kind.settings, ...small, ...options }));
      await kind.withDatabase(server, async (database) => {
        try {
          await onBench((bench) => body({ kind, bench, server, database }));
        } finally {
          // Whatever has failed: the database must be dropped.
          server.thaw();
          await server.start();
        }
      });
    });
  };
}

/** How a test changes the service. */
export interface NotesOptions {
  /** Where Weir finds the database, where that is not the server itself: a proxy. */
  readonly url?: string;
  /** More attributes of the connector. */
  readonly attributes?: string;
  /** More blocks. */
  readonly blocks?: string;
  /** More columns of `notes`. */
  readonly columns?: string;
}

/**
 * The blocks of a service with the connector "db", and with flows for clients: `store` writes a note,
 * `keep` writes it again where it is there, `set` changes one, `both` writes two tables at once,
 * `count` reads, `sleep` reads for half a minute.
 */
export async function notes(
  { kind, bench, database }: DatabaseScene,
  { url = database.url, attributes = "", blocks = "", columns = "" }: NotesOptions = {},
): Promise<string> {
  const migrations = join(bench.folder, "migrations");
  await mkdir(migrations, { recursive: true });
  const tables = ["notes", "twins"].map((table) =>
    `CREATE TABLE ${table} (id INT PRIMARY KEY, text VARCHAR(2000)${columns});\n`
  );
  await writeFile(join(migrations, "001.sql"), tables.join(""));
  return `
    connector "db" {
      type       = "database"
      driver     = "${kind.driver}"
      url        = ${JSON.stringify(url)}
      migrations = ${JSON.stringify(migrations)}
      ${attributes}
    }
    ${flow("store", 'target = "notes"', 'timeout = "5s"')}
    ${flow("keep", 'operation = "UPSERT"\n target = "notes"\n key = "id"', 'timeout = "5s"')}
    ${flow("set", 'operation = "UPDATE"\n target = "notes"\n key = "id"', 'timeout = "2s"')}
    flow "both" {
      timeout = "5s"
      from {
        connector = "ws"
        operation = "both"
      }
      to {
        connector = "db"
        target    = "notes"
        atomic    = true
      }
      to {
        connector = "db"
        target    = "twins"
        atomic    = true
      }
    }
    ${read("count", "SELECT count(*) AS n FROM notes")}
    ${read("sleep", kind.sleep(30), 'timeout = "1s"')}
    ${blocks}
  `;
}

/** A flow for clients with one destination in the database. */
export function flow(operation: string, destination: string, attributes = ""): string {
  return `
    flow "${operation}" {
      ${attributes}
      from {
        connector = "ws"
        operation = "${operation}"
      }
      to {
        connector = "db"
        ${destination}
      }
    }
  `;
}

/** A flow for clients that reads the number `n`. */
export function read(
  operation: string,
  query: string,
  attributes = "",
  connector = "db",
): string {
  return `
    flow "${operation}" {
      ${attributes}
      from {
        connector = "ws"
        operation = "${operation}"
      }
      step "row" {
        connector = "${connector}"
        query     = ${JSON.stringify(query)}
      }
      response {
        n = "step.row.n"
      }
    }
  `;
}

/** The ids of the notes, in order. */
export async function storedIn({ database }: DatabaseScene, table = "notes"): Promise<number[]> {
  const rows = await database.sql(`select id from ${table} order by id`);
  return rows.map(({ id }) => Number(id));
}

/** How many sessions of Weir run a statement. */
export async function running({ kind, server }: DatabaseScene): Promise<number> {
  return Number((await server.sql(kind.running))[0].n);
}

/** Asks for an operation; gives the code of the error, undefined where it was acked. */
export async function ask(client: WebClient, type: string, data: object = {}): Promise<unknown> {
  return codeOf(await client.request({ type, data }));
}

/** The same, and how many milliseconds the answer took. */
export async function timed(
  client: WebClient,
  type: string,
  data: object = {},
): Promise<{ readonly code: unknown; readonly ms: number }> {
  const start = performance.now();
  const code = await ask(client, type, data);
  return { code, ms: performance.now() - start };
}

/** Clients that write numbered notes, each its next one when the former is answered. */
export class Writers {
  readonly acked: number[] = [];
  /** The others, with the code of the error. */
  readonly refused: Map<number, unknown> = new Map();
  #running: Promise<unknown> = Promise.resolve();
  #stopped = false;

  private constructor(clients: readonly WebClient[], operation: string) {
    let next = 1000;
    const write = async (client: WebClient): Promise<void> => {
      while (!this.#stopped) {
        const id = next++;
        const code = await ask(client, operation, { id, text: `note ${id}` });
        if (code === undefined) this.acked.push(id);
        else this.refused.set(id, code);
        await pause(5);
      }
    };
    this.#running = Promise.all(clients.map(write));
    // `stop` tells it.
    this.#running.catch(() => {});
  }

  /** Begins; the first of them has the number 1000. */
  static async start(bench: Bench, operation = "store", count = 6): Promise<Writers> {
    const clients = await Promise.all(Array.from({ length: count }, () => bench.open()));
    return new Writers(clients, operation);
  }

  /** Waits for the last answers. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Every note that was acked is in the database, and nothing that nobody has written. */
  async check(scene: DatabaseScene): Promise<void> {
    const stored = await storedIn(scene);
    const known = new Set(stored);
    assert.deepEqual(this.acked.filter((id) => !known.has(id)), [], "acked, but not stored");
    const written = new Set([...this.acked, ...this.refused.keys()]);
    assert.deepEqual(
      stored.filter((id) => id >= 1000 && !written.has(id)),
      [],
      "stored, but not written",
    );
  }
}
