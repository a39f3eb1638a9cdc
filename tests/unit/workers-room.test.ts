/** A room with members on one of several workers: its messages do not leave that worker. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type FakeClient,
  rest,
  type RunningWorker,
  withWorkers,
} from "../support/worker-runtimes.ts";

const CONFIG = `
  connector "ws" {
    type = "websocket"
    port = 0
  }
  flow "say" {
    from {
      connector = "ws"
      operation = "message"
    }
    to {
      connector = "ws"
      operation = "send_to_room"
      target    = "r"
    }
  }
`;

async function join({ open }: RunningWorker, user: string): Promise<FakeClient> {
  const client = await open(user);
  assert.deepEqual(await client.ask({ type: "join_room", id: 1, room: "r" }), [
    { type: "ack", id: 1 },
  ]);
  return client;
}

test("a room on one worker costs the link one message, until another worker has a member", () =>
  withWorkers(3, CONFIG, async (first, second, third) => {
    const [speaker, member] = [await join(first, "a"), await join(first, "b")];
    await speaker.say({ text: 0 });
    await rest();
    member.take();
    const sent = first.ends.sent;
    const received = [second, third].map(({ ends }) => ends.received);
    for (let n = 1; n <= 100; n++) speaker.tell({ type: "message", data: { text: n } });
    await rest();
    assert.equal(member.texts().length, 100);
    assert.equal(first.ends.sent, sent);
    assert.deepEqual([second, third].map(({ ends }) => ends.received), received);

    const other = await join(second, "c");
    await speaker.say({ text: "to both" });
    await rest();
    assert.deepEqual([member.texts(), other.texts()], [["to both"], ["to both"]]);
    assert.ok(first.ends.sent > sent);
    // The third worker, which has no member, hears nothing of it.
    assert.equal(third.ends.received, received[1]);
  }));
