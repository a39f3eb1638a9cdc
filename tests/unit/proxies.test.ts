import assert from "node:assert/strict";
import { test } from "node:test";
import { networkOf } from "../../src/access/addresses.ts";
import { TrustedProxies, trustProxyField } from "../../src/access/proxies.ts";
import type { Problem } from "../../src/base/problem.ts";
import { connectorWith, failuresOf, optionsOf, withFields } from "../support/config.ts";
import { recorder } from "../support/log.ts";
import { seeded } from "../support/random.ts";

/** Proxies as an attribute names them, and what they log. */
async function trusting(...networks: readonly string[]) {
  const fields = { trust_proxy: trustProxyField };
  const { trust_proxy } = await optionsOf(fields, `trust_proxy = ${JSON.stringify(networks)}`);
  const { logger, records } = recorder();
  type Networks = ConstructorParameters<typeof TrustedProxies>[0];
  return { proxies: new TrustedProxies(trust_proxy as Networks, logger), records };
}

const { proxies, records } = await trusting("10.0.0.0/8", "::1", "fd00::/8");

/** The client of a request that came through 10.0.0.1 with this `X-Forwarded-For`. */
function listed(header: string, peer = "10.0.0.1"): string | null {
  return proxies.clientAddress(peer, { "x-forwarded-for": header });
}

/** The client of a request that came through 10.0.0.1 with this `Forwarded`. */
function forwarded(header: string, peer = "10.0.0.1"): string | null {
  return proxies.clientAddress(peer, { forwarded: header });
}

const PEER = "10.0.0.1";

test("proxies: the last address that no proxy has is the client's", () => {
  assert.equal(listed("203.0.113.7"), "203.0.113.7");
  assert.equal(listed("192.0.2.1, 203.0.113.7"), "203.0.113.7", "the client has sent the first");
  assert.equal(listed("192.0.2.1,203.0.113.7,10.0.0.2 , 10.9.9.9"), "203.0.113.7");
  assert.equal(listed("2001:db8::7, fd00::2"), "2001:db8::7");
  assert.equal(listed("10.0.0.3, 10.0.0.2"), "10.0.0.3", "a client inside the network");
  assert.equal(listed("203.0.113.7", "::1"), "203.0.113.7");
  assert.equal(listed("203.0.113.7", "::ffff:10.0.0.1"), "203.0.113.7", "a mapped peer");
  assert.equal(listed("203.0.113.7", "fd00::1%eth0"), "203.0.113.7", "a peer with a zone");
});

test("proxies: the headers of others are not read", () => {
  for (const peer of ["203.0.113.9", "11.0.0.1", "::2", "fc00::1"]) {
    assert.equal(listed("192.0.2.1", peer), peer);
    assert.equal(forwarded("for=192.0.2.1", peer), peer);
  }
  assert.equal(proxies.clientAddress(PEER, {}), PEER);
  assert.equal(proxies.clientAddress(null, { "x-forwarded-for": "192.0.2.1" }), null);
  assert.equal(listed("192.0.2.1", "no address"), "no address");
});

test("proxies: a handshake through one is the same but for its address", () => {
  const headers = { "x-forwarded-for": "203.0.113.7" };
  for (const target of ["/ws?user_id=ana", "/ws"]) {
    const url = new URL(target, "http://host");
    const hasQuery = url.search !== "";
    const received = { method: "GET", url, hasQuery, headers, remoteAddress: PEER };
    const through = proxies.handshake(received);
    const { method, remoteAddress } = through;
    assert.deepEqual({ method, url: through.url, hasQuery: through.hasQuery, headers }, {
      ...{ method: "GET", url, hasQuery, headers },
    });
    assert.equal(remoteAddress, "203.0.113.7");
  }
});

test("proxies: the forms of an address", () => {
  const forms = {
    "203.0.113.7:4711": "203.0.113.7",
    "203.0.113.7:_port": "203.0.113.7",
    "[2001:DB8::7]": "2001:db8::7",
    "[2001:db8:0:0::7]:80": "2001:db8::7",
    "2001:db8::7": "2001:db8::7",
    "::ffff:203.0.113.7": "203.0.113.7",
    "[::ffff:203.0.113.7]:80": "203.0.113.7",
  };
  for (const [written, address] of Object.entries(forms)) {
    assert.equal(listed(`192.0.2.1, ${written}`), address, written);
    assert.equal(forwarded(`for=192.0.2.1, for="${written}"`), address, written);
  }
});

