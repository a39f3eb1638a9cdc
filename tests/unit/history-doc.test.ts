import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { roomFields } from "../../src/connectors/websocket/rooms/fields.ts";
import { History } from "../../src/connectors/websocket/history/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { FakeInstances } from "../support/fake-instances.ts";
import { sharedWith } from "../support/websocket.ts";

const page = await readFile(new URL("../../docs/history.md", import.meta.url), "utf8");

test("the examples of docs/history.md are one good configuration", async () => {
  const examples = [...page.matchAll(/^```hcl\n([^]*?)^```$/gm)].map(([, code]) => code);
  assert.equal(examples.length, 2);
  const { warnings } = await loadConfig(examples.join("\n"));
  // The example has no auth, and no rule that uses it.
  for (const { message } of warnings) assert.match(message, /a client can claim any user_id/);
});

test("docs/history.md names every attribute with its default", () => {
  const { history: { fields = {} } } = roomFields;
  assert.ok(Object.keys(fields).length > 1);
  for (const [name, { default: written }] of Object.entries(fields)) {
    assert.match(page, new RegExp(`^\\| \`${name}\` .*\\| \`${written}\` +\\|$`, "m"), name);
  }
});

test("docs/history.md names every counter", () => {
  const read = () => Promise.resolve({ newest: { epoch: "e", offset: 0 }, messages: [] });
  const history = { append: () => Promise.resolve(), read };
  const instances = Object.assign(new FakeInstances(true), { history });
  const made = [new History(sharedWith()), new History(sharedWith(), instances)];
  const names = new Set(made.flatMap((one) => Object.keys(one.counts())));
  for (const name of names) assert.ok(page.includes(`| \`${name}\``), name);
  for (const one of made) one.close();
});
