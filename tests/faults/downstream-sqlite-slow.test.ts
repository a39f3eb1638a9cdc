/** The entries of "Downstream" about reads from SQLite that take long. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { commandFile, ready, root, type Stage, type Weir } from "../support/process.ts";
import { opcodes } from "../support/socket-frames.ts";
import { needTool } from "../support/toolchain.ts";
import type { Frame, WebClient } from "../support/web-client.ts";
import { childrenOf } from "../support/workers.ts";
import { FrameClient, showFrame } from "./client.ts";
import { codeOf, pause, until } from "./downstream.ts";
import { type NotesOptions, open, startNotes, store, writeNotes } from "./notes.ts";
import { processFault, runtime } from "./stage.ts";

/** Milliseconds between two pings. */
const PING = 1000;

/** Counts for ever. */
const ENDLESS = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) " +
  "SELECT count(*) AS n FROM c";

const service: NotesOptions = {
  ws: `
    ping_interval = "${PING}ms"
    pong_timeout  = "1s"
  `,
  blocks: `
  service {
    shutdown_timeout = "4s"
  }
  flow "count" {
    timeout = "3s"
    from {
      connector = "ws"
      operation = "count"
    }
    step "notes" {
      connector = "db"
      query     = "SELECT count(*) AS n FROM notes WHERE text LIKE :like"
    }
    response {
      n = "step.notes.n"
    }
  }
  flow "second" {
    timeout = "1s"
    from {
      connector = "ws"
      operation = "second"
    }
    step "s" {
      connector = "db"
      query     = "${ENDLESS}"
    }
    response {
      n = "step.s.n"
    }
  }
  flow "step" {
    from {
      connector = "ws"
      operation = "step"
    }
    step "s" {
      connector = "db"
      query     = "${ENDLESS}"
      timeout   = "1s"
      on_error  = "skip"
      default   = { n = -1 }
    }
    response {
      n = "step.s.n"
    }
  }
  ${endlessFlow("five", "5s")}
  ${endlessFlow("hour", "1h")}
`,
};

function endlessFlow(operation: string, timeout: string): string {
  return `
  flow "${operation}" {
    timeout = "${timeout}"
    from {
      connector = "ws"
      operation = "${operation}"
    }
    to {
      connector = "db"
      query     = "${ENDLESS}"
    }
  }
`;
}

