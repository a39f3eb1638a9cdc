/** Which requests are for a WebSocket: the path as it stands, after what `URL` does to it. */
import assert from "node:assert/strict";
import { handshakeText } from "../support/socket-client.ts";
import { contract, flows, websocket } from "../support/socket-contract.ts";

const config = `${websocket()}${flows}
  connector "api" {
    type = "rest"
    port = 0
  }
  flow "hello" {
    from {
      connector = "api"
      operation = "GET /hello"
    }
    response {
      hello = "'world'"
    }
  }
`;

contract("paths: dots are resolved before the comparison", config, async (t) => {
  await (await t.connect("/ws?a=/x")).hearsNothing();
  for (const path of ["/x/../ws", "/./ws", "/x/y/../../ws", "/x/%2e%2E/ws"]) {
    if (t.host.name === "deno Hono") {
      // Deno leaves the dots in `request.url`, and it is the outer application that routes by it.
      assert.equal((await t.request(path)).status, 404);
    } else {
      await (await t.connect(path)).hearsNothing();
    }
  }
});

contract("paths: everything else is compared literally", config, async (t) => {
  for (
    const path of ["//ws", "/ws/", "/%77s", "/ws/../x", "/WS", "/ws%2F", "/w", "/ws.", "/x/ws"]
  ) {
    const { status } = await t.request(path);
    assert.deepEqual([path, status], [path, 404]);
  }
});

contract("paths: a target in absolute form is one of this server", config, async (t) => {
  const client = await t.raw();
  client.write(handshakeText(`http://localhost${t.host.mount}/ws`));
  await client.upgraded();
  await client.hearsNothing();
});

contract("paths: a target that is none is an error of the client", config, async (t) => {
  for (const target of ["ws", "*", "http://[", "\\ws"]) {
    const client = await t.raw();
    client.write(handshakeText(target));
    const { status } = await client.head();
    assert.ok(status >= 400 && status < 500, `${target} got ${status}`);
  }
  await (await t.connect()).hearsNothing();
});

contract("paths: elsewhere a wish to upgrade means nothing", config, async (t) => {
  for (const Upgrade of ["h2c", "foo/2"]) {
    const expected = t.host.ignoresOtherUpgrades ? 200 : 404;
    const { status, body } = await t.request("/hello", { headers: { Upgrade } });
    assert.deepEqual([Upgrade, status], [Upgrade, expected]);
    if (status === 200) assert.deepEqual(JSON.parse(body), { hello: "world" });
    assert.equal((await t.request("/nothing", { headers: { Upgrade } })).status, 404);
  }
  assert.equal((await t.request("/nothing")).status, 404);
  const expected = t.host.ignoresOtherUpgrades ? 200 : 404;
  assert.equal((await t.request("/hello")).status, expected);
});

contract("paths: REST, health and sockets share a port", config, async (t) => {
  const headers = { Upgrade: null, Connection: null };
  assert.deepEqual(JSON.parse((await t.request("/hello", { headers })).body), { hello: "world" });
  assert.equal((await t.request("/health/live", { headers })).status, 200);
  assert.equal((await t.request("/health/ready", { headers })).status, 200);
});

contract(
  "paths: connectors on one port have their own clients, rooms and limits",
  `
    connector "small" {
      type = "websocket"
      port = 0
      path = "/small"
      max_message_size = "1KB"
    }
    connector "large" {
      type = "websocket"
      port = 0
      path = "/a/large"
    }
    flow "small" {
      from {
        connector = "small"
        operation = "message"
      }
      to {
        connector = "large"
        operation = "broadcast"
      }
    }
    flow "large" {
      from {
        connector = "large"
        operation = "message"
      }
      to {
        connector = "small"
        operation = "broadcast"
      }
    }
  `,
  async (t) => {
    const small = await t.connect("/small");
    const large = await t.connect("/a/large");
    assert.deepEqual(await small.ask({ type: "join_room", room: "r", id: 1 }), {
      type: "ack",
      id: 1,
    });
    assert.equal(await t.runtime.sendToRoom("r", 0, { connector: "large" }), 0);
    small.say({ type: "message", data: "from small" });
    assert.deepEqual(await large.hear(), { type: "message", data: "from small" });
    large.say({ type: "message", data: "x".repeat(2000) });
    assert.deepEqual(await small.hear(), { type: "message", data: "x".repeat(2000) });
    // Bun has one limit a server, so the smaller one is judged on what was received.
    small.say({ type: "message", data: "x".repeat(2000) });
    const { code } = await small.ending();
    assert.equal(code, t.host.features.closeCodes ? 1009 : 4009);
    await large.hearsNothing();
  },
);
