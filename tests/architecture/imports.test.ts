/**
 * Which folder may import which. The rules are where the folders are: the first comment of each
 * `mod.ts` says "May import base/ and hcl/.", and this test reads it.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { edge, type Graph, isCore, match, nodeDrivers, read, readGraph } from "./graph.ts";

/** What may lie loose in `src`. */
const entrypoints = ["src/bun.ts", "src/cli-deno.ts", "src/cli.ts", "src/deno.ts", "src/node.ts"];
/** What an entrypoint puts together, and `mod.ts` shows. */
const everything = /^src\//;

const graph = await readGraph();
const folders = [...new Set([...graph.keys()].map(folderOf))].filter((name) => name !== "");
const rules = new Map<string, readonly string[]>();
for (const folder of folders) rules.set(folder, await ruleOf(folder));

test("nothing but entrypoints lies loose in src", () => {
  assert.deepEqual([...graph.keys()].filter((file) => /^src\/[^/]+$/.test(file)), entrypoints);
});

test("every folder says in its mod.ts what it may import, and imports just that", () => {
  const problems: string[] = [];
  for (const folder of folders) {
    const allowed = rules.get(folder) ?? [];
    const imported = new Set<string>();
    for (const [file, imports] of graph) {
      if (folderOf(file) !== folder) continue;
      for (const { target } of imports) {
        if (!everything.test(target)) continue;
        const other = folderOf(target);
        if (other === folder) continue;
        imported.add(other);
        if (!allowed.includes(other)) problems.push(`${file} must not import ${target}`);
      }
    }
    for (const other of allowed) {
      if (!imported.has(other)) problems.push(`${folder}/ may import ${other}/, and does not`);
    }
  }
  assert.deepEqual(problems, []);
});

test("the folders have no circle", () => {
  const edges = [...rules].map(([folder, allowed]) =>
    [
      folder,
      allowed.map((target) => ({
        target,
        specifier: target,
        dynamic: false,
      })),
    ] as const
  );
  assert.deepEqual(findCycles(new Map(edges)), []);
});

test("no module imports itself, however indirectly", () => {
  assert.deepEqual(findCycles(graph), []);
});

test("no file lies beside a folder of its name", () => {
  const pairs = [...graph.keys()].filter((file) =>
    [...graph.keys()].some((other) => other.startsWith(`${file.replace(/\.ts$/, "")}/`))
  );
  assert.deepEqual(pairs, []);
});

test("a feature of rooms is imported on demand, but for what reads and checks its options", () => {
  const feature = /^src\/connectors\/websocket\/presence\/(?!(?:fields|checks)\.ts$)/;
  const problems: string[] = [];
  for (const [file, imports] of graph) {
    if (/^src\/connectors\/websocket\/presence\//.test(file)) continue;
    for (const { target, dynamic } of imports) {
      if (!dynamic && feature.test(target)) {
        problems.push(`${file} must load ${target} with import()`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

test("a driver that needs Node is imported on demand", () => {
  const problems: string[] = [];
  for (const [file, imports] of graph) {
    if (!isCore(file)) continue;
    for (const { target, dynamic } of imports) {
      if (!dynamic && nodeDrivers.some((pattern) => match(target, pattern) !== null)) {
        problems.push(`${file} must load ${target} with import()`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

/** What only some configurations or options need. */
const onDemand = [
  "src/plugins/**",
  "src/commands/watch/**",
  "src/connectors/database/changes/source.ts",
  "src/connectors/database/drivers/*/**",
  "src/connectors/database/inspection/**",
  "src/config/inspection/**",
  "src/config/planned.ts",
  "src/connectors/websocket/sse/**",
  "src/metrics/**",
];

test("a start loads no code of plugins, --watch, --connect, drivers, changes and metrics that it does not use", () => {
  const problems: string[] = [];
  const look = (file: string): void => {
    for (const { target, dynamic, typeOnly } of graph.get(file) ?? []) {
      if (dynamic || typeOnly || seen.has(target)) continue;
      seen.add(target);
      if (onDemand.some((pattern) => match(target, pattern) !== null)) {
        problems.push(`${file} → ${target}`);
      }
      look(target);
    }
  };
  const seen = new Set<string>();
  // The first imports the others on demand.
  for (
    const entry of ["src/cli.ts", "src/cli-deno.ts", "src/commands/mod.ts", "src/workers/mod.ts"]
  ) {
    look(entry);
  }
  assert.ok(seen.has("src/commands/run.ts"), "it follows the imports");
  assert.deepEqual(problems, []);
});

test("only the edge and the drivers that need it import node: modules", () => {
  const problems: string[] = [];
  for (const [file, imports] of graph) {
    for (const { target } of imports) {
      if (isCore(file) && target.startsWith("node:")) problems.push(`${file} imports ${target}`);
    }
  }
  assert.deepEqual(problems, []);
});

test("every pattern of the edge and of the drivers matches a file", () => {
  const unused = [...edge, ...nodeDrivers].filter((pattern) =>
    ![...graph.keys()].some((file) => match(file, pattern) !== null)
  );
  assert.deepEqual(unused, []);
});

test("the cycle search finds a cycle and leaves dynamic imports out", () => {
  const edgeTo = (target: string, dynamic = false) => ({
    target,
    specifier: target,
    dynamic,
  });
  const cyclic: Graph = new Map([
    ["a", [edgeTo("b"), edgeTo("node:fs")]],
    ["b", [edgeTo("c")]],
    ["c", [edgeTo("b"), edgeTo("a", true)]],
  ]);
  assert.deepEqual(findCycles(cyclic), ["b → c → b"]);
});

/** The folder that a rule is about: `flow`, `connectors/mq`; empty for what lies loose. */
function folderOf(file: string): string {
  const [, connector] = /^src\/(connectors\/[^/]+)\/./.exec(file) ?? [];
  const [, folder] = /^src\/([^/]+)\/./.exec(file) ?? [];
  return connector ?? folder ?? "";
}

/** What the first comment of a folder's `mod.ts` lets it import. */
async function ruleOf(folder: string): Promise<string[]> {
  const text = await read(`src/${folder}/mod.ts`);
  const [comment = ""] = /^\/\*\*[\s\S]*?\*\//.exec(text) ?? [];
  const words = comment.replaceAll(/\n \* ?/g, " ");
  const [, list] = /May import (no other folder|.+?\/)\.(?:\s|$)/.exec(words) ?? [];
  assert.ok(list, `src/${folder}/mod.ts must begin with a comment that says "May import …/."`);
  return [...list.matchAll(/[\w/]+(?=\/)/g)].map(([name]) => name);
}

/** The cycles of static imports, for types or for code, each as `a → b → a`. */
function findCycles(graph: Graph): string[] {
  const cycles: string[] = [];
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) cycles.push([...path.slice(start), file].join(" → "));
    if (start >= 0 || finished.has(file)) return;
    for (const { target, dynamic } of graph.get(file) ?? []) {
      if (!dynamic) visit(target, [...path, file]);
    }
    finished.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return cycles;
}
