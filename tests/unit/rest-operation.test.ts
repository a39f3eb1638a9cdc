import assert from "node:assert/strict";
import { test } from "node:test";
import { byPrecision, parseOperation } from "../../src/connectors/rest/operation.ts";
import { restConnector } from "../../src/connectors/rest/mod.ts";
import { readFields } from "../../src/contract/fields.ts";
import { readTexts } from "../support/hcl.ts";

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
  const cases: readonly [string | undefined, RegExp, RegExp][] = [
    [undefined, /^needs an operation$/, /"METHOD \/path"/],
    ["", /no method and path/, /"METHOD \/path"/],
    ["POST", /no method and path/, /"METHOD \/path"/],
    ["/orders", /no method and path/, /"METHOD \/path"/],
    ["GET /a b", /no method and path/, /"METHOD \/path"/],
    ["PSOT /orders", /the method "PSOT"/, /did you mean "POST"\?/],
    ["post /orders", /the method "post"/, /did you mean "POST"\?/],
    ["HEAD /orders", /the method "HEAD"/, /GET answers HEAD/],
    ["OPTIONS /orders", /the method "OPTIONS"/, /OPTIONS is answered/],
    ["SUBSCRIBE /orders", /the method "SUBSCRIBE"/, /it serves GET, POST/],
    ["GET orders", /must start with "\/"/, /"METHOD \/path"/],
    ["GET *", /must start with "\/"/, /"METHOD \/path"/],
    ["GET //orders", /the part ""/, /a part is letters/],
    ["GET /a//b", /the part ""/, /a part is letters/],
    ["GET /a/../b", /the part "\.\."/, /a part is letters/],
    ["GET /./b", /the part "\."/, /a part is letters/],
    ["GET /files/*", /the part "\*"/, /no wildcards/],
    ["GET /a/:id?", /the part ":id\?"/, /no parameter is optional/],
    ["GET /a/:id{[0-9]+}", /the part ":id\{/, /write it as :id/],
    ["GET /a/{id}", /the part "\{id\}"/, /write it as :id/],
    ["GET /orders?state=open", /the part "orders\?state=open"/, /leave the query out/],
    ["GET /a/:", /the part ":"/, /a parameter's name/],
    ["GET /a/:1", /the part ":1"/, /a parameter's name/],
    ["GET /a/:__proto__", /the part ":__proto__"/, /a parameter's name/],
    ["GET /a/x:id", /the part "x:id"/, /a part is letters/],
    ["GET /caf%C3%A9", /the part "caf%C3%A9"/, /a part is letters/],
    ["GET /a#b", /the part "a#b"/, /a part is letters/],
    ["GET /:a/:a", /two parameters ":a"/, /different names/],
  ];
  for (const [text, message, hint] of cases) {
    const parsed = parseOperation(text);
    assert.ok("message" in parsed, String(text));
    assert.match(parsed.message, message);
    assert.match(parsed.hint ?? "", hint);
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
    report: ({ message, hint }) => void problems.push(hint ? `${message} | ${hint}` : message),
  });
  return { values, problems };
}

test("rest: attributes and their defaults", async () => {
  assert.deepEqual(await readOptions("port = 3000"), {
    values: { port: 3000, host: "0.0.0.0", cors: [], max_body_size: 1024 ** 2 },
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
      values: { port: 0, host: "::1", cors: value, max_body_size: 2048 },
      problems: [],
    });
  }
});

test("rest: bad attributes are refused", async () => {
  const cases: readonly [string, RegExp][] = [
    ['host = "x"', /needs the attribute "port"/],
    ["port = -1", /port must be a whole number from 0 to 65535/],
    ["port = 65536", /port must be a whole number from 0 to 65535/],
    ['port = 1\nmax_body_size = "lots"', /max_body_size must be a size/],
    ["port = 1\nmax_body_size = 0", /max_body_size must be at least 1/],
    ['port = 1\ncors = "https://a.example"', /cors must be true for any origin, or a list/],
    ['port = 1\ncors = ["*"]', /has "\*", which is no origin \| cors = true/],
    ['port = 1\ncors = ["https://a.example/"]', /did you mean "https:\/\/a\.example"\?/],
    ['port = 1\ncors = ["a.example"]', /an origin is scheme, host and port/],
    ["port = 1\ncors = [1]", /has 1, which is no origin/],
  ];
  for (const [text, message] of cases) {
    const { problems } = await readOptions(text);
    assert.equal(problems.length, 1, text);
    assert.match(problems[0], message);
  }
});
