/** What the instances of a group send to each other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchWriter, entry, Kind } from "../../src/cluster/batches.ts";
import { BackplaneError } from "../../src/contract/backplane.ts";
import { bytesOf, TestService, textOf, ticks } from "../support/groups.ts";

test("what one instance publishes reaches all that listen, itself included, in its order", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  await Promise.all([a.ws.listen("x"), a.ws.listen("y"), b.ws.listen("x"), b.ws.listen("y")]);
  const sent = [["x", "1"], ["x", "2"], ["y", "3"], ["x", "4"]].map(([topic, text]) =>
    a.ws.publish(topic, bytesOf(text))
  );
  await Promise.all(sent);
  await ticks();
  const all = ["x:1", "x:2", "y:3", "x:4"];
  assert.deepEqual(a.heard, all);
  assert.deepEqual(b.heard, all);
  assert.equal(service.bus.delivered.get("m/ws/x"), 4, "two batches, two instances");
  await service.close();
});

test("publish resolves when this instance has heard its message, and its listener has been called", async () => {
  const service = new TestService();
  const a = await service.start("a");
  await a.ws.listen("x");
  const sent = a.ws.publish("x", bytesOf("1"));
  assert.deepEqual(a.heard, []);
  await sent;
  assert.deepEqual(a.heard, ["x:1"]);
  // Nobody listens to it here.
  await a.ws.publish("y", bytesOf("2"));
  assert.deepEqual(a.heard, ["x:1"]);
  await service.close();
});

test("without echoes an instance does not hear itself, and does not wait", async () => {
  const service = new TestService({ echoes: false });
  const [a, b] = [await service.start("a"), await service.start("b")];
  await Promise.all([a.ws.listen("x"), b.ws.listen("x")]);
  assert.equal(a.ws.echoes, false);
  assert.equal(a.ws.publish("x", bytesOf("1")), undefined);
  await ticks();
  assert.deepEqual([a.heard, b.heard], [[], ["x:1"]]);
  await service.close();
});

test("without echoes a publisher waits while much is not sent, and one failure is logged", async () => {
  const service = new TestService({ echoes: false });
  const a = await service.start("a");
  a.link.faults.add("mute");
  const large = new Uint8Array(1024 * 1024);
  const waits = Array.from({ length: 6 }, () => a.ws.publish("x", large));
  assert.equal(waits.findIndex((wait) => wait !== undefined), 5);
  const refused = waits.flatMap((wait) => wait === undefined ? [] : [assert.rejects(wait)]);
  await service.advance(2_100);
  await Promise.all(refused);
  assert.equal(a.log.filter((line) => line.includes("did not reach")).length, 1);
  await service.close();
});

test("a message without a confirmation fails after two seconds, and may have been sent", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  await Promise.all([a.ws.listen("x"), b.ws.listen("x")]);
  a.link.faults.add("silent");
  const failures: unknown[] = [];
  a.ws.publish("x", bytesOf("1"))?.catch((error) => failures.push(error));
  await service.advance(1_900);
  assert.equal(failures.length, 0);
  await service.advance(300);
  const [failure] = failures;
  assert.ok(failure instanceof BackplaneError && failure.unknown);
  assert.deepEqual(b.heard, ["x:1"]);
  const { backplane_sent, backplane_unknown } = a.group.counts();
  assert.deepEqual([backplane_sent, backplane_unknown], [1, 1]);
  assert.equal(b.group.counts().backplane_received, 1);
  await service.close();
});

test("while the backplane is away a message fails at once and was surely not sent", async () => {
  const service = new TestService();
  const a = await service.start("a");
  a.link.cut();
  await assert.rejects(
    async () => await a.ws.publish("x", bytesOf("1")),
    (error) => error instanceof BackplaneError && !error.unknown,
  );
  a.link.mend();
  await service.advance(700);
  await service.close();
});

test("what the broker has taken and this instance has not heard when the link breaks may have arrived", async () => {
  const service = new TestService();
  const a = await service.start("a");
  await a.ws.listen("x");
  a.link.faults.add("deaf");
  const sent = a.ws.publish("x", bytesOf("1"));
  await ticks();
  a.link.cut();
  await assert.rejects(
    async () => await sent,
    (error) => error instanceof BackplaneError && error.unknown,
  );
  await service.close();
});

test("a batch above its size is split, and the order is kept", async () => {
  const service = new TestService();
  const a = await service.start("a");
  await a.ws.listen("x");
  const before = a.link.lengths.length;
  const sent = Array.from({ length: 30 }, (_, i) => a.ws.publish("x", new Uint8Array(100_000 + i)));
  await Promise.all(sent);
  const lengths = a.link.lengths.slice(before);
  assert.equal(lengths.length, 4);
  assert.ok(lengths.every((length) => length < 1024 * 1024));
  assert.deepEqual(a.heard.map((text) => text.length), sent.map((_, i) => 100_002 + i));
  await service.close();
});

test("what others write to the broker is ignored, counted, and logged once", async () => {
  const service = new TestService();
  const a = await service.start("a");
  await a.ws.listen("x");
  const stranger = service.bus.connect("stranger");
  await stranger.open({ message() {}, down() {}, up() {}, members() {} });
  const welcome = new BatchWriter();
  welcome.add(entry(Kind.welcome, { number: 1, payload: bytesOf('{"members":[[1,"x"]]}') }));
  const progress = new BatchWriter();
  progress.add(entry(Kind.progress, { payload: bytesOf("[]") }));
  const unknown = new BatchWriter();
  unknown.add(entry(99));
  for (const topic of ["m/ws/x", "all", "i/a"]) {
    await stranger.publish(topic, bytesOf(""));
    await stranger.publish(topic, Uint8Array.of(1, 200));
    await stranger.publish(topic, Uint8Array.of(2, 1, 2, 3));
  }
  await stranger.publish("i/a", welcome.finish("z", 1));
  await stranger.publish("all", progress.finish("z", 2));
  await stranger.publish("all", unknown.finish("z", 3));
  await ticks();
  assert.equal(a.group.counts().backplane_unreadable, 11);
  assert.equal(a.log.filter((line) => line.includes("no instance has written")).length, 1);
  assert.equal(a.log.filter((line) => line.includes("in another format")).length, 1);
  await a.ws.publish("x", bytesOf("1"));
  assert.deepEqual(a.heard, ["x:1"]);
  await service.close();
});

test("a message is for the listener of its connector alone", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const other: string[] = [];
  const odd = b.group.connector("w/s");
  odd.hear({ message: (topic) => void other.push(topic), answer: () => bytesOf(""), gap() {} });
  await Promise.all([odd.listen("x"), b.ws.listen("x")]);
  await a.group.connector("w/s").publish("x", bytesOf("1"));
  await a.group.connector("unknown").publish("x", bytesOf("2"));
  await ticks();
  assert.deepEqual([other, b.heard], [["x"], []]);
  assert.equal(b.group.connector("w/s"), odd);
  await service.close();
});

test("a listener that waits holds back what follows, and an error is logged", async () => {
  const service = new TestService();
  const gate = Promise.withResolvers<void>();
  const a = await service.start("a", {
    message(_topic, message) {
      const text = textOf(message);
      if (text === "wait") return gate.promise;
      if (text === "bad") throw new Error("broken");
    },
  });
  await a.ws.listen("x");
  await Promise.all(["bad", "wait", "3"].map((text) => a.ws.publish("x", bytesOf(text))));
  assert.deepEqual(a.heard, ["x:bad", "x:wait"]);
  assert.equal(a.log.filter((line) => line.includes("broken")).length, 1);
  gate.resolve();
  await ticks();
  assert.deepEqual(a.heard, ["x:bad", "x:wait", "x:3"]);
  await service.close();
});

test("a listener that waits for more than 30 s loses what waits behind it, as by a gap", async () => {
  const service = new TestService();
  const a = await service.start("a", {
    message: (_topic, message) => textOf(message) === "wait" ? new Promise(() => {}) : undefined,
  });
  await a.ws.listen("x");
  await Promise.all(["wait", "2"].map((text) => a.ws.publish("x", bytesOf(text))));
  await service.advance(29_000, 500);
  assert.deepEqual(a.heard, ["x:wait"]);
  await service.advance(1_500, 500);
  await a.ws.publish("x", bytesOf("3"));
  assert.deepEqual(a.heard, ["x:wait", "gap", "x:3"]);
  assert.equal(a.log.filter((line) => line.includes("within 30 s")).length, 1);
  await service.close();
});

test("tell reaches one instance with an empty topic, in the order of messages", async () => {
  const service = new TestService();
  const [a, b, c] = [
    await service.start("a"),
    await service.start("b"),
    await service.start("c"),
  ];
  await b.ws.listen("x");
  await Promise.all([
    a.ws.publish("x", bytesOf("1")),
    a.ws.tell("b", bytesOf("2")),
    a.ws.publish("x", bytesOf("3")),
  ]);
  await ticks();
  assert.deepEqual([a.heard, b.heard, c.heard], [[], ["x:1", ":2", "x:3"], []]);
  await service.close();
});

test("what waits when an instance closes fails", async () => {
  const service = new TestService();
  const a = await service.start("a");
  await a.ws.listen("x");
  a.link.faults.add("silent");
  const sent = a.ws.publish("x", bytesOf("1"));
  const refused = assert.rejects(async () => await sent, BackplaneError);
  const closed = a.group.close();
  await service.advance(600);
  await closed;
  await refused;
  await assert.rejects(async () => await a.ws.publish("x", bytesOf("2")), BackplaneError);
  await assert.rejects(async () => await a.ws.listen("y"), BackplaneError);
});
