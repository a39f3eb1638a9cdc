import assert from "node:assert/strict";
import { test } from "node:test";
import { exportPKCS8, generateKeyPair } from "jose";
import { createAuthenticator } from "../../src/connectors/websocket/auth/authenticator.ts";
import { authField, checkAuth } from "../../src/connectors/websocket/auth/fields.ts";
import { connectorWith, problemsOf, withFields } from "../support/config.ts";
import { ManualClock } from "../support/clock.ts";
import { recorder } from "../support/log.ts";
import { authOptions, pair, SECRET } from "../support/auth.ts";

/** The problems of an `auth` block, without its place. */
async function problems(body: string, env: Readonly<Record<string, string>> = {}) {
  const options = withFields({ auth: authField }, { env: (name) => env[name] });
  const found = await problemsOf(connectorWith(`auth {\n${body}\n}`) + constants, options);
  return found.map((problem) => problem.replace(/connector "x" \(probe\), /, ""));
}

/** The constants that there are. */
const constants = "constants {\n  b = 1\n}\n";

/** The same of a `jwt` block in it, without their places. */
async function jwtProblems(body: string, env: Readonly<Record<string, string>> = {}) {
  const found = await problems(`jwt {\n${body}\n}`, env);
  return found.map((problem) => problem.replace(/^\S+ auth, jwt:? ?/, ""));
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

test("everything can be said", async () => {
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

test("there is exactly one kind of key, and a problem stands at the second", async () => {
  assert.deepEqual(await problems("required = true"), [
    'config.hcl:3:1+4 auth needs the block "jwt"',
  ]);
  assert.deepEqual(await problems('jwt {\n issuer = "i"\n}'), [
    "config.hcl:4:1+3 auth, jwt needs a key | one of secret, public_key, jwks_url",
  ]);
  const two = `jwt {\n secret = "${SECRET}"\n jwks_url = "https://issuer.example/keys"\n}`;
  assert.deepEqual(await problems(two), [
    "config.hcl:6:2+8 auth, jwt has a secret and a jwks_url | one kind of key is enough",
  ]);
});

test("a secret is long enough for HS256, in bytes, and never part of a problem", async () => {
  const hint = "RFC 7518 asks for it; openssl rand -base64 32 makes one";
  const short = [`secret must have at least 32 bytes | ${hint}`];
  assert.deepEqual(await jwtProblems('secret = "short"'), short);
  assert.deepEqual(await jwtProblems(`secret = "${"x".repeat(31)}"`), short);
  assert.deepEqual(await jwtProblems('secret = ""'), short);
  assert.deepEqual(await jwtProblems('secret = env("S")', { S: "hunter2" }), short);
  assert.deepEqual(await jwtProblems(`secret = "${"x".repeat(32)}"`), []);
  assert.deepEqual(await jwtProblems(`secret = "${"ä".repeat(16)}"`), []);
  assert.deepEqual(await jwtProblems("secret = true"), ["secret must be text in quotes"]);
});

test("a public key is no secret", async () => {
  const { pem } = await pair("ES256");
  assert.deepEqual(await jwtProblems('secret = env("KEY")', { KEY: pem }), [
    "secret is a key in PEM, not a shared secret | write the public one as public_key",
  ]);
});

test("a public key says which algorithms it is for", async () => {
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

test("what is no public key is a problem that says what it is", async () => {
  const begins = 'it begins with "-----BEGIN PUBLIC KEY-----"';
  const { pem } = await pair("ES256");
  const { pem: weak } = await pair("RS256", 2048);
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const wrap = (label: string, text = "AAAA") =>
    `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----`;
  const unreadable = "public_key must be a public key in PEM | what is in it cannot be read";
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["", `public_key must be a public key in PEM | ${begins}`],
    ["{}", `public_key must be a public key in PEM | ${begins}`],
    [
      await exportPKCS8(privateKey),
      "public_key must be a public key in PEM | it is a private key: openssl pkey -in KEY -pubout " +
      "writes its public half",
    ],
    [
      wrap("CERTIFICATE"),
      "public_key must be a public key in PEM | it is a certificate: openssl x509 -in CERT -noout " +
      "-pubkey writes its key",
    ],
    [
      wrap("RSA PUBLIC KEY"),
      "public_key must be a public key in PEM | it is PKCS#1: openssl rsa -RSAPublicKey_in -in KEY " +
      "-pubout converts it",
    ],
    [wrap("PUBLIC KEY"), unreadable],
    [wrap("PUBLIC KEY", "not base64!"), unreadable],
    [wrap("PUBLIC KEY", "A"), unreadable],
    [pem.replace(/\n-----END[^]*/, ""), unreadable],
    [pem.replace(/.{8}\n-----END/, "\n-----END"), unreadable],
    [weak.replace(/\n.{64}\n/, "\n"), unreadable],
    // An X25519 key, which signs nothing.
    [
      wrap("PUBLIC KEY", "MCowBQYDK2VuAyEApzP5+pSDks1WizCuZfgL4lqkoEQyXzvbM8JKivOZOw0="),
      "public_key is of a kind that cannot be used | RSA, EC on P-256, P-384 or P-521, and Ed25519 can",
    ],
    [RSA_1024, "public_key must be an RSA key of at least 2048 bits"],
  ];
  for (const [KEY, problem] of cases) {
    assert.deepEqual(await jwtProblems('public_key = env("KEY", "")', { KEY }), [problem], KEY);
  }
  assert.deepEqual(await jwtProblems("public_key = 5"), ["public_key must be text in quotes"]);
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

test("keys come over https, or from this machine", async () => {
  for (const host of ["localhost:8080", "127.0.0.1", "[::1]:1"]) {
    assert.deepEqual(await jwtProblems(`jwks_url = "http://${host}/keys"`), []);
  }
  const insecure = "jwks_url must be an https URL | whoever can change the keys on their way can " +
    "make tokens";
  for (
    const url of ["http://issuer.example/keys", "http://localhost.example/", "file:///k", "a:b"]
  ) {
    assert.deepEqual(await jwtProblems(`jwks_url = "${url}"`), [insecure], url);
  }
  assert.deepEqual(await jwtProblems('jwks_url = "issuer"'), ["jwks_url must be a URL"]);
  assert.deepEqual(await jwtProblems('jwks_url = ""'), ["jwks_url must be a URL"]);
  assert.deepEqual(await jwtProblems('jwks_url = "https://a:b@issuer.example"'), [
    "jwks_url must have no user and password",
  ]);
});

test("issuer and audience are text or lists of text", async () => {
  const form = "must be text in quotes, or a list of texts";
  for (const name of ["issuer", "audience"]) {
    const bad: ReadonlyArray<readonly [string, string]> = [
      ["5", form],
      ["true", form],
      ["{ a = 1 }", form],
      ['["a", 5]', form],
      ["[]", "must not be empty"],
      ['""', "must not be empty"],
      ['["a", ""]', "must not be empty"],
    ];
    for (const [written, problem] of bad) {
      const body = `secret = "${SECRET}"\n${name} = ${written}`;
      assert.deepEqual(await jwtProblems(body), [`${name} ${problem}`], written);
    }
  }
});

test("leeway has bounds, and user is an expression over claims", async () => {
  const secret = `secret = "${SECRET}"\n`;
  assert.deepEqual(await jwtProblems(`${secret}leeway = "0s"`), []);
  assert.deepEqual(await jwtProblems(`${secret}leeway = "10m"`), []);
  assert.deepEqual(await jwtProblems(`${secret}leeway = "11m"`), ["leeway must be at most 10m"]);
  assert.deepEqual(await jwtProblems(`${secret}user = "claims.a + string(constants.b)"`), []);
  assert.match((await jwtProblems(`${secret}user = "claim.sub"`))[0], /^user: .*claim/);
  assert.match((await jwtProblems(`${secret}user = "client.id"`))[0], /^user: .*client/);
});

test("a place that no token can stand in is a problem", async () => {
  const examples = '"query:NAME", "header:NAME", "cookie:NAME" or "protocol"';
  const cases: ReadonlyArray<readonly [string, string]> = [
    ['["quer:token"]', 'has "quer:token", which is no place | did you mean "query"?'],
    ['["body"]', `has "body", which is no place | one of ${examples}`],
    ['[""]', `has "", which is no place | one of ${examples}`],
    ['["query"]', 'has "query", which has no name | write it as "query:NAME"'],
    ['["cookie:"]', 'has "cookie:", which has no name | write it as "cookie:NAME"'],
    ['["protocol:x"]', 'has "protocol:x", which has a name | write it as "protocol"'],
    ['["header:a b"]', 'has "header:a b", whose name no header can have'],
    ['["cookie:a=b"]', 'has "cookie:a=b", whose name no cookie can have'],
    [
      '["header:Cookie"]',
      'has "header:Cookie", which holds more than a token | write it as "cookie:NAME"',
    ],
    [
      '["header:sec-websocket-protocol"]',
      'has "header:sec-websocket-protocol", which holds more than a token | write it as "protocol"',
    ],
    ["[]", `must be a list of places with at least one | ${examples}`],
    ['"query:token"', `must be a list of places | each is ${examples}`],
    ["[5]", `must be a list of places | each is ${examples}`],
  ];
  for (const [written, problem] of cases) {
    const found = await problems(`jwt {\n secret = "${SECRET}"\n}\nfrom = ${written}`);
    assert.deepEqual(found.map((p) => p.replace(/^\S+ auth: from /, "")), [problem]);
  }
});

test("a cookie needs origins", async () => {
  const jwt = `jwt {\n secret = "${SECRET}"\n}\n`;
  const cookie = await authOptions(`${jwt}from = ["protocol", "cookie:session"]`);
  assert.deepEqual(
    checkAuth(cookie, undefined).map(({ attribute, message }) => [
      attribute,
      message,
    ]),
    [["auth", "reads a cookie and needs origins"]],
  );
  assert.deepEqual(
    checkAuth(cookie, { exact: new Set(["https://app.example"]), suffixes: [] }),
    [],
  );
  assert.deepEqual(checkAuth(await authOptions(jwt), undefined), []);
  assert.deepEqual(checkAuth(undefined, undefined), []);
});

test("keys of a public issuer without an audience are worth a warning", async () => {
  const url = 'jwks_url = "https://issuer.example/keys"';
  const open = await authOptions(`jwt {\n ${url}\n}`);
  assert.deepEqual(checkAuth(open, undefined).map(({ severity, message }) => [severity, message]), [
    ["warning", "takes tokens that its issuer made for any other service"],
  ]);
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
