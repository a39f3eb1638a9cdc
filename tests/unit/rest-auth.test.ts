import assert from "node:assert/strict";
import { test } from "node:test";
import { remoteAddressOf } from "../../src/transport/address.ts";
import { vouchFor } from "../../src/transport/vouched.ts";
import { Issuer, pair } from "../support/auth.ts";
import { api, auth, bearer, forge, NOW, SECRET, show, sign, withApi } from "./rest-auth-support.ts";

const EVERYWHERE = `
  origins = ["https://app.example"]
  ${auth('from = ["query:token", "header:authorization", "header:x-token", "cookie:session"]')}
`;

const secured = api(auth()) + show() + show("POST /me");

test("rest auth: a token is taken from each place, and seen at none", async () => {
  const token = await sign({ role: "staff" });
  const places = {
    query: [`/me?color=red&token=${token}`, {}],
    authorization: ["/me?color=red", bearer(token)],
    header: ["/me?color=red", { headers: { "X-Token": token } }],
    cookie: ["/me?color=red", { headers: { cookie: `a=b; session=${token}` } }],
    twice: [`/me?color=red&again=${token}&token=${token}`, { headers: { "x-copy": token } }],
  } as const;
  await withApi(api(EVERYWHERE) + show(), async ({ ask }) => {
    for (const [place, [path, asked]] of Object.entries(places)) {
      const { status, data } = await ask(path, asked);
      assert.equal(status, 200, place);
      const { client, input } = data as Record<string, Record<string, unknown>>;
      const { headers, claims, ...others } = client;
      assert.deepEqual(others, {
        id: null,
        user_id: "ana",
        params: { color: "red" },
        rooms: null,
        remote_addr: "192.0.2.1",
        connected_at: null,
      }, place);
      assert.deepEqual(claims, { sub: "ana", exp: NOW + 3600, role: "staff" });
      assert.deepEqual(headers, {});
      assert.deepEqual(input, { color: "red", headers: {}, body: null }, place);
      assert.equal(JSON.stringify(data).includes(token), false, place);
    }
  });
});

test("rest auth: without a token 401 says which scheme, with a bad one why", async () => {
  const bad = {
    "no token at all": "no-token-at-all",
    "another key": await sign({}, "another secret of more than thirty-two bytes"),
    "expired": await sign({ exp: NOW - 1 }),
    "not yet": await sign({ nbf: NOW + 60 }),
    "no user": await sign({ sub: null as unknown as string }),
    "alg none": forge({ alg: "none" }, { sub: "ana", exp: NOW + 60 }),
    "huge": `${"e".repeat(9_000)}.${"e".repeat(9_000)}.e`,
  };
  await withApi(secured, async ({ ask }) => {
    for (const headers of [{}, { authorization: "Basic YTpi" }, { authorization: "Bearer" }]) {
      const missing = await ask("/me", { headers: headers as Record<string, string> });
      assert.equal(missing.status, 401);
      assert.equal(missing.headers.get("www-authenticate"), "Bearer");
      assert.deepEqual(missing.data, {
        error: { code: "unauthorized", message: "a token is required" },
      });
    }
    for (const [what, token] of Object.entries(bad)) {
      const { status, headers, data, code } = await ask("/me", bearer(token));
      assert.deepEqual([what, status, code], [what, 401, "unauthorized"]);
      assert.equal(headers.get("www-authenticate"), 'Bearer error="invalid_token"');
      assert.equal(JSON.stringify(data).includes(token.slice(0, 30)), false, what);
    }
    assert.equal((await ask("/me", bearer(await sign()))).status, 200);
    assert.equal((await ask("/nothing")).status, 404, "a path without flows asks for nothing");
  });
});

test("rest auth: issuer and audience", async () => {
  const jwt = `secret = "${SECRET}"\nissuer = "https://issuer.example"\naudience = "shop"`;
  await withApi(api(auth("", jwt)) + show(), async ({ ask }) => {
    const good = { iss: "https://issuer.example", aud: ["x", "shop"] };
    const status = async (claims: Record<string, unknown>) =>
      (await ask("/me", bearer(await sign(claims)))).status;
    assert.equal(await status(good), 200);
    assert.equal(await status({ ...good, aud: "other" }), 401);
    assert.equal(await status({ ...good, iss: "https://issuer.example.evil" }), 401);
    assert.equal(await status({ iss: good.iss }), 401);
  });
});

test("rest auth: required = false admits who has no token, and still refuses a bad one", async () => {
  await withApi(api(auth("required = false")) + show(), async ({ ask }) => {
    const { status, data } = await ask();
    assert.equal(status, 200);
    const { client } = data as { client: Record<string, unknown> };
    assert.deepEqual([client.user_id, client.claims], [null, null]);
    assert.equal((await ask("/me", bearer("bad"))).status, 401);
    assert.equal((await ask("/me", bearer(await sign()))).data?.code, undefined);
  });
});

