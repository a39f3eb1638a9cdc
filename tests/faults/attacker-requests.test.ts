/** What somebody tries over HTTP who wants in, or wants more than is his. */
import assert from "node:assert/strict";
import { forge, pair, SECRET, sign } from "../support/auth.ts";
import { type Fault, faults } from "./invariants.ts";

const [theirs, rsa] = [await pair("ES256"), await pair("RS256")];

/** Seconds since the epoch. */
const now = (): number => Date.now() / 1000;

/** What a good token says; `more` makes it a bad one. */
function claims(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { aud: "weir", iss: "https://issuer.example", exp: now() + 3600, ...more };
}

const auth = (name: string, keys: string, more = "") => `
  connector "${name}" {
    type = "rest"
    port = 0
    ${more}
    auth {
      jwt {
        ${keys}
        audience = "weir"
        issuer   = "https://issuer.example"
      }
      from = ["query:token", "header:authorization", "cookie:session"]
    }
    origins = ["https://app.example.com", "*.example.org"]
  }
`;

const flow = (connector: string, operation: string, more = "") => `
  flow "${operation}" {
    from {
      connector = "${connector}"
      operation = "${operation}"
      ${more}
    }
    to {
      connector = "probe"
      target    = "'${operation}'"
    }
    response {
      user    = "client.user_id"
      claims  = "client.claims"
      address = "client.remote_addr"
    }
  }
`;

const blocks = auth("api", `secret = "${SECRET}"`) +
  auth("signed", `public_key = ${JSON.stringify(rsa.pem)}`) + `
  connector "limited" {
    type = "rest"
    port = 0
    rate_limit {
      messages = 5
      per      = "1h"
    }
  }
  ` +
  flow("api", "GET /me") + flow("api", "POST /me") + flow("api", "GET /open", "public = true") +
  flow("signed", "GET /signed") + flow("limited", "GET /limited");

/** Each of these tokens is refused in each place, and told to nobody. */
async function allRefused(t: Fault, path: string, bad: Readonly<Record<string, string>>) {
  for (const [what, token] of Object.entries(bad)) {
    const places = {
      query: await t.request(`${path}?token=${token}`),
      header: await t.request(path, { headers: { Authorization: `Bearer ${token}` } }),
      cookie: await t.request(path, { headers: { Cookie: `session=${token}` } }),
    };
    for (const [place, { status, headers, body }] of Object.entries(places)) {
      assert.deepEqual([what, place, status], [what, place, 401]);
      assert.equal(headers.get("www-authenticate"), 'Bearer error="invalid_token"');
      assert.equal(body.includes(token), false, what);
    }
  }
}

/** The same token with another header. */
function withHeader(token: string, header: unknown): string {
  const [, payload, signature] = token.split(".");
  const [head] = forge(header, {}).split(".");
  return `${head}.${payload}.${signature}`;
}

