/** What ends a start, and with which code. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { stageTest } from "../support/process.ts";
import { withoutMigrations, withoutWarnings } from "../support/talk.ts";
import { runInSession } from "../support/weir-session.ts";

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
  // Standard error also says which migrations ran.
  assert.deepEqual({ ...exit, stderr: withoutMigrations(exit.stderr) }, {
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
    const options = { cwd: join(stage.folder, "empty") };
    // One of each code, and what the runtime itself may read, in a process of its own.
    const alone = code !== 2 || args.some((arg) => /^--(?:prot|env-file)$/.test(arg));
    const exit = alone ? await stage.weir(args, options) : await runInSession(stage, args, options);
    assert.deepEqual([exit.code, exit.stdout], [code, ""], args.join(" "));
    assert.match(withoutWarnings(exit.stderr), message);
  }
  assert.match((await runInSession(stage, ["--help"])).stdout, /^weir \d/);
  assert.match((await stage.weir(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
});
