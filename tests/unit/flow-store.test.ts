/** The examples of docs/flows.md that store and send do what the page says. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ServingRuntime, startRuntime } from "../support/worker-runtimes.ts";
import { loadConfig } from "../../src/runtime/load.ts";

const page = new URL("../../docs/flows.md", import.meta.url);

const TABLES = `
CREATE TABLE messages (id INTEGER PRIMARY KEY, room TEXT, text TEXT);
CREATE TABLE inbox (id INTEGER PRIMARY KEY, user_id TEXT, body TEXT);
INSERT INTO inbox (user_id, body) VALUES ('ann', 'one'), ('bob', 'two'), ('ann', 'three');
`;

/** Runs the example that has this flow, with a database of its own. */
async function withExample(
  flow: string,
  act: (running: ServingRuntime) => Promise<void>,
): Promise<void> {
  const blocks = [...(await readFile(page, "utf8")).matchAll(/^```hcl\n([^]*?)^```$/gm)]
    .map(([, code]) => code);
  const example = blocks.find((code) => code.includes(`flow "${flow}"`));
  const connectors = blocks[0].replace(
    '"./data/app.db"',
    '":memory:"\n  migrations = "migrations"',
  );
  const folder = await mkdtemp(join(tmpdir(), "weir-flow-store-"));
  try {
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations", "1.sql"), TABLES);
    const text = `${connectors}\n${example}`;
    const running = await startRuntime(await loadConfig([{ path: "config.hcl", text, folder }]));
    try {
      await act(running);
    } finally {
      await running.runtime.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Waits until a client has got so many messages. */
async function hear(client: { readonly heard: number; take(): unknown[] }, count: number) {
  while (client.heard < count) await new Promise((resolve) => setTimeout(resolve, 1));
  return client.take();
}

test("a flow stores a message, sends it with its number to the room, and answers with it", async () => {
  await withExample("say", async ({ open }) => {
    const [ann, bob] = [await open("ann"), await open("bob")];
    bob.tell({ type: "join_room", room: "kitchen", id: "j" });
    await hear(bob, 1);
    for (const n of [1, 2]) {
      ann.tell({ type: "say", id: n, data: { room: "kitchen", text: ` hello ${n} ` } });
      assert.deepEqual(await hear(ann, 1), [{ type: "ack", id: n, data: { id: n } }]);
      assert.deepEqual(await hear(bob, 1), [
        { type: "message", room: "kitchen", data: { room: "kitchen", text: `hello ${n}`, id: n } },
      ]);
    }
  });
});

test("an inbox comes out again when its user connects, and only once", async () => {
  await withExample("deliver_inbox", async ({ open }) => {
    const ann = await open("ann");
    const bodies = (heard: readonly unknown[]) =>
      heard.map((message) => (message as { data: { body: string } }).data.body);
    assert.deepEqual(bodies(await hear(ann, 2)), ["one", "three"]);
    const again = await open("ann");
    const bob = await open("bob");
    assert.deepEqual(bodies(await hear(bob, 1)), ["two"]);
    assert.equal(again.heard, 0);
  });
});
