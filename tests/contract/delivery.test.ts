/** Who gets what: rooms, users, broadcasts, filters and their order. */
import assert from "node:assert/strict";
import { population } from "../support/population.ts";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";
import type { SocketClient } from "../support/socket-client.ts";

/** A flow from a frame's type to one destination of the connector, answered with its result. */
function delivery(type: string, attributes: string): string {
  return `
    flow "${type}" {
      from {
        connector = "ws"
        operation = "${type}"
      }
      to {
        connector = "ws"
        ${attributes}
      }
      response {
        recipients = "output.recipients"
      }
    }
  `;
}

const config = websocket() + flows +
  delivery("everyone", 'operation = "broadcast"') +
  delivery("others", 'operation = "broadcast"\n exclude_sender = true') +
  delivery("room", 'operation = "send_to_room"\n target = "input.room"') +
  delivery(
    "room_others",
    'operation = "send_to_room"\n target = "input.room"\n exclude_sender = true',
  ) +
  delivery("lobby", 'operation = "send_to_room"\n target = "lobby"') +
  delivery("user", 'operation = "send_to_user"\n target = "input.to"') +
  delivery("payload_user", 'operation = "send_to_user"') +
  delivery("self", 'operation = "send_to_user"\n target = "client.user_id"') +
  delivery(
    "filtered",
    `operation = "broadcast"
    filter = "client.user_id != null && input.min < client.params.level"`,
  ) +
  delivery(
    "in_room_a",
    `operation = "broadcast"
    filter = "'a' in client.rooms"`,
  );

const join = async (client: SocketClient, room: string): Promise<void> => {
  assert.deepEqual(await client.ask({ type: "join_room", room, id: 1 }), { type: "ack", id: 1 });
};
const leave = async (client: SocketClient, room: string): Promise<void> => {
  assert.deepEqual(await client.ask({ type: "leave_room", room, id: 1 }), { type: "ack", id: 1 });
};
const connectAll = (t: Contract, users: readonly string[]): Promise<SocketClient[]> =>
  Promise.all(users.map((user) => t.connect(`/ws?user_id=${user}`)));
/** The answer to a frame that all of `clients` were sent a message for; its sender may be one. */
const recipients = (count: number) => ({ type: "ack", id: 9, data: { recipients: count } });

contract(
  "delivery: a broadcast reaches everyone once, the sender too, then its ack",
  config,
  async (t) => {
    const [ann, bob, eve] = await connectAll(t, ["ann", "bob", "eve"]);
    const data = { n: 1, text: "ä🙂", nothing: null };
    ann.say({ type: "everyone", data, id: 9 });
    assert.deepEqual(await ann.hearMany(2), [{ type: "message", data }, recipients(3)]);
    for (const client of [bob, eve]) {
      assert.deepEqual(await client.hear(), { type: "message", data });
      await client.hearsNothing();
    }
  },
);

contract("delivery: exclude_sender leaves out the sending connection alone", config, async (t) => {
  const [ann, twin, bob] = await connectAll(t, ["ann", "ann", "bob"]);
  for (const client of [ann, twin, bob]) await join(client, "r");
  for (const type of ["others", "room_others"]) {
    const data = { room: "r" };
    assert.deepEqual(await ann.ask({ type, data, id: 9 }), recipients(2));
    for (const client of [twin, bob]) assert.deepEqual((await client.hear()).data, data);
  }
  await ann.hearsNothing();
});

contract(
  "delivery: a room's message carries the room and reaches its members",
  config,
  async (t) => {
    const [ann, bob, eve] = await connectAll(t, ["ann", "bob", "eve"]);
    await join(ann, "a");
    await join(bob, "a");
    await join(eve, "b");
    const data = { room: "a", text: "hi" };
    assert.deepEqual(await eve.ask({ type: "room", data, id: 9 }), recipients(2));
    for (const client of [ann, bob]) {
      assert.deepEqual(await client.hear(), { type: "message", data, room: "a" });
      await client.hearsNothing();
    }
    assert.deepEqual(
      await eve.ask({ type: "room", data: { room: "empty" }, id: 9 }),
      recipients(0),
    );
    await eve.hearsNothing();
  },
);

