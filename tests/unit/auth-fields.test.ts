import assert from "node:assert/strict";
import { test } from "node:test";
import { exportPKCS8, generateKeyPair } from "jose";
import { createAuthenticator } from "../../src/access/auth/authenticator.ts";
import { authField, checkAuth } from "../../src/access/auth/fields.ts";
import { connectorWith, failuresOf, problemsOf, withFields } from "../support/config.ts";
import { checkSentence, codeOf } from "../support/problems.ts";
import { ManualClock } from "../support/clock.ts";
import { recorder } from "../support/log.ts";
import { authOptions, pair, SECRET } from "../support/auth.ts";

/** The problems of an `auth` block. */
function problems(body: string, env: Readonly<Record<string, string>> = {}) {
  const options = withFields({ auth: authField }, { env: (name) => env[name] });
  return problemsOf(connectorWith(`auth {\n${body}\n}`) + constants, options);
}

/** Each kind of mistake is an invalid value, and has a sentence of its own. */
async function checkKinds(
  kinds: readonly (readonly (readonly [body: string, env?: Record<string, string>])[])[],
): Promise<void> {
  const sentences: string[] = [];
  for (const kind of kinds) {
    const own = new Set<string>();
    for (const [body, env = {}] of kind) {
      const options = withFields({ auth: authField }, { env: (name) => env[name] });
      const found = await failuresOf(connectorWith(`auth {\n${body}\n}`), options);
      assert.deepEqual(found.map(({ code }) => code), ["invalid-value"], body);
      checkSentence(found[0]);
      own.add(`${found[0].message} ${found[0].hint}`);
    }
    assert.equal(own.size, 1, [...own].join("\n"));
    sentences.push(...own);
  }
  assert.equal(new Set(sentences).size, kinds.length, sentences.join("\n"));
}

/** The constants that there are. */
const constants = "constants {\n  b = 1\n}\n";

/** The codes of the problems of a `jwt` block in it. */
async function jwtProblems(body: string, env: Readonly<Record<string, string>> = {}) {
  const found = await problems(`jwt {\n${body}\n}`, env);
  return found.map((problem) => problem.replace(/^\S+ /, ""));
}

test("a secret is enough, and the rest has defaults", async () => {
  const { jwt, from, required } = await authOptions(`jwt {\n secret = "${SECRET}"\n}`);
  assert.equal(jwt.secret, SECRET);
  assert.equal(jwt.user.source, "claims.sub");
  assert.equal(jwt.leeway, 0);
  assert.equal(jwt.issuer, undefined);
  assert.equal(required, true);
  assert.deepEqual(from, [
    { kind: "query", name: "token" },
    { kind: "header", name: "authorization" },
    { kind: "protocol" },
  ]);
  assert.equal(authField.fields?.from.default, '["query:token","header:authorization","protocol"]');
});

test("every attribute can be set", async () => {
  const block = `
    jwt {
      jwks_url = "https://issuer.example/keys"
      issuer   = "https://issuer.example"
      audience = ["a", "b"]
      leeway   = "30s"
      user     = "constants.prefix + claims.name"
    }
    from     = ["cookie:session", "header:X-Token", "query:a:b", "protocol"]
    required = false`;
  const { jwt, from, required } = await authOptions(block, { prefix: "x-" });
  assert.equal(jwt.jwks_url?.href, "https://issuer.example/keys");
  assert.deepEqual(jwt.issuer, ["https://issuer.example"]);
  assert.deepEqual(jwt.audience, ["a", "b"]);
  assert.equal(jwt.leeway, 30_000);
  assert.equal(required, false);
  assert.deepEqual(from, [
    { kind: "cookie", name: "session" },
    { kind: "header", name: "x-token" },
    { kind: "query", name: "a:b" },
    { kind: "protocol" },
  ]);
});

test("exactly one kind of key is allowed, and the problem is at the second", async () => {
  assert.deepEqual(await problems("required = true"), [
    "config.hcl:3:1+4 missing-block",
  ]);
  assert.deepEqual(await problems('jwt {\n issuer = "i"\n}'), [
    "config.hcl:4:1+3 missing-key",
  ]);
  const two = `jwt {\n secret = "${SECRET}"\n jwks_url = "https://issuer.example/keys"\n}`;
  assert.deepEqual(await problems(two), [
    "config.hcl:6:2+8 conflicting-attributes",
  ]);
});

