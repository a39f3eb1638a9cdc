/**
 * Rewrites the sentences of problems in `problems.txt` from a run of the tests that meet them, and
 * `fixtures/mistakes/expected.txt`. Read the difference before you commit it. Tests whose places or
 * codes are wrong fail here, too.
 */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { format, type Sentence, snapshotFile } from "../support/problems.ts";

const tests = fileURLToPath(new URL("../", import.meta.url));
const collected = join(tmpdir(), `weir-sentences-${process.pid}`);
const names = (await readdir(tests, { recursive: true })).filter((name) =>
  /\.test\.ts$/.test(name)
);
const files: string[] = [];
for (const name of names.sort()) {
  const text = await readFile(join(tests, name), "utf8");
  if (/\/(?:support\/(?:config|problems)|type-support)\.ts"/.test(text)) {
    files.push(join(tests, name));
  }
}

await writeFile(collected, "");
const env = { ...process.env, WEIR_COLLECT_SENTENCES: collected };
const run = ["test", "-A", "--no-check", "--reporter=dot", ...files];
const { status } = spawnSync(process.execPath, run, {
  cwd: join(tests, ".."),
  env,
  stdio: "inherit",
});
const lines = (await readFile(collected, "utf8")).split("\n").filter((line) => line !== "");
await rm(collected);
const sentences = lines.map((line) => JSON.parse(line) as Sentence);
await writeFile(snapshotFile, format(sentences));
// What the command prints of a whole folder is kept, too.
const fixtures = join(tests, "fixtures");
const check = ["run", "-A", "--no-check", "../../src/deno.ts", "check", "mistakes"];
const { stderr } = spawnSync(process.execPath, check, { cwd: fixtures, encoding: "utf8" });
await writeFile(join(fixtures, "mistakes/expected.txt"), stderr);
console.log(`${new Set(lines).size} sentences of ${files.length} test files`);
process.exit(status ?? 1);
