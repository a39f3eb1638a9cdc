/** docs/from-mycel.md shows a project before and after, and every word of Mycel that Weir lacks. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { formatProblem } from "../../src/base/problem.ts";
import { MYCEL_WORDS } from "../../src/mycel/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { hostOptions } from "../../src/server/files.ts";
import { runConfigTests } from "../../src/testing/config.ts";
import { failuresOf } from "../support/config.ts";
import { blockOf, blocksOf } from "../support/markdown.ts";

const PAGE = await readFile(new URL("../../docs/from-mycel.md", import.meta.url), "utf8");
const [BEFORE, AFTER, TESTS] = blocksOf(PAGE, "hcl");

const options = {
  ...hostOptions,
  env: (name: string) =>
    name === "JWT_SECRET" ? "a secret of more than thirty-two bytes" : undefined,
};

/** The problems that the page shows of a text, which is the file `shop.mycel`. */
function shop(text: string, folder = ".") {
  return [{ path: "shop.mycel", text, folder }];
}

test("Mycel page: check says of the project before what it shows", async () => {
  const problems = await failuresOf(shop(BEFORE), options);
  const shown = `${problems.map(formatProblem).join("\n\n")}\n\n${problems.length} problems\n`;
  assert.equal(shown, blockOf(PAGE, "text"));
});

test("Mycel page: what the warnings of the project are about", async () => {
  const half = AFTER.replace(/query +=.*/, 'target = "orders"')
    .replace(/ +operation = "DELETE"\n/, "").replace(/ +key .*\n/, "")
    .replace(/ +on_reject .*\n/, "");
  const { warnings } = await loadConfig(shop(half), options);
  assert.deepEqual(
    warnings.map(({ code, message }) => `${code} ${/flow "(\w+)"/.exec(message)?.[1]}`),
    ["list_orders", "delete_order", "announce_order"].map((name) => `mycel-difference ${name}`),
  );
});

test("Mycel page: the project after has no problems, and its tests pass", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-mycel-doc-"));
  try {
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations/001_orders.sql"), blockOf(PAGE, "sql"));
    const files = shop(AFTER + TESTS, folder);
    const { warnings } = await loadConfig(files, { ...options, embedded: false });
    assert.deepEqual(warnings, []);
    const { passed, report } = await runConfigTests(files, options);
    assert.ok(passed, report);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("Mycel page: it names every word that check knows", () => {
  for (const [place, words] of Object.entries(MYCEL_WORDS)) {
    const section = PAGE.split(`<!-- mycel ${place} -->`)[1]?.split("<!-- /mycel -->")[0] ?? "";
    for (const word of Object.keys(words)) {
      assert.ok(section.includes(`\`${word}\``), `${place}: ${word}`);
    }
  }
});