contract("delivery: joining and leaving twice is like once", config, async (t) => {
  const client = await t.connect();
  await join(client, "lobby");
  await join(client, "lobby");
  client.say({ type: "lobby", data: 1, id: 9 });
  const message = { type: "message", data: 1, room: "lobby" };
  assert.deepEqual(await client.hearMany(2), [message, recipients(1)]);
  await leave(client, "lobby");
  await leave(client, "lobby");
  await leave(client, "never joined");
  assert.deepEqual(await client.ask({ type: "lobby", data: 2, id: 9 }), recipients(0));
  assert.deepEqual(population(t.runtime), { connections: 1, rooms: 0, users: 0 });
});

contract("delivery: a join is in effect at its ack, a leave too", config, async (t) => {
  const [member, sender] = [await t.connect(), await t.connect()];
  for (let i = 0; i < 50; i++) {
    await join(member, "r");
    assert.deepEqual(
      await sender.ask({ type: "room", data: { room: "r", i }, id: 9 }),
      recipients(1),
    );
    assert.deepEqual((await member.hear()).data, { room: "r", i });
    await leave(member, "r");
    assert.deepEqual(
      await sender.ask({ type: "room", data: { room: "r", i }, id: 9 }),
      recipients(0),
    );
  }
  await member.hearsNothing();
});

contract("delivery: a user's message reaches each of its connections", config, async (t) => {
  const [ann, twin, bob] = await connectAll(t, ["ann", "ann", "bob"]);
  const nobody = await t.connect();
  for (const data of [{ to: "ann" }, { to: "ann", user_id: "bob" }]) {
    assert.deepEqual(await bob.ask({ type: "user", data, id: 9 }), recipients(2));
    for (const client of [ann, twin]) {
      assert.deepEqual(await client.hear(), { type: "message", data });
    }
  }
  const payload = { user_id: "ann", text: "by the payload" };
  assert.deepEqual(await nobody.ask({ type: "payload_user", data: payload, id: 9 }), recipients(2));
  for (const client of [ann, twin]) assert.deepEqual((await client.hear()).data, payload);
  for (const to of ["", "an", "ann ", "ANN", "__proto__", "*"]) {
    assert.deepEqual(await bob.ask({ type: "user", data: { to }, id: 9 }), recipients(0));
  }
  twin.destroy();
  await t.probe.received(1);
  assert.deepEqual(await bob.ask({ type: "user", data: { to: "ann" }, id: 9 }), recipients(1));
  await ann.hear();
  for (const client of [ann, bob, nobody]) await client.hearsNothing();
});

contract("delivery: a number names a user and a room as its text does", config, async (t) => {
  const [seven] = await connectAll(t, ["7"]);
  await join(seven, "42");
  seven.say({ type: "user", data: { to: 7 }, id: 9 }, { type: "room", data: { room: 42 }, id: 9 });
  assert.deepEqual(await seven.hearMany(4), [
    { type: "message", data: { to: 7 } },
    recipients(1),
    { type: "message", data: { room: 42 }, room: "42" },
    recipients(1),
  ]);
});

contract("delivery: a target that is no name fails and reaches nobody", config, async (t) => {
  const clients = await connectAll(t, ["null", "undefined", "true"]);
  for (const room of ["null", "undefined", "[object Object]"]) await join(clients[0], room);
  const anonymous = await t.connect();
  for (const value of [null, true, {}, [], ["null"]]) {
    for (const [type, data] of [["user", { to: value }], ["room", { room: value }]]) {
      const { code, message } = await anonymous.ask({ type, data, id: 9 });
      assert.equal(code, "flow_failed");
      assert.match(String(message), new RegExp(`^flow "${type}" failed`));
    }
  }
  for (const room of ["", "a\nb", "x".repeat(256)]) {
    assert.equal((await anonymous.ask({ type: "room", data: { room } })).code, "flow_failed");
  }
  for (const data of [null, 1, {}, { user_id: null }, { user_id: {} }]) {
    assert.equal((await anonymous.ask({ type: "payload_user", data })).code, "flow_failed");
  }
  assert.equal((await anonymous.ask({ type: "self" })).code, "flow_failed");
  for (const client of clients) await client.hearsNothing();
});

