import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { onAllRuntimes, openStage, ready, root, stageTest } from "../support/process.ts";
import { pause } from "../support/socket-probe.ts";
import { departures, openClient, startTalk } from "../support/talk.ts";
import { needTool, versions } from "../support/toolchain.ts";

/** The fixture lets clients choose their names, and every start warns of that. */
function withoutWarnings(stderr: string): string {
  return stderr.replace(/^(?:warning\[[\w-]+\]: .*\n(?:[ \d]*[┌│].*\n)*\n?)+/, "");
}

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

test("a flow that never ends holds a shutdown up for 30 s at most, and clients get 1001", () =>
  onAllRuntimes(async (stage) => {
    const folder = await stage.copy("talk");
    const weir = await ready(await stage.script("tests/fixtures/scripts/hanging.ts", [folder]));
    const hanging = await openClient(weir);
    hanging.say({ type: "message", data: { to: "database" } });
    const other = await openClient(weir);
    await other.hearsNothing();
    weir.signal("SIGTERM");
    const signalled = performance.now();
    const endings = await Promise.all([hanging.ending(), other.ending()]);
    const { code, stderr } = await weir.ended(45_000);
    const waited = performance.now() - signalled;
    assert.deepEqual(endings, [goodbye, goodbye]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /shutdown step drain timed out/);
    assert.ok(waited < 31_000, `${waited} ms`);
  }));

stageTest("a port that is taken ends the start with 3 and is named", async (stage) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const exit = await stage.weir(["run", await stage.copy("talk"), "--port", `ws=${port}`]);
    assert.deepEqual({ ...exit, stderr: withoutWarnings(exit.stderr) }, {
      code: 3,
      signal: null,
      stdout: "",
      stderr:
        `error[cannot-listen]: connector "ws": cannot listen on 0.0.0.0:${port}: the port is in use; ` +
        "stop the program that uses it, or choose another port with --port\n",
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

stageTest("a refused migration ends the start with 3 and is named", async (stage) => {
  const exit = await stage.weir(["run", await stage.copy("refused")]);
  assert.deepEqual(exit, {
    code: 3,
    signal: null,
    stdout: "",
    stderr: 'error[migration-failed]: connector "db": migration "002_author.sql" was refused: ' +
      "no such table: note\n",
  });
});

stageTest("wrong usage ends with 2, a wrong configuration with 1", async (stage) => {
  const folder = await stage.copy("talk");
  const wrong: readonly (readonly [code: number, args: readonly string[], message: RegExp])[] = [
    [
      2,
      ["run", folder, "--prot", "ws=0"],
      /^error\[usage-error\]: run has no option --prot; did you mean "--port"\?\n$/,
    ],
    [
      2,
      ["check", folder, "--port", "ws=0"],
      /^error\[usage-error\]: check has no option --port; it is an option of run\n$/,
    ],
    [2, ["run", folder, "--port", "ws"], /^error\[usage-error\]: --port ws: expected NAME=PORT/],
    [2, ["run", folder, "--port", "ws=99999"], /^error\[usage-error\]: --port ws=99999: /],
    [
      2,
      ["run", folder, "--log-level", "loud"],
      /^error\[usage-error\]: --log-level must be one of trace, /,
    ],
    // Node itself reads this option, wherever it stands, before our program begins.
    stage.runtime === "node"
      ? [9, ["run", folder, "--env-file", "none.env"], /none\.env: not found/]
      : [
        2,
        ["run", folder, "--env-file", "none.env"],
        /^error\[usage-error\]: --env-file none\.env: /,
      ],
    [
      2,
      ["run", folder, "--port", "wss=0"],
      /^error\[usage-error\]: --port wss=0: there is no connector "wss"; did you mean "ws"\?\n$/,
    ],
    [
      2,
      ["run", "nowhere"],
      /^error\[no-configuration\]: nowhere: there is no such file or folder\n$/,
    ],
    [2, ["check", "."], /^error\[no-configuration\]: \.: there is no \.hcl or \.mycel file\n$/],
    [2, ["strat", folder], /^error\[no-configuration\]: strat: there is no such file or folder\n$/],
    [1, ["run", join(folder, "../bad.hcl")], /^error\[unknown-block\]: .*"conector"/],
  ];
  await writeFile(join(stage.folder, "bad.hcl"), 'conector "ws" {}\n');
  await mkdir(join(stage.folder, "empty"));
  for (const [code, args, message] of wrong) {
    const exit = await stage.weir(args, { cwd: join(stage.folder, "empty") });
    assert.deepEqual([exit.code, exit.stdout], [code, ""], args.join(" "));
    assert.match(withoutWarnings(exit.stderr), message);
  }
  assert.match((await stage.weir(["--help"])).stdout, /^weir \d/);
  assert.match((await stage.weir(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test("Ctrl-C ends `npx -y deno task start` of a fresh checkout cleanly", async () => {
  const stage = await openStage("deno");
  try {
    const cwd = join(stage.folder, "checkout");
    assert.equal((await stage.command("git", ["clone", "-q", root, cwd]).ended()).code, 0);
    const npx = ["-y", `deno@${versions.deno}`];
    const installed = stage.command("npx", [...npx, "install"], { cwd, leader: true });
    assert.equal((await installed.ended(90_000)).code, 0, installed.output);

    const startedAt = performance.now();
    const args = [...npx, "task", "start", "--port", "ws=0"];
    const weir = await ready(stage.command("npx", args, { cwd, leader: true }));
    const duration = performance.now() - startedAt;
    assert.ok(duration < 3_000, `ready after ${duration} ms`);
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
