/**
 * Runs a fault of what Weir depends on against a server in a process of its own, while a client that
 * has nothing to do with it gets messages: each of them once, in order. Afterwards timers and
 * descriptors are where they were, and the process has written no uncaught error.
 */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Counts } from "../../src/runtime/mod.ts";
import { until } from "../support/mq.ts";
import { pause } from "../support/socket-probe.ts";
import { type Frame, WebClient } from "../support/web-client.ts";
import { Broker, brokerTest } from "./broker.ts";
import { parsers } from "./hosts.ts";
import { message } from "./listener.ts";
import type { LogLine } from "./server/functions.ts";
import { type RemoteProbe, RemoteServer } from "./server/remote.ts";
import { runtime } from "./stage.ts";
import { within } from "./within.ts";

/** A message to the bystander every so many milliseconds. */
const EVERY = 20;
const ROOM = "everybody";

/** One test. */
export type Body = (bench: Bench) => Promise<void>;

/** Registers an entry of "Downstream" that needs no broker. */
export function downstream(entry: string, body: Body): void {
  test(`${runtime} serve: ${entry}`, async () => await onBench(body));
}

let shared: Promise<Broker> | undefined;
after(async () => await (await shared)?.end());

/** The node of the file's own, which runs. */
export async function sharedBroker(): Promise<Broker> {
  const broker = await (shared ??= Broker.make());
  await broker.ensure();
  return broker;
}

/** Registers an entry that needs a broker: the file's own, which runs when `body` begins. */
export async function downstreamOfBroker(
  entry: string,
  body: (bench: Bench, broker: Broker) => Promise<void>,
): Promise<void> {
  await brokerTest(`${runtime} serve: ${entry}`, async () => {
    const broker = await sharedBroker();
    await onBench((bench) => {
      bench.onEnd(() => broker.release());
      return body(bench, broker);
    });
  });
}

/** Runs a body with a bench of its own, and checks afterwards what every entry demands. */
export async function onBench(body: Body): Promise<void> {
  const bench = new Bench(await mkdtemp(join(tmpdir(), "weir-downstream-")));
  try {
    await body(bench);
    await bench.check();
  } finally {
    await bench.end();
  }
}

/** What the connectors of every test stand beside, and what the bystander needs. */
const base = `
  connector "ws" {
    type          = "websocket"
    port          = 0
    ping_interval = "1s"
    pong_timeout  = "1s"
  }
  connector "api" {
    type = "rest"
    port = 0
  }
  connector "probe" {
    type = "probe"
  }
  flow "join" {
    from {
      connector = "ws"
      operation = "join_room"
    }
  }
`;

/** What one test works with. */
export class Bench {
  /** A folder of this test alone. */
  readonly folder: string;
  /** Names for exchanges and queues that nobody else uses. */
  readonly id: string = `weir-${crypto.randomUUID().slice(0, 8)}`;
  readonly #ends: (() => unknown)[] = [];
  readonly #clients: WebClient[] = [];
  #server: RemoteServer | undefined;
  #bystander: WebClient | undefined;
  #descriptors = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  get server(): RemoteServer {
    assert.ok(this.#server, "`serve` comes first");
    return this.#server;
  }

  get port(): number {
    return this.server.port;
  }

  get probe(): RemoteProbe {
    return this.server.probe;
  }

  /** The lines of the server's log that match, of one level or of all. */
  async logged(pattern: RegExp, level?: string): Promise<readonly LogLine[]> {
    return (await this.server.log()).filter((line) =>
      pattern.test(line.text) && (level === undefined || line.level === level)
    );
  }

  /** The address of a path, such as `/health/ready`. */
  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The SQLite file of `database`. */
  get file(): string {
    return join(this.folder, "test.db");
  }

  /** A connector "db" whose migration is `schema`. */
  async database(schema: string): Promise<string> {
    const migrations = join(this.folder, "migrations");
    await mkdir(migrations);
    await writeFile(join(migrations, "001.sql"), schema);
    return `
      connector "db" {
        type       = "database"
        driver     = "sqlite"
        database   = ${JSON.stringify(this.file)}
        migrations = ${JSON.stringify(migrations)}
      }
    `;
  }

  /** A connector at a broker, with an exchange of its own and more blocks. */
  mq(name: string, port: number, blocks = ""): string {
    return `
      connector "${name}" {
        type   = "mq"
        driver = "rabbitmq"
        host   = "127.0.0.1"
        port   = ${port}
        exchange {
          name    = "${this.id}"
          type    = "topic"
          durable = true
        }
        ${blocks}
      }
    `;
  }

  /** The block of a named, durable queue. */
  get queue(): string {
    return `
      queue {
        name    = "${this.id}"
        durable = true
      }
    `;
  }

  /** Starts the server with these blocks beside the usual ones, and the bystander. */
  async serve(blocks: string): Promise<void> {
    this.#descriptors = await RemoteServer.idleDescriptors(parsers[0]);
    this.#server = await RemoteServer.start(parsers[0], base + blocks);
    const bystander = await this.open();
    await bystander.request({ type: "join_room", room: ROOM });
    this.#bystander = bystander;
    await this.server.remote.talk(ROOM, EVERY);
  }

  /** A client. */
  async open(): Promise<WebClient> {
    const client = await WebClient.open(`ws://127.0.0.1:${this.port}/ws`);
    this.#clients.push(client);
    return client;
  }

  /** What `/health/ready` says: the status, and the connectors that are in trouble. */
  async ready(): Promise<{ readonly status: number; readonly troubles: readonly string[] }> {
    const response = await fetch(this.url("/health/ready"));
    const body = await response.json();
    return { status: response.status, troubles: body.connectors ?? [] };
  }

  /** Waits until `/health/ready` is good. */
  async recovered(limit = 30_000): Promise<void> {
    await until("health", async () => (await this.ready()).status === 200, limit);
  }

  /** A connector's numbers. */
  async counts(connector: string): Promise<Counts[string]> {
    return (await this.server.counts())[connector];
  }

  /** Called at the end, the last one first. */
  onEnd(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** Others were served all the while, and nothing is left. */
  async check(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const sent = await server.remote.quiet();
    for (let n = 0; n < sent; n++) {
      assert.deepEqual(await this.#bystander?.message(), message(n));
    }
    await this.#close();
    let timers: readonly string[] = [];
    const look = async (): Promise<number> => (timers = (await server.held()).timers).length;
    await within("timers", look, 0, () => timers);
    const most = this.#descriptors;
    let descriptors: readonly string[] = [];
    const count = async (): Promise<number> => {
      ({ descriptors } = await server.held());
      return Math.max(most, descriptors.length);
    };
    await within("descriptors", count, most, () => descriptors);
  }

  /** Ends everything, whatever has failed. */
  async end(): Promise<void> {
    try {
      await this.#close();
    } finally {
      await rm(this.folder, { recursive: true });
    }
  }

  async #close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#clients.map(({ closed }) => closed));
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

/** The error code of an answer; undefined where it is an ack. */
export function codeOf(answer: Frame): unknown {
  return answer.type === "ack" ? undefined : answer.code;
}

export { pause, until };
