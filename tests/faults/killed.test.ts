/**
 * What is published to a durable queue while the broker or the server is killed is in both tables, and
 * no client has a hole: a number that it never gets although its connection stays. A number that
 * comes twice is none, and neither is another order after a redelivery.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import process from "node:process";
import { until } from "../support/mq.ts";
import { openStage, type Stage, type Weir } from "../support/process.ts";
import { Broker, brokerTest } from "./broker.ts";
import { runtime } from "./stage.ts";

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";
const MESSAGES = long ? 10_000 : 1_000;
const BROKER_KILLS = long ? 2 : 1;
const SERVER_KILLS = long ? 5 : 2;
const CLIENTS = 20;
/** So many publishers send at once, each its next message when the former is confirmed. */
const LANES = 8;
/** So many numbers more than are in the table are published at most. */
const AHEAD = 200;
/** Milliseconds that all of it may take. */
const PATIENCE = long ? 300_000 : 50_000;
const QUEUE = "numbers";

await killed(
  "broker killed (SIGKILL) during publishes and consumes → every confirmed message survives",
  async (scene) => {
    const { broker, stage, weir } = scene;
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => NumberClient.open(weir.port)),
    );
    // On a busy machine a kill comes late: what is left is published after the last one.
    const limits = { most: 0 };
    const stored = (kill: number) => kill * MESSAGES / (BROKER_KILLS + 1);
    const publishUntil = (kill: number) =>
      limits.most = kill > BROKER_KILLS ? MESSAGES : stored(kill) + AHEAD;
    publishUntil(1);
    const publishing = publishAll(scene, limits);
    for (let kill = 1; kill <= BROKER_KILLS; kill++) {
      await storedAtLeast(stage, stored(kill));
      await broker.kill();
      assert.ok(
        distinct(stage) < MESSAGES - AHEAD,
        "all was published before the broker was killed",
      );
      publishUntil(kill + 1);
      await broker.start();
    }
    const republished = await publishing;
    await allStored(stage, broker);
    await until("all clients have all", () => clients.every(({ missing }) => missing === 0), 20_000)
      .catch(() => assert.deepEqual(clients.map(({ missing }) => missing), clients.map(() => 0)));
    assert.deepEqual(clients.filter(({ closed }) => closed), [], "clients that lost the server");
    for (const client of clients) client.close();
    const twice = clients.reduce((sum, { twice }) => sum + twice, 0);
    report(
      stage,
      `${BROKER_KILLS} kills of the broker, ${republished} published again, ` +
        `${twice / CLIENTS} numbers twice at a client`,
    );
  },
);

await killed(
  "server killed (SIGKILL) at work → duplicates only; SQLite opens clean",
  async (scene) => {
    const { broker, stage, weir } = scene;
    let server = weir;
    const publishing = publishAll(scene);
    for (let kill = 1; kill <= SERVER_KILLS; kill++) {
      await storedAtLeast(stage, kill * MESSAGES / (SERVER_KILLS + 1));
      await server.kill();
      assert.ok(distinct(stage) < MESSAGES, "all was done before the server was killed");
      server = await stage.run(["weir.hcl"]);
    }
    const republished = await publishing;
    await allStored(stage, broker);
    report(stage, `${SERVER_KILLS} kills of the server, ${republished} published again`);
  },
);

/** A broker, a server that consumes from it, and the folder of its database. */
interface Scene {
  readonly broker: Broker;
  readonly stage: Stage;
  readonly weir: Weir;
}

async function killed(entry: string, body: (scene: Scene) => Promise<void>): Promise<void> {
  await brokerTest(`${runtime} serve: ${entry}`, async () => {
    const broker = await Broker.make();
    const stage = await openStage(runtime);
    try {
      await broker.start();
      await mkdir(join(stage.folder, "migrations"));
      await writeFile(
        join(stage.folder, "migrations/001.sql"),
        "CREATE TABLE numbers (n INTEGER); CREATE TABLE twins (n INTEGER);",
      );
      await writeFile(join(stage.folder, "weir.hcl"), configuration(broker.port));
      await body({ broker, stage, weir: await stage.run(["weir.hcl"]) });
    } finally {
      await stage.end();
      await broker.end();
    }
  });
}

