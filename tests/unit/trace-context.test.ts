/** How a trace is read and passed on by headers, whatever makes the spans. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  readTraceParent,
  recordedTrace,
  withTrace,
  writeTraceParent,
} from "../../src/base/trace-context.ts";
import { toMqttPublication } from "../../src/connectors/mqtt/publication.ts";
import { MessageEvent, toPublication } from "../../src/messaging/mod.ts";
import { callOnce, reply, withApi } from "../support/http-api.ts";
import { request } from "../support/mq.ts";
import { LEFT_OUT, RECORDED, SPAN_ID, TRACE_ID } from "../support/tracing.ts";

const TRACE = { traceparent: RECORDED, tracestate: "a=b" };

test("a traceparent is read and written", () => {
  const parent = { traceId: TRACE_ID, spanId: SPAN_ID, flags: 1 };
  assert.deepEqual(readTraceParent(RECORDED), parent);
  assert.equal(writeTraceParent(parent), RECORDED);
  assert.deepEqual(readTraceParent(LEFT_OUT), { ...parent, flags: 0 });
  assert.equal(readTraceParent(`00-${TRACE_ID}-${SPAN_ID}-ff`)?.flags, 255);
  for (const other of [undefined, null, 7, "", RECORDED.slice(1), `${RECORDED} `, [RECORDED]]) {
    assert.equal(readTraceParent(other), undefined, JSON.stringify(other));
  }
});

test("only a recorded trace is passed on where others would be a burden", () => {
  assert.equal(recordedTrace({ traceparent: RECORDED }), RECORDED);
  for (const traceparent of [undefined, LEFT_OUT, "nonsense"]) {
    assert.equal(recordedTrace({ traceparent }), undefined);
  }
});

test("headers of one's own win", () => {
  assert.deepEqual(withTrace({ a: "1" }, TRACE), { a: "1", ...TRACE });
  assert.deepEqual(withTrace({ a: "1" }, { traceparent: RECORDED }), {
    a: "1",
    traceparent: RECORDED,
  });
  for (const name of ["traceparent", "Traceparent", "TraceState"]) {
    const own = { [name]: "mine" };
    assert.equal(withTrace(own, TRACE), own);
  }
  const none = {};
  assert.equal(withTrace(none, {}), none);
});

test("a message has the trace of its request in its headers", () => {
  const published = (options: object, trace: object = TRACE) =>
    toPublication("mq", 255, { ...request("k", 1), options, ...trace }).headers;
  assert.deepEqual(published({}), TRACE);
  assert.deepEqual(published({ headers: { a: 1 } }), { a: 1, ...TRACE });
  assert.deepEqual(published({ headers: { traceparent: "mine" } }), { traceparent: "mine" });
  assert.deepEqual(published({}, {}), {});
});

test("a message of MQTT 3.1.1 has no headers, and no trace", () => {
  const headers = (protocol: 4 | 5) =>
    toMqttPublication(
      "mqtt",
      { format: "json", protocol },
      { ...request("k", 1), options: {}, ...TRACE },
    )
      .headers;
  assert.deepEqual(headers(4), {});
  assert.deepEqual(headers(5), TRACE);
});

test("the trace of a message is in its headers", () => {
  const event = (headers: unknown) =>
    new MessageEvent({ key: "k", body: { traceparent: "no", a: 1 }, metadata: { headers } });
  assert.equal(event(TRACE).traceparent, RECORDED);
  assert.equal(event(TRACE).tracestate, "a=b");
  for (const headers of [undefined, null, {}, { traceparent: [RECORDED] }, { traceparent: 7 }]) {
    assert.equal(event(headers).traceparent, undefined);
  }
});

test("a request to an API has no trace where nothing traces, and its own headers", async () => {
  await withApi(({ headers }) => reply(200, headers), async ({ url }) => {
    const sent = async (to: string) => {
      const { result } = await callOnce(url, { to: `operation = "POST /"\n${to}` });
      return (result as { readonly traceparent?: string }).traceparent;
    };
    assert.equal(await sent(""), undefined);
    assert.equal(await sent(`headers = { traceparent = "'mine'" }`), "mine");
  });
});
