/** A client that does not read what it is sent. */
import assert from "node:assert/strict";
import { population } from "../support/population.ts";
import type { SocketClient } from "../support/socket-client.ts";
import { closeCode, contract, flows, websocket } from "../support/socket-contract.ts";
import { until } from "../support/socket-probe.ts";

const FILLER = "x".repeat(64 * 1024);
/** So many fillers, 64 MB, are more than any kernel keeps. */
const MOST = 1000;

const join = (client: SocketClient) => client.ask({ type: "join_room", room: "busy", id: 1 });

contract(
  "slow consumer: it is closed, and the others get everything in order",
  websocket() + flows,
  async (t) => {
    const [slow, reader] = [await t.connect("/ws?user_id=slow"), await t.connect()];
    await join(slow);
    await join(reader);
    slow.socket.pause();
    let count = 0;
    const send = async (): Promise<number> => {
      const recipients = await t.runtime.sendToRoom("busy", [count, FILLER]);
      const { data } = await reader.hear();
      assert.ok(Array.isArray(data) && data[0] === count && data[1] === FILLER);
      count++;
      return recipients;
    };
    // What the kernel takes before anything waits in the process differs from machine to machine.
    while (await send() === 2) assert.ok(count < MOST, "nobody was called slow");
    for (let i = 0; i < 50; i++) assert.equal(await send(), 1);
    assert.deepEqual(population(t.runtime), { connections: 1, rooms: 1, users: 0 });
    slow.socket.resume();
    const { messages, ending } = await slow.finish();
    assert.ok(messages.length < count);
    for (const [n, { data }] of messages.entries()) {
      assert.ok(Array.isArray(data) && data[0] === n && data[1] === FILLER);
    }
    assert.equal(ending.code, closeCode(t.host, 1013));
    const [{ input }] = await t.probe.received(1);
    assert.deepEqual([input.user_id, input.code, input.rooms], ["slow", 1013, ["busy"]]);
    await reader.hearsNothing();
  },
);

contract(
  "slow consumer: one that leaves without reading is gone",
  websocket() + flows,
  async (t) => {
    const slow = await t.connect();
    await join(slow);
    slow.socket.pause();
    for (let n = 0; await t.runtime.sendToRoom("busy", FILLER) > 0; n++) {
      assert.ok(n < MOST, "it was not called slow");
      await new Promise((resolve) => setImmediate(resolve));
    }
    slow.destroy();
    const [{ input }] = await t.probe.received(1);
    assert.equal(input.event, "disconnect");
  },
);

contract(
  "slow consumer: its own answers count as well",
  websocket('max_message_size = "1MB"') + flows,
  async (t) => {
    const slow = await t.connect();
    slow.socket.pause();
    for (let id = 0; id < 400; id++) slow.say({ type: "echo", id, data: FILLER });
    await until("a verdict", () => t.runtime.counts().ws.connections === 0);
    slow.destroy();
    assert.equal((await t.probe.received(1))[0].input.event, "disconnect");
  },
);

contract("slow consumer: one that reads in time is not one", websocket() + flows, async (t) => {
  const client = await t.connect();
  await join(client);
  for (let round = 0; round < 10; round++) {
    const sent = Array.from({ length: 15 }, (_, n) => [round, n, FILLER]);
    for (const data of sent) assert.equal(await t.runtime.sendToRoom("busy", data), 1);
    assert.deepEqual((await client.hearMany(15)).map(({ data }) => data), sent);
  }
});
