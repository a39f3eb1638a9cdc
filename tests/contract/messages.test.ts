/** What clients say and how it is answered. */
import assert from "node:assert/strict";
import { contract, flows, websocket } from "../support/socket-contract.ts";

const config = websocket() + flows;

contract("messages: with an id one ack, without one none", config, async (t) => {
  const client = await t.connect();
  client.say({ type: "probe", data: "silent" });
  await client.hearsNothing();
  assert.deepEqual(await client.ask({ type: "probe", data: "loud", id: "a" }), {
    type: "ack",
    id: "a",
  });
  assert.deepEqual(t.probe.payloads, ["silent", "loud"]);
});

contract(
  "messages: a response is the ack's data, or a message without an id",
  config,
  async (t) => {
    const client = await t.connect();
    const values = [null, true, 0, -1.5, 1e300, "", "ä\u0000🙂\u2028", [], {}, [{ a: [null] }]];
    for (const data of values) {
      const answer = { data };
      assert.deepEqual(await client.ask({ type: "echo", data, id: 1 }), {
        type: "ack",
        id: 1,
        data: answer,
      });
      assert.deepEqual(await client.ask({ type: "echo", data }), { type: "message", data: answer });
    }
    assert.deepEqual(await client.ask({ type: "echo" }), { type: "message", data: { data: null } });
  },
);

contract("messages: ping is answered with pong and its id, and no ack", config, async (t) => {
  const client = await t.connect();
  assert.deepEqual(await client.ask({ type: "ping" }), { type: "pong" });
  assert.deepEqual(await client.ask({ type: "ping", id: "x" }), { type: "pong", id: "x" });
  assert.deepEqual(await client.ask({ type: "ping", id: 0 }), { type: "pong", id: 0 });
  await client.hearsNothing();
});

contract("messages: ping is answered at once, outside the order", config, async (t) => {
  t.probe.holds = true;
  const client = await t.connect();
  client.say({ type: "probe", id: 1 }, { type: "probe", id: 2 }, { type: "ping", id: 3 });
  assert.deepEqual(await client.hear(), { type: "pong", id: 3 });
  t.probe.releaseAll();
  assert.deepEqual((await client.hearMany(2)).map(({ id }) => id), [1, 2]);
});

contract("messages: ids come back as they were", config, async (t) => {
  const client = await t.connect();
  const safe = Number.MAX_SAFE_INTEGER;
  for (const id of ["", "x", "x".repeat(64), "🙂".repeat(64), "__proto__", 0, 1, -1, safe, -safe]) {
    assert.deepEqual(await client.ask({ type: "probe", id }), { type: "ack", id });
  }
  const ids = [1, 1, 1];
  client.say(...ids.map((id) => ({ type: "echo", data: 0, id })));
  assert.deepEqual((await client.hearMany(3)).map(({ id }) => id), ids);
});

contract("messages: space around JSON and double keys are JSON's own affair", config, async (t) => {
  const client = await t.connect();
  client.send({ payload: ' \t\r\n{"type":"x","type":"ping"}\n ' });
  assert.deepEqual(await client.hear(), { type: "pong" });
  client.send({ payload: '{"\\u0074ype":"\\u0070ing"}' });
  assert.deepEqual(await client.hear(), { type: "pong" });
});

contract("messages: without any flow rooms work, and no type is known", websocket(), async (t) => {
  const client = await t.connect();
  for (const type of ["join_room", "leave_room"]) {
    assert.deepEqual(await client.ask({ type, room: "r", id: 1 }), { type: "ack", id: 1 });
  }
  for (const type of ["message", "echo"]) {
    const { code, message } = await client.ask({ type });
    assert.deepEqual([code, message], ["unknown_type", `unknown type "${type}"`]);
  }
});

contract(
  "messages: a flow without operation gets all events and makes no type known",
  `${websocket()}
    flow "all" {
      from {
        connector = "ws"
      }
      to {
        connector = "probe"
      }
    }
    flow "named" {
      from {
        connector = "ws"
        operation = "named.type:1-a"
      }
    }
  `,
  async (t) => {
    const client = await t.connect();
    await client.ask({ type: "join_room", room: "r", id: 1 });
    await client.ask({ type: "message", data: 1, id: 2 });
    await client.ask({ type: "named.type:1-a", data: 2, id: 3 });
    assert.equal((await client.ask({ type: "unnamed", id: 4 })).code, "unknown_type");
    assert.deepEqual(await client.ask({ type: "ping" }), { type: "pong" });
    await client.ask({ type: "leave_room", room: "r", id: 5 });
    client.close();
    await client.ending();
    const events = (await t.probe.received(6)).map(({ input }) => input.event);
    const expected = [
      "connect",
      "join_room",
      "message",
      "named.type:1-a",
      "leave_room",
      "disconnect",
    ];
    assert.deepEqual(events, expected);
  },
);

contract(
  "messages: the first flow whose filter takes a frame answers, and all run",
  `${websocket()}
    flow "even" {
      from {
        connector = "ws"
        operation = "message"
        filter    = "input.n == 2"
      }
      to {
        connector = "probe"
        target    = "even"
      }
      response {
        by = "'even'"
      }
    }
    flow "positive" {
      from {
        connector = "ws"
        operation = "message"
        filter    = "input.n > 0"
      }
      to {
        connector = "probe"
        target    = "positive"
      }
      response {
        by = "'positive'"
      }
    }
  `,
  async (t) => {
    const client = await t.connect();
    const answer = async (n: unknown) => await client.ask({ type: "message", data: { n }, id: 1 });
    assert.deepEqual(await answer(2), { type: "ack", id: 1, data: { by: "even" } });
    assert.deepEqual(await answer(1), { type: "ack", id: 1, data: { by: "positive" } });
    assert.deepEqual(await answer(-1), { type: "ack", id: 1 });
    assert.equal((await answer("no number")).code, "flow_failed");
    assert.deepEqual(t.probe.deliveries.map(({ target }) => target), [
      "even",
      "positive",
      "positive",
    ]);
  },
);

contract(
  "messages: a frame's message_id is input.message_id, over a field of the data",
  websocket() + `
flow "tell" {
  from {
    connector = "ws"
    operation = "tell"
  }
  response { id = "input.message_id" }
}
`,
  async (t) => {
    const client = await t.connect();
    const data = { message_id: "of the data" };
    const answers = [
      await client.ask({ type: "tell", id: 1, message_id: "of the frame", data }),
      await client.ask({ type: "tell", id: 1, data }),
      await client.ask({ type: "tell", id: 1 }),
    ].map((answer) => (answer.data as { readonly id: unknown }).id);
    assert.deepEqual(answers, ["of the frame", "of the data", null]);
    const { code, id } = await client.ask({ type: "tell", id: 2, message_id: 7 });
    assert.deepEqual([code, id], ["invalid_message", 2]);
  },
);
