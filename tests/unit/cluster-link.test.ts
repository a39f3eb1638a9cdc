/** The link of the workers: messages go to those that listen, and cost nothing where nobody does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Backplane,
  BackplaneError,
  type BackplaneListener,
} from "../../src/contract/backplane.ts";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { encodeEmpty, encodeList, encodeMessage, Kind } from "../../src/cluster/hub/frames.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { settled } from "../support/cluster.ts";
import { type LinkedWorker, MemoryLinks } from "../support/link.ts";

/** A worker that keeps what it hears. */
interface Worker extends Pick<LinkedWorker, "hang" | "wakeUp" | "kill" | "inject"> {
  readonly link: Backplane;
  readonly heard: string[];
  readonly told: string[];
  readonly ends: LinkedWorker;
  members: readonly string[];
}

async function join(links: MemoryLinks, id: string): Promise<Worker> {
  const ends = links.add(id);
  const { link, hang, wakeUp, kill, inject } = ends;
  const heard: string[] = [];
  const told: string[] = [];
  const worker: Worker = { link, hang, wakeUp, kill, inject, heard, told, ends, members: [] };
  const listener: BackplaneListener = {
    message: (topic, message) => void heard.push(`${topic} ${new TextDecoder().decode(message)}`),
    down: (reason) => void told.push(`down: ${reason}`),
    up: () => void told.push("up"),
    members: (ids) => void (worker.members = ids),
  };
  await link.open(listener);
  return worker;
}

function say(worker: Worker, topic: string, text: string): Promise<void> {
  return worker.link.publish(topic, utf8ToBytes(text));
}

