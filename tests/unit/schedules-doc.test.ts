/** docs/schedules.md says when flows run. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseSchedule } from "../../src/model/schedule.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { runConfigTests } from "../../src/testing/config.ts";
import { blocksOf } from "../support/markdown.ts";

const page = await readFile(new URL("../../docs/schedules.md", import.meta.url), "utf8");

const TABLES = `
CREATE TABLE tickets (id INTEGER PRIMARY KEY, state TEXT NOT NULL, opened_at TEXT NOT NULL);
CREATE TABLE reports (id INTEGER PRIMARY KEY, day TEXT NOT NULL);
`;
const TICKETS = `
INSERT INTO tickets (state, opened_at) VALUES
  ('open', '2025-11-20T00:00:00.000Z'), ('open', '2025-12-31T00:00:00.000Z');
`;
const NIGHT = `
test "a night closes what is old, and writes one report" {
  client "ada" {}
  advance { by = "5s" }
  expect "ada" { data = { open = 2 } }
  advance { by = "24h" }
  expect "ada" { data = { open = 1 } }
  expect "db" {
    target = "reports"
    count  = 1
  }
}
`;

/** Runs the tests of the page's examples, and `more`, on these tables. */
async function reportOf(tables: string, more: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-schedules-doc-"));
  try {
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations/1.sql"), tables);
    const text = `${blocksOf(page, "hcl").join("\n")}\n${more}`;
    const { report } = await runConfigTests([{ path: "desk.hcl", text, folder }]);
    return report;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the examples of docs/schedules.md are a good configuration without warnings", async () => {
  const { flows, warnings } = await loadConfig(blocksOf(page, "hcl").join("\n"));
  assert.deepEqual([flows.length, warnings], [3, []]);
});

test("the test of docs/schedules.md passes, and so does a night", async () => {
  assert.match(await reportOf(TABLES, ""), /^ok .*\n1 test, all passed$/m);
  const first = blocksOf(page, "hcl").at(-1) ?? "";
  assert.match(first, /^test /);
  const report = await reportOf(TABLES + TICKETS, NIGHT);
  assert.match(report, /^ok {6}a night closes what is old, and writes one report$/m);
});

test("every pattern of docs/schedules.md can be read", () => {
  const patterns = [...page.matchAll(/`"?((?:@|[\d*])[^"`\n]*)"?`/g)].map(([, pattern]) => pattern)
    .filter((pattern) => /^@\w|^\S+(?: \S+){4,5}$/.test(pattern) && pattern !== "@every");
  assert.ok(patterns.length >= 12, `${patterns}`);
  for (const pattern of patterns) assert.ok(!("message" in parseSchedule(pattern)), pattern);
});
