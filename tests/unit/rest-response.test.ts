import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowHandler, Outcome } from "../../src/contract/connector.ts";
import type { ErrorCode } from "../../src/base/error-codes.ts";
import { type ErrorAnswer, FlowError } from "../../src/base/errors.ts";
import { errorOf, json, respond, serve } from "./rest-support.ts";

function result(value: unknown, created?: boolean): Outcome {
  return { response: undefined, result: value, ...(created === undefined ? {} : { created }) };
}

async function answer(outcome: Outcome | Promise<Outcome>): Promise<Response> {
  const { request } = await serve([["POST /x", () => outcome]]);
  return await request("/x", { method: "POST" });
}

test("rest: the response of the flow, else the result of the first destination", async () => {
  const cases: readonly [Outcome, number, string][] = [
    [respond({ id: 1 }), 200, '{"id":1}'],
    [{ ...respond({ id: 1 }), result: { id: 2 }, created: true }, 201, '{"id":1}'],
    [result({ id: 2 }), 200, '{"id":2}'],
    [result({ id: 2 }, false), 200, '{"id":2}'],
    [result({ id: 2 }, true), 201, '{"id":2}'],
    [result(null), 200, "null"],
    [result(0), 200, "0"],
    [respond(""), 200, '""'],
    [result(undefined), 204, ""],
    [respond(undefined), 204, ""],
    [result(undefined, true), 201, ""],
  ];
  for (const [outcome, status, text] of cases) {
    for (const given of [outcome, Promise.resolve(outcome)]) {
      const response = await answer(given);
      assert.equal(response.status, status);
      assert.equal(await response.text(), text);
      const type = response.headers.get("content-type");
      assert.equal(type, text === "" ? null : "application/json");
    }
  }
});

test("rest: dates and BigInts go out as JSON", async () => {
  const response = await answer(result({
    at: new Date(0),
    small: 5n,
    large: 9007199254740993n,
    list: [-(2n ** 70n)],
    nothing: NaN,
  }));
  assert.deepEqual(await response.json(), {
    at: "1970-01-01T00:00:00.000Z",
    small: 5,
    large: "9007199254740993",
    list: ["-1180591620717411303424"],
    nothing: null,
  });
});

test("rest: a failed flow is an error with its code, status and ref, without its cause", async () => {
  const cases: readonly [ErrorCode, number][] = [
    ["flow_failed", 500],
    ["timeout", 504],
    ["validation_failed", 422],
    ["rejected", 403],
    ["unauthorized", 401],
    ["rate_limited", 429],
  ];
  for (const [code, status] of cases) {
    const cause = new Error("password of db.internal");
    const error = new FlowError("notify", code, { ref: "abcd1234", cause });
    const response = await answer(Promise.reject(error));
    assert.equal(response.status, status);
    assert.deepEqual(await errorOf(response), { code, message: error.message, ref: "abcd1234" });
  }
});

test("rest: a failed flow tells its details, and its error_response instead", async () => {
  const details = [{ path: "a.b", message: "must be a number" }];
  const told = { code: "validation_failed", message: "bad", details };
  const body = { why: ["because", 1] };
  const cases: readonly [ErrorAnswer | undefined, number, unknown][] = [
    [undefined, 422, { error: told }],
    [{ status: 418, body }, 418, body],
    [{ status: undefined, body }, 422, body],
    [{ status: 499, body: undefined }, 499, { error: told }],
    [{ status: undefined, body: {} }, 422, {}],
  ];
  for (const [given, status, text] of cases) {
    const options = { message: "bad", details, ...(given && { answer: given }) };
    const error = new FlowError("f", "validation_failed", options);
    const response = await answer(Promise.reject(error));
    assert.equal(response.status, status);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.deepEqual(await response.json(), text);
  }
});

test("rest: a refusal has a status and a code of its own, or those of its error_response", async () => {
  const body = { why: 1 };
  const cases: readonly [string, number, ErrorAnswer | undefined, number][] = [
    ["not_found", 404, undefined, 404],
    ["constructor", 403, undefined, 403],
    ["not_found", 404, { status: undefined, body }, 404],
    ["not_found", 404, { status: 410, body: undefined }, 410],
  ];
  for (const [code, status, given, expected] of cases) {
    const options = { message: "no such ticket", status, ...(given && { answer: given }) };
    const response = await answer(Promise.reject(new FlowError("f", code, options)));
    assert.equal(response.status, expected);
    const told = { error: { code, message: "no such ticket" } };
    assert.deepEqual(await response.json(), given?.body ?? told);
  }
  // A program may have an error that says nothing about HTTP.
  const strange = new FlowError("f", "constructor", { message: "odd" });
  assert.equal((await answer(Promise.reject(strange))).status, 500);
});

