/** The examples of docs/client.md. `deno test --doc` runs those in TypeScript, tests/e2e the others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { clientPage, redisConfig } from "../support/client-page.ts";
import { blockOf, blocksOf } from "../support/markdown.ts";

const examples = blocksOf(clientPage, "hcl");

/** How long each example may be, in lines that are not empty. */
const limits: Readonly<Record<string, number>> = {
  html: 10,
  "js ignore": 5,
  "jsx ignore": 15,
  vue: 15,
  svelte: 15,
  python: 50,
};

test("docs/client.md: its configuration is valid, in memory and with Redis", async () => {
  const [chat, , once] = examples;
  assert.equal(examples.length, 3);
  for (const config of [chat + once, redisConfig() + once]) {
    const { warnings } = await loadConfig(config, { env: () => undefined });
    // The page says so.
    const codes = warnings.map(({ code }) => code);
    assert.deepEqual([...new Set(codes)], ["unverified-user"]);
  }
});

for (const [language, most] of Object.entries(limits)) {
  test(`docs/client.md: at most ${most} lines of ${language}`, () => {
    const [example] = blocksOf(clientPage, language);
    const lines = example.split("\n").filter((line) => line.trim() !== "");
    assert.ok(lines.length <= most, `${lines.length} lines`);
    // The length that `deno fmt` keeps in the other files.
    for (const line of lines) assert.ok(line.length <= 100, line);
  });
}

test("docs/client.md: the first page loads the library from where it is served", () => {
  const [, path] = /from "(.*?)"/.exec(blockOf(clientPage, "html")) ?? [];
  assert.ok(examples[0].includes(`client = "${path}"`), path);
});
