/** The `websocket` connectors of several instances over a backplane: what one sends reaches all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectorError } from "../../src/base/errors.ts";
import {
  ask,
  expression,
  flowThat,
  hears,
  joinable,
  type LinkedHub,
  soon,
  withHubs,
} from "../support/linked-hubs.ts";
import type { FakeClient } from "../support/worker-runtimes.ts";

/** Whether an instance hears its own messages. */
const WAYS = [true, false];

function named(echoes: boolean): string {
  return echoes ? "a backplane" : "the workers' link";
}

/** Sends to everybody, and waits until this client has heard it: so it has heard all before. */
async function mark(hub: LinkedHub, ...clients: readonly FakeClient[]): Promise<void> {
  await hub.write({ operation: "broadcast", payload: "mark" });
  const isMark = (frame: unknown) => (frame as { readonly data?: unknown }).data === "mark";
  for (const client of clients) {
    const heard: unknown[] = [];
    await soon("the mark", () => heard.push(...client.take()) > 0 && heard.some(isMark));
    assert.deepEqual(heard.filter((frame) => !isMark(frame)), []);
  }
}

for (const echoes of WAYS) {
  const hubs = (count: number, act: (...hubs: LinkedHub[]) => Promise<void>) =>
    withHubs(count, { capabilities: { echoes } }, act);

  test(`${named(echoes)}: each operation reaches its clients on all instances`, () =>
    hubs(3, async (a, b, c) => {
      const [ada, bob, cleo] = [await a.open("ada"), await b.open("bob"), await c.open("cleo")];
      const ada2 = await c.open("ada");
      for (const client of [ada, bob, cleo, ada2]) await ask(client, { type: "who" });
      for (const client of [bob, cleo]) await ask(client, { type: "join_room", room: "r" });
      for (const hub of [a, b, c]) {
        const counted = { resultUsed: true };
        const all = { operation: "broadcast", payload: 1, ...counted };
        assert.deepEqual(await hub.write(all), { recipients: 4 });
        for (const client of [ada, bob, cleo, ada2]) await hears(client, 1);
        const room = { operation: "send_to_room", target: "r", payload: 2, ...counted };
        assert.deepEqual(await hub.write(room), { recipients: 2 });
        for (const client of [bob, cleo]) await hears(client, 2);
        const user = { operation: "send_to_user", target: "ada", payload: 3, ...counted };
        assert.deepEqual(await hub.write(user), { recipients: 2 });
        for (const client of [ada, ada2]) await hears(client, 3);
        const nobody = { operation: "send_to_user", target: "nobody", payload: 3, ...counted };
        assert.deepEqual(await hub.write(nobody), { recipients: 0 });
        await mark(hub, ada, bob, cleo, ada2);
      }
    }));

  test(`${named(echoes)}: a client is in the instance that its id names`, () =>
    hubs(2, async (a, b) => {
      const [ada, bob] = [await a.open("ada"), await b.open("bob")];
      const [adaId, bobId] = [await ask(ada, { type: "who" }), await ask(bob, { type: "who" })];
      assert.match(String(adaId), /^n1-/);
      assert.match(String(bobId), /^n2-/);
      const to = (id: unknown) => ({
        operation: "send_to_client",
        target: String(id),
        payload: "you",
        resultUsed: true,
      });
      // Without the broker, and at once.
      assert.deepEqual(a.write(to(adaId)), { recipients: 1 });
      await hears(ada, "you");
      assert.deepEqual(await a.write(to(bobId)), { recipients: 1 });
      await hears(bob, "you");
      assert.deepEqual(a.write(to("n1-nobody")), { recipients: 0 });
      assert.deepEqual(a.write(to("nobody")), { recipients: 0 });
      assert.deepEqual(await a.write(to("n2-nobody")), { recipients: 0 });
      assert.deepEqual(await a.write(to("n9-nobody")), { recipients: 0 });
      await mark(a, ada, bob);
    }));

  test(`${named(echoes)}: the sender is left out, wherever it is`, () =>
    hubs(2, async (a, b) => {
      const [ada, bob] = [await a.open("ada"), await b.open("bob")];
      const bobId = String(await ask(bob, { type: "who" }));
      const client = { id: bobId } as never;
      const event = { operation: "message", payload: 1, input: {}, client };
      const request = { operation: "broadcast", payload: 1, event, resultUsed: true };
      for (const hub of [a, b]) {
        const sent = await hub.write({ ...request, options: { exclude_sender: true } });
        assert.deepEqual(sent, { recipients: 1 });
        await hears(ada, 1);
      }
      await mark(a, ada, bob);
    }));

  test(`${named(echoes)}: what every instance hears by itself reaches its own clients alone`, () =>
    hubs(2, async (a, b) => {
      const [ada, bob] = [await a.open("ada"), await b.open("bob")];
      const own = { everyInstance: true, resultUsed: true };
      assert.deepEqual(a.write({ operation: "broadcast", payload: 1, ...own }), { recipients: 1 });
      await hears(ada, 1);
      const order = { operation: "join_room", target: "r", options: { user: expression("'bob'") } };
      assert.deepEqual(a.write({ ...order, ...own }), { recipients: 0, refused: 0 });
      assert.deepEqual(await b.write({ ...order, ...own }), { recipients: 1, refused: 0 });
      await mark(a, ada, bob);
    }));

  test(`${named(echoes)}: one order of messages holds in a room`, () =>
    hubs(3, async (a, b, c) => {
      const clients = [await a.open(), await b.open(), await c.open()];
      for (const client of clients) await ask(client, { type: "join_room", room: "r" });
      const sent: unknown[] = [];
      for (let n = 0; n < 100; n++) {
        const hub = echoes ? [a, b, c][n % 3] : a;
        const topic = n % 5 === 0 ? { operation: "broadcast" } : {
          operation: "send_to_room",
          target: "r",
        };
        sent.push(hub.write({ ...topic, payload: n, resultUsed: n % 7 === 0 }));
      }
      await Promise.all(sent);
      for (const client of clients) await soon("all", () => client.heard === 100);
      const [first, ...others] = clients.map((client) => client.take());
      for (const other of others) assert.deepEqual(other, first);
      if (!echoes) {
        const data = first.map((frame) => (frame as { readonly data: unknown }).data);
        assert.deepEqual(data, Array.from({ length: 100 }, (_, n) => n));
      }
    }));

  test(`${named(echoes)}: orders for a user are executed in all instances`, () =>
    withHubs(2, { capabilities: { echoes }, options: { max_rooms: 1 } }, async (a, b) => {
      const bobs = [await a.open("bob"), await b.open("bob"), await b.open("bob")];
      for (const bob of bobs) await ask(bob, { type: "who" });
      const user = expression("'bob'");
      const order = (operation: string, target?: string, filter?: string) => ({
        operation,
        target,
        options: { user, filter: filter === undefined ? undefined : expression(filter) },
      });
      const send = { operation: "send_to_room", target: "r", payload: "in", resultUsed: true };
      assert.deepEqual(await a.write(order("join_room", "r")), { recipients: 3, refused: 0 });
      assert.deepEqual(await b.write(send), { recipients: 3 });
      for (const bob of bobs) await hears(bob, "in");
      // Their instances refuse a further room: none of a's, none of b's.
      const refused = async () => await a.write(order("join_room", "s"));
      await assert.rejects(refused, (error: ConnectorError) => {
        assert.match(error.message, /3 of 3 connections have not joined.*max_rooms/);
        return error.permanent;
      });
      assert.deepEqual(await b.write(order("leave_room", "r")), { recipients: 3, refused: 0 });
      assert.deepEqual(await a.write(send), { recipients: 0 });
      // One instance refuses, the other one has joined.
      await ask(bobs[0], { type: "join_room", room: "full" });
      await assert.rejects(async () => await b.write(order("join_room", "r")), /1 of 3/);
      assert.deepEqual(await a.write(send), { recipients: 2 });
      for (const bob of bobs.slice(1)) await hears(bob, "in");
      const some = order("disconnect", undefined, "'full' in client.rooms");
      assert.deepEqual(await b.write(some), { recipients: 1, refused: 0 });
      await soon("its end", () => bobs[0].ended !== undefined);
      assert.deepEqual(bobs.map(({ ended }) => ended?.[0]), [1008, undefined, undefined]);
    }));

  test(`${named(echoes)}: 1000 joins miss nothing that is sent after their ack`, () =>
    hubs(2, async (a, b) => {
      const client = await a.open();
      for (let n = 0; n < 1000; n++) {
        const room = `room ${n}`;
        client.tell({ type: "join_room", room, id: n });
        // While the join is under way, and at once after its ack.
        if (n % 3 === 0) {
          void b.write({ operation: "send_to_room", target: room, payload: "early" });
        }
        await soon("the ack", () => client.heard > 0);
        const sent = b.write({ operation: "send_to_room", target: room, payload: n });
        const heard: unknown[] = [];
        const isLast = (frame: unknown) => (frame as { readonly data?: unknown }).data === n;
        await soon(`message ${n}`, () => heard.push(...client.take()) > 0 && heard.some(isLast));
        await sent;
        client.tell({ type: "leave_room", room });
      }
    }));

  test(`${named(echoes)}: nothing for a user is missed after its first answer`, () =>
    hubs(2, async (a, b) => {
      for (let n = 0; n < 1000; n++) {
        const client = await a.open(`user ${n}`);
        client.tell({ type: "who", id: 1 });
        await soon("the answer", () => client.heard > 0);
        client.take();
        await b.write({ operation: "send_to_user", target: `user ${n}`, payload: n });
        await hears(client, n);
        client.leave();
      }
    }));
}

test("a flow on connect runs when its user can hear what it sends", async () => {
  const seen: string[] = [];
  const connected = flowThat(({ client }) => {
    seen.push(String(client?.user_id));
    return { response: undefined, result: undefined };
  });
  const flows = { ...joinable(), connect: [connected] };
  await withHubs(1, { flows }, async (a) => {
    await a.open("ada");
    assert.deepEqual(seen, []);
    await soon("the flow", () => seen.length === 1);
    await a.open("");
    assert.deepEqual(seen, ["ada", "null"]);
  });
});
