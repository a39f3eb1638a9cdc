/** The entries of "Handshake" in the list of faults: what a client may do before it is one. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { handshakeText } from "../support/socket-client.ts";
import { opcodes } from "../support/socket-frames.ts";
import { pause, until } from "../support/socket-probe.ts";
import { frameBytes, type FrameClient, showFrame } from "./client.ts";
import { echo, say } from "./conformance/case.ts";
import { type Fault, fault, faults } from "./invariants.ts";

type Headers = Readonly<Record<string, string | null>>;

const KB = 1024;
/** A request that is not complete must be gone between these, in milliseconds. */
const [EARLIEST, LATEST] = [10_000, 15_000];
/** The checks of Bun begin before the client knows of its connection. */
const TOLERANCE = 500;

/** The status that each of several handshakes gets, and the flows have seen nothing of it. */
async function allGet(
  t: Fault,
  status: number,
  headers: Readonly<Record<string, Headers>>,
  method = "GET",
): Promise<void> {
  const before = (await t.probe.deliveries()).length;
  const outcomes = await Promise.all(
    Object.entries(headers).map(async ([name, fields]) => {
      const response = await t.request("/ws", { method, headers: fields });
      return [name, response.status];
    }),
  );
  assert.deepEqual(outcomes, Object.keys(headers).map((name) => [name, status]));
  assert.equal((await t.probe.deliveries()).length, before);
}

/** Says something and demands the answer. */
async function answers(client: FrameClient, data: string): Promise<void> {
  client.send({ payload: say(data) });
  let frame = await client.next();
  // One that has been silent for long may have been pinged.
  if (frame?.opcode === opcodes.ping) frame = await client.next();
  assert.equal(frame && showFrame(frame), echo(data));
}

/** When the server has let go, in milliseconds from now; infinite where it has not in time. */
function lifetime(client: FrameClient): Promise<number> {
  const began = performance.now();
  return Promise.race([
    client.gone.then(() => performance.now() - began),
    pause(LATEST + 1_000).then(() => Infinity),
  ]);
}

/** What an unfinished request must come to. */
function assertSentAway(t: Fault, time: number): void {
  if (t.host.embedded) assert.equal(time, Infinity, "an embedding server has limits of its own");
  else assert.ok(time > EARLIEST - TOLERANCE && time < LATEST, `${time} ms`);
}

const api = `
  connector "api" {
    type = "rest"
    port = 0
  }
  flow "slow" {
    from {
      connector = "api"
      operation = "GET /slow"
    }
    to {
      connector = "probe"
    }
    response {
      slow = "'but there'"
    }
  }
`;