function configuration(port: number): string {
  return `
    connector "ws" {
      type = "websocket"
      port = 0
    }
    connector "db" {
      type       = "database"
      driver     = "sqlite"
      database   = "./numbers.db"
      migrations = "./migrations"
    }
    connector "broker" {
      type   = "mq"
      driver = "rabbitmq"
      host   = "127.0.0.1"
      port   = ${port}
      queue {
        name    = "${QUEUE}"
        durable = true
      }
      consumer {
        prefetch = 50
      }
    }
    flow "join" {
      from {
        connector = "ws"
        operation = "join_room"
      }
    }
    flow "numbers" {
      from { connector = "broker" }
      to {
        connector = "db"
        target    = "numbers"
        atomic    = true
      }
      to {
        connector = "db"
        target    = "twins"
        atomic    = true
      }
      to {
        connector = "ws"
        operation = "send_to_room"
        target    = "numbers"
      }
    }
  `;
}

/**
 * Publishes every number until it is confirmed, a little ahead of the table, so that a kill finds
 * publishers at work, and at most `limits.most` of them; returns how often one had to be published
 * again.
 */
async function publishAll(
  { broker, stage }: Scene,
  limits = { most: MESSAGES },
): Promise<number> {
  const end = performance.now() + PATIENCE;
  let stored = 0;
  const watch = setInterval(() => stored = distinct(stage), 20);
  let next = 0;
  let again = 0;
  const lane = async (): Promise<void> => {
    while (next < MESSAGES) {
      const n = next++;
      await until("the table", () => n < Math.min(stored + AHEAD, limits.most), PATIENCE);
      for (;;) {
        try {
          await broker.publish({ routingKey: QUEUE }, { n });
          break;
        } catch (error) {
          if (performance.now() > end) throw error;
          again++;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane)).finally(() => clearInterval(watch));
  return again;
}

function look(stage: Stage, sql: string): number {
  const database = new DatabaseSync(join(stage.folder, "numbers.db"));
  try {
    database.exec("PRAGMA busy_timeout = 5000");
    return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
  } finally {
    database.close();
  }
}

/** Both rows of a transaction are there, or none. */
function distinct(stage: Stage): number {
  assert.equal(
    look(
      stage,
      `SELECT count(*) FROM (SELECT n, sum(side) AS sum FROM
         (SELECT n, 1 AS side FROM numbers UNION ALL SELECT n, -1 FROM twins) GROUP BY n)
       WHERE sum <> 0`,
    ),
    0,
    "numbers with one row of two",
  );
  return look(stage, "SELECT count(DISTINCT n) FROM numbers");
}

async function storedAtLeast(stage: Stage, count: number): Promise<void> {
  await until(`${count} numbers`, () => distinct(stage) >= count, PATIENCE);
}

/** Every number is in the table, and nothing waits. */
async function allStored(stage: Stage, broker: Broker): Promise<void> {
  await until("all numbers", () => distinct(stage) === MESSAGES, PATIENCE)
    .catch(() => assert.equal(distinct(stage), MESSAGES));
  assert.equal(
    look(stage, "SELECT min(n) = 0 AND max(n) = " + (MESSAGES - 1) + " FROM numbers"),
    1,
  );
  assert.equal(
    look(stage, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
    1,
  );
  await until("an empty queue", async () => await broker.count(QUEUE) === 0);
}

function report(stage: Stage, what: string): void {
  const twice = look(stage, "SELECT count(*) - count(DISTINCT n) FROM numbers");
  console.log(`${MESSAGES} messages, ${what}, ${twice} stored twice, none lost`);
}

/** A member of the room, and the numbers that it has got. */
class NumberClient {
  readonly #socket: WebSocket;
  readonly #got = new Set<number>();
  twice = 0;
  closed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("close", () => this.closed = true);
    socket.addEventListener("message", ({ data: text }) => {
      const { type, data } = JSON.parse(text);
      if (type !== "message") return;
      if (this.#got.has(data.n)) this.twice++;
      this.#got.add(data.n);
    });
  }

  /** Resolves when it is in the room. */
  static async open(port: number): Promise<NumberClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    const client = new NumberClient(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener("error", reject);
      socket.addEventListener(
        "open",
        () => socket.send('{"type":"join_room","room":"numbers","id":1}'),
      );
      socket.addEventListener("message", resolve, { once: true });
    });
    return client;
  }

  /** How many numbers it has not got. */
  get missing(): number {
    return MESSAGES - this.#got.size;
  }

  close(): void {
    this.#socket.close();
  }
}
