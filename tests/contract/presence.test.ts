/** Presence over real sockets: who is told what, whichever way a connection ends. */
import assert from "node:assert/strict";
import { SECRET, sign } from "../support/auth.ts";
import type { Message, SocketClient } from "../support/socket-client.ts";
import { contract, flows, websocket } from "../support/socket-contract.ts";

/** With a grace that a test waits for, or within which somebody comes back. */
const withGrace = (grace: string) =>
  websocket(`
  room "doc:{id}" {
    presence {
      info        = "{'doc': match.id, 'name': client.params.name}"
      leave_grace = "${grace}"
      data        = "mood"
    }
  }
  room "plain" {
  }
`) + flows + `
  type "mood" {
    status = string({ max_length = 10 })
  }
  flow "out" {
    from {
      connector = "ws"
      operation = "out"
    }
    to {
      connector = "ws"
      operation = "disconnect"
      user      = "input.data.user"
    }
  }
  flow "who" {
    from {
      connector = "ws"
      operation = "who"
    }
    step "who" {
      connector = "ws"
      operation = "presence"
      target    = "input.room"
    }
    response {
      count = "step.who.count"
      users = "step.who.members.map(m, m.user_id)"
    }
  }
`;

const short = withGrace("500ms");
const long = withGrace("20s");
const room = "doc:7";

function shown(user_id: string, more: Readonly<Record<string, unknown>> = {}) {
  return { user_id, connections: 1, info: { doc: "7", name: null }, ...more };
}

/** Joins the room, and returns the list where it asks for it. */
async function join(client: SocketClient, presence?: unknown): Promise<Message | undefined> {
  const { type } = await client.ask({ type: "join_room", room, id: "join", presence });
  assert.equal(type, "ack");
  return presence === undefined ? undefined : await client.hear();
}

/** The next change. */
async function change(client: SocketClient): Promise<Message> {
  const { type, room: told, count, ...lists } = await client.hear();
  assert.deepEqual([type, told], ["presence", room]);
  return { count, ...lists };
}

contract(
  "presence: a list, then what changes, and an end for each way to leave",
  short,
  async (t) => {
    const ann = await t.connect("/ws?user_id=ann");
    const list = { type: "presence", room, count: 1, members: [shown("ann")] };
    assert.deepEqual(await join(ann, true), list);
    const ways: [string, (client: SocketClient) => unknown][] = [
      ["leave_room", (client) => client.say({ type: "leave_room", room })],
      ["a close with 1000", (client) => client.close(1000)],
      ["a flow's order", () => ann.ask({ type: "out", data: { user: "bob" }, id: 1 })],
      ["a close with 1001, after the grace", (client) => client.close(1001)],
      ["a cut, after the grace", (client) => client.destroy()],
    ];
    for (const [way, leave] of ways) {
      const bob = await t.connect("/ws?user_id=bob");
      await join(bob, { status: "here" });
      const told = shown("bob", { data: { status: "here" } });
      assert.deepEqual(await change(ann), { count: 2, joined: [told], left: [], changed: [] }, way);
      const answer = await leave(bob) as Message | undefined;
      if (answer !== undefined) assert.equal(answer.type, "ack", way);
      const left = [{ user_id: "bob" }];
      assert.deepEqual(await change(ann), { count: 1, joined: [], left, changed: [] }, way);
    }
  },
);

contract("presence: a return within the grace is no change", long, async (t) => {
  const ann = await t.connect("/ws?user_id=ann");
  await join(ann, true);
  const bob = await t.connect("/ws?user_id=bob");
  await join(bob);
  await change(ann);
  bob.close(1001);
  const back = await t.connect("/ws?user_id=bob");
  await join(back);
  // Whatever was told of the return would come before this.
  const cy = await t.connect("/ws?user_id=cy");
  await join(cy);
  const joined = [shown("cy")];
  const [first] = [await change(ann)];
  assert.deepEqual(first, { count: 3, joined, left: [], changed: [] });
  assert.deepEqual(await t.runtime.presence(room), {
    count: 3,
    members: [shown("ann"), shown("bob"), shown("cy")],
  });
});

contract(
  "presence: a client's own data, a step, a program, and what is refused",
  long,
  async (t) => {
    const ann = await t.connect("/ws?user_id=ann");
    await join(ann, true);
    const frame = { type: "presence", room, id: 2 };
    assert.deepEqual(await ann.ask({ ...frame, data: { status: "typing" } }), {
      type: "ack",
      id: 2,
    });
    const changed = [shown("ann", { data: { status: "typing" } })];
    assert.deepEqual(await change(ann), { count: 1, joined: [], left: [], changed });
    const refused: [Message, string][] = [
      [{ ...frame, data: { status: "x".repeat(11) } }, "validation_failed"],
      [{ ...frame, data: 5 }, "validation_failed"],
      [{ ...frame, room: "plain", data: {} }, "invalid_message"],
      [{ type: "presence", id: 2, data: {} }, "invalid_room"],
      [{ type: "join_room", id: 2, room, presence: "yes" }, "invalid_message"],
      [{ type: "join_room", id: 2, room, presence: { mood: 1 } }, "validation_failed"],
    ];
    for (const [one, code] of refused) assert.equal((await ann.ask(one)).code, code);
    const answer = await ann.ask({ type: "who", room, id: 3 });
    assert.deepEqual(answer.data, { count: 1, users: ["ann"] });
    assert.deepEqual(await t.runtime.presence(room, { connector: "ws" }), {
      count: 1,
      members: changed,
    });
    await assert.rejects(t.runtime.presence("plain"), /room "plain" has no presence/);
    await assert.rejects(t.runtime.presence(room, { connector: "probe" }), {
      name: "ConnectorError",
    });
    assert.equal(t.runtime.counts().ws.presence_members, 1);
    assert.ok(t.runtime.counts().ws.presence_frames >= 2);
    assert.deepEqual(await ann.ask({ type: "join_room", room: "plain", presence: true, id: 4 }), {
      type: "ack",
      id: 4,
    });
    await ann.hearsNothing();
  },
);

contract(
  "presence: a connector without it knows no presence",
  websocket() + flows,
  async (t) => {
    const ann = await t.connect("/ws?user_id=ann");
    const join = { type: "join_room", room, presence: true, id: 1 };
    assert.deepEqual(await ann.ask(join), { type: "ack", id: 1 });
    const { code } = await ann.ask({ type: "presence", room, data: {}, id: 2 });
    assert.equal(code, "unknown_type");
    await assert.rejects(t.runtime.presence(room), /presence: no room of the connector has it/);
    // Nobody has been sent anything by the question.
    await ann.hearsNothing();
    assert.ok(!("presence_members" in t.runtime.counts().ws));
  },
);

const verified = websocket(`
  auth {
    jwt {
      secret = "${SECRET}"
    }
  }
  room "doc:{id}" {
    presence {
      info = "{'name': client.claims.name}"
    }
  }
`) + flows;

contract("presence: info is that of the token in force", verified, async (t) => {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const token = (name: string) => sign({ sub: "ann", name, exp });
  const ann = await t.connect(`/ws?token=${await token("Ann")}`);
  const list = await join(ann, true);
  const of = (name: string) => [{ user_id: "ann", connections: 1, info: { name } }];
  assert.deepEqual(list?.members, of("Ann"));
  ann.say({ type: "auth", token: await token("Anna") });
  assert.deepEqual((await change(ann)).changed, of("Anna"));
});
