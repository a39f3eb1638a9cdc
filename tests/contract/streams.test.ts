/** Streams of server-sent events: clients that only listen. */
import assert from "node:assert/strict";
import { population } from "../support/population.ts";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";
import { until } from "../support/socket-probe.ts";
import type { StreamClient } from "../support/stream-client.ts";

/** A connector with streams, and more attributes. */
const streaming = (attributes = "") => websocket(`sse = "/events"\n${attributes}`);

/** Tells the probe of an operation. */
const told = (operation: string, more = "") => `
  flow "told of ${operation}" {
    from {
      connector = "ws"
      operation = "${operation}"
    }
    to {
      connector = "probe"
      target    = "${operation}"
    }
    ${more}
  }
`;

/** Opens a stream that must be there. */
async function listen(t: Contract, target = "/events"): Promise<StreamClient> {
  const client = await t.stream(target);
  assert.equal(client.status, 200, await client.body());
  return client;
}

const config = streaming() + flows;

contract("streams: what is sent to everybody, a room and a user arrives", config, async (t) => {
  const [ann, bob] = [
    await listen(t, "/events?room=orders&room=news&user_id=ann"),
    await listen(t, "/events?user_id=bob"),
  ];
  const socket = await t.connect("/ws");
  await socket.ask({ type: "join_room", room: "orders", id: 1 });
  const { runtime } = t;
  assert.equal(await runtime.broadcast("all"), 3);
  assert.equal(await runtime.sendToRoom("orders", { "line\nbreak": "\r\n\u2028ä🙂" }), 2);
  assert.equal(await runtime.sendToRoom("news", null), 1);
  assert.equal(await runtime.sendToUser("bob", [1]), 1);
  assert.deepEqual(await ann.hearMany(3), [
    { type: "message", data: "all" },
    { type: "message", data: { "line\nbreak": "\r\n\u2028ä🙂" }, room: "orders" },
    { type: "message", data: null, room: "news" },
  ]);
  assert.deepEqual(await bob.hearMany(2), [
    { type: "message", data: "all" },
    { type: "message", data: [1] },
  ]);
  assert.deepEqual(await socket.hearMany(2), [
    { type: "message", data: "all" },
    { type: "message", data: { "line\nbreak": "\r\n\u2028ä🙂" }, room: "orders" },
  ]);
  assert.deepEqual(population(runtime), { connections: 3, rooms: 2, users: 2 });
});

