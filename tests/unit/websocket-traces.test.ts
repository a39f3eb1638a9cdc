/** Traces of frames, and of what crosses between instances. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketEvent } from "../../src/connectors/websocket/client.ts";
import type { FlowEvent } from "../../src/contract/connector.ts";
import type { RelayObserver } from "../../src/contract/request-observer.ts";
import { join, rooms } from "../support/history.ts";
import {
  ask,
  expression,
  flowThat,
  hubWith,
  joinable,
  soon,
  withHubs,
} from "../support/linked-hubs.ts";
import { LEFT_OUT, RECORDED } from "../support/tracing.ts";

test("a frame names the trace of its event, which is no part of the input", async () => {
  const events: FlowEvent[] = [];
  const see = flowThat((event) => {
    events.push(event);
    return { response: undefined, result: undefined };
  });
  const { open } = hubWith(undefined, { flows: { see: [see], ...joinable() } });
  const client = await open("ada");
  await ask(client, { type: "see", traceparent: RECORDED, data: { traceparent: "data" } });
  await ask(client, { type: "see", traceparent: "nonsense" });
  await ask(client, { type: "see" });
  await ask(client, { type: "see", traceparent: 7 }, "invalid_message");
  assert.deepEqual(events.map(({ traceparent }) => traceparent), [RECORDED, "nonsense", undefined]);
  assert.equal(events[0].input.traceparent, "data");
  assert.equal("traceparent" in events[1].input, false);
  assert.ok(events[0] instanceof SocketEvent);
  client.leave();
});

test("the connect flows of a handshake are a part of its trace", async () => {
  const events: FlowEvent[] = [];
  const see = flowThat(() => ({ response: undefined, result: undefined }), {
    accept: (event) => void events.push(event),
  });
  const { hub } = hubWith(undefined, { flows: { connect: [see] } });
  const headers = {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    traceparent: RECORDED,
  };
  const url = new URL("ws://localhost/ws");
  const handshake = await hub.http.socket?.accept({
    method: "GET",
    url,
    headers,
    remoteAddress: null,
  });
  assert.equal(handshake?.accepted, true);
  assert.equal(events[0].traceparent, RECORDED);
  if (handshake?.accepted) handshake.session.abandon();
  await hub.close();
});

test("clients get no trace", async () => {
  const { open, write } = hubWith(undefined);
  const client = await open("ada");
  await ask(client, { type: "join_room", room: "r" });
  write({ operation: "send_to_room", target: "r", payload: 1, traceparent: RECORDED });
  await soon("the message", () => client.heard >= 1);
  assert.deepEqual(client.take(), [{ type: "message", data: 1, room: "r" }]);
  client.leave();
});

/** Takes note of what instances do for each other. */
function relays(): { readonly told: string[]; readonly relayed: RelayObserver } {
  const told: string[] = [];
  const relayed: RelayObserver = (traceparent, operation) => {
    told.push(`${operation} ${traceparent.slice(-2)}`);
    return { traceparent: undefined, ended: (failure) => void told.push(`ended ${failure ?? ""}`) };
  };
  return { told, relayed };
}

for (const echoes of [true, false]) {
  const capabilities = { echoes };
  const named = echoes ? "echoes" : "no echoes";

  test(`another instance delivers within the trace (${named})`, async () => {
    const { told, relayed } = relays();
    await withHubs(2, { capabilities, relayed }, async (one, two) => {
      const [ada, bob] = [await one.open("ada"), await two.open("bob")];
      for (const client of [ada, bob]) await ask(client, { type: "join_room", room: "r" });
      const bobId = await ask(bob, { type: "who" });
      const write = async (operation: string, target: string | undefined, more: object = {}) => {
        await one.write({ operation, target, payload: 1, resultUsed: true, ...more });
        return told.splice(0);
      };
      const traceparent = RECORDED;
      assert.deepEqual(await write("send_to_room", "r"), []);
      assert.deepEqual(await write("send_to_room", "r", { traceparent: LEFT_OUT }), []);
      const expected = (operation: string) => [`${operation} 01`, "ended "];
      assert.deepEqual(
        await write("send_to_room", "r", { traceparent }),
        expected("send_to_room"),
      );
      assert.deepEqual(await write("broadcast", undefined, { traceparent }), expected("broadcast"));
      assert.deepEqual(
        await write("send_to_user", "bob", { traceparent }),
        expected("send_to_user"),
      );
      assert.deepEqual(
        await write("send_to_client", String(bobId), { traceparent }),
        expected("send_to_client"),
      );
      const options = { user: expression("'bob'") };
      assert.deepEqual(
        await write("join_room", "s", { traceparent, options }),
        expected("join_room"),
      );
    });
  });

  test(`a failure in another instance is told (${named})`, async () => {
    const { told, relayed } = relays();
    await withHubs(2, { capabilities, relayed }, async (one, two) => {
      const bob = await two.open("bob");
      await ask(bob, { type: "who" });
      const options = { filter: expression("int(client.user_id) > 1") };
      const request = { operation: "broadcast", payload: 1, resultUsed: true };
      await assert.rejects(async () =>
        await one.write({ ...request, options, traceparent: RECORDED })
      );
      assert.match(told.join("\n"), /^broadcast 01\nended ExpressionError/);
    });
  });

  test(`kept messages of another instance are delivered within the trace (${named})`, async () => {
    const { told, relayed } = relays();
    const options = { room: rooms(100) };
    const more = { capabilities: echoes ? {} : { echoes, members: true } };
    await withHubs(2, { ...more, options, relayed }, async (one, two) => {
      const [ada, bob] = [await one.open("ada"), await two.open("bob")];
      await join(ada, "h1", true);
      await join(bob, "h1", true);
      const request = { operation: "send_to_room", target: "h1", payload: 1, resultUsed: true };
      await one.write({ ...request, traceparent: RECORDED });
      await one.write(request);
      await soon("both messages", () => bob.heard >= 2);
      assert.deepEqual(told, ["send_to_room 01", "ended "]);
    });
  });
}