contract("delivery: a filter is asked for each recipient", config, async (t) => {
  const [low, high] = [
    await t.connect("/ws?user_id=low&level=1"),
    await t.connect("/ws?user_id=high&level=5"),
  ];
  const nobody = await t.connect("/ws?level=9");
  const data = { min: "3" };
  assert.deepEqual(await nobody.ask({ type: "filtered", data, id: 9 }), recipients(1));
  assert.deepEqual(await high.hear(), { type: "message", data });
  await join(low, "a");
  assert.deepEqual(await nobody.ask({ type: "in_room_a", data: 1, id: 9 }), recipients(1));
  assert.deepEqual(await low.hear(), { type: "message", data: 1 });
  await leave(low, "a");
  assert.deepEqual(await nobody.ask({ type: "in_room_a", data: 1, id: 9 }), recipients(0));
  for (const client of [low, high, nobody]) await client.hearsNothing();
});

contract("delivery: a filter that fails for one leaves nobody half informed", config, async (t) => {
  const good = await t.connect("/ws?user_id=a&level=5");
  const bad = await t.connect("/ws?user_id=b");
  assert.equal((await good.ask({ type: "filtered", data: { min: "3" } })).code, "flow_failed");
  for (const client of [good, bad]) await client.hearsNothing();
});

contract("delivery: all arrives in the order in which it was sent", config, async (t) => {
  const [ann, bob] = await connectAll(t, ["ann", "bob"]);
  await join(ann, "lobby");
  await join(bob, "lobby");
  const kinds = ["everyone", "lobby", "user", "others"];
  const frames = Array.from({ length: 400 }, (_, n) => ({
    type: kinds[n % kinds.length],
    data: { n, to: "ann" },
  }));
  bob.say(...frames);
  const heard = (await ann.hearMany(400)).map(({ data }) => (data as { n: number }).n);
  assert.deepEqual(heard, frames.map(({ data }) => data.n));
  const forBob = frames.filter(({ type }) => type === "everyone" || type === "lobby");
  // Without ids the flows' responses are messages too, each after what its own frame caused.
  const all = (await bob.hearMany(400 + forBob.length)).map(({ data }) => data);
  assert.deepEqual(
    all,
    frames.flatMap((frame) => {
      const recipients = frame.type === "everyone" || frame.type === "lobby" ? 2 : 1;
      return [...(forBob.includes(frame) ? [frame.data] : []), { recipients }];
    }),
  );
});

contract("delivery: thousands in one tick arrive whole and in order", config, async (t) => {
  const clients = await Promise.all([1, 2, 3].map(() => t.connect()));
  for (const client of clients) await join(client, "lobby");
  const sizes = [0, 1, 100, 125, 126, 127, 5000];
  const sent = Array.from({ length: 2000 }, (_, n) => "x".repeat(sizes[n % sizes.length]) + n);
  const counts = await Promise.all(sent.map((data) => t.runtime.sendToRoom("lobby", data)));
  assert.ok(counts.every((count) => count === 3));
  for (const client of clients) {
    assert.deepEqual((await client.hearMany(2000)).map(({ data }) => data), sent);
  }
});

contract("delivery: a message larger than a queue fails and closes nobody", config, async (t) => {
  const [ann, bob] = await connectAll(t, ["ann", "bob"]);
  await join(ann, "lobby");
  const fits = "x".repeat(1024 * 1024 - 100);
  assert.equal(await t.runtime.sendToUser("bob", fits), 1);
  assert.equal((await bob.hear()).data, fits);
  const large = "x".repeat(1024 * 1024);
  await assert.rejects(t.runtime.broadcast(large), /larger than/);
  await assert.rejects(t.runtime.sendToRoom("lobby", large), /larger than/);
  for (const client of [ann, bob]) await client.hearsNothing();
});

contract(
  "delivery: a flow whose message or response is too large fails",
  `${websocket('max_message_size = "4MB"')}
    ${delivery("everyone", 'operation = "broadcast"')}
    flow "echo" {
      from {
        connector = "ws"
        operation = "echo"
      }
      response {
        data = "input.data"
      }
    }
  `,
  async (t) => {
    const [ann, bob] = [await t.connect(), await t.connect()];
    const data = "x".repeat(1024 * 1024);
    for (const type of ["everyone", "echo"]) {
      const { code, id } = await ann.ask({ type, data, id: 9 });
      assert.deepEqual([code, id], ["flow_failed", 9]);
    }
    for (const client of [ann, bob]) await client.hearsNothing();
  },
);
