import assert from "node:assert/strict";
import { test } from "node:test";
import { CompactSign } from "jose";
import { seeded } from "../support/random.ts";
import { bench, forge, NOW, pair, type RequestParts, SECRET, sign } from "../support/auth.ts";

const jwt = (body = `secret = "${SECRET}"`) => `jwt {\n${body}\n}\n`;
const publicKey = (pem: string) => jwt(`public_key = ${JSON.stringify(pem)}`);

const INVALID = "401 the token is not valid";
const NO_USER = "401 the token names no user";

test("a valid token names the user", async () => {
  const { ask } = await bench(jwt());
  const found = await ask({ query: `room=a&token=${await sign({ role: "staff" })}` });
  assert.ok(found.accepted);
  assert.deepEqual(found.identity, {
    userId: "ana",
    claims: { sub: "ana", role: "staff", exp: NOW + 3600 },
    expiresAt: (NOW + 3600) * 1000,
  });
  assert.equal(found.request.url.search, "?room=a");
});

test("every source works, and the token is never echoed", async () => {
  const { ask } = await bench(
    `${jwt()}from = ["query:token", "header:authorization", "cookie:session", "protocol"]`,
  );
  const token = await sign();
  const places: readonly RequestParts[] = [
    { query: `token=${token}` },
    { headers: { authorization: `Bearer ${token}` } },
    { headers: { cookie: `session=${token}` } },
    { protocols: ["weir", token] },
    { protocols: [token, "weir"] },
  ];
  for (const parts of places) {
    const found = await ask(parts);
    assert.ok(found.accepted);
    assert.equal(found.identity.userId, "ana");
    assert.equal(found.protocol, parts.protocols && "weir");
    assert.ok(!JSON.stringify(found).includes(token));
  }
});

test("the first place in the order decides, even where its token is bad", async () => {
  const { ask } = await bench(`${jwt()}from = ["header:authorization", "query:token"]`);
  const [ana, ben] = [await sign(), await sign({ sub: "ben" })];
  const headers = { authorization: `Bearer ${ben}` };
  const found = await ask({ query: `token=${ana}`, headers });
  assert.equal(found.accepted && found.identity.userId, "ben");
  const bad = await ask({ query: `token=${ana}`, headers: { authorization: "Bearer bad" } });
  assert.equal(bad.accepted, false);
});

test("without a token a client is refused, or has no user where that is allowed", async () => {
  const strict = await bench(jwt());
  assert.deepEqual(await strict.ask({ query: "token=" }), {
    accepted: false,
    status: 401,
    message: "a token is required",
    headers: { "www-authenticate": "Bearer" },
  });
  const open = await bench(`${jwt()}required = false`);
  const nobody = await open.ask({ query: "user_id=ana&token=", protocols: ["weir"] });
  assert.ok(nobody.accepted);
  assert.deepEqual(nobody.identity, { userId: null, claims: null, expiresAt: undefined });
  assert.equal(nobody.protocol, "weir");
  assert.equal(await open.user("bad"), INVALID);
});

test("a refusal says nothing of the token", async () => {
  const { ask, records } = await bench(`${jwt()}required = false`);
  const token = await sign({}, "another secret of more than thirty-two bytes");
  assert.deepEqual(await ask({ query: `token=${token}` }), {
    accepted: false,
    status: 401,
    message: "the token is not valid",
    headers: { "www-authenticate": 'Bearer error="invalid_token"' },
  });
  assert.deepEqual(records.map(({ level, text }) => `${level} ${text}`), [
    "debug refused a token: signature verification failed",
  ]);
  assert.ok(!JSON.stringify(records).includes(token.slice(0, 20)));
});

test("the time of a token is the connector's", async () => {
  const { user, clock } = await bench(jwt());
  const token = await sign({ nbf: NOW + 10, exp: NOW + 20 });
  assert.equal(await user(token), "401 the token is not valid yet");
  await clock.advance(9_999);
  assert.equal(await user(token), "401 the token is not valid yet");
  await clock.advance(1);
  assert.equal(await user(token), "ana");
  await clock.advance(9_999);
  assert.equal(await user(token), "ana");
  await clock.advance(1);
  assert.equal(await user(token), "401 the token has expired");
});

