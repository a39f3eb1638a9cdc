/** What the `http` connector sends, and what a flow makes of the answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { retryAfterOf } from "../../src/connectors/http/retry-after.ts";
import { Slots } from "../../src/connectors/http/slots.ts";
import { endAttempt, type Stop } from "../../src/connectors/http/stop.ts";
import { mediaTypeOf } from "../../src/connectors/http/media-type.ts";
import { ENDS, flow, FROM, inWorld } from "../attributes/support.ts";
import { type Answer, callOnce, connectorTo, reply, withApi } from "../support/http-api.ts";

const echo: Answer = ({ method, path, headers, body }) =>
  reply(200, { method, path, type: headers["content-type"] ?? null, body });

/** What the API got of a call, or the error after its first words. */
async function sent(to: string, data: unknown, connector = "", base = ""): Promise<unknown> {
  return await withApi(echo, async ({ url, asked }) => {
    const { result, error } = await callOnce(url + base, { to, data, connector });
    // What cannot be sent is not sent.
    if (error !== undefined) assert.deepEqual(asked, []);
    return error?.message.replace('connector "api": ', "") ?? result;
  });
}

const JSON_TYPE = "application/json";
const FORM = "headers = { Content-Type = \"'application/x-www-form-urlencoded'\" }";
const get = (path: string) => ({ method: "GET", path, type: null, body: "" });
const post = (path: string, body: string, type = JSON_TYPE) => ({
  method: "POST",
  path,
  type,
  body,
});

