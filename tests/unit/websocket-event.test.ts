import assert from "node:assert/strict";
import { test } from "node:test";
import { Credentials } from "../../src/connectors/websocket/credentials.ts";
import { randomId } from "../../src/base/ids.ts";
import {
  clientFacts,
  type ConnectedClient,
  SocketEvent,
} from "../../src/connectors/websocket/client.ts";
import type { HandshakeRequest } from "../../src/transport/socket.ts";

function client(
  query = "",
  rooms: ReadonlySet<string> = new Set(),
  user: string | null = "u1",
): ConnectedClient {
  const request: HandshakeRequest = {
    method: "GET",
    url: new URL(`http://host/ws${query}`),
    headers: { origin: "https://app.example.com" },
    remoteAddress: "127.0.0.1",
  };
  const identity = { userId: user, claims: null, expiresAt: undefined };
  return clientFacts(request, { identity }, rooms, Date.UTC(2026, 0, 1), randomId());
}

test("a client's facts come from its handshake alone", () => {
  const found = client("?a=1&b=%20&a=2&__proto__=x");
  assert.match(found.id, /^[0-9a-f-]{36}$/);
  assert.notEqual(found.id, client().id);
  assert.equal(found.user_id, "u1");
  assert.equal(found.claims, null);
  assert.deepEqual(Object.entries(found.params).sort(), [["__proto__", "x"], ["a", "1"], [
    "b",
    " ",
  ]]);
  assert.equal(Object.getPrototypeOf(found.params), Object.prototype);
  assert.deepEqual(found.headers, { origin: "https://app.example.com" });
  assert.equal(found.remote_addr, "127.0.0.1");
  assert.equal(found.connected_at, "2026-01-01T00:00:00.000Z");
});

test("the claims are those of the newest token; the user stays", () => {
  const identity = { userId: "u1", claims: { role: "staff" }, expiresAt: undefined };
  const credentials = new Credentials(identity);
  const request = { method: "GET", url: new URL("http://host/ws"), headers: {} };
  const found = clientFacts(
    { ...request, remoteAddress: null },
    credentials,
    new Set(),
    0,
    randomId(),
  );
  assert.deepEqual(found.claims, { role: "staff" });
  credentials.renew({ ...identity, claims: { role: "guest" } });
  assert.deepEqual(found.claims, { role: "guest" });
  assert.equal(found.user_id, "u1");
});

test("the rooms are a copy of the current ones", () => {
  const rooms = new Set<string>();
  const found = client("", rooms);
  assert.deepEqual(found.rooms, []);
  rooms.add("a");
  const before = found.rooms;
  assert.deepEqual(before, ["a"]);
  rooms.add("b");
  assert.deepEqual(before, ["a"]);
  assert.deepEqual(found.rooms, ["a", "b"]);
});

test("input is the payload's fields and the metadata; metadata wins", () => {
  const someone = client();
  const forged = {
    text: "hi",
    event: "connect",
    client_id: "forged",
    user_id: "admin",
    data: "forged",
    room: "its own",
  };
  const { input } = new SocketEvent("message", forged, someone, undefined);
  assert.deepEqual(input, {
    text: "hi",
    data: forged,
    event: "message",
    client_id: someone.id,
    user_id: "u1",
    room: "its own",
  });
});

test("room is metadata only where the frame itself carries one", () => {
  const payload = { room: "of the data" };
  assert.equal(
    new SocketEvent("message", payload, client(), "of the frame").input.room,
    "of the frame",
  );
  assert.equal(new SocketEvent("message", payload, client(), undefined).input.room, "of the data");
  assert.equal("room" in new SocketEvent("message", {}, client(), undefined).input, false);
});

test("message_id is metadata only where the frame itself carries one", () => {
  const payload = { message_id: "of the data" };
  const inputOf = (data: unknown, id?: string) =>
    new SocketEvent("message", data, client(), undefined, undefined, { messageId: id }).input;
  assert.equal(inputOf(payload, "of the frame").message_id, "of the frame");
  assert.equal(inputOf(payload).message_id, "of the data");
  assert.equal("message_id" in inputOf({}), false);
});

test("the metadata of an operation overwrites everything", () => {
  const facts = { code: 1000, rooms: ["a"], user_id: "fact" };
  const { input } = new SocketEvent("disconnect", { code: 1 }, client(), undefined, facts);
  assert.deepEqual([input.code, input.rooms, input.user_id], [1000, ["a"], "fact"]);
});

test("a payload that is not an object has no fields, and data is the payload", () => {
  for (const payload of [null, 0, "text", true, ["a"], []]) {
    const { input } = new SocketEvent("message", payload, client("", new Set(), null), undefined);
    assert.deepEqual(Object.keys(input).sort(), ["client_id", "data", "event", "user_id"]);
    assert.equal(input.data, payload);
    assert.equal(input.user_id, null);
  }
});

test("input is made once, and names of prototypes are plain data", () => {
  const payload = JSON.parse('{"__proto__":{"admin":true},"constructor":1}');
  const event = new SocketEvent("message", payload, client(), undefined);
  assert.equal(event.input, event.input);
  assert.equal("admin" in event.input, false);
  assert.ok(Object.hasOwn(event.input, "__proto__"));
  assert.equal(Object.getPrototypeOf(event.input), Object.prototype);
});

test("match is what the rules find in the room, asked for when it is read", () => {
  const asked: string[] = [];
  const rules = {
    matchOf(room: string) {
      asked.push(room);
      return { id: room };
    },
  };
  const event = (room?: string) =>
    new SocketEvent("message", {}, client(), room, undefined, undefined, rules);
  const one = event("ticket:7");
  void one.input;
  assert.deepEqual(asked, []);
  assert.deepEqual(one.match, { id: "ticket:7" });
  assert.deepEqual(event().match, {});
  assert.deepEqual(asked, ["ticket:7"]);
  assert.deepEqual(new SocketEvent("connect", {}, client(), undefined).match, {});
});
