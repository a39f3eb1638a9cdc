/** Pages of other origins read every answer of a `rest` connector with `cors`, on every host. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SECRET, sign } from "../support/auth.ts";
import { type Contract, contract, websocket } from "../support/socket-contract.ts";

const PAGE = "https://shop.example";
const DESK = "https://desk.example";
const STRANGER = "https://evil.example";

function flow(connector: string, operation: string, body: string, from = "public = true"): string {
  return `
    flow "${connector} ${operation}" {
      from {
        connector = "${connector}"
        operation = "${operation}"
        filter    = "input.skip != 'yes'"
        ${from}
      }
      ${body}
    }
  `;
}

const OK = 'response {\n ok = "true"\n }';
const probe = (target: string) => `to {\n connector = "probe"\n target = "'${target}'"\n }`;

const shop = `
  connector "shop" {
    type          = "rest"
    port          = 0
    cors          = ["${PAGE}"]
    max_body_size = "1KB"
    auth {
      jwt {
        secret = "${SECRET}"
      }
    }
  }
  type "order" {
    item = string
  }
  ${flow("shop", "GET /orders/:id", OK)}
  ${flow("shop", "GET /orders/new", OK)}
  ${flow("shop", "POST /orders", `validate {\n input = "order"\n }\n ${OK}`)}
  ${flow("shop", "GET /closed", OK, "")}
  ${flow("shop", "GET /refused", `accept {\n when = "false"\n }\n ${OK}`)}
  ${flow("shop", "GET /fails", probe("fail"))}
  ${flow("shop", "GET /late", `timeout = "20ms"\n ${probe("late")}`)}
`;

const desk = `
  connector "desk" {
    type = "rest"
    port = 0
    cors = ["${DESK}"]
    rate_limit {
      messages = 1
      per      = "1h"
      burst    = 1
    }
  }
  ${flow("desk", "GET /tickets", OK, "")}
  ${flow("desk", "PUT /orders", OK, "")}
`;

/** What a page of an origin learns: the status, and the headers for it. */
async function ask(
  { host, running }: Contract,
  path: string,
  { origin = PAGE, headers, ...init }: Omit<RequestInit, "headers"> & {
    readonly origin?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
) {
  const response = await fetch(`http://127.0.0.1:${running.port}${host.mount}${path}`, {
    ...init,
    headers: { origin, ...headers },
  });
  await response.body?.cancel();
  const header = (name: string) => response.headers.get(name);
  return {
    status: response.status,
    reader: header("access-control-allow-origin"),
    vary: header("vary"),
    exposed: header("access-control-expose-headers"),
    methods: header("access-control-allow-methods"),
  };
}

/** A preflight request. */
const preflight = (method: string, origin = PAGE) => ({
  method: "OPTIONS",
  origin,
  headers: { "access-control-request-method": method },
});

function post(body: string, type = "application/json") {
  return { method: "POST", body, headers: { "content-type": type } };
}

contract("cors: a page reads every answer to its requests", websocket() + shop, async (t) => {
  t.probe.holds = true;
  const token = await sign({ exp: Date.now() / 1000 + 3600 });
  const answers: readonly (readonly [number, string, Parameters<typeof ask>[2]?])[] = [
    [200, "/orders/7"],
    [200, "/orders/new"],
    [200, "/orders/new", { method: "HEAD" }],
    [200, "/orders", post('{"item":"a"}')],
    [200, "/closed", { headers: { authorization: `Bearer ${token}` } }],
    [400, "/orders", post("{")],
    [400, "/orders/%E0%A4%A"],
    [401, "/closed"],
    [401, "/closed", { headers: { authorization: "Bearer nonsense" } }],
    [403, "/refused"],
    [404, "/orders/7?skip=yes"],
    [405, "/orders", { method: "PUT" }],
    [405, "/orders", { method: "HEAD" }],
    [413, "/orders", post(JSON.stringify("x".repeat(2_000)))],
    [415, "/orders", post("item=a", "text/plain")],
    [422, "/orders", post("{}")],
    [500, "/fails"],
    [504, "/late"],
  ];
  for (const [status, path, init] of answers) {
    for (const origin of [PAGE, STRANGER, ""]) {
      const { methods: _, ...answer } = await ask(t, path, { ...init, origin });
      const reader = origin === PAGE ? PAGE : null;
      const exposed = "Retry-After,WWW-Authenticate";
      assert.deepEqual(answer, { status, reader, vary: "Origin", exposed }, `${path} ${origin}`);
    }
  }
});

contract("cors: a body that is declared too large, too", websocket() + shop, async (t) => {
  const client = await t.raw();
  const size = 1024 ** 3;
  const head = ["Host: localhost", `Origin: ${PAGE}`, `Content-Length: ${size}`];
  client.write(`POST ${t.host.mount}/orders HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`);
  client.write(Buffer.alloc(1024));
  const { status, headers } = await client.head();
  // Embedded in `Bun.serve`, its own limit comes first.
  if (t.host.sockets === "bun" && t.host.embedded) return assert.equal(status, 413);
  assert.deepEqual([status, headers.get("access-control-allow-origin")], [413, PAGE]);
  assert.equal(headers.get("vary"), "Origin");
});

contract("cors: a page sees that a path does not exist", websocket() + shop + desk, async (t) => {
  // An application that mounts Weir answers for paths that Weir does not have.
  const isMounted = t.host.mount !== "";
  for (const path of ["/nothing", "/", "/orders/7/", "/closed/x?y=z", "/%E0%A4%A"]) {
    for (const origin of [PAGE, DESK, STRANGER]) {
      const reader = origin === STRANGER || isMounted ? null : origin;
      for (const init of [{}, post("{}"), { method: "PUT" }, { method: "HEAD" }]) {
        const answer = await ask(t, path, { ...init, origin });
        assert.deepEqual([answer.status, answer.reader], [404, reader], `${path} ${origin}`);
        assert.equal(answer.vary, isMounted ? null : "Origin");
      }
      const asked = await ask(t, path, preflight("POST", origin));
      assert.deepEqual([asked.status, asked.reader], [isMounted ? 404 : 204, reader]);
    }
    const options = await ask(t, path, { method: "OPTIONS" });
    assert.deepEqual([options.status, options.reader], [404, null]);
  }
});

contract(
  "cors: two connectors on one port have pages of their own",
  websocket() + shop + desk,
  async (t) => {
    const readers = async (path: string, init: Parameters<typeof ask>[2] = {}) => {
      const found: [number, string][] = [];
      for (const origin of [PAGE, DESK, STRANGER]) {
        const { status, reader, vary } = await ask(t, path, { ...init, origin });
        assert.equal(vary, "Origin", `${path} for ${origin}`);
        if (reader !== null) found.push([status, reader]);
      }
      return found;
    };
    while ((await ask(t, "/tickets")).status !== 429);
    assert.deepEqual(await readers("/orders/7"), [[200, PAGE]]);
    assert.deepEqual(await readers("/orders", post("{}")), [[422, PAGE]]);
    assert.deepEqual(await readers("/orders", { method: "PUT" }), [[429, DESK]]);
    assert.deepEqual(await readers("/tickets"), [[429, DESK]]);
    // Both have the path, so that its methods are for the pages of both.
    assert.deepEqual(await readers("/orders", { method: "PATCH" }), [[405, PAGE], [405, DESK]]);
    assert.deepEqual(await readers("/tickets", { method: "PATCH" }), [[405, DESK]]);
    assert.deepEqual(await readers("/orders/7", { method: "PATCH" }), [[405, PAGE]]);
    for (const [method, reader] of [["POST", PAGE], ["PUT", DESK]]) {
      assert.deepEqual(await readers("/orders", preflight(method)), [[204, reader]]);
    }
    assert.deepEqual(await readers("/orders", preflight("PATCH")), [[204, PAGE], [204, DESK]]);
  },
);

/** A connector with one flow. */
const api = (attributes: string) =>
  `${websocket()}
  connector "api" {
    type = "rest"
    port = 0
    ${attributes}
  }
  ${flow("api", "GET /x", OK, "")}
`;

contract("cors: any page reads any answer", api("cors = true"), async (t) => {
  const paths = t.host.mount === "" ? ["/x", "/x?skip=yes", "/nothing"] : ["/x", "/x?skip=yes"];
  for (const path of paths) {
    for (const init of [{}, { method: "HEAD" }, { origin: "null" }]) {
      const { status, reader, vary } = await ask(t, path, init);
      assert.deepEqual([status, reader, vary], [path === "/x" ? 200 : 404, "*", null], path);
    }
  }
  assert.deepEqual((await ask(t, "/x", { method: "PUT" })).reader, "*");
  assert.equal((await ask(t, "/x", preflight("GET"))).methods, "GET,POST,PUT,PATCH,DELETE");
});

contract("cors: without it, no answer is for pages", api(""), async (t) => {
  for (const path of ["/x", "/x?skip=yes", "/nothing"]) {
    for (const init of [{}, { method: "PUT" }, preflight("GET")]) {
      const { reader, vary, exposed } = await ask(t, path, init);
      assert.deepEqual([reader, vary, exposed], [null, null, null], path);
    }
  }
});
