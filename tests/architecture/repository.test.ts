/** What must hold for the repository as a whole. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { versions } from "../support/toolchain.ts";
import { promisify } from "node:util";
import { read, readGraph, root, sourceFiles } from "./graph.ts";

const manifest = JSON.parse(await read("deno.json")) as {
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
};

test("no source file is longer than 300 lines, but for generated ones", async () => {
  const problems: string[] = [];
  for (const file of await sourceFiles()) {
    const text = await read(file);
    if (text.startsWith("// @generated ")) continue;
    const lines = text.trimEnd().split("\n").length;
    if (lines > 300) problems.push(`${file} has ${lines} lines, so it has two jobs`);
  }
  assert.deepEqual(problems, []);
});

test("every export of deno.json exists", async () => {
  for (const path of Object.values(manifest.exports)) await access(join(root, path));
});

test("docs/dependencies.md names every dependency", async () => {
  const page = await read("docs/dependencies.md");
  const missing = Object.keys(manifest.imports).filter((name) => !page.includes(`\`${name}\``));
  assert.deepEqual(missing, []);
});

test("pages and CI name the Deno that the tests run on", async () => {
  for (const file of ["README.md", "docs/command.md", "docs/development.md", ".ci/run"]) {
    const named = [...(await read(file)).matchAll(/deno@([\d.]+)/g)].map(([, version]) => version);
    assert.deepEqual([...new Set(named)], [versions.deno], file);
  }
});

test("the sources import only packages that deno.json names", async () => {
  const problems: string[] = [];
  for (const [file, imports] of await readGraph()) {
    for (const { specifier, target } of imports) {
      if (/^(?:file:|node:|src\/|mod\.ts$|deno\.json$)/.test(target)) continue;
      if (!Object.keys(manifest.imports).some((name) => isPartOf(specifier, name))) {
        problems.push(`${file} imports ${specifier}`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

test("no file tells where it was written", async () => {
  const machine = /\.\.\/shared|(?<![\w.~-])\/(?:work|tmp)\/|registry\.\w+js/;
  const problems: string[] = [];
  for (const file of await repositoryFiles()) {
    if (/^(?:tests|\.ci)\//.test(file)) continue;
    for (const [index, line] of (await read(file)).split("\n").entries()) {
      const found = machine.exec(line);
      if (found !== null) problems.push(`${file}:${index + 1} mentions ${found[0]}`);
    }
  }
  assert.deepEqual(problems, []);
});

function isPartOf(specifier: string, name: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`);
}

/** The files that git tracks or would track. */
async function repositoryFiles(): Promise<string[]> {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
  const { stdout } = await promisify(execFile)("git", args, { cwd: root });
  const files = stdout.split("\0").filter((file) => file !== "");
  const present = await Promise.all(
    files.map((file) => access(join(root, file)).then(() => true, () => false)),
  );
  return files.filter((_, index) => present[index]); // A deleted file is listed until the commit.
}
