/** The npm package as a file: `docs/install.md` is followed command by command. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { packages } from "../support/packages.ts";
import { openStage, root, type Weir } from "../support/process.ts";
import { Machine } from "../support/project.ts";
import { instructionsOf } from "../support/readme.ts";
import { WebClient } from "../support/web-client.ts";

test("package: the file alone makes a project that serves, as docs/install.md says", async () => {
  const page = await readFile(join(root, "docs/install.md"), "utf8");
  const [, section = ""] = /^## From a file\n([^]*?)^## /m.exec(page) ?? [];
  const commands = instructionsOf(section).map(({ text }) => text);
  const [, name = ""] = /(\S+\.tgz)/.exec(commands[0]) ?? [];
  assert.ok(section.includes(`\`dist/${name.slice(2)}\``), "the page names the file of the task");

  const stage = await openStage("node");
  try {
    // A registry that nobody has: Weir comes from the file.
    const machine = await Machine.create(stage, "http://127.0.0.1:9/");
    let folder = join(stage.folder, "project");
    await mkdir(folder);
    await writeFile(join(folder, name), (await packages()).npm);
    let weir: Weir | undefined;
    for (const command of commands) {
      const [, target] = /^cd (\S+)$/.exec(command) ?? [];
      if (target !== undefined) folder = join(folder, target);
      else if (command === "npm start") {
        weir = await machine.serve(`exec ${command}`, folder, { PORT: "0" });
      } else await machine.run(command, folder);
    }
    assert.ok(weir !== undefined, "no command starts the server");
    const client = await WebClient.open(`ws://localhost:${weir.port}/ws`);
    assert.equal((await client.request({ type: "join_room", room: "lobby" })).type, "ack");
    client.close();
    weir.signal("SIGINT");
    assert.match((await weir.ended()).stdout, /^weir is shutting down$/m);

    const required = `console.log(typeof require("@weir/runtime/node").serve)`;
    await writeFile(join(folder, "program.cjs"), required);
    assert.equal((await machine.run("node program.cjs", folder)).stdout, "function\n");
  } finally {
    await stage.end();
  }
});
