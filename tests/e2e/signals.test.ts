/** How a signal ends a process. These tests measure time. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openStage, ready, root, stageTest } from "../support/process.ts";
import { pause } from "../support/socket-probe.ts";
import { departures, openClient, startTalk, withoutWarnings } from "../support/talk.ts";
import { needTool, versions } from "../support/toolchain.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  stageTest(`${signal} closes clients with 1001 and ends with 0`, async (stage) => {
    const talk = await startTalk(stage);
    const clients = [
      await openClient(talk.weir, { user: "anna", rooms: ["a"] }),
      await openClient(talk.weir, { user: "bob" }),
    ];
    talk.weir.signal(signal);
    for (const client of clients) assert.deepEqual(await client.ending(), goodbye);
    const { code, stderr } = await talk.weir.ended();
    assert.deepEqual([code, withoutWarnings(stderr)], [0, ""]);
    assert.match(talk.weir.stdout, /^weir is ready in .*\nweir is shutting down\n$/);
    const left = departures(talk).sort((a, b) =>
      String(a.user_id).localeCompare(String(b.user_id))
    );
    assert.deepEqual(left, [
      { user_id: "anna", rooms: '["a"]', code: 1001 },
      { user_id: "bob", rooms: "[]", code: 1001 },
    ]);
  });
}

stageTest("a service with a name says it, and spreads its clients' end", async (stage) => {
  const folder = await stage.copy("talk");
  const service = 'service {\n  name = "chat"\n  version = "1.2.0"\n}\n';
  await writeFile(join(folder, "service.hcl"), service);
  const weir = await stage.run([folder]);
  const clients = await Promise.all(Array.from({ length: 30 }, () => openClient(weir)));
  weir.signal("SIGTERM");
  const times = await Promise.all(clients.map(async (client) => {
    assert.deepEqual(await client.ending(), goodbye);
    return performance.now();
  }));
  // They are told at random within two seconds; that all of them fall into one is out of the question.
  assert.ok(Math.max(...times) - Math.min(...times) > 1_000, times.join(" "));
  assert.equal((await weir.ended()).code, 0);
  assert.match(weir.stdout, /^chat 1\.2\.0 is ready in .*\nchat 1\.2\.0 is shutting down\n$/);
});

stageTest("a signal that is delivered twice within a second counts once", async (stage) => {
  const talk = await startTalk(stage);
  const client = await openClient(talk.weir);
  talk.weir.signal("SIGINT");
  talk.weir.signal("SIGTERM");
  assert.deepEqual(await client.ending(), goodbye);
  talk.weir.signal("SIGINT");
  const { code, stderr } = await talk.weir.ended();
  assert.deepEqual([code, withoutWarnings(stderr)], [0, ""]);
});

stageTest("a second signal after more than a second ends at once, with 1", async (stage) => {
  const folder = await stage.copy("talk");
  const weir = await ready(await stage.script("tests/fixtures/scripts/hanging.ts", [folder]));
  const client = await openClient(weir);
  client.say({ type: "message", data: { to: "database" }, id: 1 });
  // Each is answered in its turn, so the first is at work once another client has been served.
  const other = await openClient(weir);
  await other.hearsNothing();
  weir.signal("SIGINT");
  await pause(200);
  weir.signal("SIGINT");
  await pause(1_000);
  assert.doesNotMatch(weir.output, /exiting before/);
  weir.signal("SIGINT");
  const { code, stderr } = await weir.ended(5_000);
  assert.deepEqual(
    [code, withoutWarnings(stderr)],
    [1, "exiting before the shutdown is complete\n"],
  );
  client.destroy();
  other.destroy();
});

test("Ctrl-C ends `npx -y deno task start` of a fresh checkout cleanly", async () => {
  const stage = await openStage("deno");
  try {
    const cwd = join(stage.folder, "checkout");
    assert.equal((await stage.command("git", ["clone", "-q", root, cwd]).ended()).code, 0);
    const npx = ["-y", `deno@${versions.deno}`];
    const installed = stage.command("npx", [...npx, "install"], { cwd, leader: true });
    assert.equal((await installed.ended(90_000)).code, 0, installed.output);

    // How fast the machine is: npx and Deno alone.
    const beganAt = performance.now();
    const version = stage.command("npx", [...npx, "--version"], { cwd, leader: true });
    assert.equal((await version.ended()).code, 0, version.output);
    const startedAt = performance.now();
    const args = [...npx, "task", "start", "--port", "ws=0"];
    const weir = await ready(stage.command("npx", args, { cwd, leader: true }));
    const [pace, duration] = [startedAt - beganAt, performance.now() - startedAt];
    assert.ok(duration < 8 * pace, `ready after ${duration} ms, where npx takes ${pace} ms`);
    const client = await openClient(weir);
    weir.signal("SIGINT");
    assert.deepEqual(await client.ending(), goodbye);
    const { code, signal, stdout } = await weir.ended();
    assert.match(stdout, /weir is shutting down\n$/);
    // Whatever its child says, npx ends by the signal that it got itself; a shell shows 130.
    assert.deepEqual([code, signal], [null, "SIGINT"]);

    const task = await ready(
      stage.command(await needTool("deno"), ["task", "start", "--port", "ws=0"], {
        cwd,
        leader: true,
      }),
    );
    task.signal("SIGINT");
    assert.equal((await task.ended()).code, 0);
  } finally {
    await stage.end();
  }
});
