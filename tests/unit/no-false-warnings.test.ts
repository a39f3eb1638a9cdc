/** The examples and the templates of `weir init` have no warnings but those that they explain. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadConfig, type LoadOptions } from "../../src/runtime/load.ts";
import {
  hasFolder,
  hostOptions,
  listConfigFiles,
  readConfigFiles,
} from "../../src/server/files.ts";
import * as chat from "../../src/commands/init/templates/chat.ts";
import * as dashboard from "../../src/commands/init/templates/dashboard.ts";
import * as iot from "../../src/commands/init/templates/iot.ts";
import * as notifications from "../../src/commands/init/templates/notifications.ts";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

/** Secrets have no defaults. */
const options: LoadOptions = {
  ...hostOptions,
  env: (name) => name.endsWith("_SECRET") ? "0123456789abcdef".repeat(2) : undefined,
  hasFolder,
  embedded: false,
};

/** Their pages let people write their own names. */
const OPEN: readonly string[] = ["chat", "cluster", "iot", "postgres"];

for (const name of (await readdir(examples)).sort()) {
  test(`examples/${name} has no warning`, async () => {
    const files = await listConfigFiles(join(examples, name));
    // Each connector of this folder has a configuration of its own.
    const groups = name === "connectors" ? files.map((file) => [file]) : [files];
    for (const group of groups) {
      const { warnings } = await loadConfig(await readConfigFiles(...group), options);
      const codes = warnings.map(({ code }) => code);
      assert.deepEqual(codes, OPEN.includes(name) ? ["unverified-user"] : []);
    }
  });
}

const templates = { chat, dashboard, iot, notifications };
for (const [name, { files }] of Object.entries(templates)) {
  test(`the template "${name}" has no warning`, async () => {
    const sources = Object.entries(files).filter(([path]) => path.endsWith(".hcl"))
      .map(([path, text]) => ({ path, text, folder: "." }));
    // All its folders are among its files.
    const inside = { ...options, hasFolder: (folder: string) => hasFiles(files, folder) };
    const { warnings } = await loadConfig(sources, inside);
    const codes = warnings.map(({ code }) => code);
    assert.deepEqual(codes, OPEN.includes(name) ? ["unverified-user"] : []);
  });
}

function hasFiles(files: Readonly<Record<string, string>>, folder: string): boolean {
  return Object.keys(files).some((path) => path.startsWith(`${folder.replace(/^\.\//, "")}/`));
}
