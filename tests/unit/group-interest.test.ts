/** The topics that an instance listens to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BackplaneError } from "../../src/contract/backplane.ts";
import { bytesOf, TestService, ticks } from "../support/groups.ts";

test("topics of one tick travel together, in parts of 500", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const before = a.link.subscribed.length;
  const topics = Array.from({ length: 1_100 }, (_, i) => `room ${i}`);
  await Promise.all(topics.map((topic) => a.ws.listen(topic)));
  assert.deepEqual(a.link.subscribed.slice(before).map((call) => call.length), [500, 500, 100]);
  assert.equal(a.group.counts().backplane_topics, 1_100);
  await service.close();
});

test("a topic is listened to once for each call, and a second longer", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const both = [a.ws.listen("x"), a.ws.listen("x")];
  assert.ok(both.every((one) => one instanceof Promise));
  await Promise.all(both);
  a.ws.unlisten("x");
  await service.advance(3_000, 500);
  assert.ok(a.link.topics.has("m/ws/x"));
  a.ws.unlisten("x");
  await service.advance(900);
  assert.ok(a.link.topics.has("m/ws/x"));
  assert.equal(a.ws.listen("x"), undefined, "a topic that lingers is in force");
  a.ws.unlisten("x");
  await service.advance(900);
  assert.ok(a.link.topics.has("m/ws/x"), "the second begins anew");
  await service.advance(200);
  assert.ok(!a.link.topics.has("m/ws/x"));
  await service.close();
});

test("topics that nobody listens to any more end together, with one timer", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const topics = Array.from({ length: 100 }, (_, i) => `room ${i}`);
  await Promise.all(topics.map((topic) => a.ws.listen(topic)));
  const before = a.clock.waiting;
  for (const topic of topics) a.ws.unlisten(topic);
  assert.equal(a.clock.waiting, before + 1);
  await service.advance(1_100);
  assert.deepEqual(a.link.unsubscribed.map((call) => call.length), [100]);
  assert.equal(a.group.counts().backplane_topics, 0);
  a.ws.unlisten("room 1");
  a.ws.unlisten("never");
  await service.close();
});

test("an unlisten while the subscription is under way counts", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const listening = a.ws.listen("x");
  a.ws.unlisten("x");
  await listening;
  await service.advance(1_100);
  assert.ok(!a.link.topics.has("m/ws/x"));
  await service.close();
});

test("a failure takes back every listen that waited for it, and the next one asks again", async () => {
  const service = new TestService();
  const a = await service.start("a");
  a.link.cut();
  const failing = [a.ws.listen("x"), a.ws.listen("x")];
  for (const one of failing) await assert.rejects(async () => await one, BackplaneError);
  assert.equal(a.group.counts().backplane_topics, 0);
  a.link.mend();
  await service.advance(700);
  await a.ws.listen("x");
  a.ws.unlisten("x");
  await service.advance(1_100);
  assert.ok(!a.link.topics.has("m/ws/x"), "one listen was enough");
  await service.close();
});

test("where servers learn later of a subscription, it is in force when all instances have said so", async () => {
  const service = new TestService({ live: "probe", order: "sender" });
  service.bus.lag = 200;
  const [a, b] = [await service.start("a"), await service.start("b")];
  await service.advance(1_000);
  let live = false;
  const listening = a.ws.listen("x")?.then(() => live = true);
  // What the others send before they know of it is lost.
  void b.ws.publish("x", bytesOf("early"));
  await service.advance(300);
  assert.equal(live, false);
  await service.advance(300);
  assert.equal(live, true);
  await listening;
  void b.ws.publish("x", bytesOf("1"));
  await service.advance(300);
  assert.deepEqual(a.heard, ["x:1"]);
  await service.close();
});

test("an instance that has died a moment ago delays a subscription, and does not fail it", async () => {
  const service = new TestService({ live: "probe" });
  const [a, b] = [await service.start("a"), await service.start("b")];
  service.kill(b);
  const live: string[] = [];
  const first = a.ws.listen("x")?.then(() => live.push("x"));
  await service.advance(1_500);
  assert.deepEqual(live, []);
  await service.advance(700);
  assert.deepEqual(live, ["x"]);
  await first;
  // By now it is known that nothing comes from there, although it is not declared dead yet.
  assert.equal(a.group.counts().instances, 2);
  await a.ws.listen("y");
  await service.close();
});

test("an instance that lives and does not say that it knows of a subscription fails it", async () => {
  const service = new TestService({ live: "probe" });
  const [a, b] = [await service.start("a"), await service.start("b")];
  const publish = b.link.publish.bind(b.link);
  b.link.publish = (topic, bytes) => topic === "i/a" ? Promise.resolve() : publish(topic, bytes);
  const listening = assert.rejects(async () => await a.ws.listen("x"), BackplaneError);
  await service.advance(2_200);
  await listening;
  assert.ok(!a.link.topics.has("m/ws/x"));
  await service.close();
});

test("where nobody else is there, a subscription is in force at once", async () => {
  const service = new TestService({ live: "probe" });
  const a = await service.start("a");
  await a.ws.listen("x");
  assert.equal(a.ws.listen("x"), undefined);
  await ticks();
  await service.close();
});

test("a subscription that cannot be sent for 10 s fails", async () => {
  const service = new TestService();
  const a = await service.start("a");
  // Four calls that are never answered are all that may be under way.
  a.link.subscribe = () => new Promise(() => {});
  const topics = Array.from({ length: 2_001 }, (_, i) => `room ${i}`);
  const listening = topics.map((topic) => a.ws.listen(topic));
  for (const one of listening) one?.catch(() => {});
  await service.advance(9_900, 300);
  const late = assert.rejects(async () => await listening[2_000], /not sent within 10 s/);
  await service.advance(300);
  await late;
  await service.close();
});
