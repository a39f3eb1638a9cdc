/** Messages that wait for a flow: how much of them a connection may keep in memory. */
import assert from "node:assert/strict";
import { closeCode } from "../support/socket-contract.ts";
import { opcodes } from "../support/socket-frames.ts";
import { type FrameClient, showFrame } from "./client.ts";
import { type Fault, fault } from "./invariants.ts";
import { within } from "./within.ts";

const MB = 1024 * 1024;
const CLIENTS = 5;
/** How many messages have 30 MB. */
const MESSAGES = 300;
const data = "x".repeat(100 * 1024);

/** What the server holds, in bytes. */
async function held(t: Fault): Promise<number> {
  const { heap, external } = await t.server.memory(true);
  return heap + external;
}

/** Clients whose first message is being served. */
async function busy(t: Fault): Promise<readonly FrameClient[]> {
  await t.probe.hold();
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => t.open("/ws", { member: false })),
  );
  for (const client of clients) {
    client.skim = ({ opcode, payload }) => {
      if (opcode === opcodes.ping) client.send({ opcode: opcodes.pong, payload });
      return opcode === opcodes.ping;
    };
    client.say({ type: "probe", id: "first" });
  }
  await t.probe.received(CLIENTS);
  return clients;
}

fault(
  "30 MB of messages from each of 5 clients for flows that do not end → 1 MB of each client waits; one that cannot be paused is closed with 1008",
  {},
  async (t) => {
    const clients = await busy(t);
    const before = await held(t);
    for (const client of clients) {
      for (let id = 0; id < MESSAGES; id++) {
        client.say({ type: "leave_room", room: "none", id, data });
      }
    }
    const { pause: pauses } = t.host.features;
    const isGone = ({ ended }: FrameClient): boolean => ended;
    // What the kernels hold still arrives; then nothing moves any more, or all clients are closed.
    if (pauses) await standstill(clients);
    else await within("closed clients", () => clients.filter(isGone).length, CLIENTS);
    const waiting = (await held(t) - before) / CLIENTS;
    assert.ok(waiting < 2.5 * MB, `${waiting} bytes wait for each client`);
    assert.equal((await t.server.counts()).ws.closed_waiting, pauses ? 0 : CLIENTS);
    if (!pauses) return;
    // No message is lost: the rest is read when there is room again.
    await t.probe.releaseAll();
    for (const client of clients) {
      assert.deepEqual(await client.hear(), { type: "ack", id: "first" });
      for (let id = 0; id < MESSAGES; id++) {
        assert.deepEqual(await client.hear(), { type: "ack", id });
      }
    }
  },
);

fault(
  "messages one at a time for a flow that does not end, 2 MB in all → they wait unread, or 1008 where reading cannot be stopped",
  {},
  async (t) => {
    const [client] = await busy(t);
    for (let id = 0; id < 20 && !client.ended; id++) {
      client.say({ type: "leave_room", room: "none", id, data });
      // The next one is sent when this one has been read and has had its effect.
      await t.server.counts();
    }
    if (t.host.features.pause) {
      await t.probe.releaseAll();
      assert.deepEqual(await client.hear(), { type: "ack", id: "first" });
      for (let id = 0; id < 20; id++) assert.deepEqual(await client.hear(), { type: "ack", id });
      return;
    }
    const { frames, ended } = await client.rest();
    assert.deepEqual([frames.map(showFrame), ended], [[`close ${closeCode(t.host, 1008)}`], true]);
  },
);

/** Waits until nothing moves any more, and something is still unsent. */
async function standstill(clients: readonly FrameClient[]): Promise<void> {
  const unsent = (): number => clients.reduce((sum, one) => sum + one.socket.writableLength, 0);
  let still = 0;
  let before = -1;
  await within("movement", async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = unsent();
    still = now === before ? still + 1 : 0;
    before = now;
    return still >= 5 ? 0 : 1;
  }, 0);
  assert.ok(before > MB, `${before} bytes are unsent`);
}
