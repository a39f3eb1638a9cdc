import assert from "node:assert/strict";
import { test } from "node:test";
import { checkHandshake, ReceivedHandshake, refuse } from "../../src/transport/handshake.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const GOOD: Readonly<Record<string, string>> = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": KEY,
};

/** The good headers with others in their place; undefined leaves one out. */
function headers(changes: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const all = Object.entries({ ...GOOD, ...changes });
  return Object.fromEntries(
    all.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function statusOf(changes: Readonly<Record<string, string | undefined>>, method = "GET"): number {
  const form = checkHandshake(method, headers(changes));
  return form.accepted ? 101 : form.status;
}

test("a handshake as browsers send it", () => {
  assert.deepEqual(checkHandshake("GET", GOOD), { accepted: true, protocols: [] });
});

test("the status of each error", () => {
  const cases: ReadonlyArray<
    readonly [status: number, header: string, ...values: (string | undefined)[]]
  > = [
    [101, "connection", "keep-alive, Upgrade", "upgrade", "UPGRADE", "a,upgrade,b", " upgrade "],
    [426, "connection", undefined, "", "keep-alive", "upgraded", "noupgrade", "up grade"],
    [101, "upgrade", "WebSocket", "WEBSOCKET"],
    [426, "upgrade", undefined, "", "h2c", "websocket2", "web socket"],
    [426, "sec-websocket-version", undefined, "", "7", "8", "12", "14", "013", "13, 8", "13.0"],
    [101, "sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==", "+/+/+/+/+/+/+/+/+/+/+w=="],
    [400, "sec-websocket-key", undefined, "", "x", "AAAAAAAAAAAAAAAAAAAAAAA=", "A".repeat(24)],
    [
      400,
      "sec-websocket-key",
      `${KEY}, ${KEY}`,
      ` ${KEY}`,
      "-_-_AAAAAAAAAAAAAAAAAA==",
      "é".repeat(24),
    ],
    [
      101,
      "sec-websocket-protocol",
      "weir",
      "weir, TOKEN.abc_123",
      "a,b",
      " a , b ",
      "!#$%&'*+-.^_`|~",
    ],
    [400, "sec-websocket-protocol", "", ",", "a,", "a,,b", "a b", "a;b", "a/b", '"a"', "a, a", "é"],
  ];
  for (const [status, header, ...values] of cases) {
    for (const value of values) {
      assert.equal(statusOf({ [header]: value }), status, `${header}: ${value}`);
    }
  }
});

test("only GET", () => {
  for (const method of ["POST", "PUT", "HEAD", "OPTIONS", "get", ""]) {
    const form = checkHandshake(method, GOOD);
    assert.ok(!form.accepted);
    assert.equal(form.status, 405);
    assert.equal(form.headers.allow, "GET");
  }
});

test("the order: method, upgrade, version, key, subprotocol", () => {
  const wrong = {
    upgrade: undefined,
    "sec-websocket-version": "8",
    "sec-websocket-key": "x",
    "sec-websocket-protocol": ",",
  };
  const repaired = [{}, { upgrade: "websocket" }, { "sec-websocket-version": "13" }, {
    "sec-websocket-key": KEY,
  }];
  const seen: number[] = [statusOf(wrong, "POST")];
  let changes: Readonly<Record<string, string | undefined>> = wrong;
  for (const repair of repaired) seen.push(statusOf(changes = { ...changes, ...repair }));
  assert.deepEqual(seen, [405, 426, 426, 400, 400]);
});

test("the subprotocols come in the order offered", () => {
  const form = checkHandshake("GET", headers({ "sec-websocket-protocol": "weir , b,constructor" }));
  assert.deepEqual(form, { accepted: true, protocols: ["weir", "b", "constructor"] });
});

test("the refusal of a wrong version names the right one", () => {
  const form = checkHandshake("GET", headers({ "sec-websocket-version": "8" }));
  assert.ok(!form.accepted);
  assert.equal(form.headers["sec-websocket-version"], "13");
});

test("no headers at all", () => {
  const form = checkHandshake("GET", {});
  assert.ok(!form.accepted);
  assert.equal(form.status, 426);
});

test("refuse has no headers by default", () => {
  const refusal = { accepted: false, status: 503, message: "later" };
  assert.deepEqual(refuse(503, "later"), { ...refusal, headers: {} });
  const patient = { "retry-after": "1" };
  assert.deepEqual(refuse(503, "later", patient), { ...refusal, headers: patient });
});

test("received: the address is looked up at the first use, and remembered", () => {
  const asked: string[] = [];
  const source = (remoteAddress: string | undefined) => ({
    get remoteAddress() {
      asked.push(String(remoteAddress));
      return remoteAddress;
    },
  });
  const received = (address: ConstructorParameters<typeof ReceivedHandshake>[3]) =>
    new ReceivedHandshake("GET", "/ws", {}, address, (path) => new URL(path, "http://host"));

  const known = received(source("1.2.3.4"));
  assert.deepEqual(asked, []);
  assert.equal(known.remoteAddress, "1.2.3.4");
  known.learnAddressFrom(source("5.6.7.8"));
  assert.equal(known.remoteAddress, "1.2.3.4");
  assert.deepEqual(asked, ["1.2.3.4"]);

  const moved = received(source(undefined));
  moved.learnAddressFrom(source("5.6.7.8"));
  assert.equal(moved.remoteAddress, "5.6.7.8");
  assert.deepEqual(asked, ["1.2.3.4", "5.6.7.8"]);

  assert.equal(received(source(undefined)).remoteAddress, null);
  assert.equal(received(null).remoteAddress, null);
  assert.equal(received("::1").remoteAddress, "::1");
  const mapped = received(source("::ffff:1.2.3.4"));
  assert.equal(mapped.remoteAddress, "1.2.3.4", "on a socket for IPv4 and IPv6");
});

test("received: whether there is a query is known without parsing", () => {
  const urls: string[] = [];
  const parse = (target: string) => {
    urls.push(target);
    return new URL(target, "http://host");
  };
  assert.equal(new ReceivedHandshake("GET", "/ws", {}, null, parse).hasQuery, false);
  const { hasQuery, url } = new ReceivedHandshake("GET", "/ws?a=1", {}, null, parse);
  assert.equal(hasQuery, true);
  assert.equal(url.searchParams.get("a"), "1");
  assert.deepEqual(urls, ["/ws?a=1"]);
});
