import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { ConnectorError } from "../../src/base/errors.ts";
import { ManualClock } from "../support/clock.ts";
import { echo, errorOf, json, respond, serve } from "./rest-support.ts";

test("rest: a literal path is preferred, whatever the order of the file", async () => {
  const { request } = await serve([
    ["GET /rooms/:room", () => respond("parameter")],
    ["GET /rooms/new", () => respond("literal")],
    ["POST /rooms/:room", () => respond("post")],
  ]);
  assert.equal(await (await request("/rooms/new")).json(), "literal");
  assert.equal(await (await request("/rooms/other")).json(), "parameter");
  assert.equal(await (await request("/rooms/new", { method: "POST" })).json(), "post");
});

test("rest: a method that the path does not have is 405 with Allow", async () => {
  const { request } = await serve([
    ["GET /rooms/:room", echo],
    ["DELETE /rooms/:id", echo],
    ["POST /rooms/new", echo],
  ]);
  const allow = async (path: string, method: string) => {
    const response = await request(path, { method });
    assert.equal(response.status, 405, `${method} ${path}`);
    assert.equal((await errorOf(response)).code, "method_not_allowed");
    return response.headers.get("allow")?.split(", ").sort();
  };
  assert.deepEqual(await allow("/rooms/a", "PUT"), ["DELETE", "GET", "HEAD", "OPTIONS"]);
  assert.deepEqual(await allow("/rooms/new", "PUT"), ["DELETE", "GET", "HEAD", "OPTIONS", "POST"]);
  assert.deepEqual(await allow("/rooms/a", "PATCH"), ["DELETE", "GET", "HEAD", "OPTIONS"]);
});

