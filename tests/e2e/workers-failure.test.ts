/** `--workers` where a process dies, and where several workers cannot be. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { until } from "../support/mq.ts";
import { stageTest } from "../support/process.ts";
import { pause } from "../support/socket-probe.ts";
import { openClient, rowsOf } from "../support/talk.ts";
import { openCrowd, startTeam } from "../support/team.ts";
import { childrenOf, gone } from "../support/workers.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };
stageTest("a worker that dies is replaced, and the others notice nothing", async (stage) => {
  const team = await startTeam(stage);
  const messages = Array.from({ length: 200 }, (_, n) => ({ text: n }));
  const ticks = () => rowsOf(team.database, "ticks").length;
  // The leader last: what is done once for all goes on without it.
  for (const victim of (await childrenOf(team.weir.pid)).reverse()) {
    const { clients, owners } = await openCrowd(team, 16);
    const stays = clients.filter((_, index) => owners[index] !== victim);
    const [speaker, ...listeners] = [...stays, await openClient(team.weir)];
    process.kill(victim, "SIGKILL");
    for (const { text } of messages) {
      speaker.say({ type: "message", data: { to: "everyone", text } });
      if (text % 20 === 0) await pause(20);
    }
    for (const client of listeners.slice(0, -1)) {
      assert.deepEqual((await client.hearMany(200)).map(({ data }) => data), messages);
    }
    await until("there are two again", async () => {
      const now = await childrenOf(team.weir.pid);
      return now.length === 2 && !now.includes(victim);
    });
    const before = ticks();
    await until("the schedule goes on", () => ticks() > before);
    for (const client of clients) client.destroy();
  }
  await openCrowd(team, 16);
  assert.match(team.weir.stderr, /worker 2 ended \(signal SIGKILL\)/);
  assert.match(team.weir.stderr, /worker 1 ended \(signal SIGKILL\)/);
  team.weir.signal("SIGTERM");
  assert.equal((await team.weir.ended()).code, 0, team.weir.output);
});

stageTest("workers end when who has started them is killed", async (stage) => {
  const { weir } = await startTeam(stage);
  const client = await openClient(weir);
  const workers = await childrenOf(weir.pid);
  process.kill(weir.pid, "SIGKILL");
  assert.deepEqual(await client.ending(), goodbye);
  await Promise.all(workers.map(gone));
});

stageTest("workers end when who has started them is killed while they shut down", async (stage) => {
  const { weir } = await startTeam(stage);
  const workers = await childrenOf(weir.pid);
  const signal = (name: NodeJS.Signals, pids: readonly number[] = workers) => {
    for (const pid of pids) process.kill(pid, name);
  };
  signal("SIGSTOP");
  weir.signal("SIGINT");
  await weir.says(/^weir is shutting down$/m);
  await pause(100);
  // Nobody reads what they send from now on: on Deno, that hides the end of the connection.
  signal("SIGSTOP", [weir.pid]);
  signal("SIGCONT");
  await pause(500);
  signal("SIGSTOP");
  signal("SIGKILL", [weir.pid]);
  await pause(100);
  signal("SIGCONT");
  await Promise.all(workers.map(gone));
});

stageTest("what several workers cannot have is refused before any starts", async (stage) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "0.0.0.0", resolve));
  try {
    const { port } = taken.address() as AddressInfo;
    const folder = await stage.copy("workers");
    const exit = await stage.weir(["run", folder, "--workers", "2", "--port", `ws=${port}`]);
    assert.deepEqual([exit.code, exit.stdout], [3, ""]);
    assert.match(
      exit.stderr,
      /connector "ws": cannot listen on 0\.0\.0\.0:\d+: the port is in use/,
    );
  } finally {
    taken.close();
  }
  const file = join(stage.folder, "memory.hcl");
  const database = 'type = "database"\n driver = "sqlite"\n database = ":memory:"';
  await writeFile(file, `connector "db" {\n ${database}\n}\n`);
  const exit = await stage.weir(["run", file, "--workers", "2"]);
  assert.deepEqual([exit.code, exit.stdout], [3, ""]);
  assert.match(exit.stderr, /connector "db": with several workers, each of them would have a data/);
  const alone = await stage.weir(["--worker"]);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /run has no option --worker; did you mean "--workers"/);
});
