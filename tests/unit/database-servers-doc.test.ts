/** docs/postgresql.md and docs/mysql.md: their configurations are good, and they name what there is. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { METADATA } from "../../src/connectors/database/changes/event.ts";
import { CHANGES } from "../../src/connectors/database/changes/operation.ts";
import { fields } from "../../src/connectors/database/options.ts";
import { loadConfig } from "../../src/runtime/load.ts";

const env = (name: string) => name === "DATABASE_URL" ? "postgres://weir@localhost/app" : undefined;

async function read(name: string): Promise<string> {
  return await readFile(new URL(`../../docs/${name}`, import.meta.url), "utf8");
}

function examples(page: string): string {
  return [...page.matchAll(/^```hcl\n([^]*?)^```$/gm)].map(([, code]) => code).join("\n");
}

test("PostgreSQL page: its configurations are good", async () => {
  const { flows } = await loadConfig(examples(await read("postgresql.md")), { env });
  assert.ok(flows.length >= 4);
});

test("MySQL page: its configuration is good", async () => {
  const { connectors } = await loadConfig(examples(await read("mysql.md")), {
    env: (name) => env(name)?.replace("postgres:", "mysql:"),
  });
  assert.equal(connectors.size, 1);
});

test("PostgreSQL page: it names every operation, attribute and field of changes", async () => {
  const page = await read("postgresql.md");
  for (const change of CHANGES) assert.ok(page.includes(`\`"${change} orders"\``), change);
  for (const name of METADATA) assert.ok(page.includes(`\`${name}\``), name);
  for (const name of Object.keys(fields.changes.fields ?? {})) {
    assert.match(page, new RegExp(`\\b${name} +=|\`${name}\``), name);
  }
});