test("proxies: what cannot be read ends the search at the last proxy before it", () => {
  const unreadable = [
    ...["", " ", "unknown", "_hidden", "localhost", "203.0.113", "203.0.113.7.1", "256.0.0.1"],
    ...["010.0.0.1", "0x7f.0.0.1", "2130706433", "1.2.3.4/8", "[1.2.3.4]", "[::1", "::1]"],
    ...["203.0.113.7:", "203.0.113.7:999999", "203.0.113.7 192.0.2.1", "fe80::1%eth0", "::1::"],
    ...["1:2:3:4:5:6:7:8:9", "__proto__", "1.2.3.4\0", "١.2.3.4", "9".repeat(8000)],
    ...[`[${"::".repeat(4000)}]`, `203.0.113.7:_${"a".repeat(8000)}`],
  ];
  for (const entry of unreadable) {
    assert.equal(listed(`192.0.2.1, ${entry}`), PEER, JSON.stringify(entry));
    assert.equal(listed(`192.0.2.1, ${entry}, 10.0.0.2`), "10.0.0.2", JSON.stringify(entry));
    const quoted = `for="${entry}"`;
    assert.equal(forwarded(`for=192.0.2.1, ${quoted}`), PEER, JSON.stringify(entry));
  }
});

test("proxies: the pairs of Forwarded", () => {
  const good = {
    "For=203.0.113.7": "203.0.113.7",
    "by=10.0.0.1;FOR=203.0.113.7;proto=https": "203.0.113.7",
    'for="[2001:db8::7]:80" ; host="a,b;for=192.0.2.1"': "2001:db8::7",
    'host="a\\",for=192.0.2.1\\\\";for=203.0.113.7': "203.0.113.7",
    'for="203\\.0.113.7"': "203.0.113.7",
    ";for=203.0.113.7;;": "203.0.113.7",
    'for=192.0.2.1, for="[2001:db8::7]",for=10.0.0.2;proto=http': "2001:db8::7",
  };
  for (const [header, address] of Object.entries(good)) {
    assert.equal(forwarded(header), address, header);
  }
  const bad = [
    ...["for", "for=", "by=203.0.113.7", "for=203.0.113.7;for=192.0.2.1", "for = 203.0.113.7"],
    ...['for="203.0.113.7', 'for=203.0.113.7"', "for=unknown", "for=_a", '"for"=203.0.113.7'],
    ...["for=203.0.113.7 proto=http", "203.0.113.7", "for=203.0.113.7;=", 'for="a\\'],
  ];
  for (const header of bad) assert.equal(forwarded(header), PEER, header);
});

test("proxies: a quote that the client leaves open hides nothing", () => {
  for (const sent of ['for="', 'for="\\', '"', 'for=192.0.2.1;host="', "for='", '\\"', ',,"']) {
    assert.equal(forwarded(`${sent}, for=203.0.113.7`), "203.0.113.7", sent);
    assert.equal(forwarded(`${sent}, for="[2001:db8::7]:1"`), "2001:db8::7", sent);
  }
});

test("proxies: two headers that agree are believed, two that do not are not, and that is logged once", () => {
  const both = (list: string, other: string) =>
    proxies.clientAddress(PEER, { "x-forwarded-for": list, forwarded: other });
  assert.equal(both("203.0.113.7", "for=203.0.113.7"), "203.0.113.7");
  assert.equal(both("::ffff:203.0.113.7", 'for="203.0.113.7:80"'), "203.0.113.7");
  assert.equal(records.length, 0);
  assert.equal(both("203.0.113.7", "for=192.0.2.1"), PEER);
  assert.equal(both("203.0.113.7", "for=unknown"), PEER);
  assert.equal(both("203.0.113.7", ""), PEER);
  assert.equal(both("", "for=192.0.2.1"), PEER);
  assert.deepEqual(records.map(({ level, properties }) => [level, properties.peer]), [
    ["warn", PEER],
  ]);
});

