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

/** Says what it has read, and keeps what it is told. */
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

/** Each client gets an answer. */
async function assertServed(clients: readonly SocketClient[]): Promise<void> {
  for (const client of clients) client.say({ type: "message", data: {}, id: 1 });
  for (const client of clients) assert.equal((await client.hear()).type, "ack");
}

/** Stops a worker, which looks from outside as if its event loop were blocked. */
async function blockOne(weir: Weir): Promise<{
  readonly victim: number;
  /** The clients of that worker, and of the other one. */
  readonly its: readonly SocketClient[];
  readonly others: readonly SocketClient[];
}> {
  const { clients, owners } = await openCrowd({ weir }, 8);
  const victim = owners[0];
  process.kill(victim, "SIGSTOP");
  const its = clients.filter((_, index) => owners[index] === victim);
  return { victim, its, others: clients.filter((client) => !its.includes(client)) };
}

async function end(weir: Weir): Promise<void> {
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
}

async function replaced(weir: Weir): Promise<void> {
  const { victim, its, others } = await blockOne(weir);
  const startedAt = performance.now();
  await until("it is ended", () => /it hangs and is ended/.test(weir.stderr), 20_000);
  const waited = performance.now() - startedAt;
  assert.ok(waited > 9_000, `it was ended after ${waited} ms`);
  await Promise.all(its.map((client) => client.finish()));
  // Before, connections may still wait at its listener.
  await until("its end", () => /has ended \(signal SIGKILL\)/.test(weir.stderr));
  await gone(victim);
  // They find both workers again.
  const { clients } = await openCrowd({ weir }, 8);
  await assertServed([...others, ...clients]);
  await end(weir);
}

async function kept(weir: Weir): Promise<void> {
  const { victim, its, others } = await blockOne(weir);
  await pause(8_000);
  process.kill(victim, "SIGCONT");
  await assertServed([...its, ...others]);
  assert.ok((await childrenOf(weir.pid)).includes(victim));
  assert.doesNotMatch(weir.stderr, /hangs/);
  await end(weir);
}

processFault(
  "a worker hangs and nobody asks it for anything → replaced after ten seconds, its clients reconnect; one that is blocked for eight seconds keeps its own",
  async (stage) => {
    const services = [await startTalk(stage), await startTalk(stage)];
    await Promise.all([replaced(services[0]), kept(services[1])]);
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
  "a worker takes another one's place after files and migrations have changed → it runs the configuration of the start",
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
      await until("its end", () => weir.stderr.includes(`worker ${worker} has ended`));
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
    assert.doesNotMatch(weir.stderr, /cannot start/);
    await end(weir);
  },
);

/** Runs the schedules, has something done to their worker, and gives the times of their runs. */
async function schedule(
  { folder: parent, run }: { readonly folder: string; run(file: string): Promise<Weir> },
  name: string,
  interrupt: (leader: number) => void,
): Promise<Record<"calendar" | "interval", readonly number[]>> {
  const folder = join(parent, name);
  await mkdir(join(folder, "migrations"), { recursive: true });
  const columns = "(id INTEGER PRIMARY KEY, scheduled_at TEXT)";
  const tables = ["calendar", "interval"].map((table) => `CREATE TABLE ${table} ${columns};`);
  await writeFile(join(folder, "migrations/1.sql"), tables.join("\n"));
  await writeFile(join(folder, "ticks.hcl"), SCHEDULES);
  const weir = await run(join(folder, "ticks.hcl"));
  const timesOf = (table: string): number[] =>
    rowsOf(join(folder, "ticks.db"), table)
      .map(({ scheduled_at }) => Date.parse(String(scheduled_at)));
  await until("a few runs", () => timesOf("interval").length >= 2);
  interrupt((await childrenOf(weir.pid))[0]);
  await until("its end", () => /worker 1 has ended/.test(weir.stderr), 20_000);
  await pause(2_500);
  await end(weir);
  return { calendar: timesOf("calendar"), interval: timesOf("interval") };
}

/** Every second has its run, at most one of them has two, and they are in order. */
function assertComplete(times: readonly number[]): void {
  const message = times.map((time) => time - times[0]).join(" ");
  const gaps = times.slice(1).map((time, index) => time - times[index]);
  // What passes between two processes takes a few milliseconds.
  const isSecond = (gap: number): boolean => Math.abs(gap - 1_000) < 250;
  const others = gaps.filter((gap) => !isSecond(gap));
  assert.ok(others.length <= 1 && others.every((gap) => Math.abs(gap) < 250), message);
}

processFault(
  "the worker that runs the schedules is killed, or hangs → the next one goes on at once, each time that was due has its run, at most one of them two",
  async (stage) => {
    const from = {
      folder: stage.folder,
      run: (file: string) => stage.run([file, "--workers", "2"]),
    };
    const all = await Promise.all([
      schedule(from, "killed", (leader) => process.kill(leader, "SIGKILL")),
      schedule(from, "hanging", (leader) => process.kill(leader, "SIGSTOP")),
    ]);
    for (const { calendar, interval } of all) {
      assertComplete(calendar);
      assertComplete(interval);
    }
  },
);
