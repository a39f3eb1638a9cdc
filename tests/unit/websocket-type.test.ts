import assert from "node:assert/strict";
import { test } from "node:test";
import type { HandshakeRequest } from "../../src/socket.ts";
import { describeClient, SocketEvent } from "../../src/connectors/websocket/event.ts";
import { websocketConnector } from "../../src/connectors/websocket/mod.ts";
import { problemsOf } from "../support/config.ts";

/** The problems of a `to` block with these lines. */
function toProblems(lines: string): Promise<string[]> {
  return problemsOf(`connector "ws" {
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

test("websocket: its gates and what its events set are known", () => {
  const { source } = websocketConnector;
  assert.deepEqual([source?.kind, source?.gates], ["clients", ["connect", "join_room"]]);
  const request: HandshakeRequest = {
    method: "GET",
    url: new URL("http://host/ws"),
    headers: {},
    remoteAddress: null,
  };
  const client = describeClient(request, null, new Set());
  const connect = { remote_addr: null };
  const disconnect = { code: 1000, reason: "", rooms: [], duration_ms: 1 };
  const names = [connect, disconnect].flatMap((facts) =>
    Object.keys(new SocketEvent("any", {}, client, "room", facts).input)
  );
  assert.deepEqual([...source?.metadata ?? []].sort(), [...new Set(names)].sort());
});

test("websocket: which operations need a target, and which take none", async () => {
  assert.deepEqual(await toProblems('operation = "send_to_client"\n target = "client.id"'), []);
  assert.deepEqual(await toProblems('operation = "send_to_client"\n target = "some-id"'), []);
  const [missing] = await toProblems('operation = "send_to_client"');
  assert.match(missing, /needs a target: the client's id$/);
  const [close] = await toProblems('operation = "send_to_clients"');
  assert.match(close, /did you mean "send_to_client"\?$/);
  const [useless] = await toProblems('operation = "broadcast"\n target = "x"');
  assert.match(useless, /send_to_room, send_to_user and send_to_client take one$/);
});
