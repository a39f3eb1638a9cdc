/** Refused clients that offer `weir.1`: they are upgraded to be told why, and cost no more than that. */
import assert from "node:assert/strict";
import { handshakeText, type Message } from "../support/socket-client.ts";
import { opcodes } from "../support/socket-frames.ts";
import { pause } from "../support/socket-probe.ts";
import { frameBytes, type FrameClient, showFrame } from "./client.ts";
import { type Fault, fault, faults } from "./invariants.ts";

/** So many are upgraded at once, by one connector in one process. */
const MOST = 1_000;
/** The others of a fault take all places. */
const full = { attributes: "max_connections = 3" };

const OFFER = { headers: { "Sec-WebSocket-Protocol": "weir.1" } };

const notice = {
  type: "error",
  message: "too many connections",
  code: "unavailable",
  retry_after_ms: 1_000,
};

/** A client whose handshake is refused, and the status that it gets. */
async function knock(t: Fault): Promise<{ client: FrameClient; status: number }> {
  const client = await t.connect();
  client.write(handshakeText(`${t.host.mount}/ws`, OFFER));
  const { status, headers } = await client.response();
  if (status === 503) assert.equal(headers.get("retry-after"), "1");
  else assert.equal(headers.get("sec-websocket-protocol"), "weir.1");
  return { client, status };
}

/** It is told, and sees the close. */
async function isTold({ client, status }: Awaited<ReturnType<typeof knock>>): Promise<void> {
  assert.equal(status, 101);
  assert.deepEqual(await client.hear() as Message, notice);
  const close = await client.next();
  assert.equal(close && showFrame(close), "close 4503");
}

/** The longest time until a client is gone that does not answer; a loaded machine is slow. */
const patience = 10_000;

/** The server lets go by itself, but for Deno's own sockets, which cannot be destroyed. */
async function goes(t: Fault, client: FrameClient): Promise<void> {
  const { ended } = await client.rest({ answer: false, patience });
  assert.equal(ended, t.host.sockets !== "deno");
}

faults(full, {
  "a client that offers `weir.1` and is refused → error frame, close 4503, gone once it answers":
    async (t) => {
      const refused = await knock(t);
      assert.equal(refused.status, 101);
      const { frames, ended } = await refused.client.rest();
      assert.deepEqual(frames.map(showFrame), [`text ${JSON.stringify(notice)}`, "close 4503"]);
      assert.equal(ended, true);
    },
  "a refused client that never answers the close → destroyed after 2 s, on Bun after 4": async (
    t,
  ) => {
    const refused = await knock(t);
    await isTold(refused);
    await goes(t, refused.client);
  },
  "a refused client that goes on sending → nothing is served, and it is destroyed": async (t) => {
    const before = (await t.probe.deliveries()).length;
    const refused = await knock(t);
    await isTold(refused);
    const { client } = refused;
    const frames = [
      frameBytes({ payload: '{"type":"probe","id":1}' }),
      frameBytes({ opcode: opcodes.ping, payload: "x" }),
      frameBytes({ payload: '{"type":"ping"}' }),
      frameBytes({ payload: "[" }),
    ];
    const drip = setInterval(() => {
      for (const bytes of frames) client.write(bytes);
    }, 50);
    try {
      const { frames: answers, ended } = await client.rest({ answer: false, patience });
      assert.deepEqual(answers, []);
      // Deno lets go of one that sends while it is being closed.
      assert.equal(ended, true);
    } finally {
      clearInterval(drip);
    }
    assert.equal((await t.probe.deliveries()).length, before);
  },
  "a refused client that resets, before or after it is told → nothing is left": async (t) => {
    for (const wait of [0, 1, 5, 20]) {
      const { client } = await knock(t);
      if (wait > 0) await pause(wait);
      client.reset();
    }
    for (const wait of [0, 1, 5, 20]) {
      // Deno keeps the descriptor of one that resets before its upgrade, whoever it is.
      if (t.host.sockets === "deno") break;
      const client = await t.connect();
      client.write(handshakeText(`${t.host.mount}/ws`, OFFER));
      if (wait > 0) await pause(wait);
      client.reset();
    }
    await isTold(await knock(t));
  },
});

fault(
  "1500 refused clients that offer `weir.1` and never close → 1000 are told, the others get 503 at once, nobody else notices, and places become free",
  full,
  async (t) => {
    const clients: Awaited<ReturnType<typeof knock>>[] = [];
    while (clients.length < MOST * 1.5) {
      clients.push(...await Promise.all(Array.from({ length: 50 }, () => knock(t))));
    }
    const told = clients.filter(({ status }) => status === 101);
    assert.ok(told.length >= MOST, `${told.length} are upgraded`);
    // More only where the first were destroyed meanwhile.
    if (t.host.sockets === "deno") assert.equal(told.length, MOST);
    assert.deepEqual(await t.server.presence(), { connections: 3, rooms: 1, users: 0 });
    for (const one of told) await isTold(one);
    if (t.host.sockets === "deno") {
      assert.equal((await knock(t)).status, 503);
      for (const { client } of told) client.destroy();
    } else {
      for (const { client } of told) await goes(t, client);
    }
    let next = await knock(t);
    for (let i = 0; i < 100 && next.status !== 101; i++) {
      await pause(100);
      next = await knock(t);
    }
    await isTold(next);
  },
);
