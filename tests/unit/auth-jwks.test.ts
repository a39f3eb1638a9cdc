import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import { createGzip, gzipSync } from "node:zlib";
import { JWKS_TIMING } from "../../src/access/auth/jwks.ts";
import { bench, Issuer, NOW, pair, sign } from "../support/auth.ts";

/** Keys are asked for again without waiting. */
const eager = { ...JWKS_TIMING, cooldown: 0, retry: 0 };

/** So much memory an answer may take on its way, whatever it inflates to. */
const ROOM = 100 * 2 ** 20;

const INVALID = "401 the token is not valid";
const AWAY = "503 the token cannot be verified at the moment";

const auth = (issuer: Issuer) => `jwt {\n jwks_url = "${issuer.url}"\n}\nrequired = false`;

/** A key pair, and its public half as an issuer publishes it. */
async function published(alg: string, kid: string) {
  const { privateKey, pem, jwk } = await pair(alg);
  const header = { alg, kid };
  return { jwk: { ...jwk, kid, use: "sig" }, pem, token: () => sign({}, privateKey, header) };
}

test("keys are fetched when the first token needs them, once for all that wait", async () => {
  const [ec, rsa, ed] = await Promise.all([
    published("ES256", "ec"),
    published("RS256", "rsa"),
    published("EdDSA", "ed"),
  ]);
  await using issuer = await Issuer.start(ec.jwk, rsa.jwk, ed.jwk);
  const { user, ask } = await bench(auth(issuer));
  assert.equal((await ask()).accepted, true);
  assert.equal(issuer.requests, 0);
  const tokens = await Promise.all([ec.token(), rsa.token(), ed.token()]);
  const users = await Promise.all([...tokens, ...tokens].map(user));
  assert.deepEqual(users, new Array(6).fill("ana"));
  assert.equal(issuer.requests, 1);
});

test("a rotated key is found when a token names it, and the old one is gone", async () => {
  const [old, next] = [await published("ES256", "1"), await published("ES256", "2")];
  await using issuer = await Issuer.start(old.jwk);
  const { user } = await bench(auth(issuer), { timing: eager });
  assert.equal(await user(await old.token()), "ana");
  assert.equal(await user(await next.token()), INVALID);
  issuer.publish(old.jwk, next.jwk);
  assert.equal(await user(await next.token()), "ana");
  assert.equal(await user(await old.token()), "ana");
  const third = await published("ES256", "3");
  issuer.publish(third.jwk);
  assert.equal(await user(await third.token()), "ana");
  assert.equal(await user(await old.token()), INVALID);
});

test("tokens that name unknown keys cause one fetch in a cooldown", async () => {
  const known = await published("ES256", "known");
  await using issuer = await Issuer.start(known.jwk);
  const { user } = await bench(auth(issuer));
  for (let i = 0; i < 50; i++) {
    const { privateKey } = await pair("ES256");
    const header = { alg: "ES256", kid: `unknown ${i}` };
    assert.equal(await user(await sign({}, privateKey, header)), INVALID);
  }
  assert.equal(issuer.requests, 1);
  assert.equal(await user(await known.token()), "ana");
});

test("keys are fetched again when they are old", async () => {
  const key = await published("ES256", "1");
  await using issuer = await Issuer.start(key.jwk);
  const { user } = await bench(auth(issuer), { timing: { ...eager, maxAge: 0 } });
  assert.equal(await user(await key.token()), "ana");
  assert.equal(await user(await key.token()), "ana");
  assert.equal(issuer.requests, 2);
  issuer.publish();
  assert.equal(await user(await key.token()), INVALID);
});

test("a key of the same kid that is not the issuer's is refused", async () => {
  const mine = await published("ES256", "1");
  const theirs = await published("ES256", "1");
  await using issuer = await Issuer.start(mine.jwk);
  const { user } = await bench(auth(issuer), { timing: eager });
  assert.equal(await user(await theirs.token()), INVALID);
  const otherKind = await published("RS256", "1");
  assert.equal(await user(await otherKind.token()), INVALID);
  assert.equal(await user(await mine.token()), "ana");
});

