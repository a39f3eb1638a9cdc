/**
 * Numbers that go through each source that keeps messages, while its server is killed twice and Weir
 * once: every one that was acknowledged is in the table, and every one that cannot be handled is a
 * dead letter. `WEIR_TEST_LONG` makes them 10 000.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import process from "node:process";
import { test } from "node:test";
import type { OwnServer } from "../support/own-server.ts";
import { openStage, type Stage, type Weir } from "../support/process.ts";
import { pause, until } from "./downstream.ts";
import { type Kind, type Peer, type ServerKind, settled } from "./messaging/kind.ts";
import { shared } from "./messaging/mqtt.ts";
import { jetStream } from "./messaging/nats.ts";
import { classic, quorum } from "./messaging/rabbitmq.ts";
import { streams } from "./messaging/redis.ts";
import { installed, titlesOf } from "./messaging/scene.ts";
import { runtime } from "./stage.ts";

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";
const NUMBERS = long ? 10_000 : 1_000;
/** One of so many cannot be handled. */
const POISON = 50;
/** So many publishers send at once, each its next number when the former is acknowledged. */
const LANES = 8;
/** So many numbers more than are in the table are published at most, and than are when something is killed. */
const AHEAD = 150;
/** Milliseconds that all of it may take. */
const PATIENCE = long ? 300_000 : 50_000;
/** How long a server that was killed stays away, in milliseconds. */
const AWAY = 300;

/** RabbitMQ takes as long to start again as all of the others need for everything. */
const groups: readonly (readonly Kind[])[] = [[classic, quorum], [streams, jetStream, shared]];

for (const group of groups) {
  const kinds = await installed(group, "numbers");
  if (kinds.length === 0) continue;
  test(
    `${runtime} serve: numbers published to ${
      titlesOf(kinds)
    } while the servers are killed twice (SIGKILL) and Weir once → every acknowledged one is stored, every one that cannot be handled is a dead letter`,
    () => numbered(kinds),
  );
}

async function numbered(kinds: readonly Kind[]): Promise<void> {
  const servers = new Map<ServerKind, OwnServer>();
  const stage = await openStage(runtime);
  const sources: Source[] = [];
  try {
    for (const kind of kinds) {
      const server = servers.get(kind.server) ?? await kind.server.open();
      servers.set(kind.server, server);
      sources.push(new Source(kind, server, stage));
    }
    await configure(stage, sources);
    let weir = await stage.run(["weir.hcl"]);
    const publishing = Promise.all(sources.map((source) => source.publishAll()));
    // It is told below.
    publishing.catch(() => {});
    await past(sources, 0.25);
    await killServers(sources, weir);
    await past(sources, 0.5);
    await weir.kill();
    weir = await stage.run(["weir.hcl"]);
    await past(sources, 0.75);
    for (const source of sources) source.limit = NUMBERS;
    await killServers(sources, weir);
    await publishing;
    for (const source of sources) await source.check();
    stage.assertSound();
  } finally {
    await Promise.all(sources.map((source) => source.stop()));
    await stage.end();
    for (const [kind, server] of servers) if (!kind.shared) await server.end();
  }
}

/** Waits until each has stored a part of its numbers; more are on their way. */
async function past(sources: readonly Source[], part: number): Promise<void> {
  for (const source of sources) source.limit = part * NUMBERS + AHEAD;
  await until(
    `${part} of the numbers`,
    () => sources.every((source) => source.stored >= part * NUMBERS),
    PATIENCE,
  );
}

async function killServers(sources: readonly Source[], weir: Weir): Promise<void> {
  const servers = new Set(sources.map(({ server }) => server));
  await Promise.all([...servers].map(async (server) => {
    const published = sources.filter((source) => source.server === server);
    const [{ kind: { settle, forgets } }] = published;
    if (settle !== undefined) {
      for (const source of published) await source.hold();
      await settle(server);
    }
    await server.kill();
    if (!forgets) { for (const source of published) source.goOn(); }
    await pause(AWAY);
    await server.start();
  }));
  await until("Weir", async () => {
    return (await fetch(`http://127.0.0.1:${weir.port}/health/ready`)).status === 200;
  }, PATIENCE);
  for (const source of sources) source.goOn();
}

/** The numbers of one kind. */
class Source {
  readonly kind: Kind;
  readonly server: OwnServer;
  /** Numbers below it may be published. */
  limit = 0;
  /** How often one had to be published again. */
  #again = 0;
  readonly #stage: Stage;
  #peer: Promise<Peer> | undefined;
  #atWork = 0;
  #held = false;
  #stopped = false;

  constructor(kind: Kind, server: OwnServer, stage: Stage) {
    this.kind = kind;
    this.server = server;
    this.#stage = stage;
  }

  get id(): string {
    return `weir-${this.kind.name}`;
  }

