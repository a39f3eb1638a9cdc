/** Streams of rooms with history and presence: they resume by the id of their last event. */
import assert from "node:assert/strict";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";
import { until } from "../support/socket-probe.ts";
import type { StreamClient, StreamEvent } from "../support/stream-client.ts";

const config = websocket(`
  sse = "/events"
  room "h:*" {
    history {
      size = 4
      ttl  = "1h"
    }
  }
  room "doc" {
    presence {
      leave_grace = "0s"
    }
  }
  room "*" {
  }
`) + flows;

/** Opens a stream that must be there, as one whose last event had this id. */
async function listen(t: Contract, query: string, lastEventId?: string): Promise<StreamClient> {
  const headers = { "Last-Event-ID": lastEventId ?? null };
  const client = await t.stream(`/events?${query}`, { headers });
  assert.equal(client.status, 200, await client.body());
  return client;
}

/** The next events: their ids, and what they say. */
async function events(client: StreamClient, count: number): Promise<StreamEvent[]> {
  const found: StreamEvent[] = [];
  while (found.length < count) {
    const event = await client.event();
    assert.ok(event, "the stream ended where an event was awaited");
    found.push(event);
  }
  return found;
}

const dataOf = (found: readonly StreamEvent[]) => found.map(({ data }) => JSON.parse(data[0]).data);

const room = "h:a,b:c";
const query = `room=${encodeURIComponent(room)}`;

contract("streams: who comes back with its last id gets what it has missed", config, async (t) => {
  const { runtime } = t;
  await runtime.sendToRoom(room, 0);
  const ann = await listen(t, `${query}&room=news`);
  await runtime.sendToRoom(room, 1);
  await runtime.sendToRoom("news", "new");
  const [first, other] = await events(ann, 2);
  const { epoch, ...message } = JSON.parse(first.data[0]);
  assert.deepEqual(message, { type: "message", data: 1, room, offset: 2 });
  assert.equal(first.id, `${encodeURIComponent(room)}:${epoch}:2`);
  // What has no place has no id, so that the client keeps the last one.
  assert.deepEqual([other.id, dataOf([other])], [undefined, ["new"]]);
  ann.destroy();
  for (const n of [2, 3]) await runtime.sendToRoom(room, n);
  const back = await listen(t, query, first.id);
  await runtime.sendToRoom(room, 4);
  const missed = await events(back, 3);
  assert.deepEqual(dataOf(missed), [2, 3, 4]);
  assert.deepEqual(missed.map(({ id }) => id?.split(":").at(-1)), ["3", "4", "5"]);
  const again = await listen(t, query, missed[2].id);
  await runtime.sendToRoom(room, 5);
  assert.deepEqual(dataOf(await events(again, 1)), [5]);
  const { history_resumed } = runtime.counts().ws ?? {};
  assert.equal(history_resumed, 2);
});

contract("streams: who has missed too much is told to load anew", config, async (t) => {
  const { runtime } = t;
  const ann = await listen(t, query);
  await runtime.sendToRoom(room, 1);
  const [{ id = "" }] = await events(ann, 1);
  for (const n of [2, 3, 4, 5, 6]) await runtime.sendToRoom(room, n);
  for (const last of [id, id.replace(/:[^:]+:1$/, ":other:1"), id.replace(/1$/, "999")]) {
    const late = await listen(t, query, last);
    await runtime.sendToRoom(room, "live");
    const [resync, live] = await events(late, 2);
    assert.deepEqual(JSON.parse(resync.data[0]), { type: "resync", room });
    assert.deepEqual(dataOf([live]), ["live"]);
  }
});

contract("streams: an id that makes no sense is that of a new client", config, async (t) => {
  await t.runtime.sendToRoom(room, "before");
  const other = "h%3Aother:epoch:1";
  for (const last of ["", ":", "::", "%:e:1", "nonsense", other, `${room}:e:1`, "x".repeat(4000)]) {
    const client = await listen(t, query, last);
    await t.runtime.sendToRoom(room, last);
    assert.deepEqual(dataOf(await events(client, 1)), [last]);
    client.destroy();
  }
});

contract("streams: several rooms with history have no ids", config, async (t) => {
  const client = await listen(t, `${query}&room=h:2`);
  await t.runtime.sendToRoom(room, 1);
  await t.runtime.sendToRoom("h:2", 2);
  const found = await events(client, 2);
  assert.deepEqual(found.map(({ id }) => id), [undefined, undefined]);
  assert.deepEqual(found.map(({ data }) => JSON.parse(data[0])), [
    { type: "message", data: 1, room },
    { type: "message", data: 2, room: "h:2" },
  ]);
});

contract("streams: with presence a stream is a member and is told of others", config, async (t) => {
  const ann = await listen(t, "room=doc&room=news&presence=1&user_id=ann");
  const member = (user_id: string) => ({ user_id, connections: 1 });
  const about = { type: "presence", room: "doc" };
  assert.deepEqual(await ann.hear(), { ...about, count: 1, members: [member("ann")] });
  const bob = await listen(t, "room=doc&user_id=bob");
  const change = { ...about, joined: [], left: [], changed: [] };
  assert.deepEqual(await ann.hear(), { ...change, count: 2, joined: [member("bob")] });
  bob.destroy();
  assert.deepEqual(await ann.hear(), { ...change, count: 1, left: [{ user_id: "bob" }] });
  for (const value of ["", "0", "true", "{}"]) {
    const { status } = await t.stream(`/events?room=doc&presence=${value}`);
    assert.equal(status, 400);
  }
  ann.destroy();
  await until("nobody is there", async () => (await t.runtime.presence("doc")).count === 0);
});
