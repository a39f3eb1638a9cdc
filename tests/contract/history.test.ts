/** Rooms with history, on every host: offsets, resuming, `message_id`, a step, an order, slow clients. */
import assert from "node:assert/strict";
import type { Message, SocketClient } from "../support/socket-client.ts";
import { contract, flows, websocket } from "../support/socket-contract.ts";
import { until } from "../support/socket-probe.ts";

const config = `${
  websocket(`
    room "h:*" {
      history {
        size = 4
        ttl  = "1h"
      }
    }
    room "*" {
    }
  `)
}
  flow "join" {
    from {
      connector = "ws"
      operation = "join_room"
    }
  }
  flow "leave" {
    from {
      connector = "ws"
      operation = "leave_room"
    }
  }
  flow "say" {
    from {
      connector = "ws"
      operation = "say"
    }
    transform {
      n = "input.n"
    }
    to "room" {
      connector  = "ws"
      operation  = "send_to_room"
      target     = "input.room"
      message_id = "input.message_id"
    }
    response {
      sent = "results.room.recipients"
    }
  }
  flow "list" {
    from {
      connector = "ws"
      operation = "list"
    }
    step "newest" {
      connector = "ws"
      operation = "history"
      target    = "input.room"
      params = {
        limit = "2"
      }
    }
    response {
      newest = "step.newest"
    }
  }
  flow "connected" {
    from {
      connector = "ws"
      operation = "connect"
      filter    = "client.user_id != null"
    }
    to {
      connector = "ws"
      operation = "join_room"
      target    = "'h:user:' + client.user_id"
      history   = true
    }
  }
${flows}`;

async function say(client: SocketClient, room: string, n: number, more: Message = {}) {
  const answer = await client.ask({ type: "say", room, data: { n }, id: `say ${n}`, ...more });
  assert.equal(answer.type, "ack", JSON.stringify(answer));
  return answer.data;
}

async function frames(client: SocketClient, count: number): Promise<Message[]> {
  const found: Message[] = [];
  while (found.length < count) found.push(await client.hear());
  return found;
}

const places = (found: readonly Message[]) =>
  found.map(({ data, offset }) => [(data as { n: number }).n, offset]);

contract("history: who comes back gets what it has missed", config, async ({ connect }) => {
  const [ada, bob] = [await connect(), await connect()];
  const { epoch, ...ack } = await ada.ask({
    type: "join_room",
    room: "h:1",
    id: 1,
    history: true,
  });
  assert.deepEqual(ack, { type: "ack", id: 1, offset: 0 });
  assert.deepEqual(await bob.ask({ type: "join_room", room: "h:1", id: 1 }), {
    type: "ack",
    id: 1,
  });
  const cyd = await connect();
  await say(cyd, "h:1", 1);
  assert.deepEqual(await ada.hear(), {
    type: "message",
    data: { n: 1 },
    room: "h:1",
    offset: 1,
  });
  assert.deepEqual(await bob.hear(), { type: "message", data: { n: 1 }, room: "h:1" });
  ada.destroy();
  for (const n of [2, 3]) await say(cyd, "h:1", n);
  const back = await connect();
  const history = { epoch, offset: 1 };
  const answer = await back.ask({ type: "join_room", room: "h:1", id: 1, history });
  assert.deepEqual(answer, { type: "ack", id: 1, epoch, offset: 1, recovered: true });
  await say(cyd, "h:1", 4);
  assert.deepEqual(places(await frames(back, 3)), [[2, 2], [3, 3], [4, 4]]);
  for (const n of [5, 6]) await say(cyd, "h:1", n);
  const late = await connect();
  const gone = await late.ask({ type: "join_room", room: "h:1", id: 2, history });
  assert.deepEqual(gone, { type: "ack", id: 2, epoch, offset: 6, recovered: false });
});

contract("history: nonsense is refused, and costs nothing", config, async ({ connect }) => {
  const ada = await connect();
  for (const history of [1, "x", [], {}, { epoch: "e", offset: -1 }, { epoch: 1, offset: 1 }]) {
    const { type, code } = await ada.ask({ type: "join_room", room: "h:1", id: 1, history });
    assert.deepEqual([type, code], ["error", "invalid_message"]);
  }
  ada.say({ type: "join_room", room: "h:1", history: true });
  assert.equal((await ada.hear()).code, "invalid_message");
  const { type, offset } = await ada.ask({ type: "join_room", room: "p", id: 1, history: true });
  assert.deepEqual([type, offset], ["ack", undefined]);
});

contract(
  "history: message_id, a list, and what a flow joins",
  config,
  async ({ connect, runtime }) => {
    const ada = await connect("/ws?user_id=ada");
    // Its connect flow has run when this is answered.
    await ada.ask({ type: "echo", data: 1, id: 1 });
    const cyd = await connect();
    const room = "h:user:ada";
    assert.deepEqual(await say(cyd, room, 1, { message_id: "x" }), { sent: 1 });
    assert.deepEqual(await say(cyd, room, 2, { message_id: "x" }), { sent: 0 });
    const [{ epoch, ...first }] = await frames(ada, 1);
    assert.deepEqual(first, { type: "message", data: { n: 1 }, room, offset: 1 });
    ada.destroy();
    await until("the end", () => runtime.counts().ws.connections === 1);
    for (const n of [3, 4]) await say(cyd, room, n);
    const resume = encodeURIComponent(`${encodeURIComponent(room)}:${epoch}:1`);
    const back = await connect(`/ws?user_id=ada&resume=${resume}`);
    assert.deepEqual(places(await frames(back, 2)), [[3, 2], [4, 3]]);
    const { data } = await cyd.ask({ type: "list", room, id: 1 });
    assert.deepEqual(data, {
      newest: [{ offset: 2, data: { n: 3 } }, { offset: 3, data: { n: 4 } }],
    });
    const { history_rooms, history_messages, history_resumed } = runtime.counts().ws;
    assert.deepEqual([history_rooms, history_messages, history_resumed], [1, 3, 1]);
  },
);
