import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowEvent, FlowHandler, Outcome } from "../../src/contract/connector.ts";
import { traced } from "../../src/flow/mod.ts";
import { recorder } from "../support/log.ts";

const event: FlowEvent = { operation: "message", payload: 1, input: { text: "hush" } };
const answer: Outcome = { response: { data: { text: "psst" } }, result: undefined };

type Begun = Parameters<Parameters<typeof traced>[0]>[0];

/** Makes a flow that is part of a trace, if it has an id. */
function make(run: FlowHandler["run"], more: Partial<FlowHandler> = {}, traceId?: string) {
  return (begun: Begun): FlowHandler => ({
    flow: "f",
    takes: () => true,
    run(event) {
      begun(event, traceId);
      return run(event);
    },
    ...more,
  });
}

test("events and responses are logged at trace, and at no other level", async () => {
  for (const outcome of [answer, Promise.resolve(answer)]) {
    const { logger, records } = recorder();
    assert.equal(await traced(make(() => outcome), logger).handler.run(event), answer);
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

test("the lines have the id of the trace", () => {
  const { logger, records } = recorder();
  const id = "0af7651916cd43dd8448eb211c80319c";
  traced(make(() => answer, {}, id), logger).handler.run(event);
  const traceparent = `00-${id}-b7ad6b7169203331-01`;
  traced(make(() => answer), logger).handler.run({ ...event, traceparent });
  assert.deepEqual(records.map(({ properties }) => properties?.trace_id), [id, id, id, id]);
});

test("a synchronous flow stays synchronous", () => {
  assert.equal(traced(make(() => answer), recorder().logger).handler.run(event), answer);
});

test("what a flow throws, takes, accepts and wants is unchanged", async () => {
  const failure = new Error("no");
  const { logger, records } = recorder();
  const { handler: thrown } = traced(
    make(() => {
      throw failure;
    }),
    logger,
  );
  assert.throws(() => thrown.run(event), (error) => error === failure);
  const { handler: rejected } = traced(make(() => Promise.reject(failure)), logger);
  await assert.rejects(Promise.resolve(rejected.run(event)), (error) => error === failure);
  assert.equal(records.filter(({ text }) => text.includes("has ended")).length, 0);

  const filterRefusal = { settlement: "reject", maxRequeue: 3 } as const;
  const accepted: FlowEvent[] = [];
  const { handler: flow } = traced(
    make(() => answer, {
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
