/** `serve(config, { workers })`, and signals as terminals send them. */
import assert from "node:assert/strict";
import { until } from "../support/mq.ts";
import { commandFile, stageTest } from "../support/process.ts";
import { pause } from "../support/socket-probe.ts";
import { openClient } from "../support/talk.ts";
import { openCrowd, startTeam } from "../support/team.ts";
import { childrenOf, gone } from "../support/workers.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };

stageTest("a library's service of two workers serves, and leaves nothing behind", async (stage) => {
  const script = await stage.script("tests/fixtures/scripts/workers.ts");
  // Its end also shows that neither timers nor processes are left.
  assert.deepEqual(await script.ended(), { code: 0, signal: null, stdout: "done\n", stderr: "" });
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  stageTest(`a ${signal} for the whole process group ends all in order`, async (stage) => {
    const team = await startTeam(stage);
    const { clients } = await openCrowd(team, 8);
    const workers = await childrenOf(team.weir.pid);
    team.weir.signal(signal);
    // One Ctrl-C may come twice.
    team.weir.signal(signal);
    for (const client of clients) assert.deepEqual(await client.ending(), goodbye);
    const { code, stderr, stdout } = await team.weir.ended();
    assert.deepEqual([code, stdout.split("\n").slice(1)], [0, ["weir is shutting down", ""]]);
    assert.doesNotMatch(stderr, /error|exception/i);
    await Promise.all(workers.map(gone));
  });
}

stageTest(
  "a SIGINT for all while workers start is an end in order, not an error",
  async (stage) => {
    const folder = await stage.copy("workers");
    const args = ["run", folder, "--workers", "2"];
    for (const delay of [0, 50, 100, 200]) {
      const weir = await stage.script(commandFile(stage.runtime), args, { leader: true });
      await until("a worker is there", async () => (await childrenOf(weir.pid)).length > 0);
      await pause(delay);
      weir.signal("SIGINT");
      const { code, stderr } = await weir.ended();
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /error|exception/i);
    }
  },
);

stageTest("a SIGINT for the first process alone ends all in order, too", async (stage) => {
  const folder = await stage.copy("workers");
  const weir = await stage.run([folder, "--workers", "2"]);
  const clients = await Promise.all(Array.from({ length: 8 }, () => openClient(weir)));
  const workers = await childrenOf(weir.pid);
  weir.signal("SIGINT");
  for (const client of clients) assert.deepEqual(await client.ending(), goodbye);
  const { code, stderr } = await weir.ended();
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /error|exception/i);
  await Promise.all(workers.map(gone));
});