test("a published key is not an HMAC secret, and a published secret is not a key", async () => {
  const key = await published("RS256", "1");
  const secret = "c2VjcmV0IG9mIG1vcmUgdGhhbiB0aGlydHktdHdvIGJ5dGVz";
  const text = "secret of more than thirty-two bytes";
  await using issuer = await Issuer.start(key.jwk, { kty: "oct", k: secret, kid: "2" });
  const { user } = await bench(auth(issuer), { timing: eager });
  for (const alg of ["HS256", "HS384", "HS512"]) {
    for (const [hmac, kid] of [[key.pem, "1"], [JSON.stringify(key.jwk), "1"], [text, "2"]]) {
      assert.equal(await user(await sign({}, hmac, { alg, kid })), INVALID);
    }
  }
  assert.equal(issuer.requests, 0);
});

test("a key is only used for its published purpose", async () => {
  const encryption = await published("ES256", "1");
  const other = await published("RS256", "2");
  await using issuer = await Issuer.start(
    { ...encryption.jwk, use: "enc" },
    { ...other.jwk, alg: "PS256" },
  );
  const { user } = await bench(auth(issuer), { timing: eager });
  assert.equal(await user(await encryption.token()), INVALID);
  assert.equal(await user(await other.token()), INVALID);
});

test("a token that names no key is accepted with one key, and refused with several", async () => {
  const [first, second] = [await pair("ES256"), await pair("ES256")];
  await using issuer = await Issuer.start({ ...first.jwk, kid: "1" });
  const { user } = await bench(auth(issuer), { timing: { ...eager, maxAge: 0 } });
  const token = await sign({}, first.privateKey, { alg: "ES256" });
  assert.equal(await user(token), "ana");
  issuer.publish({ ...first.jwk, kid: "1" }, { ...second.jwk, kid: "2" });
  assert.equal(await user(token), INVALID);
});

test("a key that cannot be used is not an outage", async () => {
  const weak = await published("ES256", "1");
  const good = await published("ES256", "2");
  await using issuer = await Issuer.start({ ...weak.jwk, x: "AAAA" }, { kty: "RSA", kid: "3" }, {
    ...good.jwk,
  }, { kty: "RSA", kid: "4", e: "AQAB", n: SHORT_MODULUS });
  const { user, records } = await bench(auth(issuer), { timing: eager });
  assert.equal(await user(await weak.token()), INVALID);
  const { privateKey } = await pair("RS256");
  for (const kid of ["3", "4"]) {
    assert.equal(await user(await sign({}, privateKey, { alg: "RS256", kid })), INVALID);
  }
  assert.equal(await user(await good.token()), "ana");
  assert.deepEqual([...new Set(records.map(({ level }) => level))], ["debug"]);
});

test("an unavailable issuer is not the clients' fault, and is logged once", async () => {
  const key = await published("ES256", "1");
  await using issuer = await Issuer.start();
  const { user, ask, authenticator, clock, records } = await bench(auth(issuer));
  issuer.answer = (response) => response.writeHead(500).end("down");
  const token = await key.token();
  for (let i = 0; i < 20; i++) assert.equal(await user(token), AWAY);
  const found = await ask({ query: `token=${token}` });
  assert.deepEqual(found.accepted || found.headers, { "retry-after": "1" });
  const identity = { userId: "ana", claims: {}, expiresAt: undefined };
  assert.deepEqual(await authenticator.renew(token, identity), {
    accepted: false,
    message: "the token cannot be verified at the moment",
    outage: true,
  });
  // It is left alone for a second after each failure.
  assert.equal(issuer.requests, 1);
  await clock.advance(JWKS_TIMING.retry);
  assert.equal(await user(token), AWAY);
  assert.equal(issuer.requests, 2);
  const place = issuer.url.replace(/\?.*/, "");
  assert.deepEqual(records.map(({ level, text }) => `${level} ${text}`), [
    `error failed to fetch the keys at ${place}: Error: the status is 500`,
  ]);
  issuer.publish(key.jwk);
  await clock.advance(JWKS_TIMING.retry);
  assert.equal(await user(token), "ana");
  assert.equal(records.at(-1)?.text, `the keys at ${place} are available again`);
  assert.equal(records.length, 2);
});