test("rest auth: a public flow needs no token, and uses one", async () => {
  const config = api(auth()) + show("GET /open", "public = true") + show();
  await withApi(config, async ({ ask }) => {
    const user = (answer: { data?: unknown }) =>
      (answer.data as { client: { user_id: unknown } }).client.user_id;
    assert.equal(user(await ask("/open")), null);
    assert.equal(user(await ask("/open", bearer(await sign()))), "ana");
    assert.equal((await ask("/open", bearer("bad"))).status, 401);
    assert.equal((await ask("/me")).status, 401);
  });
});

test("rest auth: of several flows on one route, only the public ones run without a token", async () => {
  const config = api(auth()) + show("GET /both", "", "own") +
    show("GET /both", 'public = true\nfilter = "input.all != null"', "open");
  await withApi(config, async ({ ask }) => {
    const named = async (path: string, token?: string) => {
      const { status, data } = await ask(path, token === undefined ? {} : bearer(token));
      return [status, data?.flow];
    };
    assert.deepEqual(await named("/both?all=1", await sign()), [200, "own"]);
    assert.deepEqual(await named("/both?all=1"), [200, "open"]);
    assert.deepEqual(await named("/both"), [401, undefined], "no public flow takes it");
  });
});

test("rest auth: nothing that a client sends passes as its identity", async () => {
  const forged = {
    ...{ user_id: "eve", claims: { role: "staff" }, client: { user_id: "eve" }, client_id: "1" },
    ...{ headers: { authorization: "x" }, body: "x", remote_addr: "192.0.2.9" },
  };
  const path = "/me?user_id=eve&client.user_id=eve&claims=staff&remote_addr=192.0.2.9";
  for (const attributes of [auth("required = false"), ""]) {
    await withApi(api(attributes) + show("POST /me"), async ({ ask }) => {
      const headers = { "x-forwarded-for": "192.0.2.9", "forwarded": "for=192.0.2.9" };
      const { status, data } = await ask(path, { body: forged, headers });
      assert.equal(status, 200);
      const { client, input } = data as Record<string, Record<string, unknown>>;
      const { id, user_id, claims, rooms, remote_addr, connected_at } = client;
      assert.deepEqual({ id, user_id, claims, rooms, remote_addr, connected_at }, {
        id: null,
        user_id: null,
        claims: null,
        rooms: null,
        remote_addr: "192.0.2.1",
        connected_at: null,
      });
      // It is data like any other, but for what the connector itself sets.
      assert.equal(input.user_id, "eve");
      assert.equal((input.headers as Record<string, string>).authorization, undefined);
    });
  }
});

test("rest auth: a repeated header or cookie is no way around", async () => {
  const [good, eve] = [await sign(), await sign({ sub: "eve" })];
  await withApi(api(EVERYWHERE) + show(), async ({ ask }) => {
    const user = async (headers: Record<string, string>, path = "/me") => {
      const { status, data } = await ask(path, { headers });
      return status === 200 ? (data as { client: { user_id: unknown } }).client.user_id : status;
    };
    // Two headers are one with a comma, which no token has.
    assert.equal(await user({ authorization: `Bearer ${good}, Bearer ${eve}` }), 401);
    assert.equal(await user({ authorization: `Bearer ${good} ${eve}` }), 401);
    assert.equal(await user({ "x-token": `${good}, ${eve}` }), 401);
    assert.equal(await user({ cookie: `session=${good}; session=${eve}` }), "ana", "the first");
    assert.equal(await user({ cookie: `xsession=${good}` }), 401);
    assert.equal(await user({ cookie: `session =${good}` }), 401);
    assert.equal(await user({}, `/me?token=${good}&token=${eve}`), "ana", "the first");
    assert.equal(await user({}, `/me?Token=${good}`), 401, "another name");
  });
});

test("rest auth: a token elsewhere than `from` says is not read", async () => {
  const token = await sign();
  await withApi(secured, async ({ ask }) => {
    assert.equal((await ask(`/me?token=${token}`)).status, 401);
    assert.equal((await ask("/me", { headers: { cookie: `session=${token}` } })).status, 401);
    assert.equal((await ask("/me", { headers: { "x-token": token } })).status, 401);
    assert.equal((await ask("/me", { headers: { "sec-websocket-protocol": token } })).status, 401);
    assert.equal((await ask("/me", { body: { token } })).status, 401);
  });
});

test("rest auth: a bad token is refused before the body is read", async () => {
  await withApi(secured, async ({ runtime }) => {
    let pulled = 0;
    const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
    const request = new Request("http://localhost/me", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      duplex: "half",
    } as RequestInit);
    const response = await runtime.fetch(request);
    assert.deepEqual([response.status, response.headers.get("connection"), pulled], [
      401,
      "close",
      0,
    ]);
    await response.body?.cancel();
  });
});

