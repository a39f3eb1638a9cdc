/** docs/operations.md answers questions with flows and metrics that exist. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { runConfigTests } from "../../src/testing/config.ts";
import { blocksOf } from "../support/markdown.ts";

const page = await readPage("operations");
const examples = blocksOf(page, "hcl");
const env = (name: string) => name === "JWT_SECRET" ? "x".repeat(40) : undefined;

const TESTS = `
test "an operator sees who is in a room, and disconnects somebody" {
  client "ada" {
    user_id = "ada"
    rooms   = ["ticket:7"]
  }
  given "api" {
    operation = "GET /rooms/ticket:7/members"
    claims    = { sub = "eve", role = "customer" }
  }
  expect "api" { status = 403 }
  given "api" {
    operation = "GET /rooms/ticket:7/members"
    claims    = { sub = "olga", role = "operator" }
  }
  expect "api" { data = { count = 1, members = [{ user_id = "ada" }] } }
  given "api" {
    operation = "DELETE /users/ada/connections"
    claims    = { sub = "olga", role = "operator" }
  }
  expect "api" { data = { recipients = 1 } }
  given "api" {
    operation = "GET /rooms/ticket:7/members"
    claims    = { sub = "olga", role = "operator" }
  }
  expect "api" { data = { count = 0 } }
}
`;

function readPage(name: string): Promise<string> {
  return readFile(new URL(`../../docs/${name}.md`, import.meta.url), "utf8");
}

test("docs/operations.md: the flows for operators do what it says", async () => {
  // The page has several services, each alone.
  const [service, desk, ...others] = examples;
  for (const example of [service, ...others]) await loadConfig(example);
  const { warnings } = await loadConfig(desk, { env });
  assert.deepEqual(warnings, []);
  const { report, passed } = await runConfigTests(desk + TESTS, { env });
  assert.ok(passed, report);
});

test("every metric that a page names is in docs/metrics.md", async () => {
  const known = await readPage("metrics");
  for (const name of ["operations", "schedules", "monitoring", "guarantees"]) {
    const metrics = (await readPage(name)).matchAll(/`(weir_\w+)`/g);
    for (const [, metric] of metrics) {
      assert.ok(known.includes(`\`${metric}\``), `${name}: ${metric}`);
    }
  }
});