test("rest: an error_response that is not JSON is logged and is 500", async () => {
  const body: Record<string, unknown> = {};
  body.self = body;
  const { request, logged } = await serve([["GET /x", () => {
    throw new FlowError("f", "rejected", { message: "no", answer: { status: 410, body } });
  }]]);
  const response = await request("/x");
  assert.equal(response.status, 500);
  assert.equal((await errorOf(response)).code, "flow_failed");
  assert.ok(logged[0] instanceof TypeError);
});

test("rest: the first flow that takes the request answers, and all that take it run", async () => {
  const { connector, request } = await serve([]);
  assert.equal((await request("/x")).status, 404);
  const ran: string[] = [];
  const flow = (name: string, takes: boolean): FlowHandler => ({
    flow: name,
    takes: () => takes,
    run: () => {
      ran.push(name);
      return respond(name);
    },
  });
  for (const handler of [flow("a", false), flow("b", true), flow("c", true)]) {
    connector.subscribe?.("GET /x", handler);
  }
  const { Hono } = await import("hono");
  const app = new Hono();
  connector.http?.routes?.(app);
  assert.equal(await (await app.request("/x")).json(), "b");
  assert.deepEqual(ran, ["b", "c"]);
});

test("rest: a request that no flow takes is 404", async () => {
  const { connector } = await serve([]);
  connector.subscribe?.("GET /x", {
    flow: "a",
    takes: () => false,
    run: () => assert.fail("must not run"),
  });
  const { Hono } = await import("hono");
  const app = new Hono();
  connector.http?.routes?.(app);
  const response = await app.request("/x");
  assert.equal(response.status, 404);
  const error = await errorOf(response);
  assert.deepEqual(error, { code: "not_found", message: "no flow takes this request" });
});

test("rest: a bug in a flow is logged once and answered without its cause", async () => {
  const bug = new TypeError("secret");
  const fail = () => {
    throw bug;
  };
  for (const run of [fail, () => Promise.reject(bug)]) {
    const { request, connector, logged } = await serve([["GET /x", run]]);
    const response = await request("/x");
    assert.equal(response.status, 500);
    const error = await errorOf(response);
    assert.deepEqual(error, { code: "flow_failed", message: "the service failed" });
    await connector.drain?.();
    assert.deepEqual(logged, [bug]);
  }

  const later = await serve([["GET /x", () => respond(1)], ["GET /x", fail]]);
  assert.equal((await later.request("/x")).status, 200);
  await later.connector.drain?.();
  assert.deepEqual(later.logged, [bug]);
});

test("rest: an answer that cannot be JSON is logged and is 500", async () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const { request, logged } = await serve([["GET /x", () => result(cycle)]]);
  const response = await request("/x");
  assert.equal(response.status, 500);
  assert.equal((await errorOf(response)).code, "flow_failed");
  assert.equal(logged.length, 1);
  assert.ok(logged[0] instanceof TypeError);
});

test("rest: before it consumes and after it stops, 503 with Retry-After", async () => {
  const { connector, request } = await serve([["POST /x", () => respond(1)]], {}, {
    accepting: false,
  });
  const refused = async () => {
    const response = await request("/x", json("{}"));
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "1");
    assert.equal((await errorOf(response)).code, "unavailable");
  };
  await refused();
  await connector.consume?.();
  assert.equal((await request("/x", json("{}"))).status, 200);
  await connector.stop?.();
  await refused();
});

test("rest: drain waits for the answer and for every flow", async () => {
  const first = Promise.withResolvers<Outcome>();
  const second = Promise.withResolvers<Outcome>();
  const started = Promise.withResolvers<void>();
  const { connector, request } = await serve([
    ["GET /x", () => first.promise],
    ["GET /x", () => {
      started.resolve();
      return second.promise;
    }],
  ]);
  const response = request("/x");
  await started.promise;
  let drained = false;
  const drain = Promise.resolve(connector.drain?.()).then(() => drained = true);
  first.resolve(respond(1));
  assert.equal((await response).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(drained, false);
  second.resolve(respond(2));
  await drain;
});
