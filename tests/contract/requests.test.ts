/** Who a request of the `rest` connector is from: its address, its token, what it may repeat. */
import assert from "node:assert/strict";
import { SECRET, sign } from "../support/auth.ts";
import type { HandshakeOptions, Response } from "../support/socket-client.ts";
import { type Contract, contract, websocket } from "../support/socket-contract.ts";

const who = `
  flow "me" {
    from {
      connector = "api"
      operation = "GET /me"
    }
    response {
      user    = "client.user_id"
      address = "client.remote_addr"
      headers = "client.headers"
    }
  }
  flow "post" {
    from {
      connector = "api"
      operation = "POST /me"
    }
    response { user = "client.user_id" }
  }
`;

function api(attributes: string): string {
  return `connector "api" {\n type = "rest"\n port = 0\n${attributes}\n}\n${who}`;
}

function auth(more = ""): string {
  return `auth {\n jwt {\n secret = "${SECRET}"\n }\n${more}\n}\n`;
}

/** Sends the lines of a request's headers as they are. */
async function send(t: Contract, lines: readonly string[], path = "/me"): Promise<Response> {
  const client = await t.raw();
  const head = ["Host: localhost", ...lines].map((line) => `${line}\r\n`).join("");
  client.write(`GET ${t.host.mount}${path} HTTP/1.1\r\n${head}\r\n`);
  const response = await client.response();
  client.destroy();
  return response;
}

/** What the flow answers, or the code of an error. */
async function told(response: Promise<Response>): Promise<Record<string, unknown>> {
  const { status, body } = await response;
  const data = JSON.parse(body);
  return status === 200 ? data : { status, code: data.error.code };
}

async function address(t: Contract, lines: readonly string[]): Promise<unknown> {
  return (await told(send(t, lines))).address;
}

function token(claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return sign({ exp: Date.now() / 1000 + 3600, ...claims });
}

