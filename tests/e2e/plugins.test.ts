/** Plugins: connectors that are not part of Weir, in every command. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  commandFile,
  type Process,
  ready,
  root,
  type Stage,
  stageTest,
  withStage,
} from "../support/process.ts";
import { complains, count, edit } from "../support/plugins.ts";
import { openClient, withoutWaits } from "../support/talk.ts";
import { needTool } from "../support/toolchain.ts";

stageTest("check, test and run know the connectors of a plugin", async (stage) => {
  const folder = await stage.copy("plugins");
  const checked = await stage.weir(["check", "--connect", folder]);
  assert.deepEqual([checked.code, checked.stdout, checked.stderr], [
    0,
    "good: 2 connectors, 2 flows, 1 test\n",
    "",
  ]);
  const tested = await stage.weir(["test", folder]);
  assert.deepEqual([tested.code, tested.stderr], [0, ""]);
  assert.match(tested.stdout, /^ok .*\n1 test, all passed\n$/);

  const weir = await stage.run([folder]);
  const client = await openClient(weir);
  assert.equal(await count(client), 6);
  assert.equal(await count(client, 10), 16);
  // A failure of the plugin's connector is one of the flow, and is logged.
  const failure = await client.ask({ type: "count", id: 2, data: { by: -1 } });
  assert.equal((failure as { readonly code?: unknown }).code, "flow_failed");
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0);
  assert.match(weir.stderr, /connector "total": cannot count backwards/);
});

stageTest("each of several workers imports the plugins", async (stage) => {
  const folder = await stage.copy("plugins");
  const weir = await stage.run([folder, "--workers", "2"]);
  const clients = await Promise.all(Array.from({ length: 24 }, () => openClient(weir)));
  for (const client of clients) client.say({ type: "count", data: {} });
  // Each worker counts for itself, and what its flows tell reaches the clients of both.
  const [expected, ...others] = await Promise.all(clients.map(async (client) => {
    const counts: number[] = [];
    while (counts.length < clients.length) {
      counts.push((await client.hear() as { data: { count: number } }).data.count);
    }
    return counts.sort((a, b) => a - b);
  }));
  for (const counts of others) assert.deepEqual(counts, expected);
  const both = expected.filter((n) => n === 6).length;
  assert.equal(both, 2, "a worker has no client");
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0);

  await edit(
    folder,
    "counter.ts",
    "  test: (options)",
    '  unshared: () => "each would count",\n  test: (options)',
  );
  const refused = await stage.weir(["run", folder, "--workers", "2"]);
  assert.deepEqual([refused.code, refused.stdout, refused.stderr], [
    3,
    "",
    'error[connector-failed]: connector "total": with several workers, each would count\n',
  ]);
});

stageTest(
  "a plugin that cannot be used is a problem at its place, in every command",
  async (stage) => {
    const folder = await stage.copy("plugins");
    await edit(folder, "step.ts", "number = 1", "number = ");
    for (const args of [["check", folder], ["test", folder], ["run", folder]]) {
      const { code, stdout, stderr } = await stage.weir(args);
      assert.deepEqual([code, stdout], [1, ""], args[0]);
      assert.match(
        stderr,
        /^error\[plugin-failed\]: the plugin "\.\/counter\.ts" cannot be imported: .* \(plugins\/step\.ts:2(?::\d+)?\)\n +┌ plugins\/counter\.hcl:2:14\n2│ {3}plugins = \["\.\/counter\.ts"\]\n +│ +\^{14}\n\n1 problem\n$/,
      );
    }
    await edit(folder, "counter.hcl", "./counter.ts", "weir-plugin-absent");
    await edit(folder, "counter.hcl", 'operation = "count"', 'operaton = "count"');
    const { code, stdout } = await stage.weir(["check", "--json", folder]);
    const { problems } = JSON.parse(stdout) as { problems: { code: string; line: number }[] };
    assert.deepEqual([code, problems.map(({ code, line }) => [code, line])], [1, [
      ["plugin-not-found", 2],
      ["unknown-attribute", 18],
    ]]);
  },
);

stageTest("a plugin needs no package of its own: it gets the one that runs", async (stage) => {
  const folder = await stage.copy("plugins");
  // What `npm init` writes, although plugins are modules.
  await writeFile(join(folder, "package.json"), '{ "name": "shop", "type": "commonjs" }');
  if (stage.runtime === "deno") {
    // Of Deno's own cache, where it has no node_modules; and WebAssembly, with a function.
    const more = 'import "valibot";\nimport { answer } from "./answer.wasm";\nanswer();';
    await edit(folder, "step.ts", "number = 1;", `number = 1;\n${more}`);
    const wasm = "0061736d010000000105016000017f03020100070a0106616e7377657200000a06010400412a0b";
    await writeFile(join(folder, "answer.wasm"), Buffer.from(wasm, "hex"));
  }
  const start = await commandWithoutPackage(stage);
  const tested = await (await start(["test", folder])).ended();
  assert.deepEqual([tested.code, tested.stderr], [0, ""], tested.stdout);
  const weir = await ready(await start(["run", "--watch", folder]));
  assert.equal(await count(await openClient(weir)), 6);
  await edit(folder, "step.ts", "number = 1", "number = ");
  await complains(weir, /^error\[plugin-failed\]: .* \(plugins\/step\.ts:2(?::\d+)?\)$/m);
  await edit(folder, "step.ts", "number = ", "number = 2");
  await weir.says(/restarted .*\n/);
  assert.equal(await count(await openClient(weir)), 7);
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0);
});

/** Starts the command. Deno gets a configuration that does not have the package. */
async function commandWithoutPackage(
  stage: Stage,
): Promise<(args: readonly string[]) => Promise<Process>> {
  if (stage.runtime !== "deno") return (args) => stage.script(commandFile(stage.runtime), args);
  const { imports } = JSON.parse(await readFile(join(root, "deno.json"), "utf8"));
  return (args) => startDeno(stage, imports, [commandFile("deno"), ...args]);
}

