/** The pages of the examples, as files. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/process.ts";

test("no page loads anything from elsewhere, or takes text for HTML", async () => {
  const paths = await readdir(join(root, "examples"), { recursive: true });
  const pages = paths.filter((path) => path.endsWith("/public/index.html"));
  assert.ok(pages.length >= 6, pages.join());
  for (const example of pages.map((path) => path.split("/")[0])) {
    const files = await readdir(join(root, "examples", example, "public"));
    assert.match(await pageFile(example, "index.html"), /default-src 'none'; script-src 'self'/);
    for (const file of files) {
      const text = (await pageFile(example, file)).replaceAll("http://www.w3.org/2000/svg", "");
      assert.doesNotMatch(text, /https?:\/\/|innerHTML|insertAdjacentHTML/, `${example}: ${file}`);
      assert.doesNotMatch(text, /new WebSocket/, `${example}: ${file} uses the client library`);
    }
  }
});

test("each example that serves a page serves the client library to it", async () => {
  const examples = join(root, "examples");
  for (const path of await readdir(examples, { recursive: true })) {
    if (!path.endsWith(".hcl")) continue;
    const text = await readFile(join(examples, path), "utf8");
    if (/^ +static +=/m.test(text)) assert.match(text, /^ +client +=/m, path);
  }
});

function pageFile(example: string, file: string): Promise<string> {
  return readFile(join(root, "examples", example, "public", file), "utf8");
}
