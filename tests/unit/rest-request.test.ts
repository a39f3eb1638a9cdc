import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { echo, errorOf, json, respond, serve } from "./rest-support.ts";

/** What the flow saw of a request. */
async function seen(
  operation: string,
  path: string,
  init?: RequestInit,
): Promise<{ operation: string; payload: unknown; input: Record<string, unknown> }> {
  const { request } = await serve([[operation, echo]]);
  const response = await request(path, init);
  assert.equal(response.status, 200, await response.clone().text());
  return await response.json();
}

test("rest: path over query over body, and the metadata over all of them", async () => {
  const body = { a: 1, b: 1, c: 1, event: "x", client_id: "x", user_id: "x", headers: "x" };
  const { operation, payload, input } = await seen(
    "POST /rooms/:a",
    "/rooms/path?a=query&b=query&body=query",
    json(JSON.stringify(body)),
  );
  assert.equal(operation, "POST /rooms/:a");
  assert.deepEqual(payload, { ...body, a: "path", b: "query", body: "query" });
  const { headers, ...others } = input;
  assert.deepEqual(others, {
    a: "path",
    b: "query",
    c: 1,
    body,
    event: "x",
    client_id: "x",
    user_id: "x",
  });
  assert.equal((headers as Record<string, string>)["content-type"], "application/json");
});

test("rest: a request without a body", async () => {
  const { payload, input } = await seen("GET /rooms/:room", "/rooms/a?limit=5", {
    headers: { "X-Tenant": "Acme" },
  });
  assert.deepEqual(payload, { room: "a", limit: "5" });
  assert.equal(input.body, null);
  assert.equal((input.headers as Record<string, string>)["x-tenant"], "Acme");
  assert.deepEqual((await seen("DELETE /x", "/x", { method: "DELETE" })).payload, {});
  assert.deepEqual((await seen("POST /x", "/x", { method: "POST", body: "" })).payload, {});
});

test("rest: a body that is not an object is the payload itself", async () => {
  for (const body of [[1, { a: 2 }], "text", 5, true, null]) {
    const { payload, input } = await seen("PUT /r/:room", "/r/a?b=c", {
      ...json(JSON.stringify(body), "PUT"),
    });
    assert.deepEqual(payload, body);
    assert.deepEqual(input.body, body);
    assert.equal(input.room, "a");
    assert.equal(input.b, "c");
  }
});

test("rest: a repeated query parameter is a list in order", async () => {
  const { payload } = await seen("GET /x", "/x?tag=a&n=1&tag=&tag=b+c&empty&%C3%A4=%26");
  assert.deepEqual(payload, { tag: ["a", "", "b c"], n: "1", empty: "", "ä": "&" });
});

test("rest: a query of very many names takes time that grows with its length alone", async () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `n${index}=${index}`);
  const { payload } = await seen("GET /x", `/x?${names.join("&")}&n7=again`);
  assert.equal(Object.keys(payload as object).length, names.length);
  assert.deepEqual((payload as Record<string, unknown>).n7, ["7", "again"]);
});

test("rest: path and query are the fields that are text", async () => {
  const { request } = await serve([[
    "PUT /r/:room",
    ({ textFields }) => respond([...textFields ?? []]),
  ]]);
  const names = async (body: string) => {
    const response = await request("/r/a?b=c&b=d&__proto__=1", json(body, "PUT"));
    return (await response.json()).sort();
  };
  assert.deepEqual(await names('{"c":"1","room":"2"}'), ["__proto__", "b", "room"]);
  assert.deepEqual(await names("[1]"), ["__proto__", "b", "room"]);
});

test("rest: path parameters are decoded once", async () => {
  const cases: readonly [string, string][] = [
    ["a%20b", "a b"],
    ["a%2Fb", "a/b"],
    ["%C3%A4", "ä"],
    ["%2541", "%41"],
    ["a+b", "a+b"],
    ["%3Aid", ":id"],
    ["__proto__", "__proto__"],
  ];
  for (const [written, value] of cases) {
    const { payload } = await seen("GET /rooms/:room/log", `/rooms/${written}/log`);
    assert.deepEqual(payload, { room: value }, written);
  }
});

test("rest: a path that is not percent-encoded UTF-8 is refused", async () => {
  const { request } = await serve([["GET /rooms/:room", echo]]);
  for (const written of ["%ZZ", "%", "%FF", "a%C3"]) {
    const response = await request(`/rooms/${written}`);
    assert.equal(response.status, 400, written);
    assert.equal((await errorOf(response)).code, "invalid_message");
  }
});

test("rest: names of the prototype are plain data everywhere", async () => {
  const { request } = await serve([["POST /x/:constructor", ({ payload, input }) => {
    const own = (value: unknown) => Object.entries(value as Record<string, unknown>);
    assert.equal(Object.getPrototypeOf(payload), Object.prototype);
    assert.equal(Object.getPrototypeOf(input), Object.prototype);
    return respond([own(payload), own(input).slice(0, 3)]);
  }]]);
  const response = await request(
    "/x/p?toString=t",
    json('{"__proto__":{"admin":true}}'),
  );
  const fields = [["__proto__", { admin: true }], ["toString", "t"], ["constructor", "p"]];
  assert.equal(await response.text(), JSON.stringify([fields, fields]));

  const query = await request("/x/p?__proto__=a&__proto__=b", { method: "POST" });
  const [payload] = await query.json();
  assert.deepEqual(payload, [["__proto__", ["a", "b"]], ["constructor", "p"]]);
  assert.equal(({} as Record<string, unknown>).admin, undefined);
});