test("rest auth: keys that cannot be fetched are 503, and later ones are taken", async () => {
  const { privateKey, jwk } = await pair("ES256");
  await using issuer = await Issuer.start();
  issuer.answer = (response) => response.writeHead(500).end();
  const jwt = `jwks_url = "${issuer.url}"\naudience = "weir"`;
  await withApi(api(auth("", jwt)) + show(), async ({ ask, clock }) => {
    const token = await sign({ aud: "weir" }, privateKey, { alg: "ES256", kid: "one" });
    const { status, headers, code } = await ask("/me", bearer(token));
    assert.deepEqual([status, code, headers.get("retry-after")], [503, "unavailable", "1"]);
    issuer.publish({ ...jwk, kid: "one" });
    await clock.advance(60_000);
    assert.equal((await ask("/me", bearer(token))).status, 200);
  });
});

test("rest auth: a preflight needs no token, and may ask for the authorization header", async () => {
  const config = api(`cors = ["https://app.example"]\n${auth()}`) + show();
  await withApi(config, async ({ ask }) => {
    const { status, headers } = await ask("/me", {
      method: "OPTIONS",
      headers: {
        "origin": "https://app.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
      },
    });
    assert.equal(status, 204);
    assert.equal(headers.get("access-control-allow-origin"), "https://app.example");
    assert.equal(headers.get("access-control-allow-headers"), "authorization");
    assert.equal(headers.get("access-control-allow-credentials"), null);
    const refused = await ask("/me", { headers: { origin: "https://app.example" } });
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get("access-control-allow-origin"), "https://app.example");
    assert.equal(
      refused.headers.get("access-control-expose-headers"),
      "Retry-After,WWW-Authenticate",
    );
  });
});

test("rest auth: a program of this process can vouch for a client", async () => {
  await withApi(secured, async ({ runtime }) => {
    const user = async (vouched: Parameters<typeof vouchFor>[1]) => {
      const request = new Request("http://localhost/me");
      vouchFor(request, vouched);
      const response = await runtime.fetch(request);
      const { client, error } = await response.json();
      return client?.user_id ?? error.code;
    };
    assert.equal(await user({ userId: "bob", claims: null }), "bob");
    assert.equal(await user({ userId: null, claims: { sub: "cleo", role: "staff" } }), "cleo");
    assert.equal(await user({ userId: null, claims: { sub: "cleo", exp: 1 } }), "unauthorized");
  });
});

test("rest: without auth a client has no user, and its address is what the server tells", async () => {
  await withApi(api("") + show(), async ({ ask }) => {
    const headers = { authorization: "Bearer x", "x-a": "1" };
    const path = "/me?user_id=eve&a=1&a=2&__proto__=x";
    const { client } = (await ask(path, { headers, from: null })).data as {
      client: Record<string, unknown>;
    };
    assert.deepEqual({ ...client, params: Object.entries(client.params as object).sort() }, {
      id: null,
      user_id: null,
      claims: null,
      params: [["__proto__", "x"], ["a", "1"], ["user_id", "eve"]],
      headers,
      rooms: null,
      remote_addr: null,
      connected_at: null,
    });
  });
});

test("the address of a request, from what each server passes beside it", () => {
  const request = new Request("http://localhost/");
  const address = "192.0.2.1";
  const server = { requestIP: (asked: Request) => asked === request ? { address } : null };
  assert.equal(remoteAddressOf(request, { remoteAddr: { hostname: address } }), address, "Deno");
  const incoming = { socket: { remoteAddress: address } };
  assert.equal(remoteAddressOf(request, { incoming, outgoing: {} }), address, "Node");
  assert.equal(remoteAddressOf(request, server), address, "Bun");
  assert.equal(remoteAddressOf(request, { server }), address, "Bun and Hono");
  assert.equal(remoteAddressOf(new Request(request), server), null, "a copy");
  const told = (hostname: string) => remoteAddressOf(request, { remoteAddr: { hostname } });
  assert.equal(told("::ffff:192.0.2.1"), address, "on a socket for IPv4 and IPv6");
  for (const other of ["::ffff:1", "::1", "2001:db8::ffff:1"]) assert.equal(told(other), other);
  const unknown = [
    ...[undefined, null, {}, "192.0.2.1", 1, { remoteAddr: { path: "/run/s", transport: "unix" } }],
    ...[{ incoming: { socket: {} } }, { server: {} }, { remoteAddr: { hostname: 1 } }, {
      incoming: {},
    }],
  ];
  for (const env of unknown) assert.equal(remoteAddressOf(request, env), null);
});

test("rest auth: no flow starts when the shutdown began while a token was verified", async () => {
  const { privateKey, jwk } = await pair("ES256");
  await using issuer = await Issuer.start({ ...jwk, kid: "one" });
  const jwt = `jwks_url = "${issuer.url}"\naudience = "weir"`;
  await withApi(api(auth("", jwt)) + show(), async ({ ask, runtime }) => {
    const token = await sign({ aud: "weir" }, privateKey, { alg: "ES256", kid: "one" });
    const asked = ask("/me", bearer(token));
    await runtime.close();
    assert.equal((await asked).code, "unavailable");
  });
});
