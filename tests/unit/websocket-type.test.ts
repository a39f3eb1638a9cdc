import assert from "node:assert/strict";
import { test } from "node:test";
import type { HandshakeRequest } from "../../src/transport/socket.ts";
import { clientFacts, SocketEvent } from "../../src/connectors/websocket/client.ts";
import { websocketConnector } from "../../src/connectors/websocket/mod.ts";
import { problemsOf } from "../support/config.ts";

/** The codes of the problems of a `to` block with these lines. */
function toProblems(lines: string): Promise<string[]> {
  return codesOf(`connector "ws" {
  type = "websocket"
  port = 0
}
flow "f" {
  from { connector = "ws" }
  to {
    connector = "ws"
    ${lines}
  }
}
`);
}

async function codesOf(text: string): Promise<string[]> {
  return (await problemsOf(text)).map((problem) => problem.replace(/^\S+ /, ""));
}

test("websocket: its gates and the metadata of its events are declared", () => {
  const { source } = websocketConnector;
  assert.deepEqual([source?.kind, source?.gates], ["clients", ["connect", "join_room"]]);
  const request: HandshakeRequest = {
    method: "GET",
    url: new URL("http://host/ws"),
    headers: {},
    remoteAddress: null,
  };
  const identity = { userId: null, claims: null, expiresAt: undefined };
  const client = clientFacts(request, { identity }, new Set(), 0, "an id");
  const connect = { remote_addr: null };
  const disconnect = { code: 1000, reason: "", rooms: [], duration_ms: 1 };
  const names = [connect, disconnect].flatMap((facts) =>
    Object.keys(new SocketEvent("any", {}, client, "room", facts, { messageId: "id" }).input)
  );
  assert.deepEqual([...source?.metadata ?? []].sort(), [...new Set(names)].sort());
});

test("websocket: which operations need a target, and which do not use one", async () => {
  assert.deepEqual(await toProblems('operation = "send_to_client"\n target = "client.id"'), []);
  assert.deepEqual(await toProblems('operation = "send_to_client"\n target = "some-id"'), []);
  assert.deepEqual(await toProblems('operation = "send_to_client"'), ["missing-target"]);
  assert.deepEqual(await toProblems('operation = "send_to_clients"'), ["unknown-operation"]);
  assert.deepEqual(await toProblems('operation = "broadcast"\n target = "x"'), [
    "unused-attribute",
  ]);
});

test("websocket: frame is a type that is none of the protocol's own, and only for messages", async () => {
  const sending = (frame: string) => toProblems(`operation = "broadcast"\n frame = "${frame}"`);
  for (const good of ["price", "a.b:c-1_", "x".repeat(64), "__proto__"]) {
    assert.deepEqual(await sending(good), [], good);
  }
  const own = ["message", "join_room", "leave_room", "ping", "auth", "ack", "presence", "error"];
  const others = ["pong", "dropped", "resync", "connect", "disconnect"];
  for (const bad of [...own, ...others, "", "a b", "x".repeat(65)]) {
    assert.deepEqual(await sending(bad), ["invalid-value"], bad);
  }
  for (const operation of ["send_to_room", "send_to_user", "send_to_client"]) {
    const lines = `operation = "${operation}"\n target = "x"\n frame = "price"`;
    assert.deepEqual(await toProblems(lines), []);
  }
  for (const operation of ["join_room", "leave_room"]) {
    const lines = `operation = "${operation}"\n target = "x"\n frame = "price"`;
    assert.deepEqual(await toProblems(lines), ["unused-attribute"]);
  }
  const lines = 'operation = "disconnect"\n frame = "price"';
  assert.deepEqual(await toProblems(lines), ["unused-attribute"]);
});

test("websocket: what slow_client and rate_limit refuse", async () => {
  const problems = (block: string) =>
    codesOf(`connector "ws" {
  type = "websocket"
  port = 0
  ${block}
}
`);
  const slow = (lines: string) => problems(`slow_client {\n ${lines}\n }`);
  assert.deepEqual(await slow('policy = "coalesce"'), ["missing-key"]);
  for (const policy of ["disconnect", "drop_oldest"]) {
    const found = await slow(`policy = "${policy}"\n key = "output.id"`);
    assert.deepEqual(found, ["unused-attribute"]);
  }
  const unknown = await slow('policy = "coalesce"\n key = "client.id"');
  assert.deepEqual(unknown, ["unknown-variable"]);
  assert.deepEqual(await slow('policy = "drop_newest"'), ["invalid-value"]);
  const broken = await slow('queue = "1KB"\n policy = "coalesce"\n key = "["');
  assert.deepEqual(broken, ["expression-syntax"]);
  assert.deepEqual(await slow("queue = 1023"), ["invalid-value"]);
  assert.deepEqual(
    await slow('policy = "coalesce"\n queue = "1KB"\n key = "[output.id, room, input.x]"'),
    [],
  );
  const rate = (lines: string) => problems(`rate_limit {\n ${lines}\n }`);
  assert.deepEqual(await rate("messages = 0"), ["invalid-value"]);
  assert.deepEqual(await rate('messages = 1\n per = "0s"'), ["invalid-value"]);
  assert.deepEqual(await rate("messages = 1\n burst = 0"), ["invalid-value"]);
  assert.deepEqual(await rate('per = "1s"'), ["missing-attribute"]);
});
