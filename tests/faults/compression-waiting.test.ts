/** Compressed messages that wait for a flow: a few hundred bytes on the wire, and half a megabyte each. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { COMPRESSED, deflated } from "../support/deflate-client.ts";
import { opcodes } from "../support/socket-frames.ts";
import { frameBytes, type FrameClient, showFrame } from "./client.ts";
import { fault } from "./invariants.ts";
import { within } from "./within.ts";

const MB = 1024 * 1024;
const CLIENTS = 20;
/** So many have over 60 MB, and less than one read brings on the wire. */
const MESSAGES = 120;
const data = "x".repeat(511 * 1024);
const flood = Buffer.concat(Array.from({ length: MESSAGES }, (_, id) => {
  const payload = deflated(JSON.stringify({ type: "leave_room", room: "none", id, data }));
  return frameBytes({ payload, reserved: COMPRESSED });
}));

fault(
  "20 times 60 MB of compressed messages for flows that do not end → 1 MB of each waits, on Bun the client is closed with 1008",
  { attributes: "compression = true" },
  async (t) => {
    // Deno's own upgrade never compresses: it ends the connection at the first bit of it.
    const { sockets } = t.host;
    const held = async (): Promise<number> => {
      const { heap, external } = await t.server.memory(true);
      return heap + external;
    };
    await t.probe.hold();
    const clients: FrameClient[] = [];
    for (let i = 0; i < CLIENTS; i++) {
      const client = await t.connect();
      const headers = { "Sec-WebSocket-Extensions": "permessage-deflate" };
      await client.open(`${t.host.mount}/ws`, { headers });
      t.opened(1);
      client.say({ type: "probe", id: "first" });
      clients.push(client);
    }
    await t.probe.received(CLIENTS);
    const before = await held();
    for (const client of clients) client.write(flood);
    if (sockets === "ws") await within("bytes unsent", () => unsent(clients), 0);
    else await within("clients that were let go", () => clients.filter(isGone).length, CLIENTS);
    const waiting = (await held() - before) / CLIENTS;
    assert.ok(waiting < 2.5 * MB, `${waiting} bytes wait for each client`);

    const { closed_waiting } = (await t.server.counts()).ws;
    assert.equal(closed_waiting, sockets === "bun" ? CLIENTS : 0);
    if (sockets === "deno") return;
    const [first] = clients;
    if (sockets === "bun") {
      const { frames } = await first.rest();
      assert.deepEqual(frames.map(showFrame), ["close 1008"]);
      return;
    }
    // None of them is lost: the rest is read when there is room again.
    for (const client of clients.slice(1)) client.destroy();
    first.skim = ({ opcode, payload }) => {
      if (opcode === opcodes.ping) first.send({ opcode: opcodes.pong, payload });
      return opcode === opcodes.ping;
    };
    await t.probe.releaseAll();
    assert.deepEqual(await first.hear(), { type: "ack", id: "first" });
    for (let id = 0; id < MESSAGES; id++) assert.deepEqual(await first.hear(), { type: "ack", id });
  },
);

fault(
  "60 MB of compressed messages in one read, each served at once → all served, on Bun 16 MB of them, and 1008",
  { attributes: "compression = true" },
  async (t) => {
    const { sockets } = t.host;
    const client = await t.connect();
    const headers = { "Sec-WebSocket-Extensions": "permessage-deflate" };
    await client.open(`${t.host.mount}/ws`, { headers });
    t.opened(1);
    client.skim = ({ opcode }) => opcode === opcodes.ping;
    client.write(flood);
    if (sockets === "ws") {
      for (let id = 0; id < MESSAGES; id++) {
        assert.deepEqual(await client.hear(), { type: "ack", id });
      }
      return;
    }
    const { frames, ended } = await client.rest();
    assert.ok(ended);
    // Deno's own upgrade has agreed to no compression.
    const expected = sockets === "bun" ? ["close 1008"] : [];
    const acks = frames.slice(0, frames.length - expected.length).map(showFrame);
    assert.deepEqual(acks, acks.map((_, id) => `text {"type":"ack","id":${id}}`));
    assert.deepEqual(frames.slice(acks.length).map(showFrame), expected);
    assert.equal((await t.server.counts()).ws.closed_waiting, sockets === "bun" ? 1 : 0);
    if (sockets === "bun") assert.ok(acks.length > 30 && acks.length < 36, `${acks.length}`);
  },
);

function isGone({ ended }: FrameClient): boolean {
  return ended;
}

function unsent(clients: readonly FrameClient[]): number {
  return clients.reduce((sum, { socket }) => sum + socket.writableLength, 0);
}
