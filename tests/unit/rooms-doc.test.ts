import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { roomFields } from "../../src/connectors/websocket/rooms/fields.ts";
import { CONTROL_OPERATIONS } from "../../src/connectors/websocket/control.ts";
import { RoomPattern } from "../../src/connectors/websocket/rooms/pattern.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { lookupFields } from "../../src/contract/step-fields.ts";

const page = await readFile(new URL("../../docs/rooms.md", import.meta.url), "utf8");

test("every example of docs/rooms.md is a good configuration", async () => {
  const [connectors, ...examples] = [...page.matchAll(/^```hcl\n([^]*?)^```$/gm)]
    .map(([, code]) => code);
  assert.equal(examples.length, 5);
  for (const example of examples) {
    const { warnings } = await loadConfig(`${connectors}\n${example}`);
    // The examples have no auth, which is what the page tells about.
    for (const { message } of warnings) assert.match(message, /a client can claim any user_id/);
  }
});

test("docs/rooms.md names every attribute and operation", () => {
  for (const name of [...Object.keys(roomFields), ...CONTROL_OPERATIONS, "user"]) {
    assert.ok(page.includes(`\`${name}\``), name);
  }
  for (const name of ["params", "timeout", "when", "default", "on_error", "cache"]) {
    assert.ok(Object.hasOwn(lookupFields, name) && page.includes(name), name);
  }
});

test("docs/rooms.md tells the order of patterns as it is", () => {
  const [, told] = /^The order is, for example: (`[^]*?)\./m.exec(page) ?? [];
  const patterns = [...told.matchAll(/`([^`]+)`/g)].map(([, text]) => new RoomPattern(text));
  assert.ok(patterns.length > 4);
  assert.deepEqual(patterns.toReversed().sort((a, b) => a.compare(b)), patterns);
});
