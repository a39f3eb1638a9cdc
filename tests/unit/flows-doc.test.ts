import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { createRuntime } from "../../src/runtime/mod.ts";

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

test("a caller gets what docs/protocol.md says of errors of your own", async () => {
  const text = await readFile(page, "utf8");
  const [example] = /^flow "close_ticket" \{[^]*?^\}$/m.exec(text) ?? assert.fail();
  const folder = await mkdtemp(join(tmpdir(), "weir-flows-doc-"));
  await writeFile(
    join(folder, "1.sql"),
    `CREATE TABLE tickets (id TEXT PRIMARY KEY, owner TEXT, state TEXT);
     CREATE TABLE members (ticket TEXT, name TEXT, role TEXT);
     CREATE TABLE audit (id INTEGER PRIMARY KEY, ticket TEXT, by TEXT);
     INSERT INTO tickets VALUES ('7', 'ann', 'open');
     INSERT INTO members VALUES ('7', 'ann', 'owner');`,
  );
  const connectors = `
    connector "api" {
      type = "rest"
      port = 0
    }
    connector "db" {
      type       = "database"
      driver     = "sqlite"
      database   = ":memory:"
      migrations = ${JSON.stringify(folder)}
    }
  `;
  const runtime = await createRuntime(connectors + example);
  const close = async (id: number, name: string): Promise<readonly [number, string]> => {
    const response = await runtime.fetch(
      new Request(`http://localhost/tickets/${id}/close?name=${name}`, { method: "POST" }),
    );
    return [response.status, await response.text()];
  };
  try {
    const protocol = await readFile(new URL("protocol.md", page), "utf8");
    const [status, body] = await close(8, "ann");
    assert.equal(status, 404);
    assert.ok(protocol.includes(`\`${body}\``), body);
    assert.ok(text.includes(`\`${body}\``), body);
    const [refused, reason] = await close(7, "bob");
    assert.deepEqual([refused, JSON.parse(reason).error.code], [403, "no_member"]);
    const ends = await Promise.all([close(7, "ann"), close(7, "ann")]);
    assert.deepEqual(ends.map(([status]) => status).sort(), [200, 409]);
    assert.ok(ends.some(([, body]) => body.includes('"code":"ticket_closed"')));
  } finally {
    await runtime.close();
    await rm(folder, { recursive: true });
  }
});

test("docs/flows.md names every part of a flow in the order in which it acts", async () => {
  const text = await readFile(page, "utf8");
  const names = ["accept", "validate", "step", "reject", "transform", "dedupe", "to"];
  const places = names
    .map((name) => text.search(new RegExp(`^## .*\`${name}\``, "m")));
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
  assert.ok(!places.includes(-1));
});
