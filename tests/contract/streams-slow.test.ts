/** A client of a stream that does not read what it is sent. */
import assert from "node:assert/strict";
import { population } from "../support/population.ts";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";
import { until } from "../support/socket-probe.ts";

const streaming = (attributes = "") => websocket(`sse = "/events"\n${attributes}`);

const FILLER = "x".repeat(64 * 1024);
/** So many fillers, 64 MB, are more than any kernel keeps. */
const MOST = 1000;

/** Sends to the room until the slow client is no member, or `enough`; returns how often. */
async function fill(t: Contract, enough: () => boolean): Promise<number> {
  let count = 0;
  for (; !enough(); count++) {
    assert.ok(count < MOST, "nobody was called slow");
    await t.runtime.sendToRoom("busy", [count, FILLER]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return count;
}

contract(
  "streams slow: one that does not read is ended, and the others get everything in order",
  streaming() + flows,
  async (t) => {
    const slow = await t.stream("/events?room=busy&user_id=slow");
    const reader = await t.stream("/events?room=busy");
    slow.socket.pause();
    let count = 0;
    const send = async (): Promise<number> => {
      const recipients = await t.runtime.sendToRoom("busy", [count, FILLER]);
      const { data } = await reader.hear();
      assert.ok(Array.isArray(data) && data[0] === count && data[1] === FILLER);
      count++;
      return recipients;
    };
    while (await send() === 2) assert.ok(count < MOST, "nobody was called slow");
    for (let i = 0; i < 50; i++) assert.equal(await send(), 1);
    assert.deepEqual(population(t.runtime), { connections: 1, rooms: 1, users: 0 });
    slow.socket.resume();
    const { messages, ending } = await slow.finish();
    assert.ok(messages.length < count);
    for (const [n, { data }] of messages.entries()) {
      assert.ok(Array.isArray(data) && data[0] === n && data[1] === FILLER);
    }
    assert.deepEqual([ending.code, ending.reason], [1013, "slow consumer"]);
    const [{ input }] = await t.probe.received(1);
    assert.deepEqual([input.user_id, input.code, input.rooms], ["slow", 1013, ["busy"]]);
    assert.equal(t.runtime.counts().ws.closed_slow, 1);
  },
);

contract(
  "streams slow: one that leaves without reading is gone",
  streaming() + flows,
  async (t) => {
    const slow = await t.stream("/events?room=busy");
    slow.socket.pause();
    await fill(t, () => population(t.runtime).rooms === 0);
    slow.destroy();
    const [{ input }] = await t.probe.received(1);
    assert.equal(input.event, "disconnect");
  },
);

contract(
  "streams slow: drop_oldest leaves messages out and tells how many",
  streaming('slow_client {\n policy = "drop_oldest"\n queue = "256KB"\n }'),
  async (t) => {
    const slow = await t.stream("/events?room=busy");
    slow.socket.pause();
    const { counts } = t.runtime;
    const count = await fill(t, () => t.runtime.counts().ws.dropped > 10);
    slow.socket.resume();
    let expected = 0;
    let dropped = 0;
    for (let message = await slow.hear(); expected < count; message = await slow.hear()) {
      if (message.type === "dropped") {
        dropped += Number(message.count);
        expected += Number(message.count);
        continue;
      }
      const { data } = message;
      assert.ok(Array.isArray(data));
      assert.equal(data[0], expected++);
      if (expected === count) break;
    }
    assert.equal(dropped, counts.call(t.runtime).ws.dropped);
  },
);

contract(
  "streams slow: coalesce keeps the newest message of each key",
  streaming('slow_client {\n policy = "coalesce"\n key = "\'one\'"\n queue = "256KB"\n }'),
  async (t) => {
    const slow = await t.stream("/events?room=busy");
    slow.socket.pause();
    const count = await fill(t, () => t.runtime.counts().ws.coalesced > 10);
    slow.socket.resume();
    let last = -1;
    while (last < count - 1) {
      const { data } = await slow.hear();
      assert.ok(Array.isArray(data) && data[0] > last);
      last = data[0];
    }
    assert.equal(population(t.runtime).connections, 1);
  },
);

contract(
  "streams slow: one that takes nothing for ping_interval and pong_timeout is ended",
  streaming('ping_interval = "1s"\npong_timeout = "1s"\nslow_client {\n queue = "64MB"\n }') +
    flows,
  async (t) => {
    const slow = await t.stream("/events?room=busy");
    slow.socket.pause();
    // Not slow by its queue, which is larger than this.
    for (let n = 0; n < 500; n++) {
      await t.runtime.sendToRoom("busy", [n, FILLER]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until("its end", () => population(t.runtime).connections === 0, undefined, 20_000);
    slow.socket.resume();
    assert.equal((await slow.finish()).ending.code, 1006);
    const [{ input }] = await t.probe.received(1);
    assert.deepEqual([input.event, input.code], ["disconnect", 1006]);
    assert.equal(t.runtime.counts().ws.closed_slow, 0);
  },
);
