import assert from "node:assert/strict";
import { test } from "node:test";
import { mqttConnector } from "../../src/connectors/mqtt/mod.ts";
import { addressOf, endpointOf, type MqttOptions } from "../../src/connectors/mqtt/options.ts";
import { toMqttPublication } from "../../src/connectors/mqtt/publication.ts";
import { failuresOf, problemsOf } from "../support/config.ts";
import { send } from "../support/mqtt.ts";
import { codeOf } from "../support/problems.ts";

/** The codes of the problems of a connector with these lines; warnings left out. */
async function codes(lines: string): Promise<readonly string[]> {
  const url = /^url/m.test(lines) ? "" : 'url = "mqtt://h"\n';
  const text = `connector "devices" {\n  type = "mqtt"\n  ${url}${lines}\n}\n`;
  return (await failuresOf(text)).filter(({ severity }) => severity === "error").map(codeOf);
}

test("what is good in a connector", async () => {
  const good = [
    'url = "mqtt://h"',
    'url = "mqtts://anna:p%40ss@[::1]:8884"\ntls = true',
    'url = "ws://h/mqtt?token=1"\nusername = "anna"\npassword = "x"',
    'url = "wss://h"',
    'client_id = "a"\nclean = false\nsession_expiry = "1h"',
    'client_id = "a"\nclean = false\nprotocol = 4',
    'password = "token"',
    'will {\ntopic = "gone"\n}\nconsumer {\ndlq {\ntopic = "$x/dead"\n}\n}',
  ];
  for (const lines of good) assert.deepEqual(await codes(lines), [], lines);
});

test("what is wrong in a connector has a code", async () => {
  const table: Readonly<Record<string, readonly string[]>> = {
    'url = "amqp://h"': ["invalid-url"],
    'url = "mqtt://"': ["invalid-url"],
    'url = "h:1883"': ["invalid-url"],
    'url = "mqtt://h/path"': ["invalid-url"],
    'url = "mqtt://h?a=b"': ["invalid-url"],
    'url = "ws://h#a"': ["invalid-url"],
    'url = "mqtt://u:%zz@h"': ["invalid-url"],
    'url = "mqtt://u:p@h"\nusername = "u"\npassword = "p"': [
      "conflicting-attributes",
      "conflicting-attributes",
    ],
    'client_id = ""': ["invalid-value"],
    'client_id = "a\\nb"': ["invalid-value"],
    "clean = false": ["missing-attribute"],
    'session_expiry = "1h"': ["conflicting-attributes"],
    'client_id = "a"\nclean = false\nprotocol = 4\nsession_expiry = "1h"': [
      "conflicting-attributes",
    ],
    'protocol = 4\npassword = "p"': ["missing-attribute"],
    "protocol = 3": ["invalid-value"],
    "qos = 3": ["invalid-value"],
    'keep_alive = "10ms"': ["invalid-value"],
    'format = "xml"': ["invalid-value"],
    'will {\ntopic = "a/#"\n}': ["invalid-value"],
    'consumer {\ndlq {\ntopic = ""\n}\n}': ["invalid-value"],
    "consumer {\nprefetch = 0\n}": ["invalid-value"],
  };
  for (const [lines, expected] of Object.entries(table)) {
    assert.deepEqual(await codes(lines), expected, lines);
  }
});

/** Devices, and a flow between them. */
function flow(from: string, to: string, more = ""): string {
  return `
connector "devices" {
  type = "mqtt"
  url  = "mqtt://h"
}
${more}
flow "f" {
  from {
    connector = "devices"
    ${from}
  }
  to {
    connector = "devices"
    ${to}
  }
}
`;
}

test("operations and targets are checked", async () => {
  const table: readonly (readonly [from: string, to: string, ...problems: string[]])[] = [
    ['operation = "in/{id}/state"', "target = \"'out/' + match.id\""],
    ['operation = "$share/g/in/+"', 'target = "out"'],
    ['operation = "in/{id"', 'target = "out"', "config.hcl:10:17+8 invalid-operation"],
    ['operation = "$share/g"', 'target = "out"', "config.hcl:10:17+10 invalid-operation"],
    ['operation = "in"', 'target = "out/#"', "config.hcl:14:14+7 invalid-value"],
    ['operation = "in"', "qos = 0", "config.hcl:12:3+2 missing-target"],
    [
      'operation = "in/{id}"',
      "target = \"'out/' + match.idd\"",
      "config.hcl:14:24+9 unknown-match",
    ],
  ];
  for (const [from, to, ...expected] of table) {
    assert.deepEqual(await problemsOf(flow(from, to)), expected, `${from} ${to}`);
  }
  const headers = flow('operation = "in"', 'target = "out"\nheaders = { a = "\'b\'" }');
  assert.deepEqual(await problemsOf(headers), []);
  const old = headers.replace('"mqtt://h"', '"mqtt://h"\nprotocol = 4');
  assert.deepEqual(await problemsOf(old), ["config.hcl:16:11+13 unused-attribute"]);
});

