/** Which module may import which. `layers` is the table to change when a module is added. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Graph, isCore, match, nodeConnectors, readGraph } from "./graph.ts";

const expression = [
  "src/errors.ts",
  "src/shown.ts",
  "src/json.ts",
  "src/nearest.ts",
  "src/values.ts",
  "src/expression.ts",
  "src/expression/**",
];
/** What a connector is written against. */
const contract = [
  "src/clock.ts",
  "src/condition.ts",
  "src/connector.ts",
  "src/connector-cluster.ts",
  "src/connector-type.ts",
  "src/dispatch.ts",
  "src/fifo.ts",
  "src/frame.ts",
  "src/hono.ts",
  "src/json.ts",
  "src/request-model.ts",
  "src/schedule.ts",
  "src/schema.ts",
  "src/step-fields.ts",
  "src/strangers.ts",
  "src/expression-fields.ts",
  "src/socket.ts",
  "src/tick.ts",
  "src/utf8.ts",
  ...expression,
];
/** A configuration as it runs. */
const model = ["src/model.ts", "src/test-model.ts", "src/type.ts", "src/type/**", ...contract];
const flow = ["src/cluster.ts", "src/flow/**", ...model];
const runtime = [
  "src/lifecycle.ts",
  "src/runtime.ts",
  "src/runtime-core.ts",
  "src/load.ts",
  "src/config/**",
  "src/connectors/**",
  "src/handshake.ts",
  "src/locations.ts",
  "src/site.ts",
  ...flow,
];
/** What an entrypoint puts together. */
const entry = ["mod.ts", "src/adapters/**", "src/server/**", "src/commands.ts", ...runtime];

/**
 * File pattern → what it may import from this repository. The first pattern that matches a file
 * counts; `$1` is what its first star stands for.
 */
const layers: ReadonlyArray<readonly [pattern: string, mayImport: readonly string[]]> = [
  ["mod.ts", ["src/**"]],

  ["src/errors.ts", []],
  ["src/nearest.ts", ["src/shown.ts"]],
  ["src/fifo.ts", []],
  ["src/connector-cluster.ts", []],
  ["src/frame.ts", []],
  ["src/json.ts", []],
  ["src/locations.ts", []],
  ["src/hono.ts", []],
  ["src/rooms.ts", []],
  ["src/shown.ts", []],
  ["src/tick.ts", []],
  ["src/timer-wheel.ts", []],
  ["src/text-file.ts", []],
  ["src/utf8.ts", []],
  ["src/socket.ts", ["src/frame.ts"]],
  ["src/outbox.ts", ["src/frame.ts", "src/socket.ts"]],
  ["src/handshake.ts", ["src/socket.ts"]],
  ["src/protocol.ts", [
    "src/errors.ts",
    "src/frame.ts",
    "src/json.ts",
    "src/shown.ts",
    "src/utf8.ts",
  ]],
  ["src/values.ts", ["src/errors.ts", "src/nearest.ts"]],
  ["src/expression.ts", expression],
  ["src/expression/**", expression],
  ["src/condition.ts", expression],

  ["src/config/tree.ts", ["src/errors.ts"]],
  ["src/clock.ts", []],
  ["src/type.ts", ["src/type/**", "src/json.ts", ...expression]],
  ["src/type/**", ["src/type.ts", "src/type/**", "src/json.ts", ...expression]],
  ["src/request-model.ts", ["src/expression.ts"]],
  ["src/strangers.ts", ["src/config/tree.ts", "src/nearest.ts"]],
  [
    "src/schema.ts",
    ["src/config/tree.ts", "src/request-model.ts", "src/strangers.ts", ...expression],
  ],
  ["src/expression-fields.ts", ["src/config/tree.ts", "src/schema.ts", ...expression]],
  [
    "src/step-fields.ts",
    [
      ...["src/config/tree.ts", "src/expression-fields.ts", "src/request-model.ts"],
      ...["src/schema.ts", ...expression],
    ],
  ],
  [
    "src/connector.ts",
    [
      ...["src/clock.ts", "src/connector-cluster.ts", "src/hono.ts"],
      ...["src/request-model.ts", "src/socket.ts"],
      ...expression,
    ],
  ],
  ["src/cluster.ts", ["src/connector.ts", "src/connector-cluster.ts", "src/timetable.ts"]],
  ["src/connector-type.ts", ["src/connector.ts", "src/schema.ts", ...expression]],
  ["src/dispatch.ts", ["src/connector.ts", ...expression]],
  [
    "src/schedule.ts",
    [
      "src/clock.ts",
      "src/connector.ts",
      "src/connector-type.ts",
      "src/timetable.ts",
      ...expression,
    ],
  ],
  ["src/timetable.ts", ["src/clock.ts"]],
  ["src/test-model.ts", expression],
  ["src/model.ts", model],
  ["src/config/**", ["src/config/**", ...model]],
  ["src/flow/**", flow],

  [
    "src/connectors/websocket/**",
    [
      "src/connectors/websocket/**",
      "src/handshake.ts",
      "src/protocol.ts",
      "src/rooms.ts",
      "src/outbox.ts",
      "src/timer-wheel.ts",
      ...contract,
    ],
  ],
  [
    "src/connectors/database/sqlite/**",
    ["src/connectors/database/**", "src/text-file.ts", ...contract],
  ],
  ["src/connectors/*/**", ["src/connectors/$1/**", ...contract]],
  // A connector in one file, and the table of those that are built in.
  ["src/connectors/*.ts", ["src/connectors/**", ...contract]],

  ["src/lifecycle.ts", flow],
  ["src/runtime.ts", runtime],
  ["src/runtime-core.ts", runtime],
  ["src/load.ts", runtime],
  ["src/site.ts", ["src/handshake.ts", "src/locations.ts", ...flow]],

  ["src/adapters/**", ["src/adapters/**", ...runtime]],
  // The only way to several processes, which is loaded where they are asked for.
  ["src/server/host.ts", ["src/server/**", "src/workers/service.ts", ...runtime]],
  ["src/server/**", ["src/adapters/**", "src/server/**", "src/text-file.ts", ...runtime]],
  ["src/workers/**", ["src/server/**", "src/workers/**", "src/timetable.ts", ...runtime]],
  // Drives a runtime without sockets, for `weir test`.
  ["src/testing/**", ["src/testing/**", ...runtime]],
  ["src/commands.ts", ["src/commands/**", "src/server/**", "src/workers/worker.ts", ...runtime]],
  [
    "src/commands/**",
    ["src/commands/**", "src/server/**", "src/testing/**", "src/text-file.ts", ...runtime],
  ],
  ["src/deno.ts", entry],
  ["src/bun.ts", entry],
  ["src/node.ts", entry],
  ["src/cli.ts", ["src/commands.ts", "src/deno.ts", "src/bun.ts", "src/node.ts"]],
];

