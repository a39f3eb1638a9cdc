/** Streams and the other instances: what is listened to before a client is answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowHandler } from "../../src/contract/connector.ts";
import type { Hub } from "../../src/connectors/websocket/hub.ts";
import { RoomPattern } from "../../src/connectors/websocket/rooms/pattern.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { FakeInstances } from "../support/fake-instances.ts";
import { type Answered, FakeStream, openStream, streamRequest } from "../support/fake-stream.ts";
import { expression, flowThat, hubWith, soon, withHubs } from "../support/linked-hubs.ts";

const sse = { sse: "/events" };

/** A connector whose topics are not in force at once. */
interface Parts {
  readonly others: FakeInstances;
  readonly hub: Hub;
  readonly clock: ManualClock;
  open(query?: string): Promise<Answered>;
}

/** Runs `act` with such a connector. */
async function waiting(
  act: (parts: Parts) => Promise<void>,
  options: Parameters<typeof hubWith>[1] = {},
): Promise<void> {
  const others = new FakeInstances();
  const clock = new ManualClock();
  const own = { clock, ...options, options: { ...sse, ...options.options } };
  const { hub } = hubWith(others, own);
  others.live = new Set(["*"]);
  try {
    await act({ others, hub, clock, open: (query) => openStream(hub.http.stream, query) });
  } finally {
    await hub.close();
  }
}

function stream(answer: Answered): FakeStream {
  assert.ok(answer instanceof FakeStream, JSON.stringify(answer));
  return answer;
}

test("streams: a client is answered when its user and all its rooms are listened to", () =>
  waiting(async ({ others, hub, open }) => {
    let answer: Answered | undefined;
    const opening = open("user_id=ada&room=a&room=b&room=a").then((one) => answer = one);
    await soon("all topics", () => others.waiting.length === 3);
    assert.deepEqual(others.waiting.map(({ topic }) => topic), ["u/ada", "r/a", "r/b"]);
    for (const one of others.waiting) {
      await settle();
      assert.equal(answer, undefined);
      one.resolve();
    }
    // Each of them is in force from then on.
    others.live = true;
    const client = stream(await opening);
    assert.deepEqual(others.listened, { "u/ada": 1, "r/a": 1, "r/b": 1 });
    assert.equal(hub.counts().rooms, 2);
    client.leave();
    assert.deepEqual(others.listened, {});
  }));

test("streams: what cannot be listened to refuses the client, and leaves nothing", async () => {
  for (const failing of ["u/ada", "r/a", "r/b"]) {
    await waiting(async ({ others, hub, open }) => {
      const opening = open("user_id=ada&room=a&room=b");
      await soon("all topics", () => others.waiting.length === 3);
      for (const one of others.waiting) {
        if (one.topic === failing) one.fail();
        else one.resolve();
      }
      assert.deepEqual(await opening, { status: 503, code: "unavailable" });
      assert.deepEqual(others.listened, {});
      const { connections, refused_backplane } = hub.counts();
      assert.deepEqual([connections, refused_backplane], [0, 1]);
    });
  }
});

test("streams: the decision and the topics share ten seconds", () =>
  waiting(async ({ others, hub, clock, open }) => {
    const opening = open("room=a");
    await soon("the topic", () => others.waiting.length === 1);
    await clock.advance(10_000);
    assert.deepEqual(await opening, { status: 503, code: "unavailable" });
    assert.equal(hub.counts().refused_late, 1);
    // It is in force too late, and taken back.
    others.waiting[0].resolve();
    await soon("nothing that is listened to", () => Object.keys(others.listened).length === 0);
    others.live = true;
    stream(await open("room=a"));
  }, { options: { max_connections: 1 } }));

