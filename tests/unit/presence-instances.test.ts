/** Presence over several instances: one list, whoever is where, and whoever dies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LINKS, PresenceService } from "../support/presence-instances.ts";
import type { PresenceFrame } from "../support/presence.ts";

/** The death of an instance is known after this, and its places have ended. */
const DEAD = 7_500 + 3_000 + 300;

for (const [link, capabilities] of Object.entries(LINKS)) {
  test(`${link}: a list has the members of all instances, and hears what changes`, () =>
    PresenceService.with(3, { capabilities }, async (service, a, b, c) => {
      const bob = await service.join(b, "bob");
      await service.join(c, "cy");
      await service.join(c, "bob");
      const ada = await service.watch(a, "ada");
      assert.deepEqual(ada.names, ["ada", "bob", "cy"]);
      assert.equal(ada.members.get("bob")?.connections, 2);
      await service.join(b, "dan");
      assert.deepEqual(ada.names, ["ada", "bob", "cy", "dan"]);
      bob.leave();
      await service.advance(200);
      assert.equal(ada.members.get("bob")?.connections, 1);
      assert.deepEqual(ada.history, ["+dan"]);
      assert.deepEqual(ada.contradictions, []);
      // The others are told of whoever is here.
      const eve = await service.watch(c, "eve");
      assert.deepEqual(eve.names, ["ada", "bob", "cy", "dan", "eve"]);
      assert.equal(ada.members.has("eve"), true);
    }));

  test(`${link}: who comes back elsewhere has not been away`, () =>
    PresenceService.with(3, { capabilities }, async (service, a, b, c) => {
      const here = await service.watch(a, "ada");
      const there = await service.watch(c, "cy");
      const bob = await service.join(b, "bob");
      await service.join(b, "keeps the room");
      await service.advance(300);
      const before = [here, there].map(({ history }) => history.length);
      const seen = there.members.get("bob");
      bob.cut(1001);
      await service.advance(1_500);
      const back = await service.join(c, "bob");
      await service.advance(10_000);
      assert.deepEqual([here, there].map(({ history }) => history.length), before);
      assert.deepEqual(there.members.get("bob"), seen);
      assert.deepEqual(here.members.get("bob"), seen);
      // Its old instance has nobody left in the room and hears of it all the same.
      back.cut(1001);
      await service.advance(1_500);
      await service.join(b, "bob");
      await service.advance(10_000);
      assert.deepEqual([here, there].map(({ history }) => history.length), before);
      for (const one of [here, there]) assert.deepEqual(one.contradictions, []);
    }));

  test(`${link}: the members of a dead instance leave when its death is known and the grace is over`, () =>
    PresenceService.with(3, { capabilities }, async (service, a, b, c) => {
      const ada = await service.watch(a, "ada");
      await service.join(b, "bob");
      await service.join(b, "cy");
      assert.deepEqual(ada.names, ["ada", "bob", "cy"]);
      service.kill(b);
      await service.advance(2_900);
      assert.deepEqual(ada.names, ["ada", "bob", "cy"], "there is time to come back");
      await service.join(c, "bob");
      await service.advance(DEAD);
      assert.deepEqual(ada.names, ["ada", "bob"]);
      assert.deepEqual(ada.history, ["+bob", "+cy", "-cy"]);
      assert.equal(ada.members.get("bob")?.connections, 1);
      assert.deepEqual(ada.contradictions, []);
    }));

  test(`${link}: nobody flickers over the restart of an instance`, () =>
    PresenceService.with(3, { capabilities }, async (service, a, b, c) => {
      const ada = await service.watch(a, "ada");
      await service.join(b, "bob");
      await service.join(b, "cy");
      await service.end("b");
      await service.join(c, "bob");
      await service.start("b2");
      const again = await service.start("b3");
      await service.join(again, "cy");
      await service.advance(DEAD);
      assert.deepEqual(ada.names, ["ada", "bob", "cy"]);
      assert.deepEqual(ada.history, ["+bob", "+cy"]);
      assert.deepEqual([...ada.members.values()].map(({ connections }) => connections), [1, 1, 1]);
    }));
}

test("an instance that was declared dead announces its members anew, and learns those of others", () =>
  PresenceService.with(3, {}, async (service, a, b, c) => {
    const ada = await service.watch(a, "ada");
    const bob = await service.watch(b, "bob");
    const cy = await service.join(c, "cy");
    const dan = await b.open("dan");
    await service.advance(200);
    assert.deepEqual(bob.names, ["ada", "bob", "cy"]);
    b.instance.link.cut();
    await service.advance(DEAD);
    assert.deepEqual(ada.names, ["ada", "cy"]);
    // Meanwhile somebody comes and somebody leaves, on both sides.
    dan.tell({ type: "join_room", room: "r" });
    cy.leave();
    await service.join(a, "eve");
    await service.advance(200);
    b.instance.link.mend();
    await service.advance(2_500);
    const all = ["ada", "bob", "dan", "eve"];
    assert.deepEqual([ada.names, bob.names], [all, all]);
    assert.deepEqual([ada.contradictions, bob.contradictions], [[], []]);
  }));

