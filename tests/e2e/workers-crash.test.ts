/** `--workers` where processes die at the worst moments. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import { until } from "../support/mq.ts";
import { commandFile, type Process, type Stage, stageTest } from "../support/process.ts";
import { pause } from "../support/socket-probe.ts";
import { openClient } from "../support/talk.ts";
import { openCrowd, startTeam, type Team } from "../support/team.ts";
import { childrenOf, gone, listenersOn, withStops } from "../support/workers.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };
/** What nobody must read on standard error. */
const UNHANDLED = /uncaught|unhandled|EPIPE|ERR_IPC|\[birpc\]|TypeError|^\s+at /im;

/** The next process that a service starts beside those that are known. */
async function nextChild(weir: Process, known: readonly number[]): Promise<number> {
  let found: number | undefined;
  await until("another process", async () => {
    found = (await childrenOf(weir.pid)).find((pid) => !known.includes(pid));
    return found !== undefined;
  });
  return found as number;
}

/** Kills one of two workers, once its clients are known; gives the process ids of both. */
async function killOne(team: Team): Promise<readonly number[]> {
  const workers = await childrenOf(team.weir.pid);
  process.kill(workers[1], "SIGKILL");
  await until("its end", () => / ended \(signal SIGKILL\)/.test(team.weir.stderr));
  return workers;
}

async function startOnly(stage: Stage, ...more: readonly string[]): Promise<Process> {
  const folder = await stage.copy("workers");
  return await stage.script(commandFile(stage.runtime), ["run", folder, "--workers", "2", ...more]);
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split("\n").at(-1);
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

stageTest(
  "a worker that dies while all start ends the start, with a reason",
  (stage) =>
    withStops(async (stop) => {
      const weir = await startOnly(stage);
      const first = await nextChild(weir, []);
      // Else all may have started before the second one is seen.
      await stop(first);
      const second = await nextChild(weir, [first]);
      process.kill(first, "SIGKILL");
      const { code, stdout, stderr } = await weir.ended();
      assert.deepEqual([code, stdout], [3, ""]);
      assert.equal(
        lastLine(stderr),
        "error[worker-failed]: worker 1 ended before it was ready (signal SIGKILL)",
      );
      assert.doesNotMatch(stderr, UNHANDLED);
      await gone(second);
    }),
);

stageTest(
  "one that dies while others still start ends the start, too",
  (stage) =>
    withStops(async (stop) => {
      const port = await freePort();
      const weir = await startOnly(stage, "--port", `ws=${port}`);
      const first = await nextChild(weir, []);
      // Otherwise both may serve before the second one is seen.
      await stop(first);
      const second = await nextChild(weir, [first]);
      await stop(second);
      process.kill(first, "SIGCONT");
      await until("the first serves", async () => await listenersOn(first, port) > 0, 20_000);
      await pause(500);
      process.kill(first, "SIGKILL");
      await gone(first);
      process.kill(second, "SIGCONT");
      const { code, stdout, stderr } = await weir.ended();
      assert.deepEqual([code, stdout], [3, ""]);
      assert.equal(
        lastLine(stderr),
        "error[worker-failed]: worker 1 ended before all workers were ready",
      );
      assert.doesNotMatch(stderr, UNHANDLED);
      await gone(second);
    }),
);

stageTest(
  "one that dies again and again is started ever more slowly, and the others serve",
  async (stage) => {
    const team = await startTeam(stage);
    const known = [...await killOne(team)];
    const [speaker, listener] = [
      await openClient(team.weir, { user: "anna" }),
      await openClient(team.weir, { user: "anna" }),
    ];
    const startedAt = performance.now();
    for (let time = 0; time < 4; time++) {
      const next = await nextChild(team.weir, known);
      known.push(next);
      process.kill(next, "SIGKILL");
      speaker.say({ type: "message", data: { to: "everyone", text: time } });
      assert.deepEqual(await listener.hear(), { type: "message", data: { text: time } });
    }
    // 200, 400 and 800 ms lie between them at least.
    assert.ok(performance.now() - startedAt > 1_400);
    await openCrowd(team, 8);
    assert.doesNotMatch(team.weir.stderr, UNHANDLED);
    assert.equal(team.weir.stderr.match(/worker \d ended \(/g)?.length, 5);
  },
);

stageTest("what is counted goes on while the place of a worker is taken", async (stage) => {
  const team = await startTeam(stage);
  const known = await killOne(team);
  const annas = [await openClient(team.weir, { user: "anna" })];
  const deadline = performance.now() + 1_000;
  let served = false;
  while (!served || performance.now() < deadline) {
    assert.deepEqual(await team.post("/user/anna", { text: 1 }), { recipients: annas.length });
    for (const anna of annas) await anna.hear();
    served ||= (await childrenOf(team.weir.pid)).some((pid) => !known.includes(pid));
    await pause(2);
  }
  const { clients } = await openCrowd(team, 8);
  // A worker that has no processor for half a second does not count its clients in time.
  await until("all are counted", async () => {
    const { recipients } = await team.post("/user/anna", { text: 2 }) as { recipients: number };
    return recipients === 5;
  });
  for (const client of [...annas, ...clients]) client.destroy();
});

stageTest("an end while the place of a worker is taken is an end in order", async (stage) => {
  const team = await startTeam(stage);
  const workers = await killOne(team);
  const client = await openClient(team.weir);
  const next = await nextChild(team.weir, workers);
  team.weir.signal("SIGTERM");
  assert.deepEqual(await client.ending(), goodbye);
  const { code, stdout, stderr } = await team.weir.ended(10_000);
  assert.deepEqual([code, stdout.split("\n").slice(1)], [0, ["weir is shutting down", ""]]);
  assert.doesNotMatch(stderr, UNHANDLED);
  await gone(next);
});

stageTest(
  "workers that say much end in order, too, when who has started them is killed",
  async (stage) => {
    const { weir } = await startTeam(stage);
    const speakers = await Promise.all(Array.from({ length: 4 }, () => openClient(weir)));
    const listener = await openClient(weir);
    const workers = await childrenOf(weir.pid);
    const text = "x".repeat(1_000);
    const talking = Promise.all(speakers.map(async (speaker) => {
      for (let n = 0; n < 100; n++) {
        speaker.say(...Array(20).fill({ type: "message", data: { to: "everyone", text } }));
        await pause(1);
      }
    }));
    await pause(50);
    process.kill(weir.pid, "SIGKILL");
    await talking;
    assert.deepEqual((await listener.finish()).ending, goodbye);
    await Promise.all(workers.map(gone));
    assert.doesNotMatch(weir.stderr, UNHANDLED);
  },
);
