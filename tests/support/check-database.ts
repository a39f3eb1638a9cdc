/** What `weir check` finds in flows that use a database, whose migrations are files of a test. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../../src/base/errors.ts";
import type { Problem } from "../../src/base/problem.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { hostOptions } from "../../src/server/files.ts";
import { placed } from "./problems.ts";

/** The migration of a test that needs no other. */
export const DESK = `CREATE TABLE messages (
  id     INTEGER PRIMARY KEY,
  room   TEXT NOT NULL,
  author TEXT NOT NULL DEFAULT 'nobody',
  text   TEXT,
  length INTEGER AS (length(text))
);
CREATE TABLE counts (room TEXT PRIMARY KEY, amount INTEGER NOT NULL, share REAL) STRICT;
`;

/** Migrations by the names of their files, or the only one. */
export type Migrations = string | Readonly<Record<string, string>>;

/** What is beside the flows. */
export interface Given {
  readonly migrations?: Migrations;
  readonly driver?: "sqlite" | "postgres" | "mysql";
  /** More files beside the configuration. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The problems of a configuration to which a connector "db" is added. */
export async function problemsOf(
  text: string,
  { migrations = DESK, driver = "sqlite", files = {} }: Given = {},
): Promise<readonly Problem[]> {
  const folder = await mkdtemp(join(tmpdir(), "weir-check-"));
  try {
    const all = typeof migrations === "string" ? { "001.sql": migrations } : migrations;
    await mkdir(join(folder, "sql"));
    for (const [name, sql] of Object.entries(all)) await writeFile(join(folder, "sql", name), sql);
    for (const [name, file] of Object.entries(files)) await writeFile(join(folder, name), file);
    const address = driver === "sqlite" ? 'database = "a.db"' : `url = "${driver}://u@h/d"`;
    const db = `
connector "db" {
  type       = "database"
  driver     = "${driver}"
  migrations = "sql"
  ${address}
}
`;
    const before = await readdir(folder);
    const source = [{ path: "a.hcl", text: text + db, folder }];
    const problems = await loadConfig(source, { ...hostOptions, inspect: true }).then(
      ({ warnings }) => warnings,
      (error) => {
        if (error instanceof ConfigError) return error.problems;
        throw error;
      },
    );
    assert.deepEqual(await readdir(folder), before, "check makes no file");
    return problems;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The places and codes of these problems. */
export async function placesOf(text: string, given?: Given): Promise<readonly string[]> {
  return (await problemsOf(text, given)).map(placed);
}

/** A block of a flow, and the places of its problems. */
export type Case = readonly [block: string, ...places: string[]];

/** Compares the problems of all blocks, each in a flow of its own. */
export async function compare(cases: readonly Case[], given?: Given): Promise<void> {
  const found: Case[] = [];
  for (const [block] of cases) found.push([block, ...await placesOf(flow(block), given)]);
  assert.deepEqual(found, cases);
}

/** A flow whose block begins in line 3. */
export const flow = (block: string, name = "f"): string =>
  `flow "${name}" {
  when = "@every 1h"
  ${block}
}
`;

/** A `to` block with these lines. */
export const to = (lines: string): string => `to {\nconnector = "db"\n${lines}\n}`;
/** A step with these lines, whose result is used. */
export const step = (lines: string): string =>
  `step "s" {\nconnector = "db"\n${lines}\n}\nresponse { a = "step.s" }`;