/** Whether a promise is settled once everything that is on its way has arrived. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  const end = (): void => void (done = true);
  promise.then(end, end);
  await settled();
  return done;
}

test("a message goes to the others that listen, in the order of its sender", async () => {
  const links = new MemoryLinks();
  const [a, b, c] = [await join(links, "a"), await join(links, "b"), await join(links, "c")];
  await b.link.subscribe(["x", "y"]);
  await c.link.subscribe(["y"]);
  await a.link.subscribe(["x"]);
  const before = c.ends.received;
  await Promise.all([say(a, "x", "1"), say(a, "y", "2"), say(a, "x", "3"), say(b, "y", "4")]);
  await settled();
  assert.deepEqual([a.heard, b.heard, c.heard], [[], ["x 1", "y 2", "x 3"], ["y 2", "y 4"]]);
  assert.ok(c.ends.received - before < 60, `${c.ends.received - before} bytes`);
  assert.deepEqual(a.members, ["a", "b", "c"]);
  assert.deepEqual([a.told, a.link.health()], [["up"], undefined]);
  b.link.unsubscribe(["x"]);
  await settled();
  await say(a, "x", "5");
  await settled();
  assert.equal(b.heard.length, 3);
});

test("what is published in one turn is one write", async () => {
  const links = new MemoryLinks();
  const [a, b] = [await join(links, "a"), await join(links, "b")];
  await b.link.subscribe(["1", "2", "3"]);
  const before = a.ends.writes;
  await Promise.all(["1", "2", "3"].map((topic) => say(a, topic, "hello")));
  assert.equal(a.ends.writes, before + 1);
  await settled();
  assert.equal(b.heard.length, 3);
});

test("a topic that nobody else listens to costs one message, until somebody listens", async () => {
  const links = new MemoryLinks();
  const [a, b] = [await join(links, "a"), await join(links, "b")];
  await a.link.subscribe(["x"]);
  assert.equal(a.link.heard?.("x"), true);
  await say(a, "x", "1");
  await settled();
  assert.equal(a.link.heard?.("x"), false);
  const before = a.ends.sent;
  for (let n = 0; n < 100; n++) await say(a, "x", "more");
  await settled();
  assert.equal(a.ends.sent, before);
  await b.link.subscribe(["x"]);
  assert.equal(a.link.heard?.("x"), true);
  await say(a, "x", "2");
  await settled();
  assert.deepEqual(b.heard, ["x 2"]);
  // When the listener leaves, the next message finds out.
  b.link.unsubscribe(["x"]);
  await settled();
  await say(a, "x", "3");
  await settled();
  assert.equal(a.link.heard?.("x"), false);
});

test("a subscription waits until all who were told that nobody listens have confirmed", async () => {
  const links = new MemoryLinks();
  const [a, b, c] = [await join(links, "a"), await join(links, "b"), await join(links, "c")];
  await say(a, "x", "1");
  await say(b, "x", "2");
  await settled();
  a.hang();
  const subscribing = c.link.subscribe(["x", "y"]);
  // It has not read that somebody listens now, and what it publishes is lost until then.
  assert.equal(await isSettled(subscribing), false);
  await say(a, "x", "lost");
  await say(b, "x", "3");
  await settled();
  assert.deepEqual(c.heard, ["x 3"]);
  // Topics of which it was told nothing do not wait for it.
  await c.link.subscribe(["z"]);
  // A second listener waits for the same confirmation.
  const other = b.link.subscribe(["x"]);
  assert.equal(await isSettled(other), false);
  a.wakeUp();
  await Promise.all([subscribing, other]);
  await say(a, "x", "4");
  await settled();
  assert.deepEqual([b.heard, c.heard], [["x 4"], ["x 3", "x 4"]]);
});

test("nothing is lost after a subscription is live, whatever happens at the same time", async () => {
  const links = new MemoryLinks();
  const [a, b] = [await join(links, "a"), await join(links, "b")];
  let number = 0;
  let talking = true;
  const talk = (async () => {
    while (talking) await Promise.all([say(a, "x", String(++number)), settle()]);
  })();
  for (let round = 0; round < 50; round++) {
    await b.link.subscribe(["x"]);
    const from = b.heard.length;
    await say(a, "x", `round ${round}`);
    await settled();
    assert.ok(b.heard.slice(from).includes(`x round ${round}`), `round ${round}`);
    b.link.unsubscribe(["x"]);
    if (round % 3 === 0) await settled();
  }
  talking = false;
  await talk;
  const numbers = b.heard.map((text) => Number(text.slice(2))).filter((n) => !Number.isNaN(n));
  assert.deepEqual(numbers, [...numbers].sort((one, other) => one - other));
});

test("who is killed ends no subscription, is no member, and listens to nothing", async () => {
  const links = new MemoryLinks();
  const [a, b, c] = [await join(links, "a"), await join(links, "b"), await join(links, "c")];
  await say(a, "x", "1");
  await settled();
  await a.link.subscribe(["room"]);
  a.hang();
  const subscribing = b.link.subscribe(["x"]);
  assert.equal(await isSettled(subscribing), false);
  a.kill();
  await subscribing;
  await settled();
  assert.deepEqual([b.members, c.members], [["b", "c"], ["b", "c"]]);
  assert.equal(links.hub.topics, 1);
  assert.deepEqual(a.told, ["up", "down: has lost its connection"]);
  await assert.rejects(say(a, "x", "2"), BackplaneError);
  await assert.rejects(a.link.subscribe(["y"]), BackplaneError);
  assert.equal(a.link.health(), "has lost its connection");
});

test("one that closes its link leaves the others at once; it may close before it opens", async () => {
  const links = new MemoryLinks();
  const [a, b] = [await join(links, "a"), await join(links, "b")];
  await b.link.subscribe(["x"]);
  const last = assert.rejects(say(b, "y", "1"), { name: "BackplaneError", unknown: true });
  await b.link.close();
  await b.link.close();
  await last;
  await settled();
  assert.deepEqual([a.members, links.hub.topics, b.told], [["a"], 0, ["up"]]);
  await assert.rejects(b.link.publish("x", new Uint8Array()), /is closed/);
  const never = links.add();
  await never.link.close();
  await never.link.open({ message() {}, down() {}, up: () => assert.fail("up"), members() {} });
  await settled();
  assert.deepEqual(a.members, ["a"]);
});

test("a sender waits for a worker that does not read, for 1.5 seconds; then that one has a gap", async () => {
  const clock = new ManualClock();
  const links = new MemoryLinks(clock);
  const [a, b, c] = [await join(links, "a"), await join(links, "b"), await join(links, "c")];
  await b.link.subscribe(["x"]);
  await c.link.subscribe(["x"]);
  b.hang();
  const text = "x".repeat(1024 * 1024);
  for (let n = 0; n < 4; n++) await say(a, "x", text.slice(1_000));
  const waiting = say(a, "x", text);
  assert.equal(await isSettled(waiting), false);
  assert.equal(c.heard.length, 5, "the others hear it at once");
  await clock.advance(1_499);
  assert.equal(await isSettled(waiting), false);
  await clock.advance(1);
  await waiting;
  assert.deepEqual(links.lost, ["b"]);
  // Nobody waits for it any more, and nothing is kept for it.
  for (let n = 0; n < 10; n++) await say(a, "x", text);
  assert.equal(c.heard.length, 15);
  const before = b.ends.received;
  b.wakeUp();
  await settled();
  assert.ok(b.ends.received - before < 100, "only the news of the gap");
  assert.match(b.told.join("\n"), /^up\ndown: .* has missed 14 messages\nup$/);
  await say(a, "x", "again");
  await settled();
  assert.equal(b.heard.at(-1), "x again");
  assert.deepEqual(b.told.length, 3);
});

test("a worker that reads in time loses nothing, and releases who waits for it", async () => {
  const clock = new ManualClock();
  const links = new MemoryLinks(clock);
  const [a, b] = [await join(links, "a"), await join(links, "b")];
  await b.link.subscribe(["x"]);
  b.hang();
  const text = "x".repeat(1024 * 1024);
  const said = Array.from({ length: 6 }, () => say(a, "x", text));
  assert.equal(await isSettled(Promise.all(said)), false);
  await clock.advance(1_000);
  b.wakeUp();
  await Promise.all(said);
  await settled();
  await clock.advance(10_000);
  assert.deepEqual([b.heard.length, links.lost, b.told], [6, [], ["up"]]);
});

test("a supervisor that does not answer fails what waits after two seconds", async () => {
  const clock = new ManualClock();
  const links = new MemoryLinks(clock);
  const [a, b] = [await join(links, "a"), await join(links, "b")];
  await say(a, "x", "1");
  await settled();
  a.hang();
  const saying = assert.rejects(say(a, "y", "1"), { name: "BackplaneError", unknown: true });
  const subscribing = assert.rejects(b.link.subscribe(["x"]), { unknown: false });
  await settled();
  await clock.advance(2_000);
  await Promise.all([saying, subscribing]);
  await settled();
  assert.equal(links.hub.topics, 0, "a late subscription counts for nothing");
  // A late answer is not that of the next one.
  a.wakeUp();
  await say(a, "y", "2");
  await b.link.subscribe(["x"]);
  await say(a, "x", "3");
  await settled();
  assert.deepEqual(b.heard, ["x 3"]);
});

test("what the supervisor knows of topics that nobody hears is bounded", async () => {
  const links = new MemoryLinks();
  const [a, b] = [await join(links, "a"), await join(links, "b")];
  const topics = Array.from({ length: 60_000 }, (_, n) => `room ${n}`);
  for (let n = 0; n < topics.length; n += 5_000) {
    await Promise.all(topics.slice(n, n + 5_000).map((topic) => say(a, topic, "")));
    await settled();
  }
  const unheard = topics.filter((topic) => a.link.heard?.(topic) === false).length;
  assert.ok(unheard <= 50_000 && unheard >= 45_000, `${unheard} are known`);
  // The latest are known, and those that were forgotten are heard all the same.
  await b.link.subscribe([topics[0], topics[59_000]]);
  await say(a, topics[0], "1");
  await say(a, topics[59_000], "2");
  await settled();
  assert.deepEqual(b.heard, ["room 0 1", "room 59000 2"]);
});

test("a message or a topic that is too large is refused, and nothing else", async () => {
  const links = new MemoryLinks();
  const [a, b] = [await join(links, "a"), await join(links, "b")];
  await b.link.subscribe(["x"]);
  const large = new Uint8Array(64 * 1024 * 1024);
  await assert.rejects(a.link.publish("x", large), { name: "BackplaneError", unknown: false });
  const long = "x".repeat(70_000);
  const refusal = { name: "BackplaneError", message: /a topic is longer than 1000 bytes/ };
  await assert.rejects(say(a, long, "1"), refusal);
  await assert.rejects(a.link.subscribe(["x", long]), refusal);
  await say(a, "x", "1");
  await settled();
  assert.deepEqual(b.heard, ["x 1"]);
});

test("nonsense ends the link that it comes from, and no other", async () => {
  const open = encodeEmpty(Kind.open);
  const nonsense: readonly (readonly [Uint8Array, RegExp])[] = [
    [new Uint8Array([0, 0, 0, 0, 1]), /a frame of 4 bytes/],
    [new Uint8Array([255, 255, 255, 255, 3]), /a frame of \d+ bytes/],
    [encodeEmpty(99), /no frame of kind 99/],
    [encodeEmpty(Kind.members), /no frame of kind 11/],
    [open, /unexpected frame of kind 1/],
    [encodeEmpty(Kind.subscribe), /too short for its number/],
    [encodeEmpty(Kind.message), /too short for its text/],
    [new Uint8Array([0, 0, 0, 5, 3, 0, 9, 65, 66]), /too short for its text/],
    [new Uint8Array([0, 0, 0, 4, 3, 0, 1, 255]), /is not UTF-8/],
    [utf8ToBytes("GET / HTTP/1.1\r\n\r\n"), /a frame of \d+ bytes/],
  ];
  for (const [bytes, why] of nonsense) {
    const links = new MemoryLinks();
    const [a, b] = [await join(links, "a"), await join(links, "b")];
    assert.match(a.inject(bytes) ?? "", why);
    await settled();
    assert.deepEqual([b.members, b.told], [["b"], ["up"]]);
    assert.equal(a.told.length, 2);
  }
  // Before it is open, nothing else is understood.
  const early = new MemoryLinks().add();
  assert.match(early.inject(encodeMessage("x", new Uint8Array())) ?? "", /unexpected/);
  // An answer to nothing is no answer.
  const links = new MemoryLinks();
  const a = await join(links, "a");
  assert.equal(a.inject(encodeList(Kind.confirm, 7)), undefined);
});
