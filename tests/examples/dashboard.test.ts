/** The dashboard, on every runtime. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { root, type Stage, stageTest, type Weir } from "../support/process.ts";
import { type Frame, post, WebClient } from "../support/web-client.ts";

const example = join(root, "examples/dashboard");

stageTest(
  "dashboard: a reading that is posted reaches every page, and later ones",
  async (stage) => {
    const dashboard = await startDashboard(stage);
    const pages = await Promise.all([open(dashboard), open(dashboard)]);
    const sent = { metric: "orders_open", value: 12, unit: "orders" };
    const answer = await post(`${origin(dashboard)}/readings`, sent);
    assert.equal(answer.status, 201);
    const { position: _, ...stored } = await answer.json();
    assert.partialDeepStrictEqual(stored, sent);
    for (const page of pages) assert.deepEqual(await nextOf(page, "orders_open"), stored);

    dashboard.signal("SIGINT");
    assert.equal((await dashboard.ended()).code, 0, dashboard.output);
    assert.deepEqual(await recent(await startDashboard(stage)), [stored]);
  },
);

stageTest("dashboard: a page gets the newest sixty readings of each metric", async (stage) => {
  const dashboard = await startDashboard(stage);
  for (let value = 0; value < 62; value++) {
    const answer = await post(`${origin(dashboard)}/readings`, { metric: "many", value });
    await answer.body?.cancel();
  }
  await (await post(`${origin(dashboard)}/readings`, { metric: "few", value: -0.5 })).json();
  const readings = await recent(dashboard);
  const valuesOf = (name: string) =>
    readings.filter(({ metric }) => metric === name).map(({ value }) => value);
  assert.deepEqual(valuesOf("many"), Array.from({ length: 60 }, (_, index) => index + 2));
  assert.deepEqual(valuesOf("few"), [-0.5]);
});

stageTest("dashboard: it counts what is stored by itself", async (stage) => {
  const dashboard = await startDashboard(stage);
  const page = await open(dashboard);
  assert.partialDeepStrictEqual(await nextOf(page, "readings_stored"), { value: 0 });
  await (await post(`${origin(dashboard)}/readings`, { metric: "one", value: 1 })).json();
  for (;;) {
    const { value } = await nextOf(page, "readings_stored");
    if (value === 1) break;
    assert.equal(value, 0);
  }
});

stageTest("dashboard: what is no reading is refused with all that is wrong", async (stage) => {
  const dashboard = await startDashboard(stage);
  const answer = await post(`${origin(dashboard)}/readings`, { metric: "No name", valeu: 1 });
  assert.equal(answer.status, 422);
  const { error } = await answer.json();
  assert.equal(error.code, "validation_failed");
  const paths = error.details.map(({ path }: Frame) => path).sort();
  assert.deepEqual(paths, ["metric", "valeu", "value"]);
  for (const body of [{}, [], "text", null, { metric: "a", value: "1" }, { metric: 1, value: 1 }]) {
    const { status, body: rest } = await post(`${origin(dashboard)}/readings`, body);
    assert.equal(status, 422, JSON.stringify(body));
    await rest?.cancel();
  }
  assert.deepEqual(await recent(dashboard), []);
});

function startDashboard(stage: Stage): Promise<Weir> {
  const env = { DASHBOARD_DB: join(stage.folder, "dashboard.db") };
  return stage.run([example, "--port", "ws=0"], { env });
}

function open(dashboard: Weir): Promise<WebClient> {
  return WebClient.open(`ws://localhost:${dashboard.port}/ws`);
}

function origin({ port }: Weir): string {
  return `http://localhost:${port}`;
}

/** The next reading of a metric; others are passed over. */
async function nextOf(page: WebClient, metric: string): Promise<Frame> {
  for (;;) {
    const reading = await page.message() as Frame;
    if (reading.metric === metric) return reading;
  }
}

async function recent(dashboard: Weir): Promise<readonly Frame[]> {
  return await (await fetch(`${origin(dashboard)}/readings`)).json();
}