test("a secret is long enough for HS256, in bytes, and never part of a problem", async () => {
  const short = ["invalid-value"];
  assert.deepEqual(await jwtProblems('secret = "short"'), short);
  assert.deepEqual(await jwtProblems(`secret = "${"x".repeat(31)}"`), short);
  assert.deepEqual(await jwtProblems('secret = ""'), short);
  assert.deepEqual(await jwtProblems('secret = env("S")', { S: "hunter2" }), short);
  assert.deepEqual(await jwtProblems(`secret = "${"x".repeat(32)}"`), []);
  assert.deepEqual(await jwtProblems(`secret = "${"ä".repeat(16)}"`), []);
  assert.deepEqual(await jwtProblems("secret = true"), ["invalid-value"]);
});

test("a public key is not a secret", async () => {
  const { pem } = await pair("ES256");
  assert.deepEqual(await jwtProblems('secret = env("KEY")', { KEY: pem }), [
    "invalid-value",
  ]);
});

test("a public key determines its algorithms", async () => {
  const rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
  const kinds: ReadonlyArray<readonly [string, readonly string[]]> = [
    ["RS256", rsa],
    ["ES256", ["ES256"]],
    ["ES384", ["ES384"]],
    ["ES512", ["ES512"]],
    ["EdDSA", ["EdDSA", "Ed25519"]],
  ];
  for (const [algorithm, algorithms] of kinds) {
    const { pem } = await pair(algorithm);
    const written = JSON.stringify(pem.replaceAll("\n", "\\n"));
    const { jwt } = await authOptions(`jwt {\n public_key = ${written}\n}`);
    assert.deepEqual(jwt.public_key?.algorithms, algorithms, algorithm);
  }
});

test("a text that is not a public key is a problem that says what it is", async () => {
  const { pem } = await pair("ES256");
  const { pem: weak } = await pair("RS256", 2048);
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const wrap = (label: string, text = "AAAA") =>
    `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----`;
  /** Each kind of mistake with keys that have it. */
  const cases: readonly (readonly string[])[] = [
    ["", "{}"],
    [await exportPKCS8(privateKey)],
    [wrap("CERTIFICATE")],
    [wrap("RSA PUBLIC KEY")],
    // What is in it cannot be read.
    [
      wrap("PUBLIC KEY"),
      wrap("PUBLIC KEY", "not base64!"),
      wrap("PUBLIC KEY", "A"),
      pem.replace(/\n-----END[^]*/, ""),
      pem.replace(/.{8}\n-----END/, "\n-----END"),
      weak.replace(/\n.{64}\n/, "\n"),
    ],
    // An X25519 key, which signs nothing.
    [wrap("PUBLIC KEY", "MCowBQYDK2VuAyEApzP5+pSDks1WizCuZfgL4lqkoEQyXzvbM8JKivOZOw0=")],
    [RSA_1024],
  ];
  await checkKinds(
    cases.map((keys) => keys.map((KEY) => ['jwt {\npublic_key = env("KEY", "")\n}', { KEY }])),
  );
  assert.deepEqual(await jwtProblems("public_key = 5"), ["invalid-value"]);
});