test("streams: a shutdown while topics wait refuses the client", () =>
  waiting(async ({ others, hub, open }) => {
    const opening = open("room=a");
    await soon("the topic", () => others.waiting.length === 1);
    await hub.stop();
    const drained = hub.drain();
    others.waiting[0].resolve();
    assert.deepEqual(await opening, { status: 503, code: "unavailable" });
    await drained;
    assert.deepEqual(others.listened, {});
    assert.equal(hub.counts().refused_shutdown, 1);
  }));

test("streams: an adapter whose client has left takes everything back", () =>
  waiting(async ({ others, hub }) => {
    others.live = true;
    for (let round = 0; round < 3; round++) {
      const answer = await hub.http.stream?.answer(streamRequest("user_id=ada&room=a"));
      assert.ok(answer?.accepted);
      answer.session.abandon();
      assert.deepEqual(others.listened, {});
    }
  }, { options: { max_connections: 1 } }));

for (const echoes of [true, false]) {
  const how = echoes ? "with a backplane" : "without an echo";
  test(`streams, ${how}: what any instance sends arrives`, () =>
    withHubs(2, { capabilities: { echoes }, options: sse }, async (a, b) => {
      const client = stream(await openStream(b.hub.http.stream, "user_id=ada&room=r"));
      for (const hub of [a, b]) {
        await hub.write({ operation: "send_to_room", target: "r", payload: 1 });
        await hub.write({ operation: "send_to_user", target: "ada", payload: 2 });
        await hub.write({ operation: "broadcast", payload: 3 });
        await soon("three messages", () => client.heard >= 3);
        assert.deepEqual(client.take(), [
          { type: "message", data: 1, room: "r" },
          { type: "message", data: 2 },
          { type: "message", data: 3 },
        ]);
      }
      const order = { operation: "join_room", target: "s", options: { user: expression("'ada'") } };
      await a.write({ ...order, resultUsed: true });
      await a.write({ operation: "send_to_room", target: "s", payload: 4 });
      await soon("a message of the other room", () => client.heard === 1);
      await a.write({ operation: "disconnect", options: { user: expression("'ada'") } });
      await soon("its end", () => client.ended !== undefined);
      assert.deepEqual(client.ended, [1008, "disconnected by a flow"]);
    }));
}

test("streams: nothing sent after the answer is missed, a hundred times", () =>
  withHubs(2, { options: sse }, async (a, b) => {
    for (let round = 0; round < 100; round++) {
      const room = `r${round}`;
      const client = stream(await openStream(b.hub.http.stream, `room=${room}`));
      void a.write({ operation: "send_to_room", target: room, payload: round });
      await soon("the message", () => client.heard === 1);
      client.leave();
    }
  }));

/** A rule that lets no client in, and counts how often it was asked. */
const closed = {
  pattern: new RoomPattern("closed"),
  join: expression("false"),
  steps: [],
};

test("streams: a room that is refused runs no flow and joins no other room", async () => {
  const ran: string[] = [];
  const told = (name: string, parts: Partial<FlowHandler> = {}) =>
    flowThat(() => {
      ran.push(name);
      return { response: undefined, result: undefined };
    }, parts);
  const open = { ...closed, pattern: new RoomPattern("open"), join: undefined };
  await waiting(async ({ hub, open: ask }) => {
    assert.deepEqual(await ask("room=open&room=closed"), { status: 403, code: "room_forbidden" });
    assert.deepEqual(await ask("room=other"), { status: 403, code: "room_forbidden" });
    assert.deepEqual(ran, []);
    assert.equal(hub.counts().refused_room, 2);
  }, {
    options: { room: [open, closed] },
    flows: { connect: [told("connect")], join_room: [told("join_room")] },
  });
});

test("streams: a client that was told to stop is told so again", () =>
  waiting(async ({ others, open, hub }) => {
    others.live = true;
    const again = (id: string) =>
      openStream(hub.http.stream, "", {
        headers: { accept: "text/event-stream", "last-event-id": id },
      });
    assert.deepEqual(await again("end"), { status: 204 });
    for (const id of ["", "END", "end:1", "r:e:1"]) stream(await again(id));
    stream(await open());
  }));