/** Starts Deno with a configuration that has these imports and no node_modules. */
async function startDeno(
  stage: Stage,
  imports: Readonly<Record<string, string>>,
  [script, ...args]: readonly string[],
): Promise<Process> {
  const config = join(stage.folder, "deno.json");
  await writeFile(config, JSON.stringify({ nodeModulesDir: "none", imports }));
  await copyFile(join(root, "deno.lock"), join(stage.folder, "deno.lock"));
  const command = ["run", "-A", "--quiet", "--config", config, join(root, script)];
  return stage.command(await needTool("deno"), [...command, ...args]);
}

stageTest("what a plugin imports by a path is watched, and no package", async (stage) => {
  const folder = await stage.copy("plugins");
  const args = ["tests/fixtures/scripts/plugin-files.ts", folder, "./counter.ts"];
  let script: Process;
  if (stage.runtime === "deno") {
    await edit(folder, "step.ts", "number = 1;", 'number = 1;\nimport "valibot";');
    const { imports } = JSON.parse(await readFile(join(root, "deno.json"), "utf8"));
    const own = { "@weir/runtime": join(root, "mod.ts") };
    script = await startDeno(stage, { ...imports, ...own }, args);
  } else script = await stage.script(args[0], args.slice(1));
  const { code, stdout, stderr } = await script.ended();
  assert.deepEqual([code, stdout, stderr], [0, "counter.ts step.ts\n", ""]);
});

test("a worker on Deno finds modules as the process that starts it", async () => {
  await withStage("deno", async (stage) => {
    const folder = await stage.copy("plugins");
    // Only this configuration has the name. A worker would not find it by itself.
    await edit(folder, "counter.ts", '"./step.ts"', '"step"');
    const { imports } = JSON.parse(await readFile(join(root, "deno.json"), "utf8"));
    const own = { "@weir/runtime": join(root, "mod.ts"), step: join(folder, "step.ts") };
    const run = ["run", "--workers", "2", folder];
    const weir = await startDeno(stage, { ...imports, ...own }, [commandFile("deno"), ...run]);
    await ready(weir);
    weir.signal("SIGINT");
    assert.equal((await weir.ended()).code, 0);

    // A program in the folder of the configuration needs no option.
    const program = join(stage.folder, "main.ts");
    await writeFile(
      program,
      `import { readConfigFiles, serve } from ${JSON.stringify(join(root, "src/deno.ts"))};\n` +
        `const files = await readConfigFiles("./plugins");\n` +
        "await (await serve(files, { workers: 2 })).close();\n",
    );
    const deno = await needTool("deno");
    const started = stage.command(deno, ["run", "-A", "--quiet", program]);
    const { code, stderr } = await started.ended();
    assert.deepEqual([code, withoutWaits(stderr)], [0, ""]);
  });
});

test("a worker on Node reads TypeScript as the process that starts it", async () => {
  await withStage("node", async (stage) => {
    const folder = await stage.copy("plugins");
    await edit(folder, "step.ts", "export", "export enum Unused {}\nexport");
    const flags = ["--experimental-transform-types", "--no-warnings"];
    const command = [...flags, join(root, commandFile("node")), "run", "--workers", "2", folder];
    const weir = await ready(stage.command(await needTool("node"), command));
    weir.signal("SIGINT");
    const { code, stderr } = await weir.ended();
    assert.deepEqual([code, withoutWaits(stderr)], [0, ""]);
  });
});

stageTest("programs that embed a configuration import its plugins", async (stage) => {
  const folder = await stage.copy("plugins");
  const script = await stage.script("tests/fixtures/scripts/plugins.ts", [folder]);
  assert.deepEqual(await script.ended(), { code: 0, signal: null, stdout: "done\n", stderr: "" });
});
