/** What `weir check` says about `http` connectors and the blocks that name one. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fields, requestFields } from "../../src/connectors/http/options.ts";
import { failuresOf } from "../support/config.ts";
import { codeOf } from "../support/problems.ts";

const URL_LINE = 'base_url = "https://api.example.com/v1"';

/** The codes of the problems of a connector, and of a block that names it. */
async function problems(
  connector: string,
  block = 'operation = "GET /x"',
  kind = "to",
): Promise<readonly string[]> {
  const inner = kind === "to" ? "" : 'to {\nconnector = "api"\noperation = "GET /x"\n}';
  const found = await failuresOf(`
    connector "api" {
      type = "http"
      ${connector}
    }
    flow "f" {
      when = "@every 1m"
      ${kind} {
        connector = "api"
        ${block}
      }
      ${inner}
    }
  `);
  return found.map(codeOf);
}

const auth = (text: string) => `${URL_LINE}\nauth {\n${text}\n}`;
const oauth = (url: string) =>
  auth(`oauth2 {\ntoken_url = "${url}"\nclient_id = "c"\nclient_secret = "s"\n}`);

test("good connectors", async () => {
  for (
    const text of [
      URL_LINE,
      'base_url = "http://localhost:8080"',
      `${URL_LINE}\nheaders = { Accept = "'text/csv'" }`,
      `${URL_LINE}\nretry {\n}\nmax_connections = 5\nmax_response_size = "10MB"\ntimeout = "1s"`,
      auth('bearer = "t"'),
      auth('basic {\nuser = "u"\npassword = "p"\n}'),
      auth('header {\nname = "X-Key"\nvalue = "k"\n}'),
      oauth("https://id.example.com/token?realm=a"),
    ]
  ) assert.deepEqual(await problems(text), [], text);
});

const connectors: readonly (readonly [text: string, codes: readonly string[]])[] = [
  ['base_url = "api.example.com"', ["invalid-url"]],
  ['base_url = "ftp://api.example.com"', ["invalid-url"]],
  ['base_url = "https://me:it@api.example.com"', ["invalid-url"]],
  ['base_url = "https://api.example.com?key=1"', ["invalid-url"]],
  ['base_url = "https://api.example.com#x"', ["invalid-url"]],
  [`${URL_LINE}\nheaders = { Host = "'x'" }`, ["invalid-value"]],
  [`${URL_LINE}\nheaders = { "a b" = "'x'" }`, ["invalid-value"]],
  [`${URL_LINE}\nheaders = { X = "input.id" }`, ["unknown-variable"]],
  [`${auth('bearer = "t"')}\nheaders = { Authorization = "'x'" }`, ["conflicting-attributes"]],
  ['base_url = "http://localhost"\ntls {\nserver_name = "a"\n}', ["unused-attribute"]],
  [`${URL_LINE}\ntls = true`, ["unknown-attribute"]],
  [auth(""), ["missing-attribute"]],
  [auth('bearer = "t"\nbasic {\nuser = "u"\npassword = "p"\n}'), ["conflicting-attributes"]],
  [auth('bearer = ""'), ["invalid-value"]],
  [auth('bearer = "a\\nb"'), ["invalid-value"]],
  [auth('bearer = "✓"'), ["invalid-value"]],
  [auth('basic {\nuser = "a:b"\npassword = "p"\n}'), ["invalid-value"]],
  [auth('header {\nname = "Content-Length"\nvalue = "1"\n}'), ["invalid-value"]],
  [auth('header {\nname = "X Y"\nvalue = "1"\n}'), ["invalid-value"]],
  [oauth("id.example.com"), ["invalid-url"]],
];

for (const [text, codes] of connectors) {
  test(`connector: ${text.replace(URL_LINE, "").replaceAll(/\s+/g, " ")}`, async () => {
    assert.deepEqual(await problems(text), codes);
  });
}

const blocks: readonly (readonly [text: string, codes: readonly string[]])[] = [
  ['operation = "POST /orders/:id/items"\nbody = { a = "payload.b" }', []],
  ['operation = "DELETE /a%20b/x:search/"\nbody = "payload"', []],
  ['operation = "GET /"\nquery = { a = "1" }\nresponse = "full"', []],
  ["", ["missing-operation"]],
  ['operation = "GET"', ["invalid-operation"]],
  ['operation = "GET /a b"', ["invalid-operation"]],
  ['operation = "get /a"', ["invalid-operation"]],
  ['operation = "FETCH /a"', ["invalid-operation"]],
  ['operation = "GET a"', ["invalid-operation"]],
  ['operation = "GET https://other.example/"', ["invalid-operation"]],
  ['operation = "GET /a/../b"', ["invalid-operation"]],
  ['operation = "GET /a/%2e%2E/b"', ["invalid-operation"]],
  ['operation = "GET //other.example/"', ["invalid-operation"]],
  ['operation = "GET /a?b=1"', ["invalid-operation"]],
  ['operation = "GET /a#b"', ["invalid-operation"]],
  ['operation = "GET /:a/:a"', ["invalid-operation"]],
  ['operation = "GET /:a.json"', ["invalid-operation"]],
  ['operation = "GET /x"\ntarget = "y"', ["unused-attribute"]],
  ['operation = "GET /x"\nbody = "payload"', ["unused-attribute"]],
  ['operation = "POST /x"\nbody = { a = "nothing" }', ["unknown-variable"]],
  ['operation = "POST /x"\nresponse = "all"', ["invalid-value"]],
  ['operation = "POST /x"\nheaders = { Connection = "\'close\'" }', ["invalid-value"]],
  ['operation = "POST /x"\nheaders = { authorization = "input.t" }', ["conflicting-attributes"]],
  [
    'operation = "POST /x"\nidempotency_key = "input.id"\nheaders = { Idempotency-Key = "input.id" }',
    ["conflicting-attributes"],
  ],
];

for (const [text, codes] of blocks) {
  test(`to: ${text.replaceAll(/\s+/g, " ")}`, async () => {
    assert.deepEqual(await problems(auth('bearer = "t"'), text), codes);
  });
}

test("a step sends what its path needs", async () => {
  const step = (params: string) =>
    problems(URL_LINE, `operation = "GET /users/:user_id"\nparams = { ${params} }`, 'step "s"');
  assert.deepEqual(await step('user_id = "1"'), []);
  assert.deepEqual(await step('userid = "1"'), ["missing-parameter"]);
  assert.deepEqual(await step(""), ["missing-parameter"]);
});

const page = await readFile(new URL("../../docs/http.md", import.meta.url), "utf8");

test("http page: its configurations are good", async () => {
  const text = [...page.matchAll(/^```hcl\n([^]*?)^```$/gm)].map(([, code]) => code).join("\n");
  const files = [{ path: "shop.hcl", text, folder: "/conf" }];
  assert.deepEqual(await failuresOf(files, { env: () => "it" }), []);
});

test("http page: it names every attribute", () => {
  const blocks = [fields.auth, fields.retry, fields.tls].flatMap((block) =>
    Object.entries(block.fields ?? {})
  );
  const inner = blocks.flatMap(([name, field]) => [name, ...Object.keys(field.fields ?? {})]);
  for (const name of [...Object.keys(fields), ...Object.keys(requestFields), ...inner]) {
    assert.match(page, new RegExp(`\`${name}\\b|^ +${name} +[={]`, "m"), name);
  }
});
