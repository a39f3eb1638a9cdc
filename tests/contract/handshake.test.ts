/** How a connection begins: order of the checks, subprotocols, limits. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { handshakeText } from "../support/socket-client.ts";
import { contract, flows, websocket } from "../support/socket-contract.ts";
import { encodeFrame } from "../support/socket-frames.ts";

const config = websocket() + flows;

contract("handshake: a good one opens, without subprotocol or extension", config, async (t) => {
  const client = await t.raw();
  client.write(handshakeText(`${t.host.mount}/ws`, {
    headers: { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" },
  }));
  const response = await client.upgraded();
  assert.equal(response.headers.get("sec-websocket-protocol"), undefined);
  assert.equal(response.headers.get("upgrade")?.toLowerCase(), "websocket");
  await client.hearsNothing();
});

contract("handshake: names and values of headers in any case", config, async (t) => {
  const client = await t.connect("/ws", {
    headers: {
      Connection: null,
      Upgrade: null,
      CONNECTION: "keep-alive, UPGRADE",
      upgrade: "WebSocket",
    },
  });
  await client.hearsNothing();
});

contract("handshake: other methods get 405", config, async (t) => {
  for (const method of ["POST", "PUT", "HEAD", "OPTIONS"]) {
    const client = await t.raw();
    client.write(handshakeText(`${t.host.mount}/ws`, { method }));
    // Its head alone: an answer to HEAD has no body.
    const { status, headers } = await client.head();
    assert.deepEqual([method, status, headers.get("allow")], [method, 405, "GET"]);
  }
  const plain = await t.request("/ws", {
    method: "POST",
    headers: { Upgrade: null, Connection: "close", "Content-Length": "0" },
  });
  assert.equal(plain.status, 405);
});

contract("handshake: without an upgrade to websocket 426", config, async (t) => {
  const offers: Record<string, string | null>[] = [
    { Upgrade: null, Connection: null },
    { Upgrade: null },
    { Connection: null },
    { Connection: "keep-alive" },
    { Upgrade: "h2c" },
    { Upgrade: "websockets" },
  ];
  for (const headers of offers) {
    const { status, headers: answered } = await t.request("/ws", { headers });
    assert.deepEqual([headers, status], [headers, 426]);
    assert.equal(answered.get("sec-websocket-version"), undefined);
  }
});

contract("handshake: versions other than 13 get 426 and the version", config, async (t) => {
  for (const version of [null, "7", "8", "12", "14", "013", "13, 8"]) {
    const { status, headers } = await t.request("/ws", {
      headers: { "Sec-WebSocket-Version": version },
    });
    assert.deepEqual([version, status], [version, 426]);
    assert.equal(headers.get("sec-websocket-version"), "13");
  }
});

contract("handshake: a key that is not 16 bytes of base64 gets 400", config, async (t) => {
  const keys = [
    null,
    "",
    "AQID",
    "AQIDBAUGBwgJCgsMDQ4PEBE=",
    "not base64 at all, sorry",
    "AQIDBAUGBwgJCgsMDQ4PEA",
    "AQIDBAUGBwgJCgsMDQ4PE*==",
  ];
  for (const key of keys) {
    const response = await t.request("/ws", { headers: { "Sec-WebSocket-Key": key } });
    assert.deepEqual([key, response.status], [key, 400]);
  }
});

contract("handshake: malformed and repeated subprotocols get 400", config, async (t) => {
  for (const offer of ["a b", "a,,b", ",", "a,", "a, a", "weir, other, weir", "a@b", "a=b", "ä"]) {
    const response = await t.request("/ws", { headers: { "Sec-WebSocket-Protocol": offer } });
    assert.deepEqual([offer, response.status], [offer, 400]);
  }
});

contract("handshake: the first subprotocol is chosen", config, async (t) => {
  for (const [offer, chosen] of [["weir", "weir"], ["b , a", "b"], ["x.y!#~,weir", "x.y!#~"]]) {
    const client = await t.raw();
    const headers = { "Sec-WebSocket-Protocol": offer };
    client.write(handshakeText(`${t.host.mount}/ws`, { headers }));
    const response = await client.upgraded();
    assert.equal(response.headers.get("sec-websocket-protocol"), chosen);
    await client.hearsNothing();
  }
});

contract("handshake: the checks have an order", config, async (t) => {
  const wrong: Record<string, string | null> = {
    Upgrade: "h2c",
    "Sec-WebSocket-Version": "8",
    "Sec-WebSocket-Key": "short",
    "Sec-WebSocket-Protocol": "a,a",
  };
  const status = async (headers: Record<string, string | null>, method = "GET") => {
    const response = await t.request("/ws?user_id=%00", { method, headers });
    return [response.status, response.body.trim()];
  };
  assert.deepEqual((await status(wrong, "POST"))[0], 405);
  assert.deepEqual(await status(wrong), [426, "this path accepts WebSocket connections only"]);
  delete wrong.Upgrade;
  assert.deepEqual(await status(wrong), [426, "the WebSocket version must be 13"]);
  delete wrong["Sec-WebSocket-Version"];
  assert.match(String((await status(wrong))[1]), /Key/);
  delete wrong["Sec-WebSocket-Key"];
  assert.match(String((await status(wrong))[1]), /Protocol/);
  delete wrong["Sec-WebSocket-Protocol"];
  assert.match(String((await status(wrong))[1]), /user_id/);
  await t.runtime.close();
  assert.deepEqual(await status(wrong), [503, "the server is shutting down"]);
  assert.match(String((await status({ "Sec-WebSocket-Protocol": "a,a" }))[1]), /Protocol/);
});

contract("handshake: a refusal is plain text and runs no flow", config, async (t) => {
  const response = await t.request("/ws", { headers: { "Sec-WebSocket-Key": "?" } });
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
  assert.match(response.body, /^[ -~]+\n$/);
  assert.deepEqual(t.probe.deliveries, []);
});

contract("handshake: user_id of 1 to 255 bytes without control characters", config, async (t) => {
  const good = [
    "ann",
    "a".repeat(255),
    "%C3%A4".repeat(127),
    "%F0%9F%99%82",
    "__proto__",
    "*",
    "1",
  ];
  for (const user of good) {
    const client = await t.connect(`/ws?user_id=${user}`);
    assert.equal(await t.runtime.sendToUser(decodeURIComponent(user), 1), 1);
    assert.deepEqual(await client.hear(), { type: "message", data: 1 });
  }
  for (const user of ["a".repeat(256), "%C3%A4".repeat(128), "%00", "a%0Ab", "%7F", "%C2%85"]) {
    const response = await t.request(`/ws?user_id=${user}`);
    assert.deepEqual([user, response.status], [user, 400]);
  }
  await t.connect("/ws?user_id=");
  assert.equal(t.runtime.counts().ws.users, good.length);
});

contract(
  "handshake: over max_connections 503 with Retry-After, and room again after a close",
  websocket("max_connections = 2") + flows,
  async (t) => {
    const [first] = [await t.connect(), await t.connect()];
    const refused = await t.request("/ws");
    assert.equal(refused.status, 503);
    assert.match(refused.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    first.close();
    assert.equal((await first.ending()).code, 1000);
    await t.probe.received(1);
    const next = await t.connect();
    await next.hearsNothing();
    assert.equal((await t.request("/ws")).status, 503);
  },
);

contract("handshake: refused ones take no room", websocket("max_connections = 1"), async (t) => {
  for (let i = 0; i < 5; i++) {
    await t.request("/ws", { headers: { "Sec-WebSocket-Key": "?" } });
    await t.request("/ws?user_id=%00");
  }
  await t.connect();
});

contract("handshake: shutting down gets 503", config, async (t) => {
  const client = await t.connect();
  t.probe.holds = true;
  client.say({ type: "probe", id: 1 });
  await t.probe.received(1);
  const closed = t.runtime.close();
  assert.equal((await t.request("/ws")).status, 503);
  t.probe.releaseAll();
  assert.deepEqual((await client.finish()).messages, [{ type: "ack", id: 1 }]);
  await closed;
  assert.equal((await t.request("/ws")).status, 503);
});

contract("handshake: frames in the packet of the request are served", config, async (t) => {
  const client = await t.raw();
  const frames = ["early", "bird"].map((data, id) =>
    encodeFrame({ payload: JSON.stringify({ type: "echo", data, id }) })
  );
  client.write(Buffer.concat([Buffer.from(handshakeText(`${t.host.mount}/ws`)), ...frames]));
  await client.upgraded();
  assert.deepEqual(await client.hearMany(2), [
    { type: "ack", id: 0, data: { data: "early" } },
    { type: "ack", id: 1, data: { data: "bird" } },
  ]);
});

contract("handshake: a head that comes byte by byte is served", config, async (t) => {
  const client = await t.raw();
  for (const byte of Buffer.from(handshakeText(`${t.host.mount}/ws`))) {
    client.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.upgraded();
  await client.hearsNothing();
});

contract("handshake: who does not complete a request is sent away", config, async (t) => {
  // An embedding server has limits of its own.
  if (t.host.embedded) return;
  const [silent, slow, again] = await Promise.all([t.raw(), t.raw(), t.raw()]);
  const began = performance.now();
  const drip = setInterval(() => slow.write("x"), 1_000);
  try {
    slow.write("GET /ws HTTP/1.1\r\nX-Slow: ");
    // A connection that was served once is no better.
    again.write("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert.equal((await again.response()).status, 200);
    again.write("GET /ws HTTP/1.1\r\nX-Slow: ");
    const times = await Promise.all(
      [silent, slow, again].map(({ socket }) =>
        new Promise<number>((resolve) => {
          const timer = setTimeout(resolve, 20_000, Infinity);
          socket.once("close", () => {
            clearTimeout(timer);
            resolve(performance.now() - began);
          });
        })
      ),
    );
    assert.ok(times.every((time) => time < 15_000), `${times} ms`);
    assert.ok(times.slice(0, 2).every((time) => time > 9_500), `${times} ms`);
  } finally {
    clearInterval(drip);
  }
});
