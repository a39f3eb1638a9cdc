/** The pages of the examples, as files. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { TEMPLATES } from "../../src/commands/arguments.ts";
import { root } from "../support/process.ts";

test("what several examples share is the same in all of them", async () => {
  const shared = [
    ["connection.js", TEMPLATES],
    ["favicon.svg", TEMPLATES],
    ["style.css", TEMPLATES.filter((template) => template !== "chat")],
  ] as const;
  for (const [file, examples] of shared) {
    const texts = await Promise.all(examples.map((example) => pageFile(example, file)));
    assert.equal(new Set(texts).size, 1, `${file} differs between ${examples.join(", ")}`);
  }
});

test("no page loads anything from elsewhere, or takes text for HTML", async () => {
  for (const example of TEMPLATES) {
    const files = await readdir(join(root, "examples", example, "public"));
    assert.ok(files.includes("index.html"), example);
    assert.match(await pageFile(example, "index.html"), /default-src 'none'; script-src 'self'/);
    for (const file of files) {
      const text = (await pageFile(example, file)).replaceAll("http://www.w3.org/2000/svg", "");
      assert.doesNotMatch(text, /https?:\/\/|innerHTML|insertAdjacentHTML/, `${example}: ${file}`);
    }
  }
});

function pageFile(example: string, file: string): Promise<string> {
  return readFile(join(root, "examples", example, "public", file), "utf8");
}
