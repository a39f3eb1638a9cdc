/** Which flags of a process its workers get. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { denoFlags, nodeFlags } from "../../src/workers/flags.ts";

test("Node: memory, warnings and how modules are found; no debugger, no other modules", () => {
  const flags = [
    "--max-old-space-size=100",
    "--inspect=0",
    "--conditions",
    "a",
    "-C",
    "b",
    "--conditions=c",
    "--import",
    "./start.js",
    "--experimental-transform-types",
    "--no-warnings",
    "-e",
    "code",
  ];
  assert.deepEqual(nodeFlags(flags), [
    "--max-old-space-size=100",
    "--conditions",
    "a",
    "-C",
    "b",
    "--conditions=c",
    "--experimental-transform-types",
    "--no-warnings",
  ]);
  assert.deepEqual(nodeFlags([]), []);
});

test("Deno: which modules there are, as its command line says, and no argument of the program", () => {
  const line = ["deno", "run", "-A", "--inspect", "--config", "a.json", "--lock=b.lock"];
  const rest = ["-c", "c.json", "--cached-only", "--import-map=d.json", "--v8-flags=--expose-gc"];
  const args = ["run", "--config", "chat.hcl"];
  assert.deepEqual(denoFlags("file:///w.ts", [...line, ...rest, "main.ts", ...args], args), [
    "--config",
    "a.json",
    "--lock=b.lock",
    ...rest,
  ]);
  const without = ["deno", "--no-config", "main.ts", ...args];
  assert.deepEqual(denoFlags("file:///w.ts", without, args), ["--no-config"]);
  assert.deepEqual(denoFlags("file:///w.ts", [], args), []);
});

test("Deno: the configuration of the program, where the one of a worker is another", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "weir-flags-")));
  try {
    await mkdir(join(folder, "app/src"), { recursive: true });
    await mkdir(join(folder, "weir/src"), { recursive: true });
    await writeFile(join(folder, "app/deno.jsonc"), "{}");
    await writeFile(join(folder, "weir/deno.json"), "{}");
    const url = (path: string) => pathToFileURL(join(folder, path)).href;
    const flags = (script: string, module: string) =>
      denoFlags(module, ["deno", script, "x"], ["x"]);
    const expected = ["--config", join(folder, "app/deno.jsonc")];
    for (const script of [join(folder, "app/src/main.ts"), url("app/main.ts")]) {
      assert.deepEqual(flags(script, url("weir/src/cli.ts")), expected, script);
      assert.deepEqual(flags(script, url("app/node_modules/cli.ts")), [], script);
    }
    assert.deepEqual(flags("npm:weir", "npm:weir"), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});