contract("streams: the response is one that no proxy keeps", config, async (t) => {
  const client = await listen(t);
  assert.equal(client.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.equal(client.headers.get("cache-control"), "no-store");
  assert.equal(client.headers.get("x-accel-buffering"), "no");
  assert.equal(client.headers.get("content-encoding"), undefined);
  assert.equal(client.headers.get("content-length"), undefined);
  // The first byte of the body comes before anything is sent.
  await client.heartbeats(1);
});

contract("streams: HTTP/1.0 gets one, too", config, async (t) => {
  const client = await t.stream("/events?room=r", { version: "1.0" });
  assert.equal(client.status, 200);
  assert.equal(client.headers.get("transfer-encoding"), undefined);
  await t.runtime.sendToRoom("r", 1);
  assert.deepEqual(await client.hear(), { type: "message", data: 1, room: "r" });
});

contract("streams: who leaves is gone, and disconnect runs", config, async (t) => {
  const client = await listen(t, "/events?room=r&user_id=ann");
  await client.heartbeats(1);
  client.destroy();
  const [{ input }] = await t.probe.received(1);
  assert.deepEqual(
    [input.event, input.user_id, input.code, input.reason, input.rooms],
    ["disconnect", "ann", 1006, "", ["r"]],
  );
  await until("an empty hub", () => population(t.runtime).connections === 0);
});

contract(
  "streams: connect runs first, then join_room for each room in order",
  streaming() + told("connect") + told("disconnect") +
    told("join_room", 'response {\n room = "input.room"\n }'),
  async (t) => {
    const client = await listen(t, "/events?room=b&room=a&room=b&user_id=ann");
    const deliveries = await t.probe.received(3);
    assert.deepEqual(deliveries.map(({ target, input }) => [target, input.room]), [
      // Here it is a parameter like any other, of which the first value counts.
      ["connect", "b"],
      ["join_room", "b"],
      ["join_room", "a"],
    ]);
    assert.equal(deliveries[2].input.user_id, "ann");
    // The answer to a client that cannot ask with an id.
    assert.deepEqual(await client.hearMany(2), [
      { type: "message", data: { room: "b" } },
      { type: "message", data: { room: "a" } },
    ]);
    assert.equal(await t.runtime.sendToRoom("b", 1), 1);
    assert.deepEqual(await client.hear(), { type: "message", data: 1, room: "b" });
  },
);

contract(
  "streams: a flow that fails after the join is told as an error",
  streaming() + `
    flow "broken" {
      from {
        connector = "ws"
        operation = "join_room"
      }
      to {
        connector = "probe"
        target    = "fail"
      }
    }
  `,
  async (t) => {
    const client = await listen(t, "/events?room=r");
    const { type, code, message } = await client.hear();
    assert.deepEqual([type, code], ["error", "flow_failed"]);
    assert.doesNotMatch(String(message), /hunter2/);
    assert.equal(await t.runtime.sendToRoom("r", 1), 1);
  },
);

contract("streams: a shutdown ends them with 1001 and a time to come back", config, async (t) => {
  const client = await listen(t, "/events?room=r");
  await t.runtime.sendToRoom("r", "last");
  const closed = t.runtime.close();
  const { messages, ending } = await client.finish();
  assert.deepEqual(messages, [{ type: "message", data: "last", room: "r" }]);
  const { retry, ...rest } = ending;
  assert.deepEqual(rest, { code: 1001, reason: "the server is shutting down", id: undefined });
  assert.ok(Number(retry) >= 1_000 && Number(retry) < 5_000, `${retry} ms`);
  await closed;
  const [{ input }] = await t.probe.received(1);
  assert.deepEqual([input.event, input.code], ["disconnect", 1001]);
});

contract(
  "streams: flows make clients join and leave rooms, and disconnect them",
  streaming() + flows + ["join_room", "leave_room", "disconnect"].map((operation) => `
    flow "${operation} ann" {
      from {
        connector = "ws"
        operation = "do_${operation}"
      }
      to {
        connector = "ws"
        operation = "${operation}"
        user      = "'ann'"
        ${operation === "disconnect" ? "" : 'target    = "r"'}
      }
    }
  `).join(""),
  async (t) => {
    const ann = await listen(t, "/events?user_id=ann");
    const boss = await t.connect("/ws");
    assert.equal((await boss.ask({ type: "do_join_room", id: 1 })).type, "ack");
    assert.equal(await t.runtime.sendToRoom("r", 1), 1);
    assert.deepEqual(await ann.hear(), { type: "message", data: 1, room: "r" });
    assert.equal((await boss.ask({ type: "do_leave_room", id: 2 })).type, "ack");
    assert.equal(await t.runtime.sendToRoom("r", 2), 0);
    assert.equal((await boss.ask({ type: "do_disconnect", id: 3 })).type, "ack");
    const ending = await ann.ending();
    assert.deepEqual([ending.code, ending.reason, ending.retry], [
      1008,
      "disconnected by a flow",
      undefined,
    ]);
    // A browser comes back with the id of the last event, and must be told to stop.
    const again = await t.stream("/events?user_id=ann", {
      headers: { "Last-Event-ID": String(ending.id) },
    });
    assert.equal(again.status, 204);
    const other = await t.stream("/events?user_id=ann", { headers: { "Last-Event-ID": "7" } });
    assert.equal(other.status, 200);
    const [{ input }] = await t.probe.received(1);
    assert.deepEqual([input.event, input.code], ["disconnect", 1008]);
  },
);

contract(
  "streams: a comment comes every ping_interval",
  streaming('ping_interval = "100ms"\npong_timeout = "100ms"'),
  async (t) => {
    const client = await listen(t);
    await client.heartbeats(5);
    assert.equal(t.runtime.counts().ws.closed_pong, 0);
    assert.equal(await t.runtime.broadcast("still here"), 1);
    assert.deepEqual(await client.hear(), { type: "message", data: "still here" });
  },
);

contract("streams: whatever else a client sends harms nobody", config, async (t) => {
  const other = await listen(t, "/events?room=r");
  const nonsense = [
    "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".repeat(10),
    "\x81\x05hello",
    "\0".repeat(70_000),
  ];
  for (const [n, bytes] of nonsense.entries()) {
    const client = await listen(t, "/events?room=r");
    client.socket.write(bytes);
    await t.runtime.sendToRoom("r", n);
    assert.deepEqual(await other.hear(), { type: "message", data: n, room: "r" });
    client.destroy();
  }
  // One whose next request was held back is noticed when it is written to.
  await until("their ends", async () => {
    await t.runtime.broadcast("still here");
    return population(t.runtime).connections === 1;
  });
});

contract("streams: a query of nonsense is refused or means nothing", config, async (t) => {
  const queries = [
    "%",
    "%zz",
    "&&&=&",
    "room",
    "room=%zz",
    "room=%FF",
    "room[]=a",
    "=room",
    "presence=1",
    "room=a".repeat(200),
    `room=${"a".repeat(5_000)}`,
    "user_id=%zz",
    "room=%F0%9F%99%82&room=%EF%BF%BF",
  ];
  for (const query of queries) {
    const client = await t.stream(`/events?${query}`);
    assert.ok([200, 400].includes(client.status), `${query}: ${client.status}`);
    client.destroy();
  }
});

contract("streams: clients that leave at once leave nothing", config, async (t) => {
  const leavers = Array.from({ length: 20 }, async () => {
    const opening = t.stream("/events?room=r&user_id=ann").catch(() => {});
    t.destroyAll();
    await opening;
  });
  await Promise.all(leavers);
  t.destroyAll();
  await until("an empty hub", () => population(t.runtime).connections === 0);
  assert.equal((await t.stream("/events?room=r")).status, 200);
});

contract(
  "streams: filters see the client and its address while it is there",
  streaming() + `
    flow "near" {
      from {
        connector = "ws"
        operation = "near"
      }
      to {
        connector = "ws"
        operation = "broadcast"
        filter    = "client.remote_addr.endsWith('127.0.0.1') && client.params.tag == 'a'"
      }
    }
  `,
  async (t) => {
    const client = await listen(t, "/events?tag=a");
    const other = await listen(t, "/events?tag=b");
    await client.heartbeats(1);
    const socket = await t.connect("/ws");
    assert.equal((await socket.ask({ type: "near", data: 1, id: 1 })).type, "ack");
    assert.deepEqual(await client.hear(), { type: "message", data: 1 });
    await t.runtime.broadcast(2);
    assert.deepEqual(await other.hear(), { type: "message", data: 2 });
  },
);