test("a point that is not on its curve is found when the connector is made", async () => {
  const point = btoa(
    String.fromCharCode(
      ...[0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
      ...[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04],
      ...new Array(64).fill(1),
    ),
  );
  const pem = `-----BEGIN PUBLIC KEY-----\\n${point}\\n-----END PUBLIC KEY-----`;
  const options = await authOptions(`jwt {\n public_key = "${pem.replaceAll("\\", "\\\\")}"\n}`);
  const { logger } = recorder();
  const context = { name: "ws", clock: new ManualClock(), logger, scope: {} };
  await assert.rejects(createAuthenticator(options, context), {
    name: "ConnectorError",
    message: 'connector "ws": the public_key of the jwt block cannot be imported',
  });
});

test("keys are fetched over https, or from this machine", async () => {
  for (const host of ["localhost:8080", "127.0.0.1", "[::1]:1"]) {
    assert.deepEqual(await jwtProblems(`jwks_url = "http://${host}/keys"`), []);
  }
  for (
    const url of ["http://issuer.example/keys", "http://localhost.example/", "file:///k", "a:b"]
  ) {
    assert.deepEqual(await jwtProblems(`jwks_url = "${url}"`), ["invalid-value"], url);
  }
  assert.deepEqual(await jwtProblems('jwks_url = "issuer"'), ["invalid-value"]);
  assert.deepEqual(await jwtProblems('jwks_url = ""'), ["invalid-value"]);
  assert.deepEqual(await jwtProblems('jwks_url = "https://a:b@issuer.example"'), [
    "invalid-value",
  ]);
});

test("issuer and audience are text or lists of text", async () => {
  const kinds = [["5", "true", "{ a = 1 }", '["a", 5]'], ["[]", '""', '["a", ""]']];
  for (const name of ["issuer", "audience"]) {
    const body = (written: string) => `jwt {\nsecret = "${SECRET}"\n${name} = ${written}\n}`;
    await checkKinds(kinds.map((values) => values.map((written) => [body(written)])));
  }
});

test("leeway has bounds, and user is an expression over claims", async () => {
  const secret = `secret = "${SECRET}"\n`;
  assert.deepEqual(await jwtProblems(`${secret}leeway = "0s"`), []);
  assert.deepEqual(await jwtProblems(`${secret}leeway = "10m"`), []);
  assert.deepEqual(await jwtProblems(`${secret}leeway = "11m"`), ["invalid-value"]);
  assert.deepEqual(await jwtProblems(`${secret}user = "claims.a + string(constants.b)"`), []);
  assert.deepEqual(await jwtProblems(`${secret}user = "claim.sub"`), ["unknown-variable"]);
  assert.deepEqual(await jwtProblems(`${secret}user = "client.id"`), ["unknown-variable"]);
});

test("a place that cannot contain a token is a problem", async () => {
  const kinds = [
    ['["quer:token"]'],
    ['["body"]'],
    ['[""]'],
    ['["query"]'],
    ['["cookie:"]'],
    ['["protocol:x"]'],
    ['["header:a b"]'],
    ['["cookie:a=b"]'],
    ['["header:Cookie"]'],
    ['["header:sec-websocket-protocol"]'],
    ["[]"],
    ['"query:token"', "[5]"],
  ];
  const body = (written: string) => `jwt {\n secret = "${SECRET}"\n}\nfrom = ${written}`;
  await checkKinds(kinds.map((values) => values.map((written) => [body(written)])));
});

test("a cookie needs origins", async () => {
  const jwt = `jwt {\n secret = "${SECRET}"\n}\n`;
  const cookie = await authOptions(`${jwt}from = ["protocol", "cookie:session"]`);
  assert.deepEqual(
    checkAuth(cookie, undefined).map((problem) => [problem.attribute, codeOf(problem)]),
    [["auth", "missing-origins"]],
  );
  assert.deepEqual(
    checkAuth(cookie, { exact: new Set(["https://app.example"]), suffixes: [] }),
    [],
  );
  assert.deepEqual(checkAuth(await authOptions(jwt), undefined), []);
  assert.deepEqual(checkAuth(undefined, undefined), []);
});

test("keys of a public issuer without an audience are a warning", async () => {
  const url = 'jwks_url = "https://issuer.example/keys"';
  const open = await authOptions(`jwt {\n ${url}\n}`);
  assert.deepEqual(
    checkAuth(open, undefined).map((problem) => [problem.severity, codeOf(problem)]),
    [["warning", "unchecked-audience"]],
  );
  assert.deepEqual(
    checkAuth(await authOptions(`jwt {\n ${url}\n audience = "a"\n}`), undefined),
    [],
  );
});

/** A key that no library makes any more. */
const RSA_1024 = `-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCeV3JDJ1PMinkicBVXSr2xSra8
vw1I5wnqN1hCnJw4KHgzwZFXlMvAqezbJ6YnHTpa2wnYwhqUs/MU0qNv7ONCIDi1
oXiWJUW3lUaOsKy7cnj9eu6T+cFnrjjizHOf7gVEqO0OFnfPuz7ZUodIOvPeVs5/
/ZpjzUc5MBUMsI+qxQIDAQAB
-----END PUBLIC KEY-----`;