faults({ blocks: api }, {
  "slow header → closed between 10 and 15 s": async (t) => {
    const client = await t.connect();
    client.write("GET /ws HTTP/1.1\r\nHost: localhost\r\n");
    const drip = setInterval(() => client.write("X-Slow: very\r\n"), 1_000);
    const time = await lifetime(client).finally(() => clearInterval(drip));
    assertSentAway(t, time);
  },
  "a header byte by byte, too slowly → closed between 10 and 15 s": async (t) => {
    const client = await t.connect();
    const head = Buffer.from(handshakeText(`${t.host.mount}/ws`));
    let over = false;
    const time = lifetime(client).finally(() => over = true);
    for (let at = 0; !over && at < head.length; at++) {
      client.write(head.subarray(at, at + 1));
      await Promise.race([time, pause(250)]);
    }
    assertSentAway(t, await time);
  },
  "a header byte by byte → served": async (t) => {
    const head = Buffer.from(handshakeText(`${t.host.mount}/ws`));
    const client = await t.open("/ws", { bytes: [...head].map((byte) => Uint8Array.of(byte)) });
    await answers(client, "slowly");
  },
  "a connection that says nothing → closed between 10 and 15 s": async (t) => {
    const client = await t.connect();
    assertSentAway(t, await lifetime(client));
  },
  "a connection that says nothing after a request → closed before 15 s": async (t) => {
    const client = await t.connect();
    client.write(`GET ${t.host.mount}/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    assert.equal((await client.response()).status, 200);
    const time = await lifetime(client);
    if (t.host.embedded) assert.equal(time, Infinity);
    else assert.ok(time < LATEST, `${time} ms`);
  },
  "a connection that begins a second request → closed between 10 and 15 s": async (t) => {
    const client = await t.connect();
    client.write(`GET ${t.host.mount}/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    assert.equal((await client.response()).status, 200);
    client.write("GET /ws HTTP/1.1\r\nX-Slow: ");
    const drip = setInterval(() => client.write("x"), 1_000);
    const time = await lifetime(client).finally(() => clearInterval(drip));
    assertSentAway(t, time);
  },
  "a request whose head is complete is not touched: its answer may take longer": async (t) => {
    await t.probe.hold();
    const client = await t.connect();
    client.write(`GET ${t.host.mount}/slow HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await pause(LATEST + 500);
    assert.equal(client.ended, false);
    await t.probe.releaseAll();
    const { status, body } = await client.response();
    assert.deepEqual([status, JSON.parse(body)], [200, { slow: "but there" }]);
  },
  "a client that says nothing once it is one is not touched": async (t) => {
    const client = await t.open();
    await pause(LATEST + 500);
    await answers(client, "still here");
  },
});

fault("version 7, 8, 12, none → 426", {}, async (t) => {
  const versions = ["7", "8", "12", null, "", "0", "14", "13.0", "013", "13, 8", "8, 13", "x"];
  const headers = versions.map((version) => [
    String(version),
    { "Sec-WebSocket-Version": version },
  ]);
  await allGet(t, 426, Object.fromEntries(headers));
  const { headers: answered } = await t.request("/ws", {
    headers: { "Sec-WebSocket-Version": "8" },
  });
  assert.equal(answered.get("sec-websocket-version"), "13");
});

fault("key missing, empty, not base64, wrong length → 400", {}, async (t) => {
  const keys: Readonly<Record<string, string | null>> = {
    missing: null,
    empty: "",
    "not base64": "this is no base64 at all",
    "base64 of another alphabet": "AQIDBAUGBwgJCgsMDQ4-_w==",
    "15 bytes": "AQIDBAUGBwgJCgsMDQ4P",
    "17 bytes": "AQIDBAUGBwgJCgsMDQ4PEBE=",
    "16 bytes without padding": "AQIDBAUGBwgJCgsMDQ4PEA",
    "16 bytes and a space within": "AQIDBAUGBwg JCgsMDQ4PEA==",
    "16 KB": "A".repeat(8 * KB),
  };
  const headers = Object.entries(keys).map(([name, key]) => [name, { "Sec-WebSocket-Key": key }]);
  await allGet(t, 400, Object.fromEntries(headers));
});

fault("GET without Upgrade → 426", {}, async (t) => {
  await allGet(t, 426, {
    "neither header": { Upgrade: null, Connection: null },
    "no Upgrade": { Upgrade: null },
    "no Connection": { Connection: null },
    "another Connection": { Connection: "keep-alive" },
    "h2c": { Upgrade: "h2c" },
    "an empty Upgrade": { Upgrade: "" },
  });
});

fault("POST → 405", {}, async (t) => {
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    await allGet(t, 405, { [method]: {} }, method);
    const plain = { Upgrade: null, Connection: null, "Content-Length": "0" };
    await allGet(t, 405, { [`plain ${method}`]: plain }, method);
  }
  const client = await t.connect();
  const head = handshakeText(`${t.host.mount}/ws`, {
    method: "POST",
    headers: { Upgrade: null, Connection: null, "Content-Length": "5" },
  });
  client.write(`${head}hello`);
  assert.equal((await client.response()).status, 405);
});

fault("header over 16 KB → 431", {}, async (t) => {
  const { status } = await t.request("/ws", { headers: { "X-Large": "x".repeat(15 * KB) } });
  assert.equal(status, 101);
  const large: Headers[] = [
    { "X-Large": "x".repeat(17 * KB) },
    Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`X-${i}`, "x".repeat(250)])),
    { "Sec-WebSocket-Protocol": `weir, ${"x".repeat(20 * KB)}` },
  ];
  // An embedding server has limits of its own: Deno's takes 17 KB, and answers 400 to 64 KB.
  for (const headers of large) {
    const response = await t.request("/ws", { headers });
    assert.equal(response.status, t.host.embedded ? 101 : 431);
  }
  const target = await t.request(`/ws?${"x".repeat(17 * KB)}`);
  assert.equal(target.status, t.host.embedded ? 101 : 431);
  const huge = await t.request("/ws", { headers: { Cookie: "x".repeat(64 * KB) } });
  assert.equal(huge.status, t.host.embedded ? 400 : 431);
  // A header that never ends is not collected.
  const endless = await t.connect();
  endless.write("GET /ws HTTP/1.1\r\nX-Endless: ");
  const block = "x".repeat(64 * KB);
  let sent = 0;
  for (; sent < 1024 && !endless.ended; sent++) {
    endless.write(block);
    await pause(1);
  }
  assert.ok(endless.ended, `it took ${sent * 64} KB`);
});

fault("other path, //ws, /ws/, /ws/../x, /%77s → 404", {}, async (t) => {
  const paths = ["/", "/other", "//ws", "/ws/", "/ws/../x", "/%77s", "/WS", "/ws%2f", "/ws/ws"];
  for (const path of [...paths, "/ws;a=b", "/ws%00", "/.ws", "/ws.", "/w%73"]) {
    const { status } = await t.request(path);
    assert.deepEqual([path, status], [path, 404]);
  }
});

fault("malformed subprotocol → 400", {}, async (t) => {
  const offers = ["", " ", ",", "a,", ",a", "a,,b", "a b", "a, a", "weir, x, weir", "a@b", "a=b"];
  const more = ['"weir"', "ä", "a;b", "a/b", "(a)", "{a}"];
  const headers = [...offers, ...more].map((offer) => [
    offer,
    { "Sec-WebSocket-Protocol": offer },
  ]);
  await allGet(t, 400, Object.fromEntries(headers));
});

fault("frames in the packet of the request → served", {}, async (t) => {
  const head = Buffer.from(handshakeText(`${t.host.mount}/ws`));
  const early = frameBytes({ payload: say("early") });
  const bird = frameBytes({ payload: say("bird") });
  const all = Buffer.concat([head, early, bird]);
  const cuts = [head.length - 1, head.length + 1, head.length + 10, all.length - 1, all.length];
  for (const at of cuts) {
    const client = await t.open("/ws", { bytes: [all.subarray(0, at), all.subarray(at)] });
    for (const data of ["early", "bird"]) {
      const frame = await client.next();
      assert.equal(frame && showFrame(frame), echo(data), `cut at ${at - head.length}`);
    }
  }
  // A broken frame is judged there, too.
  const client = await t.open("/ws", { bytes: [Buffer.concat([head, frameBytes({ opcode: 3 })])] });
  const { frames, ended } = await client.rest();
  const code = t.host.sockets === "deno" ? [] : ["close 1002"];
  assert.deepEqual([frames.map(showFrame), ended], [code, true]);
});

fault("over max_connections → 503", { attributes: "max_connections = 5" }, async (t) => {
  // Three others are there.
  const [first] = await Promise.all([t.open(), t.open()]);
  const refused = await Promise.all(Array.from({ length: 20 }, () => t.request("/ws")));
  for (const { status, headers } of refused) {
    assert.equal(status, 503);
    assert.match(headers.get("retry-after") ?? "", /^[1-9]\d*$/);
  }
  first.destroy();
  await until("a free place", async () => (await t.server.presence()).connections === 4);
  const answered = await Promise.all(Array.from({ length: 10 }, async () => {
    const client = await t.connect();
    client.write(handshakeText(`${t.host.mount}/ws`));
    return { client, status: (await client.response()).status };
  }));
  const statuses = answered.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [101, ...Array.from({ length: 9 }, () => 503)]);
  t.opened(1);
});

fault("reset in the middle of a handshake → nothing is left", {}, async (t) => {
  const head = handshakeText(`${t.host.mount}/ws`);
  for (const at of [1, 5, 20, head.length - 1]) {
    const client = await t.connect();
    client.write(head.slice(0, at));
    await pause(5);
    client.reset();
  }
  const before = (await t.server.presence()).connections;
  await pause(50);
  assert.equal((await t.server.presence()).connections, before);
});

const gate = `
  flow "gate" {
    from {
      connector = "ws"
      operation = "connect"
      filter    = "input.user_id != null"
    }
    accept {
      step "member" {
        connector = "probe"
        target    = "members"
      }
      when = "step.member != null"
    }
  }
`;

fault(
  "reset while authentication waits → no crash; client leaves while it waits → no open, no leak",
  { blocks: gate },
  async (t) => {
    await t.probe.setResult("members", { of: "all" });
    await t.probe.hold();
    const waiting = await Promise.all(Array.from({ length: 20 }, async () => {
      const client = await t.connect();
      client.write(handshakeText(`${t.host.mount}/ws?user_id=ann`));
      return client;
    }));
    await t.probe.received(20);
    for (const [i, client] of waiting.entries()) i % 2 === 0 ? client.reset() : client.destroy();
    await pause(50);
    await t.probe.releaseAll();
    // Deno tells nothing of a client that has left; such a socket is given up after 10 s.
    await pause(t.host.embedded ? 10_500 : 50);
    assert.deepEqual(await t.server.presence(), { connections: 3, rooms: 1, users: 0 });
    assert.equal((await t.probe.targets()).filter((target) => target === "ended").length, 0);
  },
);

fault(
  "shutting down → 503 for those already accepted, others refused",
  { ends: true },
  async (t) => {
    const accepted = await Promise.all(Array.from({ length: 5 }, () => t.connect()));
    const half = await t.connect();
    half.write(handshakeText(`${t.host.mount}/ws`).slice(0, 30));
    // A flow in flight keeps the server from its end.
    await t.probe.hold();
    const busy = await t.open();
    busy.say({ type: "probe", id: 1 });
    await t.probe.received(1);
    const closed = t.close();
    await pause(50);
    for (const client of accepted) {
      client.write(handshakeText(`${t.host.mount}/ws`));
      // Bun lets go of those that had not begun a request, without an answer.
      if (t.host.sockets === "bun") {
        assert.deepEqual(await client.rest(), { frames: [], ended: true });
      } else assert.equal((await client.response()).status, 503);
    }
    half.write(handshakeText(`${t.host.mount}/ws`).slice(30));
    assert.equal((await half.response()).status, 503);
    if (t.host.embedded) assert.equal((await t.request("/ws")).status, 503);
    else await assert.rejects(t.connect(), { code: "ECONNREFUSED" });
    await t.probe.releaseAll();
    assert.deepEqual(await busy.hear(), { type: "ack", id: 1 });
    await closed;
  },
);
