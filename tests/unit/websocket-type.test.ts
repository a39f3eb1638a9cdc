import assert from "node:assert/strict";
import { test } from "node:test";
import type { HandshakeRequest } from "../../src/transport/socket.ts";
import { clientFacts, SocketEvent } from "../../src/connectors/websocket/client.ts";
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
  const identity = { userId: null, claims: null, expiresAt: undefined };
  const client = clientFacts(request, { identity }, new Set(), 0);
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

test("websocket: what slow_client and rate_limit refuse", async () => {
  const problems = (block: string) =>
    problemsOf(`connector "ws" {
  type = "websocket"
  port = 0
  ${block}
}
`);
  const slow = (lines: string) => problems(`slow_client {\n ${lines}\n }`);
  const [keyless] = await slow('policy = "coalesce"');
  assert.match(keyless, /coalesces the messages of slow clients without a key/);
  for (const policy of ["disconnect", "drop_oldest"]) {
    const [useless] = await slow(`policy = "${policy}"\n key = "output.id"`);
    assert.match(useless, /has a key for slow clients, but the policy/);
  }
  const [unknown] = await slow('policy = "coalesce"\n key = "client.id"');
  assert.match(unknown, /client/);
  const [typo] = await slow('policy = "drop_newest"');
  assert.match(typo, /must be one of "disconnect", "drop_oldest", "coalesce"/);
  const [small] = await slow('queue = "1KB"\n policy = "coalesce"\n key = "["');
  assert.match(small, /key: /);
  assert.match((await slow("queue = 1023"))[0], /queue must be at least 1024 bytes/);
  assert.deepEqual(
    await slow('policy = "coalesce"\n queue = "1KB"\n key = "[output.id, room, input.x]"'),
    [],
  );
  const rate = (lines: string) => problems(`rate_limit {\n ${lines}\n }`);
  assert.match((await rate("messages = 0"))[0], /messages must be a whole number of at least 1/);
  assert.match((await rate('messages = 1\n per = "0s"'))[0], /per must be at least 1ms/);
  assert.match((await rate("messages = 1\n burst = 0"))[0], /burst must be a whole number/);
  assert.match((await rate('per = "1s"'))[0], /needs the attribute "messages"/);
});
