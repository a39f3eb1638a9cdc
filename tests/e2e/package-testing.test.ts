/** `@weir/runtime/testing` of the npm package: the tests of a connector in a project of its own. */
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { needNode, noOtherNodes } from "../support/extras.ts";
import { haveNpmPackage } from "../support/npm-project.ts";
import { openStage, root } from "../support/process.ts";
import { Machine } from "../support/project.ts";
import { startRegistry } from "../support/registry.ts";
import { needTool } from "../support/toolchain.ts";

/** A runtime, and how its users run a file of tests. */
interface User {
  readonly name: string;
  readonly node: () => Promise<string>;
  readonly run: string;
  /** Why this machine cannot be that user's. */
  readonly skip?: string | undefined;
}

const NODE = { run: "node --test lines.test.ts" };

const USERS: readonly User[] = [
  { name: "Node", node: () => needTool("node"), ...NODE },
  { name: "the oldest Node", node: () => needNode("node22"), ...NODE, skip: noOtherNodes },
  {
    name: "Bun",
    node: () => needTool("node"),
    run: "bun test --timeout 60000 ./lines.test.ts",
  },
  {
    name: "Deno",
    node: () => needTool("node"),
    run: "deno test --allow-all --no-check lines.test.ts",
  },
];

for (const { name, node, run, skip = false } of USERS) {
  test(`package: the tests of a connector pass on ${name}`, { skip }, async () => {
    const registry = await startRegistry();
    const stage = await openStage("node");
    try {
      const machine = await Machine.create(stage, registry.url, await node());
      const folder = join(stage.folder, "project");
      await cp(join(root, "examples/connectors"), folder, { recursive: true });
      await haveNpmPackage(machine, folder);
      const { stdout, stderr } = await machine.run(run, folder);
      assert.match(stdout + stderr, /\b35 pass(?:ed)?\b|pass 35\b/);
    } finally {
      await stage.end();
      registry.close();
    }
  });
}