test("proxies: headers far longer than a server reads take no time to speak of", () => {
  for (const part of ["10.0.0.1,", ",", " ", "1", ":", "[", '"', "10.0.0.1:_"]) {
    assert.match(String(listed(part.repeat(100_000))), /^10\.0\.0\.1$/, part);
  }
  for (const part of ["for=10.0.0.1,", ";", " ", '"', "\\", '\\"', 'for="', "for=", "a=b;", ' "']) {
    assert.match(String(forwarded(part.repeat(100_000))), /^10\.0\.0\.1$/, part);
  }
});

test("trust_proxy: what it takes", async () => {
  const good = ["10.0.0.0/8", "192.0.2.1", "::1", "fd00::/8", "2001:DB8::/32", "1.2.3.4/32"];
  const fields = { trust_proxy: trustProxyField };
  const { trust_proxy } = await optionsOf(fields, `trust_proxy = ${JSON.stringify(good)}`);
  assert.deepEqual((trust_proxy as { text: string }[]).map(({ text }) => text), [
    ...["10.0.0.0/8", "192.0.2.1/32", "::1/128", "fd00::/8", "2001:db8::/32", "1.2.3.4/32"],
  ]);
});

test("trust_proxy: what it refuses", async () => {
  const refused = async (value: string): Promise<readonly [string, string | undefined]> => {
    const text = connectorWith(`trust_proxy = ${value}`);
    const [{ message, hint }]: readonly Problem[] = await failuresOf(
      text,
      withFields({ trust_proxy: trustProxyField }),
    );
    return [message.replace('connector "x" (probe): trust_proxy ', ""), hint];
  };
  const examples = 'such as "10.0.0.0/8" or "::1"';
  const form = ["must be a list of networks", examples];
  assert.deepEqual(await refused('"10.0.0.0/8"'), form);
  assert.deepEqual(await refused("[1]"), form);
  assert.deepEqual(await refused("[]"), ["must be a list of networks with at least one", examples]);
  for (const text of ["", "proxy", "10.0.0.0/", "10.0.0/8", "010.0.0.0/8", "10.0.0.0/-1", "/8"]) {
    const [message, hint] = await refused(JSON.stringify([text]));
    assert.deepEqual([message, hint], [`has "${text}", which is not a network`, examples]);
  }
  assert.deepEqual(await refused('["10.0.0.0/33"]'), [
    'has "10.0.0.0/33", which has more than 32 bits',
    examples,
  ]);
  assert.deepEqual(await refused('["10.1.0.0/8"]'), [
    'has "10.1.0.0/8", which has bits beyond its first 8',
    'did you mean "10.0.0.0/8"?',
  ]);
  assert.deepEqual(await refused('["::ffff:10.0.0.0/104"]'), [
    'has "::ffff:10.0.0.0/104", which is IPv4 in the form of IPv6',
    'write it as "10.0.0.0/8"',
  ]);
  for (const everybody of ["0.0.0.0/0", "::/0"]) {
    assert.deepEqual(await refused(JSON.stringify([everybody])), [
      `has "${everybody}", which is everybody`,
      "any client could then choose its address",
    ]);
  }
});

test("one client is an IPv4 address, or 64 bits of IPv6", () => {
  assert.equal(networkOf("203.0.113.7"), "203.0.113.7");
  assert.equal(networkOf("::ffff:203.0.113.7"), "203.0.113.7");
  assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(networkOf("2001:db8:1:2::9%eth0"), "2001:db8:1:2::/64");
  assert.notEqual(networkOf("2001:db8:1:3::9"), networkOf("2001:db8:1:2::9"));
  assert.equal(networkOf(""), "");
});

test("proxies: whatever a client has written before, the proxy's word counts", () => {
  const random = seeded(7);
  const parts = [
    ...['"', "\\", ",", ";", "=", " ", "for", "for=", 'for="', "192.0.2.1", "[::1]", ":80", "_x"],
    ...["10.0.0.2", "unknown", "host=", "\t", "é", "\0"],
  ];
  for (let i = 0; i < 3_000; i++) {
    const sent = Array.from(
      { length: random.below(12) },
      () => random.pick(parts),
    ).join("");
    assert.equal(listed(`${sent}, 203.0.113.7`), "203.0.113.7", sent);
    assert.equal(forwarded(`${sent}, for=203.0.113.7`), "203.0.113.7", sent);
    const quoted = `${sent}, for="[2001:db8::7]:1";host="a\\"b,c", for=10.0.0.2`;
    assert.equal(forwarded(quoted), "2001:db8::7", sent);
  }
});
