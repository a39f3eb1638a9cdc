/** The entries of "Workers" in the list of faults: one of several processes of a service. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { until } from "../support/mq.ts";
import type { Stage, Weir } from "../support/process.ts";
import type { SocketClient } from "../support/socket-client.ts";
import { pause } from "../support/socket-probe.ts";
import { rowsOf } from "../support/talk.ts";
import { openCrowd } from "../support/team.ts";
import { childrenOf, gone } from "../support/workers.ts";
import { processFault } from "./stage.ts";

const GOODBYE = { code: 1001, reason: "the server is shutting down" };

/** Logs much, and has a flow that answers. */
const TALK = `
  service {
    shutdown_spread = "1s"
  }
  connector "ws" {
    type = "websocket"
    port = 0
  }
  flow "who" {
    from {
      connector = "ws"
      operation = "message"
    }
    response { id = "client.id" }
  }
  flow "gone" {
    from {
      connector = "ws"
      operation = "disconnect"
    }
    to {
      connector = "ws"
      operation = "send_to_room"
      target    = "'nobody'"
    }
  }
`;

/** Answers with what its configuration has read, and stores what clients send. */
const FROZEN = `
  constants {
    motto = file("motto.txt")
  }
  connector "ws" {
    type = "websocket"
    port = 0
  }
  connector "db" {
    type       = "database"
    driver     = "sqlite"
    database   = "./notes.db"
    migrations = "./migrations"
  }
  flow "say" {
    from {
      connector = "ws"
      operation = "message"
    }
    transform { text = "input.text" }
    to {
      connector = "db"
      target    = "notes"
    }
    response { motto = "constants.motto" }
  }
`;

/** Two schedules, each of which is due every second. */
const SCHEDULES = `
  connector "db" {
    type       = "database"
    driver     = "sqlite"
    database   = "./ticks.db"
    migrations = "./migrations"
  }
  flow "by_calendar" {
    when = "* * * * * *"
    transform { scheduled_at = "input.scheduled_at" }
    to {
      connector = "db"
      target    = "calendar"
    }
  }
  flow "by_interval" {
    when = "@every 1s"
    transform { scheduled_at = "input.scheduled_at" }
    to {
      connector = "db"
      target    = "interval"
    }
  }
`;

/** A service of two workers. */
async function startTalk(stage: Stage, ...args: readonly string[]): Promise<Weir> {
  const file = join(stage.folder, "talk.hcl");
  await writeFile(file, TALK);
  return await stage.run([file, "--workers", "2", ...args]);
}

/** There is a run for every second, for at most one of them two, and they are in order. */
function assertComplete(times: readonly number[]): void {
  const message = times.map((time) => time - times[0]).join(" ");
  const gaps = times.slice(1).map((time, index) => time - times[index]);
  // A message from one process to another takes a few milliseconds.
  const isSecond = (gap: number): boolean => Math.abs(gap - 1_000) < 250;
  const others = gaps.filter((gap) => !isSecond(gap));
  assert.ok(others.length <= 1 && others.every((gap) => Math.abs(gap) < 250), message);
}

/** A service that runs schedules, and serves. */
class Timekeeper {
  readonly weir: Weir;
  readonly #database: string;

  private constructor(weir: Weir, database: string) {
    this.weir = weir;
    this.#database = database;
  }