function start(stage: Stage, args?: readonly string[]): Promise<Weir> {
  return startNotes(stage, service, args);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function timed(
  act: Promise<Frame>,
): Promise<{ readonly answer: Frame; readonly ms: number }> {
  const start = performance.now();
  const answer = await act;
  return { answer, ms: performance.now() - start };
}

/** Says `echo` until `until` settles. Returns how long the slowest answer took, in milliseconds. */
async function slowestEcho(client: WebClient, until: Promise<unknown>): Promise<number> {
  let over = false;
  void until.finally(() => over = true);
  let slowest = 0;
  while (!over) {
    const { answer, ms } = await timed(client.request({ type: "echo", data: { text: "a" } }));
    assert.deepEqual(answer.data, { text: "a" });
    slowest = Math.max(slowest, ms);
    await pause(20);
  }
  return slowest;
}

/** The times between the pings that a client gets. */
async function pingsOf({ port }: Weir, milliseconds: number): Promise<readonly number[]> {
  const client = await FrameClient.connect(port);
  await client.open("/ws");
  const times: number[] = [];
  for (const end = performance.now() + milliseconds; performance.now() < end;) {
    const frame = await client.next();
    assert.equal(frame?.opcode, opcodes.ping);
    client.send({ opcode: opcodes.pong, payload: frame.payload });
    times.push(performance.now());
  }
  client.destroy();
  return times.slice(1).map((time, i) => time - times[i]);
}

processFault(
  "a SELECT that takes 5 s → pings stay exact, others are answered at once, `timeout` holds",
  async (stage) => {
    const weir = await start(stage);
    const [slow, quick, step, other] = await Promise.all(
      Array.from({ length: 4 }, () => open(weir)),
    );
    const five = timed(slow.request({ type: "five" }));
    const [pings, echo, second, skipped] = await Promise.all([
      pingsOf(weir, 5_000),
      slowestEcho(other, five),
      timed(quick.request({ type: "second" })),
      timed(step.request({ type: "step" })),
    ]);
    const { answer, ms } = await five;
    assert.equal(codeOf(answer), "timeout");
    assert.ok(ms > 4_900 && ms < 7_000, `the SELECT of 5 s took ${ms} ms`);
    assert.equal(codeOf(second.answer), "timeout");
    assert.ok(second.ms > 950 && second.ms < 2_500, `a timeout of 1 s took ${second.ms} ms`);
    assert.deepEqual(skipped.answer.data, { n: -1 });
    assert.ok(skipped.ms > 950 && skipped.ms < 2_500, `a step of 1 s took ${skipped.ms} ms`);
    assert.ok(pings.length >= 4, `${pings.length} pings`);
    // Held up by the SELECT, one of them would come seconds late.
    for (const ping of pings) assert.ok(Math.abs(ping - PING) < 500, `pings ${pings}`);
    assert.ok(echo < 1_000, `an echo took ${echo} ms`);
    // The process of a read that was given up has ended.
    await until("no process reads", async () => (await childrenOf(weir.pid)).length === 0);
  },
);

processFault(
  "more endless SELECTs than run at a time → each times out, the next one works",
  async (stage) => {
    const weir = await start(stage);
    const clients = await Promise.all(Array.from({ length: 12 }, () => open(weir)));
    const reading = Promise.all(clients.map((client) => timed(client.request({ type: "second" }))));
    let most = 0;
    const watched = (async () => {
      for (let n = 0; n < 8; n++) {
        most = Math.max(most, (await childrenOf(weir.pid)).length);
        await pause(100);
      }
    })();
    for (const { answer, ms } of await reading) {
      assert.equal(codeOf(answer), "timeout");
      assert.ok(ms < 3_000, `a timeout of 1 s took ${ms} ms`);
    }
    await watched;
    assert.ok(most >= 1 && most <= 4, `${most} processes read`);
    const { data } = await clients[0].request({ type: "count", data: { like: "%" } });
    assert.deepEqual(data, { n: 0 });
    await until("one process reads", async () => (await childrenOf(weir.pid)).length === 1);
  },
);

processFault(
  "a SELECT right after an acked write → sees it, also on another worker",
  async (stage) => {
    const workers = process.platform === "linux" ? ["--workers", "2"] : [];
    const weir = await start(stage, workers);
    const clients = await Promise.all(Array.from({ length: 6 }, () => open(weir)));
    for (let n = 0; n < 120; n++) {
      const text = `note ${n}`;
      const [writer, reader] = [clients[n % 6], clients[(n * 7 + 3) % 6]];
      assert.equal(await store(writer, text), undefined);
      const { data } = await reader.request({ type: "count", data: { like: text } });
      assert.deepEqual(data, { n: 1 }, text);
    }
  },
);

processFault(
  "the process that reads is killed → that flow fails, the next one works",
  async (stage) => {
    const weir = await start(stage);
    const client = await open(weir);
    const reading = timed(client.request({ type: "five" }));
    await until("a process reads", async () => (await childrenOf(weir.pid)).length === 1);
    for (const pid of await childrenOf(weir.pid)) process.kill(pid, "SIGKILL");
    const { answer, ms } = await reading;
    assert.equal(codeOf(answer), "flow_failed");
    assert.ok(ms < 4_000, `it took ${ms} ms`);
    assert.match(weir.stderr, /the process that reads has ended \(SIGKILL\)/);
    const { data } = await client.request({ type: "count", data: { like: "%" } });
    assert.deepEqual(data, { n: 0 });
  },
);

processFault(
  "SIGTERM during an endless SELECT → exit 0 within `shutdown_timeout`, no process or file is left behind",
  async (stage) => {
    const weir = await start(stage);
    const client = await open(weir);
    assert.equal(await store(client, "a"), undefined);
    assert.deepEqual((await client.request({ type: "count", data: { like: "%" } })).data, { n: 1 });
    const waiting = await FrameClient.connect(weir.port);
    await waiting.open("/ws");
    waiting.skim = ({ opcode, payload }) => {
      if (opcode === opcodes.ping) waiting.send({ opcode: opcodes.pong, payload });
      return opcode === opcodes.ping;
    };
    waiting.say({ type: "hour", id: 1 });
    const heard = waiting.rest({ patience: 20_000 });
    await pause(200);
    const children = await childrenOf(weir.pid);
    // As at a terminal or under systemd, the signal reaches all processes.
    for (const pid of children) process.kill(pid, "SIGTERM");
    const told = performance.now();
    weir.signal("SIGTERM");
    const { code, stderr } = await weir.ended(10_000);
    assert.equal(code, 0, stderr);
    assert.ok(performance.now() - told < 6_000, "longer than shutdown_timeout");
    await until("no process reads", () => !children.some(isAlive));
    // The read has not failed: it was given up when its time was over.
    const { frames, ended } = await heard;
    assert.deepEqual([frames.map(showFrame), ended], [["close 1001"], true]);
    client.close();
    // The last connection to be closed was the one that writes: only it tidies up.
    const left = (await readdir(stage.folder)).filter((name) => name.startsWith("notes.db"));
    assert.deepEqual(left, ["notes.db"]);
  },
);

processFault("SIGKILL of the server → the process that reads for it ends, too", async (stage) => {
  const weir = await start(stage);
  const client = await open(weir);
  assert.deepEqual((await client.request({ type: "count", data: { like: "%" } })).data, { n: 0 });
  const children = await childrenOf(weir.pid);
  assert.equal(children.length, 1);
  await weir.kill();
  await until("no process reads", () => !children.some(isAlive));
});

processFault(
  "a SELECT where no process may be started → done in the server's own process, with a warning in the log",
  async (stage) => {
    await writeNotes(stage, service);
    // Bun has no permissions to withhold.
    const flags = {
      deno: [
        "run",
        "--no-prompt",
        ...["read", "write", "net", "env", "sys"].map((x) => `--allow-${x}`),
      ],
      node: ["--permission", "--allow-fs-read=*", "--allow-fs-write=*"],
      bun: ["--no-env-file"],
    }[runtime];
    const command = [...flags, join(root, commandFile(runtime)), "run", "weir.hcl"];
    const weir = await ready(stage.command(await needTool(runtime), command));
    const client = await open(weir);
    assert.equal(await store(client, "a"), undefined);
    for (let n = 0; n < 3; n++) {
      const { data } = await client.request({ type: "count", data: { like: "%" } });
      assert.deepEqual(data, { n: 1 });
    }
    const told = weir.stderr.match(/slow reads will block the service/g)?.length ?? 0;
    assert.equal(told, runtime === "bun" ? 0 : 1, weir.stderr);
  },
);