test("leeway widens it on both sides, and moves the moment of expiry", async () => {
  const { user, ask, clock } = await bench(jwt(`secret = "${SECRET}"\nleeway = "5s"`));
  const token = await sign({ nbf: NOW + 10, exp: NOW + 20 });
  await clock.advance(4_999);
  assert.equal(await user(token), "401 the token is not valid yet");
  await clock.advance(1);
  const found = await ask({ query: `token=${token}` });
  assert.equal(found.accepted && found.identity.expiresAt, (NOW + 25) * 1000);
  await clock.advance(19_999);
  assert.equal(await user(token), "ana");
  await clock.advance(1);
  assert.equal(await user(token), "401 the token has expired");
});

test("a token without exp never ends", async () => {
  const { ask } = await bench(jwt());
  const found = await ask({ query: `token=${await sign({ exp: undefined })}` });
  assert.ok(found.accepted);
  assert.equal(found.identity.expiresAt, undefined);
});

test("times that are not numbers are refused", async () => {
  const { user } = await bench(jwt());
  for (const claim of ["exp", "nbf", "iat"]) {
    for (const value of ["2099-01-01", `${NOW + 60}`, null, true, [NOW + 60]]) {
      assert.equal(await user(await sign({ [claim]: value })), INVALID, `${claim} ${value}`);
    }
  }
});

test("issuer and audience must be the ones that are named", async () => {
  const { user } = await bench(
    jwt(`secret = "${SECRET}"\nissuer = ["a", "b"]\naudience = "weir"`),
  );
  assert.equal(await user(await sign({ iss: "b", aud: "weir" })), "ana");
  assert.equal(await user(await sign({ iss: "a", aud: ["other", "weir"] })), "ana");
  const bad = [
    {},
    { iss: "a" },
    { aud: "weir" },
    { iss: "c", aud: "weir" },
    { iss: "A", aud: "weir" },
    { iss: ["a"], aud: "weir" },
    { iss: "a", aud: "weird" },
    { iss: "a", aud: ["other"] },
    { iss: "a", aud: [] },
    { iss: "a", aud: { weir: true } },
  ];
  for (const claims of bad) {
    assert.equal(await user(await sign(claims)), INVALID, JSON.stringify(claims));
  }
});

test("a secret accepts HS256, HS384 and HS512, and nothing else", async () => {
  const { user } = await bench(jwt());
  for (const alg of ["HS256", "HS384", "HS512"]) {
    assert.equal(await user(await sign({}, SECRET, { alg })), "ana", alg);
  }
  for (const alg of ["RS256", "ES256", "EdDSA"]) {
    const { privateKey } = await pair(alg);
    assert.equal(await user(await sign({}, privateKey, { alg })), INVALID, alg);
  }
});

test("a public key accepts only the algorithms of its kind", async () => {
  const rsa = await pair("RS256");
  const { user } = await bench(publicKey(rsa.pem));
  assert.equal(await user(await sign({}, rsa.privateKey, { alg: "RS256" })), "ana");
  for (const alg of ["RS384", "RS512", "PS256", "PS384", "PS512"]) {
    const signer = await privateAs(rsa, alg);
    assert.equal(await user(await sign({}, signer, { alg })), "ana", alg);
  }
  for (const alg of ["ES256", "ES384", "ES512", "EdDSA"]) {
    const own = await pair(alg);
    const mine = await bench(publicKey(own.pem));
    const token = await sign({}, own.privateKey, { alg });
    assert.equal(await mine.user(token), "ana", alg);
    assert.equal(await user(token), INVALID, alg);
    const other = await pair(alg);
    assert.equal(await mine.user(await sign({}, other.privateKey, { alg })), INVALID, alg);
  }
});

test("an unsigned token is refused, in every spelling of none", async () => {
  const rsa = await pair("RS256");
  for (const { user } of [await bench(jwt()), await bench(publicKey(rsa.pem))]) {
    for (const alg of ["none", "None", "NONE", "nOnE", "", null, 0, ["HS256"], undefined]) {
      for (const signature of ["", "c2ln"]) {
        assert.equal(await user(forge({ alg, typ: "JWT" }, { sub: "ana" }, signature)), INVALID);
      }
    }
  }
});

