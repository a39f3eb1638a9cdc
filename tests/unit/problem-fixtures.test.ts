/** Every mistake of the language: the files in tests/fixtures/problems. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../../src/base/errors.ts";
import type { Problem } from "../../src/base/problem.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { hostOptions, readConfigFiles } from "../../src/server/files.ts";
import { placed } from "../support/problems.ts";

const folder = fileURLToPath(new URL("../fixtures/problems/", import.meta.url));

async function problemsOf(file: string): Promise<readonly Problem[]> {
  try {
    const [source] = await readConfigFiles(join(folder, file));
    return (await loadConfig([{ ...source, path: file }], { ...hostOptions, embedded: false }))
      .warnings;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test("every mistake of the language is reported as it is written down", async () => {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".hcl")).sort();
  assert.ok(files.length >= 40);
  const found: string[] = [];
  for (const file of files) {
    for (const problem of await problemsOf(file)) {
      found.push(`${problem.severity} ${placed(problem)}`);
    }
  }
  const expected = await readFile(join(folder, "expected.txt"), "utf8");
  assert.deepEqual(found, expected.trimEnd().split("\n"));
});
