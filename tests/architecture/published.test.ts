/** What the registries of JSR and npm get. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { posix } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";
import { filesOf, packages } from "../support/packages.ts";
import { needTool } from "../support/toolchain.ts";
import { type Graph, read, readGraph, root } from "./graph.ts";

const manifest = JSON.parse(await read("deno.json")) as {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
};
const entrypoints = Object.values(manifest.exports).map((path) => posix.normalize(path));
const npm = await readNpmPackage();

/** What is published beside the modules. */
const OTHERS = /^(?:deno\.json|LICENSE|README\.md|CHANGELOG\.md|docs\/[\w-]+\.md)$/;

test("JSR gets every file that a published module imports, and no file that nobody needs", async () => {
  const published = await listPublished();
  assert.deepEqual(publishProblems(published, await readGraph(), entrypoints), []);
  for (const file of ["README.md", "CHANGELOG.md", "LICENSE", "docs/configuration.md"]) {
    assert.ok(published.includes(file), file);
  }
});

test("a file that is missing on JSR, or not needed there, is found", () => {
  const edge = (target: string, dynamic = false) => ({ target, specifier: target, dynamic });
  const graph: Graph = new Map([
    ["mod.ts", [edge("src/a.ts"), edge("node:fs"), edge("npm:/hono@4.0.0")]],
    ["src/a.ts", [edge("src/b.ts", true), edge("deno.json")]],
    ["src/b.ts", []],
    ["src/c.ts", []],
  ]);
  const complete = ["deno.json", "docs/a.md", "mod.ts", "src/a.ts", "src/b.ts"];
  assert.deepEqual(publishProblems(complete, graph, ["mod.ts"]), []);
  assert.deepEqual(
    publishProblems(["mod.ts", "src/a.ts", "src/c.ts", "tests/x.ts"], graph, ["mod.ts"]),
    [
      "src/a.ts imports src/b.ts, which is not published",
      "src/a.ts imports deno.json, which is not published",
      "src/c.ts is published, and no entrypoint imports it",
      "tests/x.ts is published, and no entrypoint imports it",
    ],
  );
});

test("npm gets JavaScript and its types, for every module that JSR gets", async () => {
  const modules = (await listPublished()).filter((file) => file.endsWith(".ts"));
  const expected = modules.map((file) => file.replace(/\.ts$/, ".js"));
  const scripts = [...npm.keys()].filter((file) => file.endsWith(".js"));
  assert.deepEqual(scripts.sort(), expected.sort());
  assert.deepEqual([...npm.keys()].filter((file) => /(?<!\.d)\.ts$/.test(file)), []);
  for (const path of entrypoints) assert.ok(npm.has(path.replace(/\.ts$/, ".d.ts")), path);
});

test("npm gets every module that the types of a module import", () => {
  const missing: string[] = [];
  let count = 0;
  const importedBy = /\b(?:from|import\() ?"(\.[^"]+)\.js"/g;
  for (const [file, text] of npm) {
    if (!file.endsWith(".d.ts")) continue;
    for (const [, target] of text.matchAll(importedBy)) {
      const path = posix.join(posix.dirname(file), `${target}.d.ts`);
      if (!npm.has(path)) missing.push(`${file} needs ${path}`);
      count++;
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(count > 50, `${count} imports`);
});

test("npm gets the versions of deno.json, the command and the oldest Node", () => {
  const { dependencies, bin, engines, version, license } = JSON.parse(textOf("package.json"));
  for (const [name, range] of Object.entries(dependencies)) {
    assert.equal(`npm:${name}@${range}`, manifest.imports[name]);
  }
  for (const name of ["mysql2", "pg"]) assert.ok(Object.hasOwn(dependencies, name), name);
  // These two are exact, since Weir uses what is no part of their interface.
  assert.match(dependencies.ws, /^\d/);
  assert.match(dependencies["rabbitmq-client"], /^\d/);
  assert.deepEqual([version, license], [manifest.version, "MIT"]);
  assert.deepEqual(engines, { node: "^22.21.0 || >=24.9.0" });
  assert.deepEqual(bin, { weir: "bin/weir.cjs" });
  assert.match(textOf(bin.weir), /^#!\/usr\/bin\/env node\n/);
});

test("an old Node can parse the command", () => {
  // Node 4 lacks all of these, and Node 12 the first three.
  const newer = /\bimport\(|\?\.|\?\?|\.\.\.|\b(?:async|await)\b|\b(?:const|let|var) [[{]/;
  assert.doesNotMatch(textOf("bin/weir.cjs"), newer);
  assert.match(textOf("bin/start.cjs"), newer);
});

test("the packages do not tell where they were made", async () => {
  const jsr = [...await filesOf((await packages()).jsr)]
    .map(([file, content]): [string, string] => [file, new TextDecoder().decode(content)]);
  const places = [root, pathToFileURL(root).href, encodeURI(root)];
  for (const [file, text] of [...npm, ...jsr]) {
    assert.ok(!places.some((place) => text.includes(place)), file);
    assert.doesNotMatch(text, /^\/\/# sourceMappingURL=/m, file);
  }
});

/** Compares what is published with what the entrypoints need. */
function publishProblems(
  published: readonly string[],
  graph: Graph,
  entrypoints: readonly string[],
): string[] {
  const needed = new Set<string>();
  const visit = (file: string): void => {
    if (needed.has(file)) return;
    needed.add(file);
    for (const { target } of graph.get(file) ?? []) visit(target);
  };
  for (const file of entrypoints) visit(file);
  const problems: string[] = [];
  for (const [file, imports] of graph) {
    if (!published.includes(file)) continue;
    for (const { target } of imports) {
      if (/^(?:node|npm):/.test(target) || published.includes(target)) continue;
      problems.push(`${file} imports ${target}, which is not published`);
    }
  }
  const unneeded = published.filter((file) => !needed.has(file) && !OTHERS.test(file));
  return [
    ...problems,
    ...unneeded.map((file) => `${file} is published, and no entrypoint imports it`),
  ];
}

/** The files that `deno publish` names, relative to the repository. */
async function listPublished(): Promise<string[]> {
  const args = ["publish", "--dry-run", "--allow-dirty", "--no-check"];
  const env = { ...process.env, NO_COLOR: "1" };
  const { stderr, stdout } = await promisify(execFile)(await needTool("deno"), args, {
    cwd: root,
    env,
  });
  const base = pathToFileURL(root).href;
  const urls = [...`${stdout}\n${stderr}`.matchAll(/^ +(file:\/\/\S+) \([\d.]+[KMG]?B\)$/gm)];
  assert.ok(urls.length > 100, `${urls.length} files`);
  return urls.map(([, url]) => url.replace(base, ""));
}

/** The files of the npm package, by their paths in it. */
async function readNpmPackage(): Promise<Map<string, string>> {
  const files = await filesOf((await packages()).npm);
  return new Map(
    [...files].map(([path, content]) =>
      [path.replace(/^package\//, ""), new TextDecoder().decode(content)] as const
    ),
  );
}

function textOf(file: string): string {
  const text = npm.get(file);
  assert.ok(text !== undefined, `${file} is not in the package`);
  return text;
}