const rows: readonly (readonly [to: string, data: unknown, expected: unknown])[] = [
  // The path.
  ['operation = "GET /orders/:id"', { id: 7 }, get("/orders/7")],
  ['operation = "GET /orders/:id/"', { id: true }, get("/orders/true/")],
  ['operation = "GET /o/:id"', { id: "a b/ü?#%2e" }, get("/o/a%20b%2F%C3%BC%3F%23%252e")],
  ['operation = "GET /o/:id"', { id: "../x" }, get("/o/..%2Fx")],
  ['operation = "GET /o/:id"', { id: "..." }, get("/o/...")],
  ['operation = "GET /o/:id"', { id: "\\\r\n\t" }, get("/o/%5C%0D%0A%09")],
  ['operation = "GET /é/%20/x:y@z"', {}, get("/%C3%A9/%20/x:y@z")],
  ['operation = "GET /"', {}, get("/")],
  ...[
    [{}, "null"],
    [{ id: null }, "null"],
    [{ id: "" }, "empty"],
    [{ id: "." }, '"."'],
    [{ id: ".." }, '".."'],
    [{ id: {} }, "an object"],
    [{ id: ["a"] }, "a list"],
    [{ id: "\ud800" }, "text that is not valid Unicode"],
  ].map(([data, words]) =>
    ['operation = "GET /o/:id"', data, `GET /o/:id cannot be sent: :id is ${words}`] as const
  ),
  ['operation = "POST /o/:id"', "text", "POST /o/:id cannot be sent: :id is null"],
  // The query.
  [
    'operation = "GET /o/:id"',
    { id: 1, a: "b c&d=é", list: [1, "x", null], none: null, flag: false },
    get("/o/1?a=b%20c%26d%3D%C3%A9&list=1&list=x&flag=false"),
  ],
  ['operation = "DELETE /o"', { a: 1 }, { ...get("/o?a=1"), method: "DELETE" }],
  [
    'operation = "GET /o"\nquery = { "x[]" = "[1, 2]", n = "input.n + 1" }',
    { n: 1 },
    get("/o?x%5B%5D=1&x%5B%5D=2&n=2"),
  ],
  ['operation = "GET /o"\nquery = { a = "null" }', { n: 1 }, get("/o")],
  [
    'operation = "GET /o"',
    { a: { b: 1 } },
    'GET /o cannot be sent: "a" is an object, which a query cannot have',
  ],
  [
    'operation = "GET /o"',
    [1],
    "GET /o cannot be sent: its payload is a list, which has no fields for a query",
  ],
  ['operation = "GET /o"', null, get("/o")],
  ['operation = "GET /o"', { a: "\ud800" }, "GET /o cannot be sent: a field is not valid Unicode"],
  // The body.
  [
    'operation = "POST /o/:id"',
    { id: 7, n: 1, o: { p: null } },
    post("/o/7", '{"n":1,"o":{"p":null}}'),
  ],
  ['operation = "POST /o"', [1, "a"], post("/o", '[1,"a"]')],
  ['operation = "POST /o"', "text", post("/o", '"text"')],
  ['operation = "POST /o"', {}, post("/o", "{}")],
  ['operation = "POST /o"', null, { ...get("/o"), method: "POST" }],
  ['operation = "POST /o"\nquery = { a = "1" }', { n: 1 }, post("/o?a=1", '{"n":1}')],
  ['operation = "POST /o"\nbody = "[input.n]"', { n: 1 }, post("/o", "[1]")],
  ['operation = "POST /o"\nbody = "null"', { n: 1 }, post("/o", "null")],
  [
    'operation = "POST /o/:n"\nbody = { a = "payload", b = "output.n" }',
    { n: 1 },
    post("/o/1", '{"a":{"n":1},"b":1}'),
  ],
  [
    'operation = "DELETE /o"\nbody = { a = "1" }',
    { n: 1 },
    { method: "DELETE", path: "/o", type: JSON_TYPE, body: '{"a":1}' },
  ],
  [
    `operation = "POST /o"\n${FORM}`,
    { a: "b c&", l: [1, 2] },
    post("/o", "a=b%20c%26&l=1&l=2", "application/x-www-form-urlencoded"),
  ],
  [
    'operation = "POST /o"\nheaders = { content-type = "\'text/csv\'" }\nbody = "\'a;b\'"',
    {},
    post("/o", "a;b", "text/csv"),
  ],
  [
    'operation = "POST /o"\nheaders = { content-type = "\'text/csv\'" }',
    {},
    "POST /o cannot be sent: its body is an object, and text/csv is text",
  ],
  // Headers.
  ...[
    ["null", get("/o")],
    ["'a\\\\r\\\\nb: c'", "has a line break"],
    ["'\\\\u0000'", "has a character that no header can have"],
    ["'✓'", "has a character that no header can have"],
    ["[1]", "is a list, not text"],
  ].map(([value, outcome]) =>
    [
      `operation = "GET /o"\nheaders = { X-A = "${value}" }`,
      {},
      typeof outcome === "string" ? `GET /o cannot be sent: its header "X-A" ${outcome}` : outcome,
    ] as const
  ),
  ...[
    ["input.none", "is null, not text"],
    ["''", "is empty"],
    ["'a\\\\nb'", "has a line break"],
  ].map(([key, words]) =>
    [
      `operation = "POST /o"\nidempotency_key = "${key}"`,
      {},
      `POST /o cannot be sent: its idempotency_key ${words}`,
    ] as const
  ),
];

for (const [to, data, expected] of rows) {
  test(`${to.replaceAll("\n", " ")}: ${JSON.stringify(data)}`, async () => {
    assert.deepEqual(await sent(to, data), expected);
  });
}

for (
  const [base, path, expected] of [
    ["/v1", "/x", "/v1/x"],
    ["/v1/", "/x", "/v1/x"],
    ["/v1", "/", "/v1"],
    ["/v1/", "/", "/v1/"],
    ["/a%2Fb", "/x/", "/a%2Fb/x/"],
  ]
) {
  test(`${path} below ${base}`, async () => {
    assert.deepEqual(await sent(`operation = "GET ${path}"`, {}, "", base), get(expected));
  });
}

test("the headers of a block replace those of the connector, and null removes one", async () => {
  await withApi(
    ({ headers }) => reply(200, [headers["x-a"], headers["x-b"], headers["x-c"] ?? null]),
    async ({ url }) => {
      const connector = `headers = { X-A = "'1'", X-B = "'1'", X-C = "string(1 + 1)" }`;
      const to = 'operation = "GET /"\nheaders = { x-b = "2", x-C = "null" }';
      assert.deepEqual(await callOnce(url, { connector, to }), { result: ["1", "2", null] });
    },
  );
});