contract(
  "requests: the address is that of the connection, whatever headers say",
  api(""),
  async (t) => {
    const here = "127.0.0.1";
    assert.equal(await address(t, []), here);
    for (
      const forged of [
        ...["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "X-Real-IP: 192.0.2.1"],
        ...["Remote-Addr: 192.0.2.1", "True-Client-IP: 192.0.2.1", "CF-Connecting-IP: 192.0.2.1"],
      ]
    ) assert.equal(await address(t, [forged]), here, forged);
  },
);

const trusting = api('trust_proxy = ["127.0.0.0/8", "10.0.0.0/8"]');

contract("requests: a trusted proxy names the client", trusting, async (t) => {
  const here = "127.0.0.1";
  assert.equal(await address(t, []), here);
  assert.equal(await address(t, ["X-Forwarded-For: 192.0.2.1, 203.0.113.7"]), "203.0.113.7");
  assert.equal(await address(t, ["x-forwarded-for: 203.0.113.7, 10.1.1.1"]), "203.0.113.7");
  assert.equal(await address(t, ['Forwarded: for=x, for="[2001:DB8::7]:1"']), "2001:db8::7");
  // Of repeated lines the last one is the proxy's.
  assert.equal(
    await address(t, ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 203.0.113.7"]),
    "203.0.113.7",
  );
  assert.equal(await address(t, ["Forwarded: for=192.0.2.1", "Forwarded: for=_x"]), here);
  assert.equal(
    await address(t, ["Forwarded: for=192.0.2.1", "X-Forwarded-For: 203.0.113.7"]),
    here,
  );
  assert.equal(await address(t, ["X-Forwarded-For: 203.0.113.7,"]), here);
  assert.equal(
    await address(t, [`X-Forwarded-For: ${"10.0.0.1,".repeat(800)}203.0.113.7`]),
    "203.0.113.7",
  );
});

const sockets = websocket(`trust_proxy = ["127.0.0.0/8"]\n${auth("required = false")}`) + `
  flow "who" {
    from {
      connector = "ws"
      operation = "who"
    }
    response { address = "client.remote_addr" }
  }
  flow "come" {
    from {
      connector = "ws"
      operation = "connect"
    }
    to {
      connector = "probe"
      target    = "input.remote_addr"
    }
  }
`;

contract("requests: a trusted proxy names the client of a WebSocket, too", sockets, async (t) => {
  const headers = { "X-Forwarded-For": "192.0.2.1, 203.0.113.7" };
  const places: readonly (readonly [string, HandshakeOptions])[] = [
    ["/ws", { headers }],
    [`/ws?token=${await token()}`, { headers }],
    ["/ws", { headers: { Forwarded: "for=203.0.113.7" } }],
    ["/ws", { headers: { "X-Forwarded-For": "192.0.2.1\r\nX-Forwarded-For: 203.0.113.7" } }],
  ];
  for (const [path, options] of places) {
    const client = await t.connect(path, options);
    client.say({ type: "who", id: 1 });
    const { data } = await client.hear() as { data: unknown };
    assert.deepEqual(data, { address: "203.0.113.7" });
  }
  assert.deepEqual(t.probe.targets, places.map(() => "203.0.113.7"));
  const client = await t.connect();
  client.say({ type: "who", id: 1 });
  assert.deepEqual((await client.hear() as { data: unknown }).data, { address: "127.0.0.1" });
});

const everywhere = api(`
  origins = ["https://app.example"]
  ${auth('from = ["query:token", "header:authorization", "cookie:session"]')}
`);

contract("requests: repeated headers with tokens are no way around", everywhere, async (t) => {
  const [ana, eve] = [await token(), await token({ sub: "eve" })];
  const user = async (...lines: readonly string[]) => {
    const { user, code } = await told(send(t, lines));
    return user ?? code;
  };
  assert.equal(await user(`Authorization: Bearer ${ana}`), "ana");
  assert.equal(await user(`authorization: bearer ${ana}`), "ana");
  assert.equal(await user(`Cookie: a=b; session=${ana}`), "ana");
  // No runtime takes the second one, and none serves a mixture of both.
  const twice = await user(`Authorization: Bearer ${ana}`, `Authorization: Bearer ${eve}`);
  assert.ok(["ana", "unauthorized"].includes(String(twice)), String(twice));
  const bad = await user("Authorization: Bearer x", `Authorization: Bearer ${eve}`);
  assert.equal(bad, "unauthorized");
  const cookies = await user(`Cookie: session=${ana}`, `Cookie: session=${eve}`);
  assert.ok(["ana", "unauthorized"].includes(String(cookies)), String(cookies));
  assert.equal(await user("Cookie: session=x", `Cookie: session=${eve}`), "unauthorized");
});

contract(
  "requests: a page of another origin is refused, also by a GET with a cookie",
  everywhere,
  async (t) => {
    const cookie = `Cookie: session=${await token()}`;
    const code = async (...lines: readonly string[]) =>
      (await told(send(t, [cookie, ...lines]))).code;
    assert.equal(await code("Origin: https://evil.example"), "rejected");
    assert.equal(await code("Origin: null"), "rejected");
    assert.equal(
      await code("Origin: https://app.example", "Origin: https://evil.example"),
      "rejected",
    );
    assert.equal(await code("Sec-Fetch-Site: cross-site"), "rejected");
    assert.equal(await code("Sec-Fetch-Site: same-origin"), undefined);
    assert.equal(await code("Origin: https://app.example"), undefined);
  },
);

contract("requests: a refusal does not wait for the body", api(auth()), async (t) => {
  const client = await t.raw();
  const head = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n";
  client.write(`POST ${t.host.mount}/me HTTP/1.1\r\n${head}\r\n{`);
  const { status, headers } = await client.response();
  assert.equal(status, 401);
  assert.equal(headers.get("www-authenticate"), "Bearer");
  // An embedding server closes its connections itself.
  if (!t.host.embedded) await client.ending();
  client.destroy();
});