test("rest: bad JSON is refused", async () => {
  const { request } = await serve([["POST /x", echo]]);
  const deep = (n: number) => "[".repeat(n) + "]".repeat(n);
  for (const [text, reason] of [["{", "not valid"], ["nope", "not valid"], [deep(65), "deeper"]]) {
    const response = await request("/x", json(text));
    assert.equal(response.status, 400, text);
    const { code, message } = await errorOf(response);
    assert.equal(code, "invalid_json");
    assert.ok(String(message).includes(reason), String(message));
  }
  assert.equal((await request("/x", json(deep(64)))).status, 200);
  const brackets = JSON.stringify(`${"[".repeat(100)}\\"${"{".repeat(100)}`);
  assert.equal((await request("/x", json(brackets))).status, 200);
});

test("rest: a hundred thousand brackets are refused before they are parsed", async () => {
  const { request } = await serve([["POST /x", echo]], { max_body_size: 1024 ** 2 });
  const response = await request("/x", json("[".repeat(100_000)));
  assert.equal((await errorOf(response)).code, "invalid_json");
});

test("rest: a body that is not UTF-8 is refused, a byte order mark is not", async () => {
  const { request } = await serve([["POST /x", ({ payload }) => respond(payload)]]);
  const init = { ...json(""), body: new Uint8Array([0x22, 0xff, 0x22]) };
  assert.equal((await errorOf(await request("/x", init))).code, "invalid_message");
  assert.equal(await (await request("/x", json("\ufeff1"))).text(), "1");
});

test("rest: only JSON in UTF-8 is taken", async () => {
  const { request } = await serve([["POST /x", echo]]);
  const status = async (type: string) => {
    const headers = { "content-type": type };
    return (await request("/x", { method: "POST", headers, body: "{}" })).status;
  };
  for (
    const type of [
      "application/json",
      "Application/JSON; charset=UTF-8",
      'application/json;charset="utf-8"',
      "application/vnd.api+json",
      "application/merge-patch+json; q=1",
    ]
  ) assert.equal(await status(type), 200, type);
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonp",
      "text/json",
      "application/json; charset=latin1",
      "text/plain; application/json",
    ]
  ) assert.equal(await status(type), 415, type);

  const untyped = new Request("http://localhost/x", {
    method: "POST",
    body: new TextEncoder().encode("{}"),
  });
  assert.equal(untyped.headers.get("content-type"), null);
  const { app } = await serve([["POST /x", echo]]);
  const response = await app.request(untyped);
  assert.equal(response.status, 415);
  assert.equal((await errorOf(response)).code, "unsupported_type");
});

test("rest: a body over the limit is refused, by its declared length and by its bytes", async () => {
  const { request } = await serve([["POST /x", ({ payload }) => respond(payload)]], {
    max_body_size: 10,
  });
  assert.equal((await request("/x", json('"12345678"'))).status, 200);
  assert.equal((await request("/x", json('"123456789"'))).status, 413);
  assert.equal((await request("/x", json('"äääää"'))).status, 413, "bytes, not characters");

  const declared = json('"1"');
  const headers = { ...declared.headers, "content-length": "11" };
  const response = await request("/x", { ...declared, headers });
  assert.equal(response.status, 413);
  assert.equal((await errorOf(response)).code, "too_large");

  const lying = { ...json('"123456789"'), headers: { ...headers, "content-length": "3" } };
  assert.equal((await request("/x", lying)).status, 413);
});

test("rest: an endless body is given up soon after the limit", async () => {
  const { app } = await serve([["POST /x", echo]], { max_body_size: 1000 });
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(100).fill(0x20));
    },
  });
  const init = { ...json(""), body, duplex: "half" };
  const response = await app.request(new Request("http://localhost/x", init));
  assert.equal(response.status, 413);
  assert.ok(pulled < 20, `${pulled} chunks`);
});

test("rest: a body that breaks off is refused", async () => {
  const { app } = await serve([["POST /x", echo]]);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error("gone"));
    },
  });
  const init = { ...json(""), body, duplex: "half" };
  const response = await app.request(new Request("http://localhost/x", init));
  assert.equal(response.status, 400);
});

test("rest: a body that the embedding application has read already is still there", async () => {
  const app = new Hono();
  app.use(async ({ req }, next) => {
    await req.text();
    await next();
  });
  const { request } = await serve([["POST /x", ({ payload }) => respond(payload)]], {
    max_body_size: 10,
  }, { app });
  assert.equal(await (await request("/x", json("[1]"))).text(), "[1]");
  assert.equal((await request("/x", json('"123456789"'))).status, 413);
});

test("rest: a body that the embedding application has taken away is refused", async () => {
  const takers: readonly ((raw: Request) => unknown)[] = [
    (raw) => raw.text(),
    (raw) => raw.body?.getReader(),
  ];
  for (const take of takers) {
    const app = new Hono();
    app.use(async ({ req }, next) => {
      await take(req.raw);
      await next();
    });
    const { request } = await serve([["POST /x", echo]], {}, { app });
    const response = await request("/x", json("[1]"));
    assert.equal(response.status, 400);
    assert.equal((await errorOf(response)).code, "invalid_message");
  }
});