test("cookies of a full response are a list, for no header joins them", async () => {
  const cookies = ["set-cookie: a=1, b", "set-cookie: c=2"];
  await withApi(() => reply(200, "x", cookies), async ({ url }) => {
    const { result } = await callOnce(url, { to: 'operation = "GET /"\nresponse = "full"' });
    const { headers } = result as { readonly headers: Record<string, unknown> };
    assert.deepEqual(headers["set-cookie"], ["a=1, b", "c=2"]);
  });
});

test("a step asks an API, and its result is a variable; a caller sees what error_response says", async () => {
  const answer: Answer = ({ path }) =>
    path.startsWith("/users/7") ? reply(200, { name: "Ann" }) : reply(404, { reason: path });
  await withApi(answer, async ({ url }) => {
    const config = `connector "web" {\ntype = "rest"\nport = 0\n}\n` + connectorTo(url) + flow(`
      from {
        connector = "web"
        operation = "GET /names/:id"
      }
      step "user" {
        connector = "api"
        operation = "GET /users/:id"
        params    = { id = "input.id", full = "true" }
      }
      response { name = "step.user.name" }
      error_handling {
        error_response {
          when   = "error.status == 404"
          status = 404
          body { reason = "error.body.reason" }
        }
      }`);
    await inWorld(
      config,
      async (world) => {
        assert.deepEqual(await world.request("GET /names/7"), {
          status: 200,
          body: { name: "Ann" },
        });
        assert.deepEqual(await world.request("GET /names/8"), {
          status: 404,
          body: { reason: "/users/8?full=true" },
        });
      },
    );
  });
});

test("a step that is skipped has its default, whatever the API says", async () => {
  await withApi(() => reply(500, "no"), async ({ url }) => {
    const config = ENDS + connectorTo(url) + flow(`${FROM}
      step "x" {
        connector = "api"
        operation = "GET /"
        on_error  = "skip"
        default   = "none"
      }
      response { x = "step.x" }`);
    assert.deepEqual(await inWorld(config, (world) => world.emit({})), { x: "none" });
  });
});

test("Retry-After has seconds or a date in one of three forms", () => {
  const now = Date.UTC(2026, 0, 1);
  const cases: readonly (readonly [string | null, number | undefined])[] = [
    [null, undefined],
    ["", undefined],
    ["0", 0],
    [" 120 ", 120_000],
    ["1.5", undefined],
    ["-1", undefined],
    ["99999999999", undefined],
    ["soon", undefined],
    ["2026-01-01", undefined],
    ["Thu, 01 Jan 2026 00:01:00 GMT", 60_000],
    ["Thursday, 01-Jan-26 00:01:00 GMT", 60_000],
    ["Thu Jan  1 00:01:00 2026", 60_000],
    ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
    ["Thu, 99 Jan 2026 00:01:00 GMT", undefined],
  ];
  for (const [header, expected] of cases) {
    assert.equal(retryAfterOf(header, now), expected, `${header}`);
  }
});

test("Content-Type with parameters in any form", () => {
  assert.deepEqual(mediaTypeOf(null), { type: "", charset: undefined });
  assert.deepEqual(mediaTypeOf("Text/HTML"), { type: "text/html", charset: undefined });
  assert.deepEqual(mediaTypeOf('a/b ;x=1; Charset="UTF-8" '), { type: "a/b", charset: "utf-8" });
  assert.deepEqual(mediaTypeOf("a/b; charset="), { type: "a/b", charset: undefined });
});

test("places go to those who wait in their order, and not to those who have gone", async () => {
  const slots = new Slots(1);
  const stop = (): Stop => ({ reason: undefined, onStop: undefined });
  assert.equal(slots.take(), true);
  assert.equal(slots.take(), false);
  const [gone, last] = [stop(), stop()];
  const waits = [slots.wait(stop()), slots.wait(gone), slots.wait(last)];
  endAttempt(gone, new Error("too late"));
  await assert.rejects(waits[1], /too late/);
  assert.deepEqual([slots.taken, slots.waiting], [1, 2]);
  slots.release();
  await waits[0];
  slots.release();
  // It has its place, so this is no matter of the queue any more.
  endAttempt(last, new Error("too late"));
  await waits[2];
  assert.deepEqual([slots.taken, slots.waiting], [1, 0]);
  slots.release();
  assert.deepEqual([slots.taken, slots.take()], [0, true]);
});