test("the text of a public key is not a secret", async () => {
  for (const alg of ["RS256", "ES256", "EdDSA"]) {
    const { pem, jwk } = await pair(alg);
    const { user } = await bench(publicKey(pem));
    for (const text of [pem, pem.trim(), `${pem.trim()}\n`, JSON.stringify(jwk)]) {
      for (const hmac of ["HS256", "HS384", "HS512"]) {
        assert.equal(await user(await sign({}, text, { alg: hmac })), INVALID);
      }
    }
  }
});

test("a signed token with another algorithm in its header is refused", async () => {
  const { privateKey, pem } = await pair("ES256");
  const { user } = await bench(publicKey(pem));
  const [, claims, signature] = (await sign({}, privateKey, { alg: "ES256" })).split(".");
  for (const alg of ["none", "HS256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "ES256K"]) {
    const [header] = forge({ alg }, {}).split(".");
    assert.equal(await user(`${header}.${claims}.${signature}`), INVALID, alg);
  }
});

test("a key that the token itself brings is not used", async () => {
  const mine = await pair("ES256");
  const theirs = await pair("ES256");
  const { user } = await bench(publicKey(mine.pem));
  const header = { alg: "ES256", jwk: theirs.jwk, jku: "http://127.0.0.1:1/keys", x5c: ["AA=="] };
  assert.equal(await user(await sign({}, theirs.privateKey, header)), INVALID);
});

test("extensions that must be understood are not", async () => {
  const { user } = await bench(jwt());
  for (const extra of [{ crit: ["x"], x: 1 }, { crit: [] }, { crit: ["b64"], b64: false }]) {
    const header = { alg: "HS256", ...extra };
    const [head] = forge(header, {}).split(".");
    const [, claims, signature] = (await sign()).split(".");
    assert.equal(await user(`${head}.${claims}.${signature}`), INVALID);
  }
});

test("a token that is cut, changed, huge or nonsense is refused", async () => {
  const { user, records } = await bench(jwt());
  const token = await sign();
  const [head, claims, signature] = token.split(".");
  const changed = forge({}, { sub: "admin", exp: NOW + 3600 }).split(".")[1];
  const deep = btoa("[".repeat(6_000)).replaceAll("=", "");
  const bad = [
    ...[token.slice(0, -1), token.slice(1), `${head}.${claims}`, `${head}.${claims}.`, head],
    ...[`${head}.${changed}.${signature}`, `${token}.x`, `.${token}`, "..", "a.b.c", "{}"],
    ...[` ${token}x`, `${token}\n`, `${head}..${signature}`, `.${claims}.${signature}`],
    ...["\0", "%00", "null", "'; DROP TABLE users; --", "ä.ö.ü", "\ud800"],
    ...["x".repeat(1_000_000), `${token}${"A".repeat(20_000)}`, `${deep}.${claims}.${signature}`],
    await sign({ filler: "x".repeat(20_000) }),
  ];
  for (const one of bad) assert.equal(await user(one), INVALID, one.slice(0, 60));
  assert.ok(records.every(({ level }) => level === "debug"));
  assert.equal(await user(await sign({ filler: "x".repeat(8_000) })), "ana");
});

test("any change to a token gets it refused, and is not an error of the server", async () => {
  const random = seeded(20260101);
  const token = await sign();
  const { user, records } = await bench(jwt());
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0é";
  for (let i = 0; i < 2_000; i++) {
    const at = random.below(token.length);
    const put = Array.from(
      { length: random.below(4) },
      () => random.pick([...letters]),
    );
    const one = token.slice(0, at) + put.join("") + token.slice(at + random.below(4));
    // The last letter has bits to spare, so others are as good.
    if (one.slice(0, -1) === token.slice(0, -1)) continue;
    assert.match(String(await user(one)), /^401 /, JSON.stringify(one));
  }
  assert.ok(records.every(({ level }) => level === "debug"));
});

test("claims that are not an object are refused", async () => {
  const { user } = await bench(jwt());
  for (const payload of ["null", "[]", "5", '"ana"', "{", ""]) {
    assert.equal(await user(await signText(payload)), INVALID, payload);
  }
});

test("the user is the result of the expression over the claims", async () => {
  const tenant = await bench(
    jwt(`secret = "${SECRET}"\nuser = "constants.tenant + ':' + claims.profile.name"`),
    { constants: { tenant: "acme" } },
  );
  assert.equal(await tenant.user(await sign({ profile: { name: "ana" } })), "acme:ana");
  assert.equal(await tenant.user(await sign({ profile: { name: {} } })), NO_USER);
  assert.equal(await tenant.user(await sign()), NO_USER);
  const id = await bench(jwt(`secret = "${SECRET}"\nuser = "claims.id"`));
  assert.equal(await id.user(await sign({ id: 7 })), "7");
  for (const value of [null, true, {}, [], ["ana"], "", undefined]) {
    assert.equal(await id.user(await sign({ id: value })), NO_USER, JSON.stringify(value));
  }
});

test("a user's name is 1 to 255 bytes without control characters, and is never repeated", async () => {
  const { user } = await bench(jwt());
  assert.equal(await user(await sign({ sub: "ä".repeat(127) })), "ä".repeat(127));
  assert.equal(
    await user(await sign({ sub: "'; DROP TABLE users; --" })),
    "'; DROP TABLE users; --",
  );
  const control = "401 the user of the token has a control character";
  for (const sub of ["a\r\nset-cookie: x=1", "a\nb", "a\0", "\x7f", "\u0085", "\t"]) {
    assert.equal(await user(await sign({ sub })), control, JSON.stringify(sub));
  }
  assert.equal(
    await user(await sign({ sub: "ä".repeat(128) })),
    "401 the user of the token is longer than 255 bytes",
  );
  assert.equal(
    await user(await signText('{"sub":"a\\ud800"}')),
    "401 the user of the token has a lone surrogate",
  );
});

test("a claim with the name of an object's prototype property is a claim", async () => {
  const { ask } = await bench(jwt());
  const token = await signText('{"sub":"ana","__proto__":{"role":"admin"},"constructor":1}');
  const found = await ask({ query: `token=${token}` });
  assert.ok(found.accepted);
  assert.equal(found.identity.claims?.["role"], undefined);
  assert.equal(({} as { role?: string }).role, undefined);
});

test("a live connection renews its token, for the same user", async () => {
  const { authenticator, clock } = await bench(jwt());
  const old = { userId: "ana", claims: {}, expiresAt: (NOW + 10) * 1000 };
  const token = await sign({ exp: NOW + 7200, role: "staff" });
  assert.deepEqual(await authenticator.renew(token, old), {
    accepted: true,
    identity: {
      userId: "ana",
      claims: { sub: "ana", exp: NOW + 7200, role: "staff" },
      expiresAt: (NOW + 7200) * 1000,
    },
  });
  const refused: ReadonlyArray<readonly [unknown, string]> = [
    [await sign({ sub: "ben" }), "the token belongs to another user"],
    [await sign({ sub: "Ana" }), "the token belongs to another user"],
    [await sign({ exp: NOW }), "the token has expired"],
    [await sign({}, "another secret of more than thirty-two bytes"), "the token is not valid"],
    [forge({ alg: "none" }, { sub: "ana" }), "the token is not valid"],
    ["x".repeat(500_000), "the token is not valid"],
    ...[undefined, null, 5, "", {}, ["a"]].map((bad) => [bad, "token must be a string"] as const),
  ];
  for (const [bad, message] of refused) {
    assert.deepEqual(await authenticator.renew(bad, old), { accepted: false, message });
  }
  await clock.advance(7_200_000);
  const late = await authenticator.renew(token, old);
  assert.deepEqual(late, { accepted: false, message: "the token has expired" });
});

test("a client without identity gets none by a renewal", async () => {
  const { authenticator } = await bench(`${jwt()}required = false`);
  const nobody = { userId: null, claims: null, expiresAt: undefined };
  assert.deepEqual(await authenticator.renew(await sign(), nobody), {
    accepted: false,
    message: "the token belongs to another user",
  });
});

/** The same RSA key for another algorithm. */
async function privateAs({ privateKey }: Awaited<ReturnType<typeof pair>>, algorithm: string) {
  const bits = algorithm.slice(2);
  const name = algorithm.startsWith("PS") ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
  const key = await crypto.subtle.exportKey("pkcs8", privateKey);
  const use = { name, hash: `SHA-${bits}` };
  return await crypto.subtle.importKey("pkcs8", key, use, true, ["sign"]);
}

/** A token whose payload is this text, signed with the secret. */
async function signText(payload: string): Promise<string> {
  return await new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(SECRET));
}
