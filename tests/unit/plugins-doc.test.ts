/** docs/plugins.md says how plugins are used. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { PROBLEM_CODES } from "../../src/base/problem.ts";
import { importPlugin } from "../../src/plugins/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { hostOptions, readConfigFiles } from "../../src/server/files.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { runTest } from "../../src/testing/run.ts";

const page = await readFile(new URL("../../docs/plugins.md", import.meta.url), "utf8");
const [plugin, program] = examples("ts");
const [configuration] = examples("hcl");

/** The examples in one language, in their order. */
function examples(language: string): readonly string[] {
  return [...page.matchAll(/^```(\w*)\n([^]*?)^```$/gm)]
    .filter(([, found]) => found === language).map(([, , code]) => code);
}

async function withFiles(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "weir-plugins-page-")));
  try {
    await writeFile(join(folder, "counter.ts"), plugin);
    await writeFile(join(folder, "visits.hcl"), configuration);
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("plugins page: its example passes its test", async () => {
  await withFiles(async (folder) => {
    const clock = new ManualClock();
    const files = await readConfigFiles(folder);
    const model = await loadConfig(files, { ...hostOptions, now: () => clock.now() });
    assert.deepEqual(model.warnings, []);
    const results = await Promise.all(model.tests.map((one) => runTest(model, one, { clock })));
    assert.deepEqual(results.map(({ name, failures }) => [name, failures]), [
      ["a visit is counted", []],
    ]);
  });
});

test("plugins page: its program runs", async () => {
  await withFiles(async (folder) => {
    const file = join(folder, "program.ts");
    await writeFile(file, `${program}\nexport default model.connectors.size;\n`);
    // As a plugin, it gets the package that runs.
    const module = await importPlugin("./program.ts", folder) as { readonly default: unknown };
    assert.equal(module.default, 0);
    assert.equal((await import(pathToFileURL(file).href)).default, 0);
  });
});

test("plugins page: it names every code", () => {
  const codes = Object.keys(PROBLEM_CODES).filter((code) => code.startsWith("plugin-"));
  assert.equal(codes.length, 6);
  const section = page.slice(page.indexOf("\n## Problems\n"));
  for (const code of codes) assert.ok(section.includes(`| \`${code}\``), code);
});
