/** The events of a connection's own life: connect and disconnect. */
import assert from "node:assert/strict";
import { population } from "../support/population.ts";
import { contract, websocket } from "../support/socket-contract.ts";
import { pause } from "../support/socket-probe.ts";

const flow = (operation: string, more = "") => `
  flow "${operation}" {
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

const config = websocket() + flow("connect") + flow("disconnect") + flow("message") +
  flow("join_room");

contract("lifecycle: connect tells who and from where", config, async (t) => {
  await t.connect(
    "/ws?user_id=ann&user_id=eve&tag=a%20b&tag=c&event=fake&client_id=fake&remote_addr=fake",
    {
      headers: { "User-Agent": "tester" },
    },
  );
  const [{ input }] = await t.probe.received(1);
  const { client_id, remote_addr, data, ...rest } = input;
  assert.match(String(client_id), /^[0-9a-f-]{36}$/);
  assert.match(String(remote_addr), /127\.0\.0\.1$/);
  assert.deepEqual(rest, { event: "connect", user_id: "ann", tag: "a b" });
  assert.equal((data as Record<string, unknown>).event, "fake");
});

contract("lifecycle: without user_id there is none", config, async (t) => {
  await t.connect("/ws?user_id=");
  const [{ input }] = await t.probe.received(1);
  assert.equal(input.user_id, null);
});

contract("lifecycle: disconnect tells of a message that was too long", config, async (t) => {
  const client = await t.connect();
  client.say({ type: "message", data: "x".repeat(600 * 1024) });
  await client.ending();
  const { input } = (await t.probe.received(2))[1];
  assert.equal(input.code, 1009);
});

contract("lifecycle: disconnect tells how it ended, once", config, async (t) => {
  const client = await t.connect("/ws?user_id=ann");
  for (const room of ["a", "b"]) await client.ask({ type: "join_room", room, id: 1 });
  client.close(4321, "so long ä");
  await client.ending();
  const deliveries = await t.probe.received(4);
  const { input } = deliveries[3];
  const { client_id, duration_ms, data, ...rest } = input;
  assert.equal(client_id, deliveries[0].input.client_id);
  assert.ok(Number.isInteger(duration_ms) && Number(duration_ms) >= 0);
  assert.deepEqual(rest, {
    event: "disconnect",
    user_id: "ann",
    code: 4321,
    reason: "so long ä",
    rooms: ["a", "b"],
  });
  assert.deepEqual(data, { code: 4321, reason: "so long ä", rooms: ["a", "b"], duration_ms });
  assert.deepEqual(population(t.runtime), { connections: 0, rooms: 0, users: 0 });
  await (await t.connect()).hearsNothing();
  assert.equal(t.probe.deliveries.filter(({ target }) => target === "disconnect").length, 1);
});

contract("lifecycle: a connection that breaks off ends with 1006", config, async (t) => {
  const client = await t.connect();
  await client.hearsNothing();
  client.destroy();
  const { input } = (await t.probe.received(2))[1];
  assert.deepEqual([input.event, input.code, input.rooms], ["disconnect", 1006, []]);
});

contract("lifecycle: a close without a code ends with 1005", config, async (t) => {
  const client = await t.connect();
  client.send({ opcode: 8 });
  await client.finish();
  const { input } = (await t.probe.received(2))[1];
  assert.deepEqual([input.event, input.code, input.reason], ["disconnect", 1005, ""]);
});

contract("lifecycle: the server's own close is what disconnect tells", config, async (t) => {
  const client = await t.connect();
  client.send({ opcode: 2, payload: "binary" });
  await client.ending();
  const { input } = (await t.probe.received(2))[1];
  assert.deepEqual([input.event, input.code], ["disconnect", 1003]);
  assert.ok(String(input.reason).length > 0);
});

contract("lifecycle: connect comes before all frames, disconnect after them", config, async (t) => {
  t.probe.holds = true;
  const client = await t.connect();
  client.say({ type: "message", data: 1 }, { type: "message", data: 2 });
  client.close();
  await client.ending();
  const expected = ["connect", "message", "message", "disconnect"];
  for (let begun = 1; begun <= expected.length; begun++) {
    const deliveries = await t.probe.received(begun);
    // What follows must not begin before this one has ended.
    await pause(20);
    assert.deepEqual(deliveries.map(({ input }) => input.event), expected.slice(0, begun));
    deliveries[begun - 1].release();
  }
});

contract(
  "lifecycle: a connect flow may greet the client that has come",
  `${websocket()}
  flow "greet" {
    from {
      connector = "ws"
      operation = "connect"
    }
    transform {
      welcome = "input.user_id"
    }
    to {
      connector = "ws"
      operation = "send_to_user"
      target    = "client.user_id"
    }
  }
`,
  async (t) => {
    const client = await t.connect("/ws?user_id=ann");
    assert.deepEqual(await client.hear(), { type: "message", data: { welcome: "ann" } });
    const anonymous = await t.connect();
    await anonymous.hearsNothing();
  },
);

contract(
  "lifecycle: connect and disconnect flows that fail hurt nobody",
  `${websocket()}
  flow "in" {
    from {
      connector = "ws"
      operation = "connect"
    }
    to {
      connector = "probe"
      target    = "fail"
    }
    response {
      hello = "'never'"
    }
  }
  flow "out" {
    from {
      connector = "ws"
      operation = "disconnect"
    }
    to {
      connector = "probe"
      target    = "fail"
    }
  }
`,
  async (t) => {
    const [client, other] = [await t.connect(), await t.connect()];
    await client.hearsNothing();
    client.close();
    await client.ending();
    await t.probe.received(3);
    await other.hearsNothing();
  },
);

contract(
  "lifecycle: the room is left before disconnect flows run",
  `${websocket()}
  flow "bye" {
    from {
      connector = "ws"
      operation = "disconnect"
    }
    to {
      connector = "ws"
      operation = "send_to_room"
      target    = "lobby"
    }
    to {
      connector = "probe"
    }
  }
`,
  async (t) => {
    const [ann, bob] = [await t.connect("/ws?user_id=ann"), await t.connect("/ws?user_id=bob")];
    for (const client of [ann, bob]) await client.ask({ type: "join_room", room: "lobby", id: 1 });
    ann.close();
    await ann.ending();
    const { data, room } = await bob.hear();
    assert.equal(room, "lobby");
    assert.deepEqual((data as Record<string, unknown>).rooms, ["lobby"]);
    assert.equal(await t.runtime.sendToRoom("lobby", 1), 1);
  },
);

contract("lifecycle: a hundred that come and go leave nothing", config, async (t) => {
  for (let i = 0; i < 10; i++) {
    const clients = await Promise.all(
      Array.from({ length: 10 }, (_, n) => t.connect(`/ws?user_id=u${n}`)),
    );
    for (const client of clients) await client.ask({ type: "join_room", room: "r", id: 1 });
    for (const [n, client] of clients.entries()) n % 2 ? client.destroy() : client.close();
  }
  await t.probe.received(300);
  assert.deepEqual(population(t.runtime), { connections: 0, rooms: 0, users: 0 });
  const ended = t.probe.deliveries.filter(({ target }) => target === "disconnect");
  assert.equal(new Set(ended.map(({ input }) => input.client_id)).size, 100);
});