test("a connector cannot take its own dead letters, and a topic that is wrong is shown", async () => {
  const letters = (topic: string) => `consumer {\ndlq {\ntopic = "${topic}"\n}\n}`;
  const table: readonly (readonly [from: string, more: string, ...problems: string[]])[] = [
    ['operation = "in/{id}"', letters("dead/in")],
    ['operation = "in/+"', letters("in/a/dead")],
    ["", letters("$dead")],
    ['operation = "in/#"', letters("in/dead"), "config.hcl:15:17+6 dead-letter-loop"],
    ['operation = "$share/g/in/{id}"', letters("in/a"), "config.hcl:15:17+18 dead-letter-loop"],
    ["", letters("dead"), "config.hcl:13:3+4 dead-letter-loop"],
    ['operation = "in"', letters("a/+"), "config.hcl:7:9+5 invalid-value"],
    ['operation = "in"', 'will { topic = "#" }', "config.hcl:5:16+3 invalid-value"],
  ];
  for (const [from, more, ...expected] of table) {
    const text = flow(from, 'target = "out"').replace('"mqtt://h"', `"mqtt://h"\n${more}`);
    assert.deepEqual(await problemsOf(text), expected, `${from} ${more}`);
  }
});

test("what a flow publishes comes back by its own filter, another connector, or dead letters", () => {
  const { source } = mqttConnector;
  const at = (url: string, dlq?: string) => ({
    url,
    ...(dlq !== undefined && { consumer: { dlq: { topic: dlq } } }),
  });
  const one = at("mqtt://h");
  assert.equal(source?.receives?.("a/#", "a/b", one), true);
  assert.equal(source?.receives?.(undefined, "a", one), true);
  assert.equal(source?.receives?.(undefined, "$x/a", one), false);
  assert.equal(source?.receives?.("$share/g/a/{id}", "a/b", one), true);
  assert.equal(source?.receives?.("a/{id", "a/b", one), false);
  assert.equal(source?.receivesFrom?.("a/+", "a/b", one, at("mqtt://h:1883")), true);
  assert.equal(source?.receivesFrom?.("a/+", "b", one, one), false);
  assert.equal(source?.receivesFrom?.("a/+", "a/b", one, at("mqtt://other")), false);
  assert.equal(source?.receivesFrom?.("#", undefined, one, at("mqtt://h", "dead")), true);
  assert.equal(source?.receivesFrom?.("a", undefined, one, at("mqtt://h", "dead")), false);
  assert.equal(source?.receivesFrom?.("#", undefined, one, one), false);
});

test("two connectors cannot have one session", async () => {
  const session = (name: string, id: string) =>
    `connector "${name}" {\n  type = "mqtt"\n  url = "mqtt://h"\n  clean = false\n  client_id = "${id}"\n}\n`;
  assert.deepEqual(await problemsOf(session("one", "a") + session("two", "b")), []);
  const problems = await failuresOf(session("one", "a") + session("two", "a"));
  assert.deepEqual(problems.map(codeOf), ["duplicate-address"]);
});

test("an address has the port of its scheme, and one is the same however it is written", () => {
  const at = (url: string, tls?: object) => addressOf({ url, tls } as MqttOptions);
  assert.equal(at("mqtt://h"), "h:1883");
  assert.equal(at("mqtts://u:p@h"), "h:8883");
  assert.equal(at("mqtt://h", {}), "h:8883");
  assert.equal(at("mqtt://h:1883", {}), "h:1883");
  assert.equal(at("ws://h/mqtt?a=b"), "h:80/mqtt?a=b");
  assert.equal(at("wss://[::1]/"), "::1:443/");
  assert.equal(endpointOf({ url: "ws://h", tls: undefined }).secure, false);
});

test("a message that no broker takes fails for good", () => {
  const make = (target: string, payload: unknown, format: "json" | "text" = "json") =>
    toMqttPublication("devices", { format, protocol: 5 }, send(target, payload));
  for (
    const [target, payload, format] of [
      ["", 1],
      ["a/+", 1],
      ["a\0b", 1],
      ["a", 1n],
      ["a", "\ud800", "text"],
    ] as const
  ) {
    assert.throws(() => make(target, payload, format), { permanent: true }, target);
  }
  assert.equal(make("a", "\ud800").body, '"\\ud800"', "JSON has a way to say it");
  assert.equal(make("a", "ON", "text").body, "ON");
  assert.equal(make("a", null, "text").body, "null");
  const headers = send("a", 1, { headers: { x: 1 } });
  const old = () => toMqttPublication("devices", { format: "json", protocol: 4 }, headers);
  assert.throws(old, /a message of protocol 4 has no headers/);
});

test("a session is one client's, so workers need shared subscriptions", () => {
  const why = (clean: boolean, ...operations: (string | undefined)[]) =>
    mqttConnector.unshared?.({ clean }, operations);
  assert.equal(why(true, "a", undefined), undefined);
  assert.equal(why(false, "$share/g/a", "$share/h/b"), undefined);
  assert.equal(why(false), undefined, "it only publishes");
  assert.match(why(false, "$share/g/a", "b") ?? "", /each operation needs \$share\/GROUP\//);
  assert.match(why(false, undefined) ?? "", /one session cannot have several clients/);
});