  /** How many different numbers are in the table, or among the dead. */
  get stored(): number {
    return this.#look("SELECT count(DISTINCT n) FROM numbers WHERE source = ?") * POISON /
      (POISON - 1);
  }

  /** Publishes each number until it is acknowledged. */
  async publishAll(): Promise<void> {
    const end = performance.now() + PATIENCE;
    let next = 0;
    let stored = 0;
    const watch = setInterval(() => stored = this.stored, 20);
    const lane = async (): Promise<void> => {
      while (next < NUMBERS && !this.#stopped) {
        const n = next++;
        const mayGo = () =>
          this.#stopped || (n < Math.min(stored + AHEAD, this.limit) && !this.#held);
        await until("the table", mayGo, PATIENCE);
        this.#atWork++;
        while (!this.#stopped && !await this.#publish(n)) {
          if (performance.now() > end) throw new Error(`${this.id} takes no number ${n}`);
          this.#again++;
          await pause(50);
        }
        this.#atWork--;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane)).finally(() => clearInterval(watch));
  }

  /** Publishes no more for now; resolves when nothing is on its way. */
  async hold(): Promise<void> {
    this.#held = true;
    await until("publishers", () => this.#atWork === 0);
  }

  goOn(): void {
    this.#held = false;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#leave();
  }

  /** Nothing is missing, and nothing waits. */
  async check(): Promise<void> {
    const good = NUMBERS - Math.ceil(NUMBERS / POISON);
    const distinct = () => this.#look("SELECT count(DISTINCT n) FROM numbers WHERE source = ?");
    await until(`${this.id}: all numbers`, () => distinct() === good, PATIENCE)
      .catch(() => assert.equal(distinct(), good));
    // The former one may not know yet that its server was killed.
    await this.#leave();
    const peer = await this.#connect();
    const dead = new Set<unknown>();
    await until(`${this.id}: the dead letters`, async () => {
      for (const { body } of await peer.letters()) dead.add((body as { n: unknown }).n);
      return dead.size >= NUMBERS - good;
    });
    assert.deepEqual(
      [...dead].sort(),
      Array.from({ length: NUMBERS - good }, (_, index) => poison(index * POISON)).sort(),
    );
    await settled(peer);
    const twice = this.#look("SELECT count(*) - count(DISTINCT n) FROM numbers WHERE source = ?");
    console.log(
      `${this.kind.title}: ${NUMBERS} numbers, ${this.#again} published again, ` +
        `${twice} stored twice, none lost`,
    );
  }

  async #publish(n: number): Promise<boolean> {
    try {
      const peer = await this.#connect();
      const body = n % POISON === 0 ? { n: poison(n) } : { n };
      await peer.publish(this.kind.key(this.id, "in"), body);
      return true;
    } catch {
      await this.#leave();
      return false;
    }
  }

  #connect(): Promise<Peer> {
    return this.#peer ??= this.kind.connect(this.server, this.id);
  }

  async #leave(): Promise<void> {
    const peer = this.#peer;
    this.#peer = undefined;
    await peer?.then((found) => found.close()).catch(() => {});
  }

  #look(sql: string): number {
    const database = new DatabaseSync(join(this.#stage.folder, "numbers.db"));
    try {
      database.exec("PRAGMA busy_timeout = 5000");
      return Number(Object.values(database.prepare(sql).get(this.kind.name) ?? {})[0]);
    } finally {
      database.close();
    }
  }
}

function poison(n: number): string {
  return `poison ${n}`;
}

async function configure({ folder }: Stage, sources: readonly Source[]): Promise<void> {
  await mkdir(join(folder, "migrations"));
  await writeFile(
    join(folder, "migrations/001.sql"),
    "CREATE TABLE numbers (source TEXT, n INTEGER); CREATE INDEX sources ON numbers (source, n);",
  );
  const blocks = sources.map(({ kind, id, server: { port } }) => {
    const dlq = { retries: 2, delay: "100ms" };
    return kind.connector({ id, port, consumes: true, prefetch: 50, dlq }) + `
    flow "store ${kind.name}" {
      from {
        connector = "${kind.name}"
        operation = ${JSON.stringify(kind.operation?.(id, "in") ?? kind.key(id, "in"))}
      }
      validate {
        input = "good"
      }
      to {
        connector = "db"
        target    = "numbers"
        transform {
          source = "'${kind.name}'"
          n      = "input.n"
        }
      }
    }
  `;
  });
  await writeFile(
    join(folder, "weir.hcl"),
    `type "good" {
       n = number()
     }
     connector "api" {
       type = "rest"
       port = 0
     }
     connector "db" {
       type       = "database"
       driver     = "sqlite"
       database   = "./numbers.db"
       migrations = "./migrations"
     }
     ${blocks.join("\n")}`,
  );
}
