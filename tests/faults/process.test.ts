/** The entries of "Process" in the list of faults: what happens to the process itself. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { commandFile, ready, root } from "../support/process.ts";
import { seeded } from "../support/random.ts";
import { pause, until } from "../support/socket-probe.ts";
import { openClient, rowsOf, startTalk } from "../support/talk.ts";
import { needTool } from "../support/toolchain.ts";
import { websocket } from "../support/socket-contract.ts";
import { FrameClient } from "./client.ts";
import { parsers } from "./hosts.ts";
import { Writer } from "./load.ts";
import { RemoteServer } from "./server/remote.ts";
import { processFault, runtime } from "./stage.ts";
import { within } from "./within.ts";

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";
/** How often the process is told to end, and how often it is killed. The long form is 50 on all runtimes. */
const ENDS = long ? 17 : 2;
const WRITERS = 20;

/** Everything that was acked is in the table, and nothing twice. */
function assertKept(database: string, writers: readonly Writer[]): void {
  const texts = rowsOf(database, "said").map(({ text }) => String(text));
  const kept = new Set(texts);
  const acked = writers.flatMap((writer) => writer.acked);
  assert.ok(acked.length > 0, "nothing was acked");
  assert.deepEqual(acked.filter((text) => !kept.has(text)), [], "acked and not in the table");
  assert.equal(kept.size, texts.length, "some are twice in the table");
}

/** Whether a port takes no connections. */
function isRefused(port: number): Promise<boolean> {
  return FrameClient.connect(port).then((client) => {
    client.destroy();
    return false;
  }, (error) => error.code === "ECONNREFUSED");
}

processFault("SIGTERM under load → exit 0, what was acked is kept, 1001 for all", async (stage) => {
  const random = seeded(20);
  const { weir: first, folder } = await startTalk(stage);
  let weir = first;
  const everybody: Writer[] = [];
  for (let end = 0; end < ENDS; end++) {
    const writers = await Promise.all(
      Array.from({ length: WRITERS }, (_, i) => Writer.start(weir, `${end}-${i}`)),
    );
    everybody.push(...writers);
    await pause(random.below(1_000));
    weir.signal("SIGTERM");
    const told = performance.now();
    await weir.says(/weir is shutting down/);
    // Clients are let go over two seconds; nobody is let in meanwhile.
    await within("open ports", async () => await isRefused(weir.port) ? 0 : 1, 0);
    await Promise.all(writers.map((writer) => writer.gone));
    const { code, stderr } = await weir.ended();
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /\[ERR\]/);
    assert.ok(performance.now() - told < 30_000, "longer than shutdown_timeout");
    assert.deepEqual(new Set(writers.map((writer) => writer.code)), new Set([1001]));
    assertKept(join(folder, "data/talk.db"), everybody);
    if (end + 1 < ENDS) weir = await stage.run([folder]);
  }
});

processFault("a second signal a second later → ends at once, exit 1", async (stage) => {
  const folder = await stage.copy("talk");
  const weir = await ready(await stage.script("tests/fixtures/scripts/hanging.ts", [folder]));
  const client = await openClient(weir);
  client.say({ type: "message", data: { to: "database" }, id: 1 });
  await (await openClient(weir)).hearsNothing();
  weir.signal("SIGTERM");
  await pause(1_200);
  weir.signal("SIGTERM");
  const { code, stderr } = await weir.ended(5_000);
  assert.equal(code, 1);
  assert.match(stderr, /exiting before the shutdown is complete\n$/);
  client.destroy();
});

processFault(
  "SIGKILL at random moments → SQLite opens clean, what was acked is kept",
  async (stage) => {
    const random = seeded(9);
    const folder = await stage.copy("talk");
    const database = join(folder, "data/talk.db");
    const everybody: Writer[] = [];
    for (let kill = 0; kill < ENDS; kill++) {
      const weir = await stage.run([folder]);
      const writers = await Promise.all(
        Array.from({ length: WRITERS }, (_, i) => Writer.start(weir, `${kill}-${i}`)),
      );
      everybody.push(...writers);
      await until("the first ack", () => writers.some(({ acked }) => acked.length > 0), 1);
      await pause(random.below(700));
      await weir.kill();
      await Promise.all(writers.map((writer) => writer.gone.catch(() => {})));
    }
    // The next start finds what the last one left, before anybody else has looked at it.
    const weir = await stage.run([folder]);
    const writer = await Writer.start(weir, "after");
    await until("an ack", () => writer.acked.length > 0);
    writer.destroy();
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0);
    const reader = new DatabaseSync(database, { readOnly: true });
    assert.deepEqual({ ...reader.prepare("PRAGMA integrity_check").get() }, {
      integrity_check: "ok",
    });
    reader.close();
    assertKept(database, [...everybody, writer]);
  },
);

