/** The JSR package, in an empty folder and with an empty cache of Deno. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { VERSION } from "../../src/base/version.ts";
import { openStage, root, type Weir } from "../support/process.ts";
import { Machine } from "../support/project.ts";
import { startRegistry } from "../support/registry.ts";
import { withoutTemplateWarning } from "../support/template-warnings.ts";
import { needTool } from "../support/toolchain.ts";
import { WebClient } from "../support/web-client.ts";

const COMMAND = "deno run -A jsr:@weir/runtime/cli";

const PROGRAM = `
import { type Model, loadConfig } from "jsr:@weir/runtime@^${VERSION}";
import { readConfigFiles, serve } from "jsr:@weir/runtime@^${VERSION}/deno";

const model: Model = await loadConfig(await readConfigFiles("app"), { env: Deno.env.get });
const service = await serve(await readConfigFiles("app"), { workers: 2 });
console.log(model.flows.length > 0, await service.runtime.sendToRoom("lobby", {}));
await service.close();
`;

test("package: everything works from JSR", async () => {
  await withMachine(async (machine, folder) => {
    await machine.run(`${COMMAND} init app`, folder);
    const { stdout, stderr } = await machine.run(`${COMMAND} check app`, folder);
    assert.match(stdout, /^good: /);
    assert.doesNotMatch(withoutTemplateWarning("chat", stderr), /warning\[/);
    assert.match((await machine.run(`${COMMAND} test app`, folder)).stdout, /tests, all passed$/m);
    await serves(await machine.serve(`exec ${COMMAND} run app`, folder, { PORT: "0" }));

    await machine.run("deno install -g -A -n weir jsr:@weir/runtime/cli", folder);
    const weir = join(machine.env.HOME, ".deno/bin/weir");
    assert.equal((await machine.run(`${weir} --version`, folder)).stdout, `${VERSION}\n`);
    const line = `exec ${weir} run app --workers 2`;
    await serves(await machine.serve(line, folder, { PORT: "0" }));

    await writeFile(join(folder, "program.ts"), PROGRAM);
    await machine.run("deno check program.ts", folder);
    const env = { PORT: "0" };
    const ran = await machine.start("deno run -A program.ts", folder, env).ended();
    assert.deepEqual([ran.code, ran.stdout], [0, "true 0\n"], ran.stderr);
  });
});

test("package: a checkout can be installed as a command of Deno", async () => {
  await withMachine(async (machine, folder) => {
    const info = await promisify(execFile)(await needTool("deno"), ["info", "--json"]);
    // Who has a checkout has its dependencies.
    const env = { DENO_DIR: JSON.parse(info.stdout).denoDir };
    const install = "deno install -g -A -n weir --config deno.json src/cli-deno.ts";
    await machine.run(install, root, env);
    const weir = join(machine.env.HOME, ".deno/bin/weir");
    await machine.run(`${weir} init app`, folder, env);
    const line = `exec ${weir} run app --workers 2`;
    await serves(await machine.serve(line, folder, { ...env, PORT: "0" }));
  });
});

/** Runs with a registry, a home and an empty folder. */
async function withMachine(
  use: (machine: Machine, folder: string) => Promise<void>,
): Promise<void> {
  const registry = await startRegistry();
  const stage = await openStage("deno");
  try {
    const folder = join(stage.folder, "project");
    await mkdir(folder);
    await use(await Machine.create(stage, registry.url), folder);
    stage.assertSound();
  } finally {
    await stage.end();
    registry.close();
  }
}

/** A client of the chat is answered, and Ctrl-C ends the server in order. */
async function serves(weir: Weir): Promise<void> {
  const client = await WebClient.open(`ws://localhost:${weir.port}/ws`);
  const { type } = await client.request({ type: "join_room", room: "lobby" });
  assert.equal(type, "ack");
  client.close();
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0, weir.output);
}