faults({ blocks }, {
  "requests: a forged token → 401, and no flow runs": async (t) => {
    const good = await sign(claims());
    const [, , signature] = good.split(".");
    await allRefused(t, "/me", {
      "HS512 over a signature of HS256": withHeader(good, { alg: "HS512" }),
      "an algorithm of another kind": withHeader(good, { alg: "RS256" }),
      "no alg": withHeader(good, { typ: "JWT" }),
      "alg none": forge({ alg: "none" }, claims({ sub: "ana" })),
      "alg nOnE with a signature": forge({ alg: "nOnE" }, claims({ sub: "ana" }), signature),
      "a key of its own": await sign(claims(), theirs.privateKey, { alg: "ES256" }),
      "a key in the header": withHeader(good, { alg: "ES256", jwk: theirs.jwk }),
      "other claims": [
        good.split(".")[0],
        forge({}, claims({ sub: "eve" })).split(".")[1],
        signature,
      ]
        .join("."),
      "expired": await sign(claims({ exp: now() - 1 })),
      "not valid yet": await sign(claims({ nbf: now() + 60 })),
      "another audience": await sign(claims({ aud: "billing" })),
      "another issuer": await sign(claims({ iss: "https://issuer.example.evil.com" })),
      "no user": await sign(claims({ sub: "" })),
      "a user with a line break": await sign(claims({ sub: "ana\n" })),
      "a long one": `${"e".repeat(3_000)}.${"e".repeat(3_000)}.${"e".repeat(3_000)}`,
    });
    await allRefused(t, "/signed", {
      "the public key as a secret": await sign(claims(), rsa.pem),
      "the same without its last line break": await sign(claims(), rsa.pem.trim()),
    });
    assert.equal((await t.probe.targets()).includes("GET /signed"), false);
    await allRefused(t, "/open", {
      "a bad one on a public route": forge({ alg: "none" }, claims()),
    });
  },

  "requests: a token longer than a head may be → 431, in the query too": async (t) => {
    const huge = "e".repeat(17 * 1024);
    const header = await t.request("/me", { headers: { Authorization: `Bearer ${huge}` } });
    assert.ok([400, 401, 431].includes(header.status), `${header.status}`);
    const query = await t.request(`/me?token=${huge}`);
    assert.ok([400, 401, 414, 431].includes(query.status), `${query.status}`);
  },

  "requests: a token in the wrong place is none → 401": async (t) => {
    const token = await sign(claims());
    const wrong: readonly Readonly<Record<string, string>>[] = [
      { "X-Token": token },
      { "Sec-WebSocket-Protocol": token },
      { "Proxy-Authorization": `Bearer ${token}` },
      { Authorization: token },
      { Authorization: `Basic ${token}` },
      { Cookie: `token=${token}` },
      { Cookie: `Session=${token}` },
    ];
    for (const headers of wrong) {
      const { status, headers: answered } = await t.request("/me", { headers });
      assert.deepEqual([headers, status], [headers, 401]);
      assert.equal(answered.get("www-authenticate"), "Bearer");
    }
    const { status } = await t.request(`/me?TOKEN=${token}&access_token=${token}`);
    assert.equal(status, 401);
  },

  "requests: user_id, claims and client in query and body are data alone": async (t) => {
    const forged = "user_id=eve&claims=staff&client=eve&client_id=eve&remote_addr=192.0.2.1";
    const { body } = await t.request(`/open?${forged}`, { headers: { "X-User-Id": "eve" } });
    const { user, claims: seen, address } = JSON.parse(body);
    assert.deepEqual([user, seen], [null, null]);
    assert.match(address, /127\.0\.0\.1$/);
    const mine = `/me?${forged}&token=${await sign(claims())}`;
    assert.equal(JSON.parse((await t.request(mine)).body).user, "ana");
    assert.equal((await t.request(`/me?${forged}`)).status, 401);
  },

  "requests: a page of another site that brings its visitor's cookie → 403, and no flow runs":
    async (t) => {
      const Cookie = `session=${await sign(claims())}`;
      const origins = [
        ...["https://evil.com", "null", "https://app.example.com.evil.com", "https://example.org"],
        ...["https://evilexample.org", "https://evil.com/.example.org", "http://app.example.com"],
        ...["https://app.example.com:444", "https://app.example.com@evil.com", "file://"],
        ...["https://app.example.com, https://evil.com", "*", "https://*.example.org"],
      ];
      for (const Origin of origins) {
        for (const method of ["GET", "POST"]) {
          const { status } = await t.request("/me", { method, headers: { Cookie, Origin } });
          assert.deepEqual([Origin, method, status], [Origin, method, 403]);
        }
      }
      for (const site of ["cross-site", "same-site"]) {
        const headers = { Cookie, "Sec-Fetch-Site": site };
        assert.equal((await t.request("/me", { headers })).status, 403);
        const { user } = JSON.parse((await t.request("/open", { headers })).body);
        assert.equal(user, null, "a link to a public route does not act as its visitor");
      }
    },

  "requests: X-Forwarded-For of anybody changes no address and no limit": async (t) => {
    const statuses: number[] = [];
    for (let i = 0; i < 8; i++) {
      const headers = { "X-Forwarded-For": `192.0.2.${i}`, "Forwarded": `for=192.0.2.${i}` };
      const { status, body, headers: answered } = await t.request("/limited", { headers });
      statuses.push(status);
      if (status === 200) assert.match(JSON.parse(body).address, /127\.0\.0\.1$/);
      else assert.ok(Number(answered.get("retry-after")) > 0);
    }
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
  },

  "requests: many at once on one connection are each refused": async (t) => {
    const client = await t.connect();
    const path = `${t.host.mount}/signed`;
    client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(20));
    for (let i = 0; i < 20; i++) assert.equal((await client.response()).status, 401);
    client.destroy();
  },
});