processFault("port taken → exit 3, the port named", async (stage) => {
  await withTakenPort(async (port) => {
    const args = ["run", await stage.copy("talk"), "--port", `ws=${port}`];
    const { code, stdout, stderr } = await stage.weir(args);
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(
      stderr,
      new RegExp(`^error\\[cannot-listen\\]: connector "ws": .*:${port}: the port is in use`, "m"),
    );
  });
});

test(`${runtime} serve: port taken → no consumer started before`, async () => {
  await withTakenPort(async (port) => {
    const config = 'connector "c" {\n  type = "steps"\n}\n' +
      `connector "ws" {\n  type = "websocket"\n  port = ${port}\n}\n`;
    const { steps, error } = await RemoteServer.fail(parsers[0], config);
    assert.equal(error.name, "ConnectorError");
    assert.ok(error.message.includes(`:${port}: `), error.message);
    assert.deepEqual(steps, ["start", "close"]);
  });
});

processFault("out of descriptors → the connected live, no busy loop, recovers", async (stage) => {
  const folder = await stage.copy("talk");
  const flags = { deno: ["run", "-A"], bun: ["--no-env-file"], node: [] }[stage.runtime];
  const program = [await needTool(stage.runtime), ...flags, join(root, commandFile(stage.runtime))];
  // The shell sets the hard limit, too, which Deno would raise its own to.
  const limited = ["-c", 'ulimit -n 100; exec "$@"', "bash", ...program, "run", folder];
  const weir = await ready(stage.command("bash", limited));
  const idle = await descriptorsOf(weir.pid);
  const client = await openClient(weir, { rooms: ["a"] });
  const flood = await Promise.all(
    Array.from({ length: 150 }, () => FrameClient.connect(weir.port).catch(() => undefined)),
  );
  try {
    await pause(1_000);
    const before = await processorTime(weir.pid);
    const begun = performance.now();
    while (performance.now() - begun < 2_000) {
      const message = { type: "message", data: { to: "room", room: "a", text: "x" } };
      assert.equal((await client.ask(message)).type, "message");
      await pause(50);
    }
    const share = (await processorTime(weir.pid) - before) / (performance.now() - begun);
    assert.ok(share < 0.5, `busy for ${share} of the time`);
  } finally {
    for (const one of flood) one?.destroy();
  }
  const again = async (): Promise<number> => {
    const other = await openClient(weir).catch(() => undefined);
    other?.destroy();
    return other === undefined ? 0 : 1;
  };
  await within("new clients", again, 1);
  await client.hearsNothing();
  client.destroy();
  await within("descriptors", async () => Math.max(await descriptorsOf(weir.pid) - idle, 2), 2);
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0);
});

test(`${runtime} serve: wall clock jumps → nothing fires`, async () => {
  const config = `${websocket('ping_interval = "1s"\npong_timeout = "500ms"')}
    flow "tick" {
      when = "@every 10m"
      to {
        connector = "probe"
        target    = "tick"
      }
    }
    flow "night" {
      when = "0 0 29 2 *"
      to {
        connector = "probe"
        target    = "night"
      }
    }
    flow "slow" {
      timeout = "30s"
      from {
        connector = "ws"
        operation = "slow"
      }
      to {
        connector = "probe"
      }
    }
  `;
  const server = await RemoteServer.start(parsers[0], config);
  const { probe } = server;
  const client = await FrameClient.connect(server.port);
  try {
    await client.open("/ws");
    await probe.hold();
    client.say({ type: "slow", data: 1, id: 1 });
    await probe.received(1);
    let pings = 0;
    client.skim = ({ opcode, payload }) => {
      if (opcode !== 9) return false;
      pings++;
      client.send({ opcode: 10, payload });
      return true;
    };
    const answer = client.hear();
    // An hour ahead, a year back, and ahead again.
    for (const jump of [3_600_000, -31_536_000_000, 86_400_000]) {
      await server.remote.jump(jump);
      const before = pings;
      await pause(2_000);
      assert.ok(pings - before >= 1 && pings - before <= 3, `${pings - before} pings in 2 s`);
    }
    assert.deepEqual(await probe.targets(), [undefined]);
    await probe.releaseAll();
    assert.deepEqual(await answer, { type: "ack", id: 1 });
  } finally {
    client.destroy();
    await server.close();
  }
});

/** Listens on a port while `use` works. */
async function withTakenPort(use: (port: number) => Promise<void>): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** How many descriptors a process has open. */
async function descriptorsOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** The processor's time that a process has had, in milliseconds. */
async function processorTime(pid: number): Promise<number> {
  const [, rest] = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ");
  const fields = rest.split(" ");
  // In hundredths of a second, by its own code and by the system for it.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
