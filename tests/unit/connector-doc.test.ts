/** docs/write-a-connector.md says how connectors are written, and its examples run. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { connectorTests } from "../../src/testing/mod.ts";

const root = new URL("../../", import.meta.url);
const page = await readFile(new URL("docs/write-a-connector.md", root), "utf8");
const testing = await readFile(new URL("docs/testing.md", root), "utf8");

/** The code blocks in one language, in their order. */
function examples(language: string, page: string): readonly string[] {
  return [...page.matchAll(/^```(.*)\n([^]*?)^```$/gm)]
    .filter(([, found]) => found === language).map(([, , code]) => code);
}

test("connector page: the table has every rule, with its sentence", () => {
  const tests = connectorTests({
    module: "data:text/javascript,",
    type: "any",
    config: "",
    destination: { received: () => [] },
    source: { emit() {} },
    outage: { stop() {}, start() {} },
  });
  const [, section] = page.split("### The rules");
  const rows = [...section.matchAll(/^\| `([a-z-]+)` +\| (.*?) +\|$/gm)]
    .map(([, rule, title]) => [rule, title]);
  assert.deepEqual(rows, tests.map(({ rule, title }) => [rule, title]));
});

test("connector page: the tables name every option of the suite", () => {
  const options = ["test", "module", "type", "config", "mistakes", "destination", "source"];
  const inner = ["to", "payload", "received()", "refused", "values", "operation", "redelivers"];
  for (const name of [...options, ...inner, "emit(payload, connector)", "outage", "skip"]) {
    assert.ok(page.includes(`\`${name}\``), name);
  }
});

test("connector page: every program runs, and prints what its comments say", async () => {
  const programs = [...examples("ts", page), ...examples("ts", testing)];
  assert.ok(programs.length > 6);
  const folder = await mkdtemp(join(tmpdir(), "weir-page-"));
  try {
    for (const [index, program] of programs.entries()) {
      const file = join(folder, `${index}.ts`);
      const code = program
        .replaceAll(
          '"@weir/runtime/testing"',
          JSON.stringify(String(new URL("src/testing/mod.ts", root))),
        )
        .replaceAll('"@weir/runtime"', JSON.stringify(String(new URL("mod.ts", root))));
      await writeFile(file, code);
      const printed = await logOf(() => import(pathToFileURL(file).href));
      for (const [, expected] of program.matchAll(/console\.log\(.*\);\s+\/\/ (.*)$/gm)) {
        assert.ok(printed.includes(expected), `${expected} in:\n${printed}`);
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("connector page: its package.json is one of a plugin", async () => {
  const [text] = examples("json", page);
  const { name, exports, peerDependencies } = JSON.parse(text);
  const { version } = JSON.parse(await readFile(new URL("deno.json", root), "utf8"));
  assert.match(name, /^weir-plugin-/);
  assert.deepEqual(Object.keys(exports["."]), ["types", "default"]);
  assert.deepEqual(peerDependencies, { "@weir/runtime": `^${version}` });
});

/** What is printed meanwhile. */
async function logOf(act: () => Promise<unknown>): Promise<string> {
  const { log } = console;
  const lines: string[] = [];
  console.log = (...values: unknown[]) => void lines.push(values.map(String).join(" "));
  try {
    await act();
  } finally {
    console.log = log;
  }
  return lines.join("\n");
}
