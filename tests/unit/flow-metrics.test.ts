/** What is counted of flows, by how they end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import { collectFlows, FlowMetrics } from "../../src/metrics/flows.ts";
import { textOf } from "../../src/metrics/text.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { ManualClock } from "../support/clock.ts";
import { eventOf, failureOf, FROM, type Made, make, probes, to } from "../support/flow.ts";
import { Scrape } from "../support/metrics.ts";

const BLOCKS = 'type "t" {\nn = number\n}';
const CONNECTORS = ["a", "b", "c"].map((name) => `connector "${name}" {\n  type = "probe"\n}\n`)
  .join("");

interface Measured extends Made {
  scrape(): Promise<Scrape>;
}

/** A flow with this body that is measured. */
async function measured(
  body: string,
  answer?: (connector: string) => unknown,
  clock: Clock = new ManualClock(),
): Promise<Measured> {
  const text = `${CONNECTORS}${BLOCKS}\nflow "f" {\n${body}\n}`;
  const { flows } = await loadConfig(text, { connectors: probes });
  const observer = new FlowMetrics(flows[0]);
  const made = await make(body, answer, { observer, clock, blocks: BLOCKS });
  return { ...made, scrape: async () => new Scrape(await textOf([collectFlows([observer])])) };
}

/** The outcomes that were counted. */
function outcomes({ series }: Scrape): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...series].flatMap(([name, value]) => {
      const [, outcome] = /^weir_flow_events_total\{flow="f",outcome="(\w+)"\}$/.exec(name) ?? [];
      return outcome === undefined || value === 0 ? [] : [[outcome, value]];
    }),
  );
}

const away = (name: string) => {
  if (name === "b") throw new ConnectorError("b", "away");
};
const hanging = () => new Promise(() => {});

interface Row {
  readonly body: readonly string[];
  readonly answer?: (connector: string) => unknown;
  /** Of one event that goes well by default. */
  readonly act?: (made: Measured) => unknown;
  readonly outcomes: Readonly<Record<string, number>>;
}

const fails: Row["act"] = ({ run }) => failureOf(() => run({ n: "text" }));

const rows: Readonly<Record<string, Row>> = {
  "goes well": { body: [FROM, to("b")], outcomes: { ok: 1 } },
  "is filtered": {
    body: ['from {\nconnector = "a"\nfilter = "false"\n}', to("b")],
    act: ({ flow }) => assert.equal(flow.takes(eventOf({})), false),
    outcomes: { filtered: 1 },
  },
  "is refused by accept": {
    body: [FROM, 'accept {\nwhen = "false"\non_reject = "reject"\n}', to("b")],
    act: fails,
    outcomes: { rejected: 1 },
  },
  "is refused before it is let in": {
    body: [FROM, 'accept {\nwhen = "false"\n}', to("b")],
    act: ({ flow }) => failureOf(() => flow.accept(eventOf({}))),
    outcomes: { rejected: 1 },
  },
  "is let in first": {
    body: [FROM, 'accept {\nwhen = "true"\n}', to("b")],
    act: async ({ flow }) => {
      const event = eventOf({});
      await flow.accept(event);
      await flow.run(event);
    },
    outcomes: { ok: 1 },
  },
  "is invalid": {
    body: [FROM, 'validate {\ninput = "t"\n}', to("b")],
    act: fails,
    outcomes: { invalid: 1 },
  },
  "comes again": {
    body: [FROM, to("b"), 'dedupe {\nkey = "input.id"\nttl = "1h"\n}'],
    act: async ({ run }) => {
      await run({ id: 1 });
      await run({ id: 1 });
    },
    outcomes: { ok: 1, duplicate: 1 },
  },
  "fails": { body: [FROM, to("b")], answer: away, act: fails, outcomes: { failed: 1 } },
  "takes too long": {
    body: ['timeout = "20ms"', FROM, to("b")],
    answer: hanging,
    act: fails,
    outcomes: { timeout: 1 },
  },
  "goes to the fallback": {
    body: [FROM, to("b"), 'error_handling {\nfallback {\nconnector = "c"\n}\n}'],
    answer: away,
    outcomes: { fallback: 1 },
  },
};

for (const [name, row] of Object.entries(rows)) {
  test(`an event that ${name} is counted as ${Object.keys(row.outcomes).at(-1)}`, async () => {
    const made = await measured(row.body.join("\n"), row.answer, systemClock);
    await (row.act ?? (({ run }) => run()))(made);
    const scrape = await made.scrape();
    assert.deepEqual(outcomes(scrape), row.outcomes);
    assert.equal(scrape.value("weir_flow_in_flight"), 0);
    // What no flow takes has no duration.
    const { filtered = 0, ...others } = row.outcomes;
    const ended = Object.values(others).reduce((sum, count) => sum + count, 0);
    assert.equal(filtered + ended, scrape.value("weir_flow_events_total"));
    assert.equal(scrape.value("weir_flow_duration_seconds_count"), ended);
    made.flow.close();
  });
}

test("an event is in flight until its flow ends, and each repeated delivery is a retry", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let tries = 0;
  const retry = 'error_handling {\nretry {\nattempts = 3\ndelay = "1ms"\n}\n}';
  const made = await measured([FROM, to("b"), retry].join("\n"), () => {
    if (tries++ < 2) throw new ConnectorError("b", "away");
    return promise;
  }, systemClock);
  const running = made.run();
  while (tries < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  let scrape = await made.scrape();
  assert.equal(scrape.value("weir_flow_in_flight"), 1);
  assert.equal(scrape.value("weir_flow_retries_total"), 2);
  resolve();
  await running;
  scrape = await made.scrape();
  assert.equal(scrape.value("weir_flow_in_flight"), 0);
  const labels = { flow: "f", connector: "b" };
  assert.equal(scrape.value("weir_destination_duration_seconds_count", labels), 3);
  assert.equal(scrape.value("weir_destination_failures_total", labels), 2);
  made.flow.close();
});

test("durations are in seconds, and a step is measured apart from destinations", async () => {
  const step = 'step "s" {\nconnector = "b"\non_error = "skip"\n}';
  const wait = () => new Promise((resolve) => setTimeout(resolve, 60));
  const answer = (name: string) => name === "b" ? wait().then(() => away(name)) : undefined;
  const made = await measured([FROM, step, to("c")].join("\n"), answer, systemClock);
  await made.run();
  const scrape = await made.scrape();
  const took = scrape.value("weir_flow_duration_seconds_sum");
  assert.ok(took >= 0.059 && took < 15, `${took} seconds`);
  const bucket = (le: string) => scrape.value("weir_flow_duration_seconds_bucket", { le });
  assert.deepEqual([bucket("0.05"), bucket("+Inf")], [0, 1]);
  assert.ok(scrape.value("weir_step_duration_seconds_sum", { connector: "b" }) >= 0.059);
  assert.equal(scrape.value("weir_step_failures_total", { connector: "b" }), 1);
  assert.equal(scrape.value("weir_destination_duration_seconds_count", { connector: "c" }), 1);
  assert.equal(scrape.value("weir_destination_duration_seconds_count", { connector: "b" }), 0);
  made.flow.close();
});
