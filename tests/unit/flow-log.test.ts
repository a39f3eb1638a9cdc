/** The lines that a flow logs have the id of the trace that the run is part of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import type { DedupeStore } from "../../src/contract/cluster.ts";
import type { FlowObserver } from "../../src/contract/observer.ts";
import { eventOf, FROM, make, type MakeOptions, to } from "../support/flow.ts";
import { RECORDED, TRACE_ID } from "../support/tracing.ts";

const OTHER = "1".repeat(32);

const tracing: FlowObserver = {
  filtered() {},
  begin: () => ({
    traceId: OTHER,
    request: () => ({ traceparent: undefined, ended() {} }),
    retried() {},
    ended() {},
  }),
};

const away = (name: string) => {
  if (name !== "c") throw new ConnectorError(name, "away");
};

/** Keys that cannot be kept, or whose answers cannot be read. */
function brokenKeys(knows: boolean): DedupeStore {
  return {
    has: () => knows,
    add: () => Promise.reject(new Error("full")),
    answer: () => Promise.reject(new Error("gone")),
  };
}

const dedupe = 'dedupe {\nkey = "input.id"\nttl = "1h"\nstore = "c"\n}';
const handling = (more: string) => `error_handling {\n${more}\n}`;
const retry = 'retry {\nattempts = 2\ndelay = "1ms"\n}';

/** What is logged, the body of the flow, and what it needs. */
const lines: readonly (readonly [RegExp, string, MakeOptions?])[] = [
  [/failed \(ref/, to("a")],
  [/retrying in/, `${to("a")}\n${handling(retry)}`, { clock: systemClock }],
  [/failed as well/, `${to("a", "parallel = true")}\n${to("b", "parallel = true")}`],
  [/fallback failed/, `${to("a")}\n${handling('fallback {\nconnector = "b"\n}')}`],
  [
    /error_response failed/,
    `${to("a")}\n${handling('error_response {\nwhen = "int(input.x) > 1"\n}')}`,
  ],
  [/refused an event/, 'accept {\nwhen = "false"\non_reject = "reject"\n}'],
  [/could not save a dedupe key/, `${to("c")}\n${dedupe}`, { keys: brokenKeys(false) }],
  [
    /could not read the answer/,
    `${to("c")}\n${dedupe}\nresponse {\nid = "1"\n}`,
    { keys: brokenKeys(true) },
  ],
];

for (const [pattern, body, options] of lines) {
  test(`trace_id is in the line that matches ${pattern}`, async () => {
    const cases = [
      [{ observer: tracing }, undefined, OTHER],
      // That of the sender, where nothing traces.
      [{}, RECORDED, TRACE_ID],
      [{}, "nonsense", undefined],
    ] as const;
    for (const [watched, traceparent, expected] of cases) {
      const { flow, log } = await make(`${FROM}\n${body}`, away, { ...options, ...watched });
      const event = { ...eventOf({ id: 1, x: "x" }), traceparent };
      await Promise.resolve().then(() => flow.run(event)).catch(() => undefined);
      const found = log.records.find(({ text }) => pattern.test(text));
      assert.ok(found, `${log.records.map(({ text }) => text).join("\n")}`);
      assert.equal(found.properties.trace_id, expected);
      assert.equal("trace_id" in found.properties, expected !== undefined);
    }
  });
}

test("the failure of a filter has it, too", async () => {
  const body = 'from {\nconnector = "a"\nfilter = "input.n > 1"\n}';
  const { flow, log } = await make(body, undefined, { observer: tracing });
  assert.throws(() => flow.takes(eventOf({ n: "text" })));
  assert.equal(log.records[0].properties.trace_id, OTHER);
});
