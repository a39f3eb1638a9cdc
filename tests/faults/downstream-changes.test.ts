/**
 * The entries of "Downstream" about changes of a PostgreSQL database as a source: rows that somebody
 * else inserts while the database and Weir are killed. `WEIR_TEST_LONG` makes them 10 000.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import process from "node:process";
import { openStage, type Stage, type Weir } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { postgres, type TestDatabase, type TestServer, USER } from "./database-kinds.ts";
import { pause, until } from "./downstream.ts";
import { runtime } from "./stage.ts";

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";
/** The record of each row is one commit of SQLite: they cost more than what they test. */
const ROWS = long ? 10_000 : 1_000;
/** So many rows are inserted in one transaction. */
const TOGETHER = 5;
/** So many more than have come are inserted, at most twice as many. */
const AHEAD = 50;
/** Milliseconds that all of it may take. */
const PATIENCE = long ? 300_000 : 50_000;
/** How long a server that was killed stays away, in milliseconds. */
const AWAY = 300;
/** Within so many milliseconds another instance takes over. */
const TAKEOVER = 10_000;

await changesTest(
  "killed twice (SIGKILL) and Weir once while somebody else inserts rows → every committed row comes at least once, in the order of the commits from wherever it begins again",
  async (scene) => {
    const { server, stage } = scene;
    let weir = await start(scene, "one");
    const rows = new Rows(scene);
    scene.onEnd(() => rows.stop());
    const kills: readonly (() => Promise<void>)[] = [
      () => restart(server),
      async () => {
        await weir.kill();
        weir = await stage.run(["one.hcl"]);
      },
      () => restart(server),
    ];
    for (const [index, kill] of kills.entries()) {
      const part = ROWS * (index + 1) / (kills.length + 1);
      // On a busy machine the kill may come late, and must still find rows to insert.
      rows.limit = part + 3 * AHEAD;
      await until(`${part} rows`, () => different(stage) >= part, PATIENCE);
      assert.ok(rows.committed < ROWS, "all was inserted before the kill");
      await kill();
    }
    rows.limit = ROWS;
    await rows.done;
    await until("all rows", () => different(stage) === ROWS, PATIENCE)
      .catch(() => assert.equal(different(stage), ROWS));
    const numbers = seen(stage, "one");
    assertInOrder(numbers);
    console.log(`${ROWS} rows, ${numbers.length - ROWS} delivered again, none lost`);
  },
);

await changesTest(
  "→ the instance that reads is killed (SIGKILL): another one goes on within ten seconds, and no row is lost",
  async (scene) => {
    const { stage, database } = scene;
    const first = await start(scene, "one");
    await database.sql("insert into numbers values (0)");
    await until("the first row", () => seen(stage, "one").length === 1);
    await start(scene, "two");
    for (let n = 1; n < 20; n++) await database.sql(`insert into numbers values (${n})`);
    await until("some rows", () => seen(stage, "one").length >= 10);
    assert.deepEqual(seen(stage, "two"), []);
    await first.kill();
    const killed = performance.now();
    await database.sql("insert into numbers values (20)");
    await until("the other one reads", () => seen(stage, "two").includes(20), TAKEOVER);
    const all = new Set([...seen(stage, "one"), ...seen(stage, "two")]);
    assert.deepEqual([...all].sort((a, b) => a - b), Array.from({ length: 21 }, (_, n) => n));
    assertInOrder(seen(stage, "two"), all.size);
    console.log(`taken over after ${Math.round(performance.now() - killed)} ms`);
  },
);

await changesTest(
  "→ the slot is dropped: the log says that changes are missing, and what is inserted later comes",
  async (scene) => {
    const { server, stage, database } = scene;
    const weir = await start(scene, "one");
    await database.sql("insert into numbers values (1)");
    await until("the first row", () => seen(stage, "one").length === 1);
    // Nobody can drop it while it is used.
    await until("it is dropped", async () => {
      await server.sql(
        "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = 'weir_test'",
      );
      return await database.sql("select pg_drop_replication_slot('weir_test')")
        .then(() => true, () => false);
    });
    await until("it says so", () => /changes are missing: the slot was dropped/.test(weir.output));
    let n = 2;
    await until("later rows come", async () => {
      await database.sql(`insert into numbers values (${n++})`);
      await pause(100);
      return seen(stage, "one").some((row) => row > 1);
    });
    assertInOrder(seen(stage, "one"), n);
  },
);

/** A server of the test's own, a database with the table `numbers`, and a place for Weir. */
interface Scene {
  readonly server: TestServer;
  readonly database: TestDatabase;
  readonly stage: Stage;
  /** Called at the end, whatever has failed. */
  onEnd(end: () => Promise<void>): void;
}

