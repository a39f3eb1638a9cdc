import assert from "node:assert/strict";
import { test } from "node:test";
import { byPrecision, parseOperation } from "../../src/connectors/rest/operation.ts";
import { restConnector } from "../../src/connectors/rest/mod.ts";
import { readFields } from "../../src/contract/fields.ts";
import { readTexts } from "../support/hcl.ts";
import { codeOf } from "../support/problems.ts";

test("rest: good operations", () => {
  const cases: readonly [string, string, string, string[]][] = [
    ["GET /", "GET", "/", []],
    ["POST /rooms/:room/notify", "POST", "/rooms/:/notify", ["room"]],
    ["DELETE   /a/:b_1/:c", "DELETE", "/a/:/:", ["b_1", "c"]],
    ["PUT /v1.0/x-y_z~/", "PUT", "/v1.0/x-y_z~/", []],
    ["PATCH /café/ünï", "PATCH", "/café/ünï", []],
    ["GET /:constructor", "GET", "/:", ["constructor"]],
  ];
  for (const [text, method, shape, parameters] of cases) {
    const parsed = parseOperation(text);
    assert.ok(!("message" in parsed), text);
    assert.equal(parsed.method, method);
    assert.equal(parsed.shape, shape);
    assert.deepEqual(parsed.parameters, parameters);
  }
});

test("rest: bad operations are refused with what to do about it", () => {
  const texts = [
    undefined,
    "",
    "POST",
    "/orders",
    "GET /a b",
    "PSOT /orders",
    "post /orders",
    "HEAD /orders",
    "OPTIONS /orders",
    "SUBSCRIBE /orders",
    "GET orders",
    "GET *",
    "GET //orders",
    "GET /a//b",
    "GET /a/../b",
    "GET /./b",
    "GET /files/*",
    "GET /a/:id?",
    "GET /a/:id{[0-9]+}",
    "GET /a/{id}",
    "GET /orders?state=open",
    "GET /a/:",
    "GET /a/:1",
    "GET /a/:__proto__",
    "GET /a/x:id",
    "GET /caf%C3%A9",
    "GET /a#b",
    "GET /:a/:a",
  ];
  for (const text of texts) {
    const parsed = parseOperation(text);
    assert.ok("message" in parsed, String(text));
    const code = text === undefined ? "missing-operation" : "invalid-operation";
    assert.equal(codeOf(parsed), code);
    assert.ok(text === undefined || parsed.message.includes(`"${text}"`), parsed.message);
    assert.ok(parsed.hint !== undefined && parsed.hint !== "");
    assert.deepEqual(restConnector.source?.check?.(text, undefined), [parsed]);
  }
  assert.deepEqual(restConnector.source?.check?.("GET /", undefined), []);
});

test("rest: literal paths come before parameters, whatever the order of the file", () => {
  const paths = ["/:a/:b", "/rooms/:room", "/:a/new", "/rooms/new", "/rooms-2/new"];
  const operations = paths.map((path) => {
    const parsed = parseOperation(`GET ${path}`);
    assert.ok(!("message" in parsed));
    return parsed;
  });
  const sorted = [...operations].sort(byPrecision).map(({ path }) => path);
  assert.deepEqual(sorted, ["/rooms/new", "/rooms-2/new", "/rooms/:room", "/:a/new", "/:a/:b"]);
});

async function readOptions(text: string): Promise<{ values: unknown; problems: string[] }> {
  const { body } = await readTexts([text]);
  const problems: string[] = [];
  const values = readFields(body, restConnector.fields, body.span, {
    subject: "api",
    variables: [],
    env: () => undefined,
    report: (problem) => void problems.push(codeOf(problem)),
  });
  return { values, problems };
}

/** What has no default. */
const NONE = { auth: undefined, origins: undefined, rate_limit: undefined, trust_proxy: undefined };

test("rest: attributes and their defaults", async () => {
  assert.deepEqual(await readOptions("port = 3000"), {
    values: { port: 3000, host: "0.0.0.0", cors: [], max_body_size: 1024 ** 2, ...NONE },
    problems: [],
  });
  const all = 'port = "0"\nhost = "::1"\nmax_body_size = "2KB"\n';
  for (
    const [cors, value] of [
      ["true", "*"],
      ['"true"', "*"],
      ["false", []],
      ['"false"', []],
      ["[]", []],
      ['["https://a.example", "http://b.example:81"]', [
        "https://a.example",
        "http://b.example:81",
      ]],
    ]
  ) {
    assert.deepEqual(await readOptions(`${all}cors = ${cors}`), {
      values: { port: 0, host: "::1", cors: value, max_body_size: 2048, ...NONE },
      problems: [],
    });
  }
});

test("rest: bad attributes are refused", async () => {
  const texts = [
    "port = -1",
    "port = 65536",
    'port = 1\nmax_body_size = "lots"',
    "port = 1\nmax_body_size = 0",
    'port = 1\ncors = "https://a.example"',
    'port = 1\ncors = ["*"]',
    'port = 1\ncors = ["https://a.example/"]',
    'port = 1\ncors = ["a.example"]',
    "port = 1\ncors = [1]",
  ];
  for (const text of texts) {
    assert.deepEqual((await readOptions(text)).problems, ["invalid-value"], text);
  }
  assert.deepEqual((await readOptions('host = "x"')).problems, ["missing-attribute"]);
});
