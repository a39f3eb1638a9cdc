import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { lastEvent } from "../../src/connectors/websocket/sse/answers.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { formatResult } from "../../src/testing/report.ts";
import { runTest } from "../../src/testing/run.ts";

const page = await readFile(new URL("../../docs/sse.md", import.meta.url), "utf8");

test("the examples of docs/sse.md are a good configuration, whose test passes", async () => {
  const examples = [...page.matchAll(/^```hcl\n([^]*?)^```$/gm)].map(([, code]) => code);
  assert.equal(examples.length, 2);
  const clock = new ManualClock();
  const model = await loadConfig(examples.join("\n"), { now: () => clock.now() });
  assert.deepEqual(model.warnings, []);
  const results = await Promise.all(model.tests.map((one) => runTest(model, one, { clock })));
  assert.deepEqual(results.map((result) => formatResult(result)), [
    "ok      everybody hears the news",
  ]);
});

test("docs/sse.md shows the last event as it is", () => {
  const shown = /^retry: \d+\nevent: close\ndata: .*\n/m.exec(page)?.[0];
  const sent = lastEvent(1001, "the server is shutting down");
  assert.equal(shown?.replace(/\d+/, "N"), sent.replace(/\d+/, "N").trimEnd() + "\n");
  assert.match(lastEvent(1008, "disconnected by a flow"), /^id: end$/m);
  assert.match(page, /`id: end`/);
});
