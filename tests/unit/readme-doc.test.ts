/** README.md and docs/command.md say what the command does. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { formatProblem } from "../../src/base/mod.ts";
import { USAGE } from "../../src/commands/usage.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { failuresOf } from "../support/config.ts";
import { blockOf } from "../support/markdown.ts";

const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
const command = await readFile(new URL("../../docs/command.md", import.meta.url), "utf8");
const options = { env: () => undefined };

test("the README's configuration is good, and its mistake is reported as the README says", async () => {
  const text = blockOf(readme, "hcl");
  const { warnings } = await loadConfig(text, options);
  assert.deepEqual(warnings, []);
  const mistaken = text.replace('"broadcast"', '"brodcast"');
  const source = [{ path: "live.hcl", text: mistaken, folder: "/" }];
  const found = (await failuresOf(source, options)).map(formatProblem);
  assert.deepEqual(found, [blockOf(readme, "text").trimEnd()]);
});

test("docs/command.md names every command and option of the usage", () => {
  const named = [...USAGE.matchAll(/^ {2}weir (?:\[run\]|(\w+))|(--[a-z-]+)/gm)]
    .map(([, name, option]) => option ?? name ?? "run");
  assert.ok(named.length > 20, `${named}`);
  for (const name of named) assert.match(command, new RegExp(`\`${name}[\` ]`), name);
});
