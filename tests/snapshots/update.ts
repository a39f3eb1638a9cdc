/**
 * Rewrites the sentences of problems in `problems.txt` from a run of the tests that meet them, and
 * `fixtures/mistakes/expected.txt`. Read the difference before you commit it. Tests whose places or
 * codes are wrong fail here, too. With a text only the test files whose path contains it run, and
 * their sentences are added.
 */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { format, type Sentence, snapshotFile } from "../support/problems.ts";

const tests = fileURLToPath(new URL("../", import.meta.url));
const collected = join(tmpdir(), `weir-sentences-${process.pid}`);
const [filter = ""] = process.argv.slice(2);
const files = (await importersOf(join(tests, "support/problems.ts")))
  .filter((file) => file.endsWith(".test.ts") && file.includes(filter));

await writeFile(collected, "");
const env = { ...process.env, WEIR_COLLECT_SENTENCES: collected };
const run = ["test", "-A", "--no-check", "--parallel", "--reporter=dot", ...files];
const { status } = spawnSync(process.execPath, run, {
  cwd: join(tests, ".."),
  env,
  stdio: "inherit",
});
const lines = (await readFile(collected, "utf8")).split("\n").filter((line) => line !== "");
await rm(collected);
const sentences = lines.map((line) => JSON.parse(line) as Sentence);
const kept = filter === "" ? "" : await readFile(snapshotFile, "utf8");
await writeFile(snapshotFile, format(sentences, kept));
// What the command prints of a whole folder is kept, too.
const fixtures = join(tests, "fixtures");
const check = ["run", "-A", "--no-check", "../../src/cli-deno.ts", "check", "mistakes"];
const { stderr } = spawnSync(process.execPath, check, { cwd: fixtures, encoding: "utf8" });
await writeFile(join(fixtures, "mistakes/expected.txt"), stderr);
console.log(`${new Set(lines).size} sentences of ${files.length} test files`);
process.exit(status ?? 1);

/** The test files and their helpers that import a module, however indirectly. */
async function importersOf(module: string): Promise<string[]> {
  const names = (await readdir(tests, { recursive: true })).filter((name) => name.endsWith(".ts"));
  const imports = new Map<string, readonly string[]>();
  for (const file of names.map((name) => join(tests, name)).sort()) {
    const text = await readFile(file, "utf8");
    const targets = [...text.matchAll(/from "(\.[^"]+)"/g)];
    imports.set(file, targets.map(([, target]) => join(dirname(file), target)));
  }
  const found = new Set([module]);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const [file, targets] of imports) {
      if (targets.some((target) => found.has(target))) found.add(file);
    }
  }
  return [...found];
}
