/** The names of backplanes at brokers, and messages in parts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { headers } from "@nats-io/transport-node";
import { Joiner, Splitter } from "../../src/connectors/mq/drivers/nats/backplane/parts.ts";
import { BackplaneSubjects } from "../../src/connectors/mq/drivers/nats/backplane/subjects.ts";
import { isSubject } from "../../src/connectors/mq/drivers/nats/subjects.ts";
import { isName } from "../../src/connectors/mq/drivers/nats/settings.ts";
import {
  exchangeOf,
  keyOf,
  NOBODY,
  queueOf,
} from "../../src/connectors/mq/drivers/rabbitmq/backplane/names.ts";

const TEXTS = [
  ...["", " ", ".", "*", ">", "#", "##", "%", "%2E", "a.b", "a/b", "a%2Fb", "a:b", "a%3Ab", "ä"],
  ...["room:1", "m/ws/room:1", "\0", "\n", "😀", "sha256:0", "#sha256:0"],
  ...["x".repeat(255), "x".repeat(256), "x".repeat(1000), "#".repeat(1000), "€".repeat(333)],
];

test("NATS: every text has a subject of its own, and a plain one can be read", () => {
  const names = new BackplaneSubjects("chat");
  assert.equal(names.topic("m/ws/room:1"), "weir.chat.topic.m/ws/room:1");
  const subjects = TEXTS.flatMap((text) => [names.topic(text), names.key(text)]);
  assert.equal(new Set(subjects).size, 2 * TEXTS.length);
  for (const subject of subjects) {
    assert.ok(isSubject(subject), subject);
    assert.equal(subject.split(".").length, 4);
    assert.ok(new TextEncoder().encode(subject).length < 1100);
  }
  const services = TEXTS.filter((text) => text !== "").map((text) => new BackplaneSubjects(text));
  assert.equal(new Set(services.map(({ all }) => all)).size, services.length);
  assert.equal(new Set(services.map(({ stream }) => stream)).size, services.length);
  for (const { stream } of services) assert.ok(isName(stream) && stream.length <= 255, stream);
});

test("RabbitMQ: every text has a routing key of its own, of at most 255 bytes", () => {
  assert.equal(keyOf("m/ws/room:1"), "m/ws/room:1");
  const keys = TEXTS.map(keyOf);
  assert.equal(new Set([...keys, NOBODY]).size, TEXTS.length + 1);
  const exchanges = TEXTS.map(exchangeOf);
  assert.equal(new Set(exchanges).size, TEXTS.length);
  const queues = TEXTS.map((text) => queueOf(text, "a".repeat(32), crypto.randomUUID()));
  for (const name of [...keys, ...exchanges, ...queues]) {
    assert.ok(new TextEncoder().encode(name).length <= 255, name);
  }
});

const MOST = 300;

test("a message in parts is whole again, also between the parts of another sender", () => {
  const joiner = new Joiner();
  const message = Uint8Array.from({ length: 1000 }, (_, i) => i % 256);
  const one = new Splitter("a").split(message, MOST);
  const two = new Splitter("b").split(message.toReversed(), MOST);
  assert.ok(one !== undefined && two !== undefined);
  assert.ok(one.length > 20);
  const found = one.flatMap((part, i) =>
    [part, two[i]].map(({ bytes, headers }) => joiner.take(bytes, headers))
  );
  assert.deepEqual(found.slice(0, -2), new Array(found.length - 2).fill(undefined));
  assert.deepEqual(found.slice(-2), [message, message.toReversed()]);
});

test("a message whose parts are not all there never arrives", () => {
  for (const missing of [0, 1, 3]) {
    const joiner = new Joiner();
    const parts = new Splitter("a").split(new Uint8Array(4 * (MOST - 256)), MOST) ?? [];
    assert.equal(parts.length, 4);
    const some = parts.filter((_, i) => i !== missing);
    for (const { bytes, headers } of some) assert.equal(joiner.take(bytes, headers), undefined);
  }
});

test("parts before the connection was lost are no part of what follows", () => {
  const joiner = new Joiner();
  const parts = new Splitter("a").split(new Uint8Array(2 * (MOST - 256)), MOST) ?? [];
  joiner.take(parts[0].bytes, parts[0].headers);
  joiner.clear();
  assert.equal(joiner.take(parts[1].bytes, parts[1].headers), undefined);
});

test("a header that is no part's makes no message", () => {
  const texts = ["", "a", "a 0 0/0", "a 0 2/1", "a 0 1/2", "A 0 0/1", "a -1 0/1", "a 0 0/9999999"];
  const joiner = new Joiner();
  for (const text of texts) {
    const header = headers();
    header.set("Weir-Part", text);
    assert.equal(joiner.take(new Uint8Array(1), header), undefined, text);
  }
  const bytes = new Uint8Array(1);
  assert.equal(joiner.take(bytes, undefined), bytes);
});

test("parts of senders that never end are forgotten", () => {
  const joiner = new Joiner();
  const split = (sender: string) => new Splitter(sender).split(new Uint8Array(50), MOST) ?? [];
  const senders = Array.from({ length: 65 }, (_, i) => split(`s${i}`));
  for (const [first] of senders) joiner.take(first.bytes, first.headers);
  const [, oldest] = senders[0];
  const [, newest] = senders[64];
  assert.equal(joiner.take(oldest.bytes, oldest.headers), undefined);
  assert.equal(joiner.take(newest.bytes, newest.headers)?.length, 50);
});

test("a message is not split where it is too large, or the server takes too little", () => {
  const splitter = new Splitter("a");
  assert.equal(splitter.split(new Uint8Array(1000), 256), undefined);
  assert.equal(splitter.split(new Uint8Array(16 * 2 ** 20 + 1), 2 ** 20), undefined);
});
