import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";

const page = new URL("../../docs/flows.md", import.meta.url);

test("every example of docs/flows.md is a good configuration", async () => {
  const text = await readFile(page, "utf8");
  const [connectors, ...examples] = [...text.matchAll(/^```hcl\n([^]*?)^```$/gm)].map(([, code]) =>
    code
  );
  assert.ok(examples.length > 5);
  for (const example of examples) {
    const model = await loadConfig(`${connectors}\n${example}`);
    assert.equal(model.flows.length, 1);
  }
});

test("docs/flows.md names every part of a flow in the order in which it acts", async () => {
  const text = await readFile(page, "utf8");
  const places = ["`accept`", "`validate`", "`step`", "`transform`", "`dedupe`", "`to`"]
    .map((name) => text.search(new RegExp(`^## .*${name}`, "m")));
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
  assert.ok(!places.includes(-1));
});
