import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chooseProtocol,
  findToken,
  type TokenSource,
  withoutToken,
} from "../../src/access/auth/token.ts";
import { forge, handshake, type RequestParts } from "../support/auth.ts";

const query: TokenSource = { kind: "query", name: "token" };
const header: TokenSource = { kind: "header", name: "authorization" };
const cookie: TokenSource = { kind: "cookie", name: "session" };
const protocol: TokenSource = { kind: "protocol" };

const TOKEN = forge({ alg: "HS256" }, { sub: "ana" }, "c2ln");

function find(parts: RequestParts, ...sources: readonly TokenSource[]): string | undefined {
  return findToken(handshake(parts), parts.protocols ?? [], sources);
}

test("a token in a query parameter is found", () => {
  assert.equal(find({ query: `a=1&token=${TOKEN}` }, query), TOKEN);
  assert.equal(find({ query: "token=" }, query), undefined);
  assert.equal(find({ query: "tokens=a" }, query), undefined);
  assert.equal(find({}, query), undefined);
});

test("the authorization header contains it after Bearer", () => {
  const found = (authorization: string) => find({ headers: { authorization } }, header);
  assert.equal(found(`Bearer ${TOKEN}`), TOKEN);
  assert.equal(found(`bearer   ${TOKEN} `), TOKEN);
  // What is not one token is refused as a bad one, not passed over.
  assert.equal(found("Bearer a, Bearer b"), "a, Bearer b");
  for (const other of ["Basic YTpi", "Bearer", "Bearer ", "", TOKEN, `Bearers ${TOKEN}`]) {
    assert.equal(found(other), undefined, other);
  }
  assert.equal(find({}, header), undefined);
});

test("another header contains only the token", () => {
  const source: TokenSource = { kind: "header", name: "x-token" };
  assert.equal(find({ headers: { "x-token": ` ${TOKEN} ` } }, source), TOKEN);
  assert.equal(find({ headers: { "x-token": " " } }, source), undefined);
  for (const name of ["constructor", "__proto__", "tostring"]) {
    assert.equal(find({}, { kind: "header", name }), undefined, name);
  }
});

test("a cookie is read strictly", () => {
  const found = (text: string) => find({ headers: { cookie: text } }, cookie);
  assert.equal(found(`session=${TOKEN}`), TOKEN);
  assert.equal(found(`a=1; session=${TOKEN}; b=2`), TOKEN);
  assert.equal(found(`a=1;session="${TOKEN}"`), TOKEN);
  assert.equal(found("session=first; session=second"), "first");
  assert.equal(found("session=; session=second"), "second");
  for (
    const other of [
      ...["", ";", "=", "session", "session=", 'session=""', "session=a b", 'session="a'],
      ...['session=a"', "session=a,b", "session=a\\b", "sessions=a", "xsession=a", "SESSION=a"],
      ...["session =a", "session=ä", "a=session=b", 'a="; session=b"'],
    ]
  ) assert.equal(found(other), undefined, other);
});

test("a subprotocol that looks like a token is one", () => {
  const found = (...protocols: string[]) => find({ protocols }, protocol);
  assert.equal(found("weir", TOKEN), TOKEN);
  assert.equal(found(TOKEN), TOKEN);
  assert.equal(found("weir", TOKEN.slice(0, 40)), TOKEN.slice(0, 40));
  // One that was cut off must not pass for none.
  const [header] = TOKEN.split(".");
  assert.equal(found("weir", header), header);
  assert.equal(found("weir", "eyJ"), "eyJ");
  assert.equal(found("weir", "abc", "a.b.c"), undefined);
  assert.equal(found("weir"), undefined);
  assert.equal(found("graphql-ws", "wamp.2.json", "v12.stomp", "eye"), undefined);
  assert.equal(found(), undefined);
});

test("the first place in the order counts if there are two tokens", () => {
  const parts = { query: "token=a", headers: { authorization: "Bearer b", cookie: "session=c" } };
  assert.equal(find(parts, query, header, cookie), "a");
  assert.equal(find(parts, cookie, header, query), "c");
  assert.equal(find(parts, protocol, header, query), "b");
  assert.equal(find({ ...parts, query: "token=" }, query, header), "b");
  assert.equal(find(parts, protocol), undefined);
});

test("the answer's subprotocol is never a token", () => {
  assert.equal(chooseProtocol(["weir", TOKEN]), "weir");
  assert.equal(chooseProtocol([TOKEN, "weir", "other"]), "weir");
  assert.equal(chooseProtocol([TOKEN]), undefined);
  assert.equal(chooseProtocol([forge({ alg: "none" }, {}), "wamp.2.json"]), "wamp.2.json");
  assert.equal(chooseProtocol([TOKEN.slice(0, -3)]), undefined);
  assert.equal(chooseProtocol([]), undefined);
});

test("expressions see nothing of the token", () => {
  const places: ReadonlyArray<readonly [RequestParts, TokenSource]> = [
    [{ query: `token=${TOKEN}&a=1&token=other` }, query],
    [{ headers: { authorization: `Bearer ${TOKEN}` } }, header],
    [{ headers: { cookie: `session=${TOKEN}` } }, cookie],
    [{ protocols: ["weir", TOKEN] }, protocol],
    // In a place where no one looks for it, it is there as well.
    [{ query: `token=${TOKEN}&copy=${TOKEN}`, headers: { referer: `/?t=${TOKEN}` } }, query],
  ];
  for (const [parts, source] of places) {
    const { url, headers } = withoutToken(handshake(parts), TOKEN, [source]);
    assert.doesNotMatch(JSON.stringify([url, headers]), /ey/);
    assert.equal(headers["host"], "localhost");
  }
});

test("everything else stays, and the handshake itself is not changed", () => {
  const request = handshake({
    query: "a=1&token=x&b=2",
    headers: { cookie: "theme=dark", authorization: "Basic YTpi" },
    protocols: ["weir"],
  });
  const rest = withoutToken(request, undefined, [query, protocol]);
  assert.equal(rest.url.search, "?a=1&b=2");
  assert.deepEqual(rest.headers, request.headers);
  assert.equal(request.url.search, "?a=1&token=x&b=2");
  const { headers } = withoutToken(request, undefined, [header, cookie]);
  assert.deepEqual(headers, { host: "localhost", "sec-websocket-protocol": "weir" });
});