test("rest: HEAD runs the flows of GET and gets no body; OPTIONS tells the methods", async () => {
  let runs = 0;
  const { request } = await serve([["GET /x", () => respond(++runs)], ["POST /y", echo]]);
  const head = await request("/x", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
  assert.equal(runs, 1);
  assert.equal((await request("/y", { method: "HEAD" })).status, 405);

  const options = await request("/x", { method: "OPTIONS" });
  assert.equal(options.status, 204);
  assert.equal(options.headers.get("allow"), "GET, HEAD, OPTIONS");
  assert.equal(runs, 1);
});

test("rest: an unknown path is left to the host", async () => {
  const app = new Hono();
  app.notFound((context) => context.text("host", 404));
  const { request } = await serve([["GET /x/:id", echo], ["GET /dir/", echo]], {}, { app });
  for (const path of ["/", "/x", "/x/", "/x/1/", "/x/1/2", "/X/1", "/dir", "//x/1"]) {
    const response = await request(path);
    assert.equal(response.status, 404, path);
    assert.equal(await response.text(), "host");
  }
  assert.equal((await request("/dir/")).status, 200);
  const other = await request("/x/1", { method: "PUT" });
  assert.equal(other.status, 405);
  assert.equal((await errorOf(other)).code, "method_not_allowed");
});

test("rest: routes work below a mount and for several applications", async () => {
  const { connector } = await serve([["POST /rooms/:room", ({ payload }) => respond(payload)]], {
    cors: "*",
  });
  for (const mount of ["/live", "/tenants/:room"]) {
    const inner = new Hono();
    connector.http?.routes?.(inner);
    const app = new Hono();
    app.route(mount, inner);
    app.get("*", (context) => context.text("page"));
    const base = mount.replace(":room", "acme");

    const response = await app.request(`${base}/rooms/a`, { method: "POST" });
    assert.deepEqual(await response.json(), { room: "a" });
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assert.equal((await app.request(`${base}/rooms/a`, { method: "PUT" })).status, 405);
    assert.equal((await app.request("/rooms/a", { method: "POST" })).status, 404);
    // A later route of the host is reached, since the connector has no GET there.
    assert.equal(await (await app.request(`${base}/rooms/a`)).text(), "page");
  }
});

test("rest: two connectors on one application share a path", async () => {
  const app = new Hono();
  await serve([["GET /x", () => respond("first")]], {}, { app });
  const { connector } = await serve([["POST /x", () => respond("second")]], {}, { app });
  connector.subscribe?.("DELETE /x", { flow: "d", takes: () => false, run: echo });
  assert.equal(await (await app.request("/x")).json(), "first");
  assert.equal(await (await app.request("/x", { method: "POST" })).json(), "second");
  const response = await app.request("/x", { method: "PUT" });
  assert.equal(response.status, 405);
  assert.deepEqual(response.headers.get("allow"), "GET, HEAD, POST, OPTIONS");
});

test("rest: a 404 of a flow stays one, beside other methods of the path", async () => {
  const app = new Hono();
  await serve([["GET /x", echo]], {}, { app });
  const second = new Hono();
  const { connector } = await serve([]);
  connector.subscribe?.("POST /x", { flow: "p", takes: () => false, run: echo });
  connector.http?.routes?.(second);
  app.route("/", second);
  const response = await app.request("/x", { method: "POST" });
  assert.equal(response.status, 404);
  assert.equal((await errorOf(response)).code, "not_found");
});

test("rest: one kind of request with two names for a parameter is refused", async () => {
  const { connector } = await serve([["GET /rooms/:room", echo]]);
  const handler = { flow: "other", takes: () => true, run: echo };
  assert.throws(
    () => connector.subscribe?.("GET /rooms/:id", handler),
    (error) =>
      error instanceof ConnectorError &&
      /flow "other" takes the same requests as flow "1".*\/rooms\/:id and \/rooms\/:room/
        .test(error.message),
  );
  connector.subscribe?.("POST /rooms/:id", handler);
  assert.throws(() => connector.subscribe?.("nonsense", handler), ConnectorError);
  assert.throws(() => connector.subscribe?.(undefined, handler), ConnectorError);
});

test("rest: one operation with other spacing is the same operation", async () => {
  let runs = 0;
  const run = () => respond(++runs);
  const { request } = await serve([["GET /x", run], ["GET  /x", run]]);
  assert.equal(await (await request("/x")).json(), 1);
  assert.equal(runs, 2);
});

test("rest: without cors no page of another origin may read an answer", async () => {
  const { request } = await serve([["POST /x", echo]]);
  const headers = { origin: "https://a.example", "access-control-request-method": "POST" };
  const preflight = await request("/x", { method: "OPTIONS", headers });
  assert.equal(preflight.headers.get("access-control-allow-origin"), null);
  const response = await request("/x", { method: "POST", headers });
  assert.equal(response.headers.get("access-control-allow-origin"), null);
});

test("rest: cors for any origin, errors included", async () => {
  const { request } = await serve([["POST /x", echo]], { cors: "*" });
  const headers = {
    origin: "https://a.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type",
  };
  const preflight = await request("/x", { method: "OPTIONS", headers });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  assert.equal(preflight.headers.get("access-control-allow-headers"), "content-type");
  assert.equal(
    preflight.headers.get("access-control-allow-methods"),
    "GET,POST,PUT,PATCH,DELETE",
  );
  for (const init of [{ method: "POST" }, json("{"), { method: "PUT" }]) {
    const response = await request("/x", init);
    assert.equal(response.headers.get("access-control-allow-origin"), "*", `${response.status}`);
  }
});

test("rest: a page reads that a body did not come in time, and that nothing is served now", async () => {
  const clock = new ManualClock();
  const options = { cors: ["https://a.example"] };
  const told = ({ status, headers }: Response) => [
    status,
    headers.get("access-control-allow-origin"),
    headers.get("access-control-expose-headers"),
    headers.get("vary"),
  ];
  const late = await serve([["POST /x", echo]], options, { clock });
  const init = {
    ...json(""),
    headers: { origin: "https://a.example", "content-type": "application/json" },
    body: new ReadableStream(),
    duplex: "half",
  };
  const answer = late.request("/x", init);
  await clock.advance(31_000);
  assert.deepEqual(told(await answer), [408, "https://a.example", "Retry-After", "Origin"]);
  const { request } = await serve([["POST /x", echo]], options, { accepting: false });
  const closed = await request("/x", { ...init, body: "{}" });
  assert.deepEqual(told(closed), [503, "https://a.example", "Retry-After", "Origin"]);
  assert.equal(closed.headers.get("retry-after"), "1");
});

test("rest: cors is for the methods of its connector, where two share a path", async () => {
  const app = new Hono();
  await serve([["POST /x", echo]], { cors: ["https://a.example"] }, { app });
  const { request } = await serve([["GET /x", echo]], { cors: ["https://b.example"] }, { app });
  const reads = async (origin: string, method: string, asked?: string) => {
    const headers = {
      origin,
      ...(asked === undefined ? {} : { "access-control-request-method": asked }),
    };
    const response = await request("/x", { method, headers });
    return response.headers.get("access-control-allow-origin") === origin;
  };
  for (const [own, other, method] of [["a", "b", "POST"], ["b", "a", "GET"]]) {
    for (const asked of [[method], ["OPTIONS", method]] as [string, string?][]) {
      assert.equal(await reads(`https://${own}.example`, ...asked), true, asked.join());
      assert.equal(await reads(`https://${other}.example`, ...asked), false, asked.join());
    }
  }
});

test("rest: cors for exact origins", async () => {
  const origins = ["https://a.example", "https://b.example"];
  const { request } = await serve([["GET /x", echo], ["POST /x", echo]], { cors: origins });
  const allowed = async (origin: string) => {
    const response = await request("/x", { headers: { origin } });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("vary"), "Origin");
    return response.headers.get("access-control-allow-origin");
  };
  for (const origin of origins) assert.equal(await allowed(origin), origin);
  for (const origin of ["https://c.example", "http://a.example", "null", ""]) {
    assert.equal(await allowed(origin), null);
  }
});