test("known keys stay in use while the issuer is unavailable", async () => {
  const [key, unknown] = [await published("ES256", "1"), await published("ES256", "2")];
  const issuer = await Issuer.start(key.jwk);
  const { user, records } = await bench(auth(issuer), { timing: eager });
  assert.equal(await user(await key.token()), "ana");
  await issuer[Symbol.asyncDispose]();
  for (let i = 0; i < 3; i++) {
    assert.equal(await user(await unknown.token()), AWAY);
    assert.equal(await user(await key.token()), "ana");
  }
  assert.equal(records.filter(({ level }) => level === "error").length, 1);
});

test("a response that is not a set of keys is an outage", async () => {
  const key = await published("ES256", "1");
  await using issuer = await Issuer.start();
  const { user } = await bench(auth(issuer), { timing: eager });
  const answers = ["", "{", "null", "[]", "{}", '{"keys":{}}', '{"keys":[5]}', "<html></html>"];
  for (const text of answers) {
    issuer.answer = (response) => response.writeHead(200).end(text);
    assert.equal(await user(await key.token()), AWAY, text);
  }
  for (const status of [204, 301, 302, 404, 429]) {
    issuer.answer = (response) => response.writeHead(status, { location: "/other" }).end();
    assert.equal(await user(await key.token()), AWAY, String(status));
  }
  issuer.publish(key.jwk);
  assert.equal(await user(await key.token()), "ana");
});

test("at most 1 MB of a response is read, however small it was compressed", async () => {
  const key = await published("ES256", "1");
  await using issuer = await Issuer.start();
  const { user, records } = await bench(auth(issuer), { timing: eager });
  const bomb = await zeros(2 ** 30);
  const large = JSON.stringify({ keys: [key.jwk], note: "x".repeat(2 ** 20) });
  const answers: [string | Uint8Array, Record<string, string>][] = [
    [large, {}],
    [bomb, { "content-encoding": "gzip" }],
    [gzipSync(large), { "content-encoding": "gzip" }],
  ];
  const before = process.memoryUsage().rss;
  for (const [answer, headers] of answers) {
    issuer.answer = (response) => response.writeHead(200, headers).end(answer);
    assert.equal(await user(await key.token()), AWAY);
    assert.ok(process.memoryUsage().rss - before < ROOM, "the response was decompressed");
    assert.ok(process.memoryUsage().rss - before < 200 * 2 ** 20, "the response was decompressed");
  }
  const [first] = records;
  assert.match(
    first.text,
    /^failed to fetch the keys at .+: Error: the response has more than 1 MB/,
  );
  const gzip = { "content-encoding": "gzip" };
  const set = gzipSync(JSON.stringify({ keys: [key.jwk] }));
  issuer.answer = (response) => response.writeHead(200, gzip).end(set);
  assert.equal(await user(await key.token()), "ana");
  // Of 1 MB all is read.
  const padded = { keys: [key.jwk], note: "x".repeat(2 ** 20 - 1_000) };
  issuer.answer = (response) => response.writeHead(200).end(JSON.stringify(padded));
  const another = await bench(auth(issuer), { timing: eager });
  assert.equal(await another.user(await key.token()), "ana");
});

test("a set has at most 100 keys", async () => {
  const key = await published("ES256", "1");
  const others = Array.from({ length: 100 }, (_, n) => ({ ...key.jwk, kid: `other ${n}` }));
  await using issuer = await Issuer.start(key.jwk, ...others);
  const { user, records } = await bench(auth(issuer), { timing: eager });
  assert.equal(await user(await key.token()), AWAY);
  assert.match(records[0].text, /the set has 101 keys, more than 100/);
  issuer.publish(key.jwk, ...others.slice(1));
  assert.equal(await user(await key.token()), "ana");
});

