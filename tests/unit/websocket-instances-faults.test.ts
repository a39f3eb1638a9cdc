/** Other instances that cannot be reached, that are heard again, or that send nonsense. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectorError } from "../../src/base/errors.ts";
import { BackplaneError } from "../../src/contract/backplane.ts";
import { encode } from "../../src/connectors/websocket/instances/wire.ts";
import { FakeInstances } from "../support/fake-instances.ts";
import { ask, expression, hears, hubWith, soon, withHubs } from "../support/linked-hubs.ts";

test("away: what is for others fails, what is for clients of this instance goes on", () =>
  withHubs(2, {}, async (a, b) => {
    const [ada, bob] = [await a.open("ada"), await b.open("bob")];
    await ask(ada, { type: "join_room", room: "r" });
    const id = String(await ask(ada, { type: "who" }));
    await ask(bob, { type: "who" });
    a.link.cut("the server does not answer");
    for (const resultUsed of [true, false]) {
      for (const operation of ["broadcast", "send_to_room", "send_to_user"]) {
        const target = operation === "broadcast" ? undefined : "r";
        const sent = async () => await a.write({ operation, target, payload: 1, resultUsed });
        await assert.rejects(sent, (error: ConnectorError) => {
          assert.match(error.message, /cannot send to the instances of the service: .*not answer/);
          return !error.permanent;
        });
      }
    }
    const order = { operation: "disconnect", options: { user: expression("'bob'") } };
    await assert.rejects(async () => await a.write(order), /cannot send to the instances/);
    const own = { operation: "send_to_client", target: id, payload: "you" };
    assert.deepEqual(a.write(own), { recipients: 1 });
    await hears(ada, "you");
    // A room that is listened to can be joined; for another one the backplane is needed.
    await ask(ada, { type: "join_room", room: "r" });
    await ask(ada, { type: "join_room", room: "s" }, "flow_failed");
    assert.deepEqual([ada.ended, bob.ended], [undefined, undefined]);
    a.link.mend();
    await soon("the link", () => a.group.health() === undefined);
    await b.write({ operation: "send_to_room", target: "r", payload: "again" });
    await hears(ada, "again");
  }));

test("away: an error says whether the message may have arrived", async () => {
  for (const unknown of [true, false]) {
    const others = new FakeInstances(true);
    const hub = hubWith(others);
    const cause = new BackplaneError("the broker is away", { unknown });
    others.sending = () => Promise.reject(cause);
    await assert.rejects(async () => await hub.write({ operation: "broadcast" }), {
      name: "ConnectorError",
      permanent: false,
      cause,
      message: 'connector "ws": cannot send to the instances of the service: the broker is away' +
        (unknown ? "; the others may have got it all the same" : ""),
    });
  }
});

test("an order fails where an instance does not answer; a message counts those that do", async () => {
  for (const echoes of [true, false]) {
    const others = new FakeInstances(echoes);
    const hub = hubWith(others);
    const answer = new TextEncoder().encode('{"recipients":2,"refused":0,"unsubscribed":0}');
    others.answers = () =>
      Promise.resolve({ answers: [answer, new Uint8Array()], incomplete: true });
    const message = { operation: "broadcast", resultUsed: true };
    assert.deepEqual(await hub.write(message), { recipients: 2 });
    const order = { operation: "disconnect", options: { user: expression("'bob'") } };
    await assert.rejects(async () => await hub.write(order), /has not answered in time/);
  }
});

test("resync: who asked for it when it joined is told that messages may be missing", async () => {
  const others = new FakeInstances();
  const hub = hubWith(others);
  const ada = await hub.open("ada");
  const join = (room: string, more = {}, code?: string) =>
    ask(ada, { type: "join_room", room, ...more }, code);
  await join("a", { resync: true });
  await join("b");
  await join("c", { resync: true });
  await join("d", { resync: true });
  await join("d");
  await join("e", { resync: false });
  await join("f", { resync: true });
  await ask(ada, { type: "leave_room", room: "f" });
  await hub.write({ operation: "join_room", target: "f", options: { user: expression("'ada'") } });
  for (const resync of [null, 1, "true", {}]) await join("g", { resync }, "invalid_message");
  others.listener.gap();
  await soon("all", () => ada.heard === 2);
  assert.deepEqual(ada.take(), ["a", "c"].map((room) => ({ type: "resync", room })));
  others.live = new Set();
  ada.tell({ type: "join_room", room: "later", resync: true, id: 1 });
  others.listener.gap();
  others.waiting[0].resolve();
  await soon("the ack", () => ada.heard === 3);
  ada.take();
  others.listener.gap();
  await soon("all", () => ada.heard === 3);
});

test("resync: after the backplane was away, clients are told", () =>
  withHubs(2, {}, async (a) => {
    const ada = await a.open("ada");
    await ask(ada, { type: "join_room", room: "r", resync: true });
    a.link.cut();
    a.link.mend();
    await soon("the frame", () => ada.heard > 0);
    assert.deepEqual(ada.take()[0], { type: "resync", room: "r" });
  }));

test("nonsense of other instances is ignored, and logged once", async () => {
  const others = new FakeInstances();
  const hub = hubWith(others);
  const ada = await hub.open("ada");
  const { listener } = others;
  const text = '{"type":"message","data":1}';
  const nonsense: (readonly [string, Uint8Array])[] = [
    ["*", new Uint8Array()],
    ["*", new Uint8Array([1, 0, 255, 255, 255, 255])],
    ["*", encode("message", {}, "no frame")],
    ["*", encode("order", { operation: "disconnect" })],
    ["r/r", encode("order", { operation: "disconnect" })],
    ["u/ada", encode("order", { operation: "join_room" })],
    ["u/ada", encode("order", { room: "r" })],
    ["u/ada", encode("reached", { number: 1 })],
    ["", encode("message", {}, text)],
    ["x/r", encode("message", {}, text)],
  ];
  for (const [topic, bytes] of nonsense) await listener.message(topic, bytes, "n2");
  for (const [, bytes] of nonsense.slice(0, 6)) {
    assert.equal((await listener.answer(bytes, "n2")).length, 0);
  }
  assert.equal(
    (await listener.answer(encode("filter", { filter: "0".repeat(64) }), "n2")).length,
    0,
  );
  await listener.message("*", encode("message", {}, text), "n2");
  await soon("the message", () => ada.heard > 0);
  assert.deepEqual(ada.take(), [{ type: "message", data: 1 }]);
  assert.equal(hub.log.records.length, 1);
  assert.match(hub.log.records[0].text, /^ignored a message of instance n2.*: it is too short$/);
});

test("a filter that cannot be used here delivers to nobody, and is counted", async () => {
  const others = new FakeInstances();
  const hub = hubWith(others);
  const ada = await hub.open("ada");
  const head = { filter: "0".repeat(64), values: {}, number: 1, asked: true };
  const text = '{"type":"message","data":1}';
  await others.listener.message("*", encode("message", head, text), "n2");
  const answer = await others.listener.answer(encode("reached", { number: 1 }), "n2");
  const none = '{"recipients":0,"refused":0,"unsubscribed":0}';
  assert.equal(new TextDecoder().decode(answer), none);
  assert.deepEqual([ada.take(), hub.hub.counts().filter_gaps], [[], 1]);
});

test("the connector is unhealthy until it hears what is for everybody", async () => {
  const others = new FakeInstances();
  const hub = hubWith(others);
  others.live = new Set();
  const started = hub.hub.start();
  others.waiting[0].fail();
  await started;
  assert.match(hub.hub.health() ?? "", /cannot listen to the other instances: the broker is away/);
  await soon("another try", () => others.waiting.length === 2);
  others.waiting[1].resolve();
  await soon("health", () => hub.hub.health() === undefined);
  await hub.hub.close();
});

test("a message that is larger than a client's queue closes no client", async () => {
  const others = new FakeInstances();
  const hub = hubWith(others);
  const clients = [await hub.open("ada"), await hub.open("bob")];
  const large = `{"type":"message","data":"${"x".repeat(8 * 1024 * 1024)}"}`;
  await others.listener.message("*", encode("message", {}, large), "n2");
  await others.listener.message("*", encode("message", {}, '{"data":"next"}'), "n2");
  for (const client of clients) {
    await hears(client, "next");
    assert.equal(client.ended, undefined);
  }
  assert.match(hub.log.records[0].text, /n2 has sent: .* bytes is larger than a client's queue/);
});
