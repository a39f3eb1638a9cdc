/** docs/security.md shows a configuration that leaves nothing open. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { blockOf } from "../support/markdown.ts";

const page = await readFile(new URL("../../docs/security.md", import.meta.url), "utf8");

test("the configuration of docs/security.md is good, and closes what its table names", async () => {
  const text = blockOf(page, "hcl");
  const { warnings } = await loadConfig(text, { env: () => "x".repeat(64) });
  assert.deepEqual(warnings, []);
  const [, table] = page.split("## What you have to do");
  for (const name of ["auth", "audience", "origins", "room", "rate_limit", "max_connections"]) {
    assert.match(text, new RegExp(`\\b${name}\\b`));
    assert.match(table, new RegExp(`^\\| .*\`${name}\``, "m"));
  }
});
