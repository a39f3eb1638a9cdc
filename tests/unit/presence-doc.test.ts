import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { presenceFields } from "../../src/connectors/websocket/presence/fields.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { runConfigTests } from "../../src/testing/config.ts";

const page = await readFile(new URL("../../docs/presence.md", import.meta.url), "utf8");
const env = (name: string) => name === "JWT_SECRET" ? "x".repeat(40) : undefined;

test("every example of docs/presence.md is a good configuration, and its test passes", async () => {
  const examples = [...page.matchAll(/^```hcl\n([^]*?)^```$/gm)].map(([, code]) => code);
  assert.equal(examples.length, 3);
  const model = await loadConfig(examples.join("\n"), { env });
  assert.deepEqual(model.warnings, []);
  const { report, passed } = await runConfigTests(examples.join("\n"), { env });
  assert.ok(passed, report);
});

test("docs/presence.md names every attribute with its default", () => {
  for (const [name, { default: value }] of Object.entries(presenceFields)) {
    const [row] = new RegExp(`^\\| \`${name}\`.*$`, "m").exec(page) ?? [""];
    assert.ok(row.includes((value ?? "").replaceAll('"', "`")) || row.includes(`${value}`), name);
  }
});

test("every frame on docs/presence.md is JSON", () => {
  const frames = [...page.matchAll(/^```json\n([^]*?)^```$/gm)].map(([, text]) => JSON.parse(text));
  assert.equal(frames.length, 5);
  for (const { type, room } of frames) {
    assert.ok(["presence", "join_room"].includes(type));
    assert.equal(room, "doc:7");
  }
});
