/**
 * Runs a fault of what Weir depends on against a server of the runtime that runs the tests, while
 * somebody who has nothing to do with it gets messages: each of them once, in order. Afterwards
 * timers and descriptors are where they were.
 */
import { configureSync } from "@logtape/logtape";
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { until } from "../support/mq.ts";
import { hosts, type RunningHost } from "../support/socket-hosts.ts";
import { pause, Probe } from "../support/socket-probe.ts";
import { type Frame, WebClient } from "../support/web-client.ts";
import { Broker, brokerTest } from "./broker.ts";
import { runtime } from "./stage.ts";
import { TimerLedger, uncounted } from "./timers.ts";

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

/** Registers an entry that needs a broker: the file's own, which runs when `body` begins. */
export async function downstreamOfBroker(
  entry: string,
  body: (bench: Bench, broker: Broker) => Promise<void>,
): Promise<void> {
  await brokerTest(`${runtime} serve: ${entry}`, async () => {
    const broker = await (shared ??= Broker.make());
    await broker.ensure();
    await onBench((bench) => {
      bench.onEnd(() => broker.release());
      return body(bench, broker);
    });
  });
}

async function onBench(body: Body): Promise<void> {
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

/** A line of the server's log. */
export interface LogLine {
  readonly level: string;
  readonly text: string;
}

/** What one test works with. */
export class Bench {
  /** A folder of this test alone. */
  readonly folder: string;
  /** Names for exchanges and queues that nobody else uses. */
  readonly id: string = `weir-${crypto.randomUUID().slice(0, 8)}`;
  readonly probe: Probe = new Probe();
  /** All that the server has logged. */
  readonly log: LogLine[] = [];
  readonly #timers = new TimerLedger();
  readonly #ends: (() => unknown)[] = [];
  readonly #clients: WebClient[] = [];
  #running: RunningHost | undefined;
  #bystander: WebClient | undefined;
  #talking: ReturnType<typeof setInterval> | undefined;
  #sent = 0;
  #descriptors = 0;

  constructor(folder: string) {
    this.folder = folder;
    configureSync({
      reset: true,
      sinks: {
        log: ({ level, message }) =>
          void this.log.push({ level, text: message.map(String).join("") }),
      },
      loggers: [
        { category: ["weir"], lowestLevel: "info", sinks: ["log"] },
        { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["log"] },
      ],
    });
  }

  get running(): RunningHost {
    assert.ok(this.#running, "`serve` comes first");
    return this.#running;
  }

  /** The address of a path, such as `/health/ready`. */
  url(path: string): string {
    return `http://127.0.0.1:${this.running.port}${path}`;
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
    this.#descriptors = await descriptors();
    const { connectors } = this.probe;
    this.#running = await hosts[0].start(base + blocks, { connectors });
    const bystander = await this.open();
    await bystander.request({ type: "join_room", room: ROOM });
    this.#bystander = bystander;
    this.#talking = uncounted.setInterval(() => {
      void this.running.runtime.sendToRoom(ROOM, { n: this.#sent++ });
    }, EVERY);
  }

  /** A client. */
  async open(): Promise<WebClient> {
    const client = await WebClient.open(`ws://127.0.0.1:${this.running.port}/ws`);
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
  counts(connector: string): Readonly<Record<string, number>> {
    return this.running.runtime.counts()[connector];
  }

  /** Called at the end, the last one first. */
  onEnd(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** Others were served all the while, and nothing is left. */
  async check(): Promise<void> {
    if (this.#running === undefined) return;
    uncounted.clearInterval(this.#talking);
    for (let n = 0; n < this.#sent; n++) {
      assert.deepEqual(await this.#bystander?.message(), { n });
    }
    await this.#close();
    const left = () => this.#timers.pending().filter((timer) => !isOfHttpClient(timer));
    await until("timers", () => left().length === 0, 5000).catch(() => {
      assert.deepEqual(left(), [], "timers that are left");
    });
    const count = this.#descriptors;
    // `fetch` keeps connections for a while.
    await until("descriptors", async () => await descriptors() <= count, 15_000);
  }

  /** Ends everything, whatever has failed. */
  async end(): Promise<void> {
    try {
      await this.#close();
    } finally {
      this.#timers.stop();
      await rm(this.folder, { recursive: true });
    }
  }

  async #close(): Promise<void> {
    uncounted.clearInterval(this.#talking);
    this.probe.releaseAll();
    for (const client of this.#clients) client.close();
    await Promise.all(this.#clients.map(({ closed }) => closed));
    const running = this.#running;
    this.#running = undefined;
    await running?.close();
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

/** The error code of an answer; undefined where it is an ack. */
export function codeOf(answer: Frame): unknown {
  return answer.type === "ack" ? undefined : answer.code;
}

export { pause, until };

function isOfHttpClient(timer: string): boolean {
  return /undici|node:internal|ext:deno/.test(timer);
}

async function descriptors(): Promise<number> {
  return (await readdir("/dev/fd")).length;
}
