/** What `weir status` makes of the answers of an admin port. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "../../src/commands/status/mod.ts";
import { flowFigures } from "../../src/commands/status/flows.ts";
import { formatStatus } from "../../src/commands/status/format.ts";
import { parseSamples } from "../../src/commands/status/samples.ts";
import { formatTable } from "../../src/commands/status/table.ts";
import { openAdminPort } from "../../src/server/admin-port.ts";
import { loadHost } from "../../src/server/host.ts";
import type { StatusReport } from "../../src/server/status.ts";
import { freePort } from "../support/ports.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

const REPORT: StatusReport = {
  service: { name: "chat", version: "1.2.0" },
  weir: "0.1.0",
  runtime: "deno 2.9.6",
  uptime_seconds: 3_780,
  state: "not_ready",
  reasons: ["worker 2 is not running"],
  connectors: [
    { name: "ws", type: "websocket", ready: true },
    { name: "rabbit", type: "mq", ready: false, reason: "the broker is away\nat \u202e10.0.0.1" },
  ],
  flows: ["say", "idle"],
  flows_in_flight: 3,
  counts: { ws: { connections: 214, rooms: 12, users: 80 }, rabbit: { consumed: 7 } },
  workers: [
    { worker: 1, running: true, restarts: 0 },
    { worker: 2, running: false, restarts: 12 },
  ],
};

const METRICS = `# HELP weir_flow_events_total Events by outcome.
# TYPE weir_flow_events_total counter
weir_flow_events_total{flow="say",outcome="ok"} 1203
weir_flow_events_total{flow="say",outcome="filtered"} 5000
weir_flow_events_total{flow="say",outcome="failed"} 3
weir_flow_events_total{outcome="timeout",flow="say"} 2 1700000000000
# TYPE weir_websocket_connections gauge
weir_websocket_connections{connector="ws"} 214
`;

test("samples: names, labels in any order, values, and what cannot be read", () => {
  const text = `${METRICS}
a 1
b{} -2.5e3
c{x="1",} +Inf
d{x="a\\"b\\\\c\\nd",y="}{ ,"}  7
e{x="1"
{x="1"} 1
f x
# f 1
`;
  const found = parseSamples(text).slice(5);
  assert.deepEqual(found, [
    { name: "a", labels: {}, value: 1 },
    { name: "b", labels: {}, value: -2500 },
    { name: "d", labels: { x: 'a"b\\c\nd', y: "}{ ," }, value: 7 },
  ]);
  assert.equal(parseSamples(METRICS)[3].labels.outcome, "timeout");
});

test("flows: events, rate and failures; a filtered event is none", () => {
  const before = parseSamples('weir_flow_events_total{flow="say",outcome="ok"} 1188');
  const after = parseSamples(METRICS);
  assert.deepEqual(flowFigures(["say", "idle"], before, after, 2), [
    { flow: "say", events: 1208, rate: 10, failures: { failed: 3, timeout: 2 } },
    { flow: "idle", events: 0, rate: 0, failures: {} },
  ]);
  // Counters that begin again, as after the restart of a worker.
  assert.equal(flowFigures(["say"], after, before, 2)[0].rate, 0);
  const duplicate = parseSamples('weir_flow_events_total{flow="say",outcome="duplicate"} 1');
  assert.deepEqual(flowFigures(["say"], [], duplicate, 1)[0].failures, {});
});

test("a table has columns as wide as their cells, and numbers at the right", () => {
  assert.deepEqual(formatTable(["name", "count", "note"], [["ä", 7, ""], ["longer", 1200, "x"]]), [
    "name    count  note",
    "ä           7",
    "longer   1200  x",
  ]);
});

test("the summary", () => {
  const looks = { before: parseSamples(METRICS), after: parseSamples(METRICS), seconds: 1 };
  assert.equal(
    formatStatus(REPORT, looks).join("\n"),
    `chat 1.2.0: not ready
  worker 2 is not running
weir 0.1.0 on deno 2.9.6, up 1 h 3 min, flows in flight: 3

connector  type       state
ws         websocket  ready
rabbit     mq         not ready: the broker is away\\nat \\u202e10.0.0.1

clients of  connections  rooms  users
ws                  214     12     80

flow  events  per second  failures
say     1208           0  3 failed, 2 timeout
idle       0           0

worker  state        restarts
     1  running             0
     2  not running        12`,
  );
  const { workers: _, ...one } = REPORT;
  const lines = formatStatus({ ...one, service: {}, uptime_seconds: 0, counts: {} }, undefined);
  assert.equal(lines[0], "weir: not ready");
  assert.match(lines[2], /, up 0 s, /);
  assert.equal(lines.length, 7);
  for (const [seconds, text] of [[59, "59 s"], [60, "1 min 0 s"], [90_000, "1 d 1 h"]] as const) {
    const [, line] = formatStatus({ ...REPORT, reasons: [], uptime_seconds: seconds }, undefined);
    assert.ok(line.includes(`up ${text},`), line);
  }
});

/** What the command prints for an admin port that answers with this report. */
async function printed(
  report: StatusReport,
  args: { readonly token?: string; readonly given?: string; readonly metrics?: string } = {},
): Promise<{ readonly code: number; readonly out: string; readonly errors: string }> {
  const { listen } = await loadHost();
  const { metrics } = args;
  const source = {
    health: () => ({}),
    status: () => report,
    metrics: metrics === undefined ? undefined : () => Promise.resolve(metrics),
  };
  const model = { host: "127.0.0.1", port: 0, token: args.token };
  const admin = await openAdminPort(model, source, listen);
  try {
    return await asking(admin.address.url, args.given);
  } finally {
    await admin.close();
  }
}