  /** Starts it, and waits for a few runs. */
  static async start(stage: Stage): Promise<Timekeeper> {
    const folder = join(stage.folder, "clock");
    await mkdir(join(folder, "migrations"), { recursive: true });
    const columns = "(id INTEGER PRIMARY KEY, scheduled_at TEXT)";
    const tables = ["calendar", "interval"].map((table) => `CREATE TABLE ${table} ${columns};`);
    await writeFile(join(folder, "migrations/1.sql"), tables.join("\n"));
    await writeFile(join(folder, "ticks.hcl"), SCHEDULES);
    await writeFile(join(folder, "talk.hcl"), TALK);
    const weir = await stage.run([folder, "--workers", "2"]);
    const keeper = new Timekeeper(weir, join(folder, "ticks.db"));
    await until("a few runs", () => keeper.#timesOf("interval").length >= 2);
    return keeper;
  }

  /** Ends it: every time had its run. */
  async finish(): Promise<void> {
    await end(this.weir);
    for (const table of ["calendar", "interval"]) assertComplete(this.#timesOf(table));
  }

  #timesOf(table: string): number[] {
    const rows = rowsOf(this.#database, table);
    return rows.map(({ scheduled_at }) => Date.parse(String(scheduled_at)));
  }
}

/** Each client gets an answer. */
async function assertServed(clients: readonly SocketClient[]): Promise<void> {
  for (const client of clients) client.say({ type: "message", data: {}, id: 1 });
  for (const client of clients) assert.equal((await client.hear()).type, "ack");
}

async function end(weir: Weir): Promise<void> {
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
}

async function replaced(weir: Weir, victim: number): Promise<void> {
  const { clients, owners } = await openCrowd({ weir }, 8);
  process.kill(victim, "SIGSTOP");
  const startedAt = performance.now();
  await until("it is ended", () => /has not responded for 10 seconds/.test(weir.stderr), 20_000)
    .catch((error) => {
      // Else it stays behind when the test fails, and the outputs that it shares stay open.
      process.kill(victim, "SIGKILL");
      throw error;
    });
  const waited = performance.now() - startedAt;
  assert.ok(waited > 9_000, `it was ended after ${waited} ms`);
  const its = clients.filter((_, index) => owners[index] === victim);
  await Promise.all(its.map((client) => client.finish()));
  // Before that, connections may still wait at its listener.
  await until("its end", () => / ended \(signal SIGKILL\)/.test(weir.stderr));
  await gone(victim);
  // They find both workers again.
  const { clients: again } = await openCrowd({ weir }, 8);
  await assertServed([...clients.filter((client) => !its.includes(client)), ...again]);
}

async function kept(weir: Weir): Promise<void> {
  const { clients, owners } = await openCrowd({ weir }, 8);
  const [victim] = owners;
  process.kill(victim, "SIGSTOP");
  await pause(8_000);
  process.kill(victim, "SIGCONT");
  await assertServed(clients);
  assert.ok((await childrenOf(weir.pid)).includes(victim));
  assert.doesNotMatch(weir.stderr, /not responded/);
  await end(weir);
}

processFault(
  "a worker hangs while nothing is asked of it → replaced after ten seconds, its clients reconnect, and missed runs of schedules are made up for; a worker that is blocked for eight seconds keeps its clients",
  async (stage) => {
    const weir = await startTalk(stage);
    const clock = await Timekeeper.start(stage);
    const leader = (await childrenOf(clock.weir.pid))[0];
    await Promise.all([replaced(clock.weir, leader), kept(weir)]);
    await clock.finish();
  },
);

processFault(
  "the process that looks after the workers is killed while they log → they end in order, 1001 for all",
  async (stage) => {
    const weir = await startTalk(stage, "--log-level", "trace");
    const { clients } = await openCrowd({ weir }, 30);
    const workers = await childrenOf(weir.pid);
    weir.signal("SIGKILL");
    const endings = await Promise.all(clients.map((client) => client.finish()));
    await Promise.all(workers.map(gone));
    await weir.exit;
    for (const { ending } of endings) assert.deepEqual(ending, GOODBYE);
  },
);

processFault(
  "a worker is replaced after files and migrations have changed → the new one runs the configuration of the start",
  async (stage) => {
    const { folder } = stage;
    const file = (name: string, text: string) => writeFile(join(folder, name), text);
    await mkdir(join(folder, "migrations"));
    await file("migrations/1.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);");
    await file("motto.txt", "first");
    await file("main.hcl", FROZEN);
    const weir = await stage.run([join(folder, "main.hcl"), "--workers", "2"]);
    await file("motto.txt", "second");
    await file("migrations/1.sql", "this is no SQL");
    await file("migrations/2.sql", "DROP TABLE notes;");
    await file("main.hcl", "neither is this HCL {");
    // Both of them, one after the other: the leader prepares databases.
    for (const worker of [1, 2]) {
      const before = await childrenOf(weir.pid);
      process.kill(before[0], "SIGKILL");
      await until("its end", () => weir.stderr.includes(`worker ${worker} ended`));
      for (const client of (await openCrowd({ weir }, 8)).clients) client.destroy();
    }
    const { clients } = await openCrowd({ weir }, 8);
    for (const client of clients) {
      assert.deepEqual(await client.ask({ type: "message", data: { text: "kept" }, id: 1 }), {
        ...{ type: "ack", id: 1 },
        data: { motto: "first" },
      });
    }
    const notes = rowsOf(join(folder, "notes.db"), "notes");
    assert.deepEqual(notes.map(({ text }) => text), clients.map(() => "kept"));
    assert.doesNotMatch(weir.stderr, /failed to start/);
    await end(weir);
  },
);

processFault(
  "the worker that runs the schedules is killed → another one takes over at once; each time that was due has its run, at most one of them two",
  async (stage) => {
    const clock = await Timekeeper.start(stage);
    process.kill((await childrenOf(clock.weir.pid))[0], "SIGKILL");
    await until("its end", () => /worker 1 ended/.test(clock.weir.stderr));
    await pause(2_500);
    await clock.finish();
  },
);