test("what could not be told is told when the link is there again, also of an empty room", () =>
  PresenceService.with(2, {}, async (service, a, b) => {
    const ada = await service.watch(a, "ada");
    const bob = await service.join(b, "bob");
    await service.advance(100);
    b.instance.link.faults.add("mute");
    bob.leave();
    await service.advance(2_500);
    assert.deepEqual(ada.names, ["ada", "bob"]);
    b.instance.link.faults.clear();
    await service.advance(2_500);
    assert.deepEqual(ada.names, ["ada"]);
  }));

test("an instance that answers late is heard: its members come as joined", () =>
  PresenceService.with(3, {}, async (service, a, b, c) => {
    await service.join(b, "bob");
    await service.join(c, "cy");
    service.group.bus.lag = 0;
    b.instance.link.faults.add("deaf");
    const ada = await service.watch(a, "ada");
    assert.deepEqual(ada.names, ["ada", "cy"], "after half a second");
    assert.ok(ada.isWhole);
    b.instance.link.faults.clear();
    // It tells its list when it is asked again: it was cut off.
    b.instance.link.cut();
    b.instance.link.mend();
    await service.advance(2_000);
    assert.deepEqual(ada.names, ["ada", "bob", "cy"]);
    assert.deepEqual(ada.history, ["+bob"]);
  }));

test("presence of a room goes to instances with members there alone", () =>
  PresenceService.with(3, {}, async (service, a, b, c) => {
    await service.join(a, "ada");
    await service.join(b, "bob");
    await service.join(c, "cy", "elsewhere");
    await service.advance(2_000);
    const { delivered } = service.group.bus;
    const topic = [...delivered.keys()].find((name) => name.endsWith("r/r"));
    assert.ok(topic, [...delivered.keys()].join());
    const before = delivered.get(topic) ?? 0;
    for (let n = 0; n < 5; n++) await service.join(a, `user${n}`);
    // Each message reaches `a`, which hears its own, and `b`.
    assert.equal((delivered.get(topic) ?? 0) - before, 10);
  }));

test("a step knows the members of all instances, in whatever room this one is", () =>
  PresenceService.with(3, {}, async (service, a, b, c) => {
    await service.join(a, "ada");
    await service.join(b, "bob");
    const count = async (on: typeof a) => {
      const asked = Promise.resolve(on.write("presence", "r"));
      await service.advance(100);
      return await asked as { readonly count: number; readonly members: readonly object[] };
    };
    for (const one of [a, b, c]) {
      const { count: found, members } = await count(one);
      assert.equal(found, 2);
      assert.equal(members.length, 2);
    }
    // What was heard for an answer is not kept where nobody is.
    await service.join(b, "cy");
    assert.equal((await count(c)).count, 3);
    assert.equal((await count(a)).count, 3);
    const names = async (on: typeof a) =>
      (await count(on)).members.map((one) => JSON.stringify(one)).sort();
    assert.deepEqual(await names(c), await names(b));
  }));

test("a long list crosses in parts, and takes the place of what was known", () =>
  PresenceService.with(2, {
    rooms: `
      slow_client {
        queue = "4MB"
      }
      room "r" {
        presence {
          info = "client.params.long"
          max  = 5000
        }
      }
    `,
  }, async (service, a, b) => {
    const long = "x".repeat(1000);
    const clients = [];
    for (let n = 0; n < 1100; n++) {
      const client = await b.open(`user${n}`, `long=${long}`);
      client.tell({ type: "join_room", room: "r" });
      clients.push(client);
    }
    await service.advance(500);
    const { lengths } = b.instance.link;
    const before = lengths.length;
    const ada = await service.watch(a, "ada");
    assert.equal(ada.names.length, 1101);
    assert.ok(lengths.length - before > 1);
    assert.ok(Math.max(...lengths) < 1_000_000);
    for (const one of clients.splice(0, 300)) one.leave();
    b.instance.link.cut();
    b.instance.link.mend();
    await service.advance(2_500);
    assert.equal(ada.names.length, 801);
    assert.deepEqual(ada.contradictions, []);
  }));

test("an instance whose configuration has no presence ignores it", () =>
  PresenceService.with(2, {}, async (service, a) => {
    const plain = await service.group.start("z");
    const { presenceHub } = await import("../support/presence.ts");
    const hub = await presenceHub("", { clock: plain.clock, instances: plain.ws });
    await hub.connector.start?.();
    await service.join({ ...hub, instance: plain }, "zoe");
    const ada = await service.watch(a, "ada");
    assert.deepEqual(ada.names, ["ada"]);
    assert.deepEqual(hub.log.records.map(({ text }) => text), []);
    await hub.connector.close?.();
  }));

test("a newcomer's list waits for the others, and whoever leaves meanwhile gets none", () =>
  PresenceService.with(2, {}, async (service, a, b) => {
    await service.join(b, "bob");
    await service.join(a, "cy");
    const ada = await a.open("ada");
    ada.tell({ type: "join_room", room: "r", presence: true });
    ada.tell({ type: "leave_room", room: "r" });
    await service.advance(1_000);
    const heard = ada.take() as PresenceFrame[];
    assert.deepEqual(heard.filter(({ type }) => type === "presence"), []);
  }));