const graph = await readGraph();

test("every import follows the arrows", () => {
  const problems: string[] = [];
  for (const [file, imports] of graph) {
    const allowed = allowedImports(file);
    if (allowed === undefined) {
      problems.push(`${file} is in no layer: add it to the table of this test`);
      continue;
    }
    for (const { target } of imports) {
      if (!graph.has(target) && !target.startsWith("file:")) continue; // A package.
      if (!allowed.some((pattern) => match(target, pattern) !== null)) {
        problems.push(`${file} must not import ${target}`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

test("no module imports itself, however indirectly", () => {
  assert.deepEqual(findCycles(graph), []);
});

test("a connector that needs Node is imported on demand", () => {
  const problems: string[] = [];
  for (const [file, imports] of graph) {
    if (!isCore(file)) continue;
    for (const { target, dynamic } of imports) {
      if (!dynamic && nodeConnectors.some((pattern) => match(target, pattern) !== null)) {
        problems.push(`${file} must load ${target} with import()`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

test("only the edge and the connectors that need it import node: modules", () => {
  const problems: string[] = [];
  for (const [file, imports] of graph) {
    for (const { target } of imports) {
      if (isCore(file) && target.startsWith("node:")) problems.push(`${file} imports ${target}`);
    }
  }
  assert.deepEqual(problems, []);
});

test("the cycle search finds a cycle and leaves dynamic imports out", () => {
  const edgeTo = (target: string, dynamic = false) => ({ target, specifier: target, dynamic });
  const cyclic: Graph = new Map([
    ["a", [edgeTo("b"), edgeTo("node:fs")]],
    ["b", [edgeTo("c")]],
    ["c", [edgeTo("b"), edgeTo("a", true)]],
  ]);
  assert.deepEqual(findCycles(cyclic), ["b → c → b"]);
});

function allowedImports(file: string): readonly string[] | undefined {
  for (const [pattern, mayImport] of layers) {
    const found = match(file, pattern);
    if (found !== null) return mayImport.map((target) => target.replace("$1", found[1] ?? ""));
  }
  return undefined;
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