test("the log says why a response is invalid, and repeats nothing of it", async () => {
  const key = await published("ES256", "1");
  await using issuer = await Issuer.start();
  for (
    const [text, reason] of [
      ["hush {", "the response is not JSON"],
      ['{"hush":1}', "the response is not a JSON Web Key Set"],
    ]
  ) {
    const { user, records } = await bench(auth(issuer), { timing: eager });
    issuer.answer = (response) => response.writeHead(200).end(text);
    assert.equal(await user(await key.token()), AWAY);
    assert.ok(records[0].text.endsWith(`Error: ${reason}`), records[0].text);
    assert.ok(!records[0].text.includes("hush"), records[0].text);
  }
});

test("a response that arrives byte by byte has the time limit of one that never arrives", async () => {
  const key = await published("ES256", "1");
  await using issuer = await Issuer.start();
  const { user } = await bench(auth(issuer), { timing: { ...eager, timeout: 300 } });
  let drip: ReturnType<typeof setInterval> | undefined;
  issuer.answer = (response) => {
    response.writeHead(200).write('{"keys":[');
    drip = setInterval(() => response.write(" "), 20);
  };
  const token = await key.token();
  const started = performance.now();
  assert.equal(await user(token), AWAY);
  assert.ok(performance.now() - started < 5_000, "it was waited for");
  clearInterval(drip);
});

test("a redirect is not followed", async () => {
  const key = await published("ES256", "1");
  await using other = await Issuer.start(key.jwk);
  await using issuer = await Issuer.start();
  issuer.answer = (response) => response.writeHead(302, { location: other.url }).end();
  const { user, records } = await bench(auth(issuer), { timing: eager });
  assert.equal(await user(await key.token()), AWAY);
  assert.match(records[0].text, /the status is 302/);
  assert.equal(other.requests, 0);
});

test("an issuer that does not answer, or not completely, does not delay a handshake", async () => {
  const key = await published("ES256", "1");
  await using issuer = await Issuer.start();
  const { user } = await bench(auth(issuer), { timing: { ...eager, timeout: 200 } });
  issuer.answer = () => {};
  assert.equal(await user(await key.token()), AWAY);
  issuer.answer = (response) => response.writeHead(200).write('{"keys":[');
  assert.equal(await user(await key.token()), AWAY);
  assert.ok(JWKS_TIMING.timeout < 10_000);
});

test("an expired token with a good key is expired", async () => {
  const { privateKey, jwk } = await pair("ES256");
  await using issuer = await Issuer.start({ ...jwk, kid: "1" });
  const { user } = await bench(auth(issuer));
  const token = await sign({ exp: NOW }, privateKey, { alg: "ES256", kid: "1" });
  assert.equal(await user(token), "401 the token has expired");
});

/** This many zeros in gzip. */
async function zeros(amount: number): Promise<Uint8Array> {
  const gzip = createGzip();
  const chunks: Uint8Array[] = [];
  gzip.on("data", (chunk) => chunks.push(chunk));
  const ended = once(gzip, "end");
  const block = new Uint8Array(2 ** 20);
  for (let left = amount; left > 0; left -= block.length) {
    if (!gzip.write(block)) await once(gzip, "drain");
  }
  gzip.end();
  await ended;
  return Buffer.concat(chunks);
}

/** Of an RSA key of 1024 bits. */
const SHORT_MODULUS =
  "nldyQydTzIp4pHAVV0q9sUq2vL8NSOcJ6jdYQpycOCh4M8GRV5TLwKns2yemJx06WtsJ2MIalLPzFNKjb-zjQiA4taF4liVFt5VGjrCsu3J4_Xruk_nBZ6444sxzn-4FRKjtDhZ3z7s-2VKHSDrz3lbOf_2aY81HOTAVDLCPqsU";
