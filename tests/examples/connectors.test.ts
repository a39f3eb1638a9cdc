/** The connectors of docs/write-a-connector.md: run by the command, and held to the contract. */
import assert from "node:assert/strict";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { LinesServer } from "../../examples/connectors/lines-server.ts";
import { root, type Stage, stageTest } from "../support/process.ts";
import { openClient } from "../support/talk.ts";
import { needTool, type Tool } from "../support/toolchain.ts";

/** The runner of each platform itself, instead of `node:test`. */
const NATIVE: Readonly<Record<Tool, string>> = {
  deno: "const { test } = Deno, after = Deno.test.afterAll;",
  bun: 'import { afterAll as after, test } from "bun:test";',
  node: 'import { after, test } from "node:test";',
};

/** Copies the examples. */
async function copy(stage: Stage): Promise<string> {
  const folder = join(stage.folder, "connectors");
  await cp(join(root, "examples/connectors"), folder, { recursive: true });
  return folder;
}

stageTest("examples/connectors: the command knows the smallest connectors", async (stage) => {
  const folder = await copy(stage);
  const file = join(folder, "pulse.hcl");
  const checked = await stage.weir(["check", file]);
  assert.deepEqual([checked.code, checked.stderr], [0, ""]);
  assert.equal(checked.stdout, "good: 2 connectors, 1 flow, 1 test\n");
  const tested = await stage.weir(["test", file]);
  assert.deepEqual([tested.code, tested.stderr], [0, ""]);
  assert.equal(tested.stdout, "ok      three beats are told\n1 test, all passed\n");
  const weir = await stage.run([file]);
  await weir.says(/beat {"count":1}\nbeat {"count":2}\nbeat {"count":3}\n/);
  weir.signal("SIGINT");
  const { code, stdout } = await weir.ended();
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /"count":4/);
});

stageTest(
  "examples/connectors: one of two workers subscribes, and all clients hear",
  async (stage) => {
    const folder = await copy(stage);
    const server = new LinesServer();
    await server.start();
    try {
      const env = { LINES_PORT: String(server.port) };
      const file = join(folder, "lines.hcl");
      const probed = await stage.weir(["check", "--connect", file], { env });
      assert.deepEqual([probed.code, probed.stderr], [0, ""]);
      assert.match(probed.stdout, /connector "lines": localhost:\d+ accepts connections\n/);
      const weir = await stage.run([file, "--workers", "2", "--port", "ws=0"], { env });
      const clients = await Promise.all(Array.from({ length: 8 }, () => openClient(weir)));
      clients[0].say({ type: "message", data: { text: "hi" } });
      for (const client of clients) {
        assert.deepEqual(await client.hear(), { type: "message", data: { text: "hi" } });
      }
      assert.deepEqual(server.published, [{ text: "hi" }]);
      // Another message follows at once, so each has got the first one once.
      server.publish("chat", { text: "next" });
      for (const client of clients) {
        assert.deepEqual(await client.hear(), { type: "message", data: { text: "next" } });
      }
      weir.signal("SIGINT");
      assert.equal((await weir.ended()).code, 0);
    } finally {
      await server.stop();
    }
  },
);

/** The command that runs a file of tests. */
const TEST: Readonly<Record<Tool, readonly string[]>> = {
  deno: ["test", "--allow-all", "--no-check"],
  bun: ["test", "--timeout", "60000"],
  node: ["--test"],
};

stageTest("examples/connectors: the tests of a connector pass with the runner", async (stage) => {
  const folder = await copy(stage);
  await installPackage(folder);
  const { runtime } = stage;
  const file = join(folder, "lines.test.ts");
  const source = await readFile(file, "utf8");
  assert.ok(source.includes(NATIVE.node));
  await writeFile(file, source.replace(NATIVE.node, NATIVE[runtime]));
  // Deno has the package by the name of this repository, whose configuration also names the others.
  const args = [...TEST[runtime], runtime === "deno" ? file : "./lines.test.ts"];
  const cwd = runtime === "deno" ? root : folder;
  const { code, stdout, stderr } = await stage
    .command(await needTool(runtime), args, { cwd }).ended(120_000);
  const output = stdout + stderr;
  assert.equal(code, 0, output);
  assert.match(output, /a message is published/);
  assert.match(output, /lines: recovery: a connector says that its service went away/);
  assert.match(output, /\b35 pass(?:ed)?\b|pass 35\b/);
});

/** Installs `@weir/runtime` as modules that export what the repository has. */
async function installPackage(folder: string): Promise<void> {
  const at = join(folder, "node_modules/@weir/runtime");
  await mkdir(at, { recursive: true });
  const exports: Record<string, string> = {};
  for (const [name, file] of [[".", "mod.ts"], ["./testing", "src/testing/mod.ts"]]) {
    const output = file.replaceAll("/", "-").replace(/\.ts$/, ".js");
    exports[name] = `./${output}`;
    const url = pathToFileURL(join(root, file)).href;
    await writeFile(join(at, output), `export * from ${JSON.stringify(url)};\n`);
  }
  const manifest = { name: "@weir/runtime", version: "0.0.0", type: "module", exports };
  await writeFile(join(at, "package.json"), JSON.stringify(manifest));
}