async function changesTest(entry: string, body: (scene: Scene) => Promise<void>): Promise<void> {
  const title = `${runtime} serve: changes of PostgreSQL ${entry}`;
  await serviceTest("postgres-server", title, async () => {
    const server = await postgres.open({ fsync: true });
    const stage = await openStage(runtime);
    const ends: (() => Promise<void>)[] = [];
    try {
      await postgres.withDatabase(server, async (database) => {
        try {
          await database.sql("create table numbers (n int primary key)");
          // Only the owner may publish a table.
          await database.sql(`alter table numbers owner to ${USER}`);
          await database.sql(`grant create on database ${database.name} to ${USER}`);
          await body({ server, database, stage, onEnd: (end) => ends.push(end) });
          stage.assertSound();
        } finally {
          for (const end of ends) await end();
          await stage.end();
          await server.start();
          // A database with a slot cannot be dropped.
          await database.sql("select pg_drop_replication_slot('weir_test')").catch(() => {});
        }
      });
    } finally {
      await server.end();
    }
  });
}

/** Starts an instance, which records what it gets in a file of its own. */
async function start({ stage, database }: Scene, name: string): Promise<Weir> {
  await mkdir(join(stage.folder, "migrations"), { recursive: true });
  await writeFile(
    join(stage.folder, "migrations/001.sql"),
    "CREATE TABLE seen (place INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER);",
  );
  await writeFile(
    join(stage.folder, `${name}.hcl`),
    `connector "pg" {
       type   = "database"
       driver = "postgres"
       url    = ${JSON.stringify(database.url)}
       changes {
         slot        = "weir_test"
         publication = "weir_test"
       }
     }
     connector "record" {
       type       = "database"
       driver     = "sqlite"
       database   = "./${name}.db"
       migrations = "./migrations"
     }
     flow "record" {
       from {
         connector = "pg"
         operation = "INSERT numbers"
       }
       to {
         connector = "record"
         target    = "seen"
         transform {
           n = "input.n"
         }
       }
     }`,
  );
  return await stage.run([`${name}.hcl`]);
}

async function restart(server: TestServer): Promise<void> {
  await server.kill();
  await pause(AWAY);
  await server.start();
}

/** The numbers that an instance has got, in the order in which it got them. */
function seen({ folder }: Stage, name: string): number[] {
  const database = new DatabaseSync(join(folder, `${name}.db`));
  try {
    database.exec("PRAGMA busy_timeout = 5000");
    const rows = database.prepare("SELECT n FROM seen ORDER BY place").all();
    return rows.map(({ n }) => Number(n));
  } finally {
    database.close();
  }
}

/** How many of the numbers have come to the instance "one". */
function different(stage: Stage): number {
  return new Set(seen(stage, "one")).size;
}

/** Each number follows the one before it, unless it was delivered before. None is left out. */
function assertInOrder(numbers: readonly number[], known = 0): void {
  let highest = known - 1;
  numbers.forEach((n, place) => {
    const follows = n === numbers[place - 1] + 1;
    assert.ok(follows || n <= highest || place === 0, `${n} after ${numbers[place - 1]}`);
    highest = Math.max(highest, n);
  });
}

/** Rows that are inserted in order, and again where it is not known whether they were committed. */
class Rows {
  committed = 0;
  /** The most rows that are inserted before the next kill. */
  limit = AHEAD;
  /** Settles once all are committed. */
  readonly done: Promise<void>;
  #stopped = false;

  constructor({ database, stage }: Scene) {
    const end = performance.now() + PATIENCE;
    this.done = (async () => {
      while (this.committed < ROWS && !this.#stopped) {
        const first = this.committed;
        try {
          await database.sql(
            `insert into numbers select generate_series(${first}, ${first + TOGETHER - 1})
               on conflict do nothing`,
          );
          this.committed += TOGETHER;
        } catch (error) {
          if (performance.now() > end) throw error;
          await pause(50);
        }
        await until(
          "the limit",
          () => this.#stopped || this.committed < this.limit || this.limit === ROWS,
          PATIENCE,
        );
        // A little ahead of the reader, so that a kill finds both at work.
        if (this.committed % AHEAD === 0) {
          await until(
            "the reader",
            () => this.#stopped || different(stage) >= this.committed - AHEAD,
            PATIENCE,
          );
        }
      }
    })();
    // Whoever waits for it is told.
    this.done.catch(() => {});
  }

  /** Inserts no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.done.catch(() => {});
  }
}