async function asking(url: string, token?: string) {
  const [out, errors]: [string[], string[]] = [[], []];
  const { log, error } = console;
  console.log = (line) => out.push(line);
  console.error = (line) => errors.push(line);
  try {
    const code = await status({ name: "status", url, timeout: "20s", token });
    return { code, out: out.join("\n"), errors: errors.join("\n") };
  } finally {
    Object.assign(console, { log, error });
  }
}

test("the command: 0 ready, 1 not ready", async () => {
  const { code, out, errors } = await printed(REPORT, { metrics: METRICS });
  assert.deepEqual([code, errors], [1, ""]);
  assert.match(out, /^chat 1\.2\.0: not ready\n[^]*\nsay +1208 +0 {2}3 failed, 2 timeout\n/);
  // Without metrics there is no table of flows.
  const ready = await printed({ ...REPORT, state: "ready", reasons: [] });
  assert.equal(ready.code, 0);
  assert.doesNotMatch(ready.out, /per second/);
});

test("the command: the token, or why it is refused", async () => {
  assert.equal((await printed(REPORT, { token: TOKEN, given: TOKEN })).code, 1);
  const missing = await printed(REPORT, { token: TOKEN });
  assert.deepEqual([missing.code, missing.out], [2, ""]);
  assert.match(missing.errors, /^error\[not-reached\]: .+ needs a token; set WEIR_ADMIN_TOKEN/);
  const wrong = await printed(REPORT, { token: TOKEN, given: `${TOKEN}0` });
  assert.match(wrong.errors, /: the server does not accept the token$/);
});

test("the command: 2 where nothing answers, or something else does", async () => {
  const nothing = await asking(`http://127.0.0.1:${await freePort()}`);
  assert.equal(nothing.code, 2);
  assert.match(nothing.errors, /^error\[not-reached\]: .+: nothing listens on this port$/);
  const other = await printed({} as StatusReport);
  assert.equal(other.code, 2);
  assert.match(other.errors, /this is not the admin port of a Weir server/);
  for (const url of ["localhost:9090", "ftp://localhost", "http://a:b@localhost"]) {
    await assert.rejects(asking(url), { name: "UsageError" }, url);
  }
  await assert.rejects(asking("http://localhost", "a b"), { name: "UsageError" });
});
