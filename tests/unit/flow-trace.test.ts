import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowEvent, FlowHandler, Outcome } from "../../src/contract/connector.ts";
import { traced } from "../../src/flow/mod.ts";
import { recorder } from "../support/log.ts";

const event: FlowEvent = { operation: "message", payload: 1, input: { text: "hush" } };
const answer: Outcome = { response: { data: { text: "psst" } }, result: undefined };

function handler(run: FlowHandler["run"], more: Partial<FlowHandler> = {}): FlowHandler {
  return { flow: "f", takes: () => true, run, ...more };
}

test("events and responses are logged at trace, and at no other level", async () => {
  for (const outcome of [answer, Promise.resolve(answer)]) {
    const { logger, records } = recorder();
    assert.equal(await traced(handler(() => outcome), logger).run(event), answer);
    assert.deepEqual(records, [
      {
        level: "trace",
        text: "flow f received message: [object Object]",
        properties: { flow: "f", operation: "message", input: { text: "hush" } },
      },
      {
        level: "trace",
        text: "flow f responded: [object Object]",
        properties: { flow: "f", response: { text: "psst" } },
      },
    ]);
  }
});

test("a synchronous flow stays synchronous", () => {
  assert.equal(traced(handler(() => answer), recorder().logger).run(event), answer);
});

test("what a flow throws, takes, accepts and wants is unchanged", async () => {
  const failure = new Error("no");
  const { logger, records } = recorder();
  const thrown = traced(
    handler(() => {
      throw failure;
    }),
    logger,
  );
  assert.throws(() => thrown.run(event), (error) => error === failure);
  const rejected = traced(handler(() => Promise.reject(failure)), logger);
  await assert.rejects(Promise.resolve(rejected.run(event)), (error) => error === failure);
  assert.equal(records.filter(({ text }) => text.includes("has ended")).length, 0);

  const filterRefusal = { settlement: "reject", maxRequeue: 3 } as const;
  const accepted: FlowEvent[] = [];
  const flow = traced(
    handler(() => answer, {
      filterRefusal,
      takes: () => false,
      accept: (event) => void accepted.push(event),
    }),
    logger,
  );
  assert.deepEqual([flow.takes(event), flow.filterRefusal], [false, filterRefusal]);
  flow.accept?.(event);
  assert.deepEqual(accepted, [event]);
  assert.equal("filterRefusal" in thrown, false);
  assert.equal(thrown.accept?.(event), undefined);
});
