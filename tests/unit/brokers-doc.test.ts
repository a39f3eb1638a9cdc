/** docs/brokers.md says how messages of brokers are settled. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { createRuntime } from "../../src/runtime/mod.ts";
import { deadLetterHeaders } from "../../src/messaging/mod.ts";

const page = new URL("../../docs/brokers.md", import.meta.url);

const db = `
  connector "db" {
    type     = "database"
    driver   = "sqlite"
    database = ":memory:"
  }
`;

test("the examples of docs/brokers.md are a good configuration", async () => {
  const text = await readFile(page, "utf8");
  const examples = [...text.matchAll(/^```hcl\n([^]*?)^```$/gm)].map(([, code]) => code);
  const { connectors, flows } = await loadConfig(examples.join("\n") + db);
  assert.deepEqual([...connectors.keys()].sort(), ["db", "dead_orders", "jobs", "orders"]);
  assert.equal(flows.length, 1);
});

test("docs/brokers.md names every header of a dead letter", async () => {
  const text = await readFile(page, "utf8");
  const why = { reason: "", flows: ["f"], retries: 0, time: 0 };
  for (const name of Object.keys(deadLetterHeaders({ routingKey: "", exchange: "" }, why))) {
    assert.ok(text.includes(`\`${name}\``), name);
  }
});

test("a table has the dead letters as docs/brokers.md says", async () => {
  const text = await readFile(page, "utf8");
  const [example] = /^connector "orders" \{[^]*?^flow "keep_dead_order" \{[^]*?^\}$/m.exec(text) ??
    assert.fail();
  const folder = await mkdtemp(join(tmpdir(), "weir-brokers-doc-"));
  const columns = "routing_key TEXT, reason TEXT, retries INTEGER, body TEXT";
  await writeFile(join(folder, "1.sql"), `CREATE TABLE dead_orders (${columns});`);
  const flows = `
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
    flow "order" {
      from {
        connector = "api"
        operation = "POST /orders"
      }
      to {
        connector = "orders"
        target    = "order.new"
      }
    }
    flow "ship" {
      from {
        connector = "orders"
        operation = "order.*"
      }
      reject {
        when    = "input.weight > 30"
        code    = "too_heavy"
        message = "ships 30 kg at most"
      }
      response {}
    }
    flow "dead" {
      from {
        connector = "api"
        operation = "GET /dead"
      }
      step "rows" {
        connector = "db"
        query     = "SELECT * FROM dead_orders"
        rows      = "all"
      }
      response { rows = "step.rows" }
    }
  `;
  const runtime = await createRuntime(example + flows);
  const ask = async (method: string, path: string, body?: string): Promise<string> => {
    const headers = { "content-type": "application/json" };
    const request = new Request(`http://localhost${path}`, { method, headers, body });
    return (await runtime.fetch(request)).text();
  };
  try {
    await ask("POST", "/orders", '{"weight":31}');
    while (runtime.counts().dead_orders.acked < 1) await new Promise((ok) => setTimeout(ok, 1));
    const { rows } = JSON.parse(await ask("GET", "/dead"));
    const reason = 'too_heavy: flow "ship": ships 30 kg at most';
    assert.deepEqual(rows, [{
      routing_key: "order.new",
      reason,
      retries: 0,
      body: '{"weight":31}',
    }]);
    assert.ok(text.includes(`\`${reason}\``));
  } finally {
    await runtime.close();
    await rm(folder, { recursive: true });
  }
});
