/** Rooms with rules, and what flows do to connections: `join_room`, `leave_room`, `disconnect`. */
import assert from "node:assert/strict";
import { population } from "../support/population.ts";
import type { Message, SocketClient } from "../support/socket-client.ts";
import {
  closeCode,
  type Contract,
  contract,
  flows,
  websocket,
} from "../support/socket-contract.ts";
import { pause, until } from "../support/socket-probe.ts";

/** Tells the probe of every join that was let in. */
const joined = `
  flow "joined" {
    from {
      connector = "ws"
      operation = "join_room"
    }
    to {
      connector = "probe"
      target    = "joined"
    }
  }
`;

/** Asks to join a room; `"ack"` or the code of the error. */
async function join(client: SocketClient, room: unknown): Promise<unknown> {
  return codeOf(await client.ask({ type: "join_room", room, id: "join" }));
}

async function leave(client: SocketClient, room: unknown): Promise<unknown> {
  return codeOf(await client.ask({ type: "leave_room", room, id: "leave" }));
}

function codeOf({ type, code, id }: Message): unknown {
  assert.ok(id === "join" || id === "leave" || id === "do", "the answer has the frame's id");
  return type === "error" ? code : type;
}

const ruled = `${
  websocket(`
    room "lobby" {
    }
    room "orders:*" {
      join = "client.user_id == 'ann' || room.endsWith(client.params.order)"
    }
    room "orders:vip:*" {
      join = "client.user_id == constants.vip"
    }
    room "orders:vip:open" {
      join = "true"
    }
    room "odd" {
      join = "client.params.odd.size() > 0"
    }
    room "null" {
      join = "client.params.nothing"
    }
  `)
}
  constants {
    vip = "bob"
  }
${flows}${joined}`;

contract("rooms: the most specific pattern decides who joins", ruled, async (t) => {
  const ann = await t.connect("/ws?user_id=ann");
  const bob = await t.connect("/ws?user_id=bob&order=:7");
  const [yes, no] = ["ack", "room_forbidden"];
  const rows: ReadonlyArray<readonly [room: string, ann: string, bob: string]> = [
    ["lobby", yes, yes],
    ["Lobby", no, no],
    ["orders:7", yes, yes],
    ["orders:8", yes, no],
    ["orders:", yes, no],
    ["orders:8:7", yes, yes],
    ["orders", no, no],
    ["orders:vip:1", no, yes],
    ["orders:vip:open", yes, yes],
    ["other", no, no],
    ["null", no, no],
    ["__proto__", no, no],
    ["*", no, no],
    ["orders:*", yes, no],
  ];
  for (const [room, forAnn, forBob] of rows) {
    assert.deepEqual([room, await join(ann, room), await join(bob, room)], [room, forAnn, forBob]);
  }
  assert.equal(await t.runtime.sendToRoom("orders:8", "for ann"), 1);
  assert.deepEqual(await ann.hear(), { type: "message", data: "for ann", room: "orders:8" });
  assert.equal(await t.runtime.sendToRoom("other", "for nobody"), 0);
  await bob.hearsNothing();
  // Whom a rule refuses, no flow has heard of.
  const welcome = rows.flatMap(([, a, b]) => [a, b]).filter((code) => code === yes).length;
  assert.equal(t.probe.deliveries.length, welcome);
});

contract("rooms: a refusal tells nothing of what is declared", ruled, async (t) => {
  const client = await t.connect("/ws?user_id=eve&order=:9");
  for (const room of ["other", "orders:1"]) {
    assert.deepEqual(await client.ask({ type: "join_room", room, id: 1 }), {
      type: "error",
      code: "room_forbidden",
      message: `room ${JSON.stringify(room)} is not for this client`,
      id: 1,
    });
  }
  const { id, ...without } = await client.ask({ type: "join_room", room: "x" });
  assert.deepEqual([id, without.code], [undefined, "room_forbidden"]);
  assert.equal(await join(client, "a\nb"), "invalid_room");
  assert.equal(await leave(client, "other"), "ack");
});

contract("rooms: a rule that fails lets nobody in and does not say why", ruled, async (t) => {
  const client = await t.connect();
  const { code, message } = await client.ask({ type: "join_room", room: "odd", id: 1 });
  assert.equal(code, "flow_failed");
  assert.match(String(message), /^the room's rule failed \(ref [0-9a-f]{8}\)$/);
  assert.equal(await t.runtime.sendToRoom("odd", "x"), 0);
  assert.deepEqual(t.probe.targets, []);
});

/** The probe says who the members of a team are. */
const members = `
  room "team:*" {
    step "member" {
      connector = "probe"
      target    = "'members of ' + room"
      params    = { user = "client.user_id" }
      LINES
    }
    join = "step.member != null"
  }
`;
const team = (lines = "", attributes = "") =>
  websocket(members.replace("LINES", lines) + attributes) + flows + joined;

contract("rooms: a look-up decides, and is asked each time", team(), async (t) => {
  const ann = await t.connect("/ws?user_id=ann");
  assert.equal(await join(ann, "team:1"), "room_forbidden");
  t.probe.results.set("members of team:1", {});
  assert.equal(await join(ann, "team:1"), "ack");
  assert.equal(await join(ann, "team:2"), "room_forbidden");
  assert.deepEqual(t.probe.targets, [
    ...["members of team:1", "members of team:1", "joined", "members of team:2"],
  ]);
  assert.deepEqual(t.probe.payloads[0], { user: "ann" });
  // It is a member until it asks again and may not be.
  t.probe.results.clear();
  assert.equal(await t.runtime.sendToRoom("team:1", "still"), 1);
  assert.deepEqual(await ann.hear(), { type: "message", data: "still", room: "team:1" });
  assert.equal(await join(ann, "team:1"), "room_forbidden");
  assert.equal(await t.runtime.sendToRoom("team:1", "no more"), 0);
  assert.equal(population(t.runtime).rooms, 0);
});

contract("rooms: with cache the same question is asked once", team('cache = "1h"'), async (t) => {
  const [ann, again] = [await t.connect("/ws?user_id=ann"), await t.connect("/ws?user_id=ann")];
  const bob = await t.connect("/ws?user_id=bob");
  t.probe.results.set("members of team:1", {});
  for (const client of [ann, again, ann, again]) assert.equal(await join(client, "team:1"), "ack");
  assert.equal(await join(bob, "team:1"), "ack");
  const asked = t.probe.deliveries.filter(({ target }) => target === "members of team:1");
  assert.deepEqual(asked.map(({ payload }) => payload), [{ user: "ann" }, { user: "bob" }]);
});

const failing = websocket(`
  room "*" {
    step "x" {
      connector = "probe"
      target    = "fail"
      cache     = "1h"
    }
    join = "true"
  }
`) + flows + joined;

contract("rooms: a look-up that fails refuses without its cause", failing, async (t) => {
  const client = await t.connect();
  for (let i = 1; i <= 2; i++) {
    const { code, message } = await client.ask({ type: "join_room", room: "a", id: 1 });
    assert.equal(code, "flow_failed");
    assert.match(String(message), /^the room's rule failed \(ref [0-9a-f]{8}\)$/);
    assert.equal(t.probe.deliveries.length, i);
  }
  // Without params it gets these.
  assert.deepEqual(t.probe.payloads[0], { room: "a", user_id: null });
  assert.equal(population(t.runtime).rooms, 0);
});

contract("rooms: frames behind a look-up wait for it", team(), async (t) => {
  t.probe.results.set("members of team:1", {});
  t.probe.holds = true;
  const client = await t.connect("/ws?user_id=ann");
  client.say(
    { type: "join_room", room: "team:1", id: 1 },
    { type: "leave_room", room: "team:1", id: 2 },
    { type: "echo", data: 3, id: 3 },
  );
  await t.probe.received(1);
  // A ping is answered outside of the order.
  assert.equal((await client.ask({ type: "ping" })).type, "pong");
  assert.equal(population(t.runtime).rooms, 0);
  t.probe.releaseAll();
  assert.deepEqual((await client.hearMany(3)).map(({ id, type }) => [id, type]), [
    [1, "ack"],
    [2, "ack"],
    [3, "ack"],
  ]);
  assert.equal(population(t.runtime).rooms, 0);
});

contract("rooms: who leaves while a look-up waits is no member", team(), async (t) => {
  t.probe.results.set("members of team:1", {});
  for (const leaves of ["destroy", "close"] as const) {
    t.probe.holds = true;
    const before = t.probe.deliveries.length;
    const client = await t.connect("/ws?user_id=ann");
    client.say({ type: "join_room", room: "team:1" });
    await t.probe.received(before + 1);
    client[leaves]();
    await until("nobody", () => population(t.runtime).connections === 0);
    t.probe.releaseAll();
    await until("the end", () => t.probe.targets.at(-1) === "ended");
    assert.deepEqual(population(t.runtime), { connections: 0, rooms: 0, users: 0 });
    const { input } = t.probe.deliveries[t.probe.deliveries.length - 1];
    assert.deepEqual(input.rooms, []);
  }
});

contract(
  "rooms: side by side the joins of one client stay within max_rooms",
  team("", "\nmax_rooms = 2\nconcurrency = 8"),
  async (t) => {
    const rooms = ["team:1", "team:2", "team:3", "team:4"];
    for (const room of rooms) t.probe.results.set(`members of ${room}`, {});
    t.probe.holds = true;
    const client = await t.connect();
    client.say(...rooms.map((room) => ({ type: "join_room", room, id: "join" })));
    await t.probe.received(4);
    t.probe.releaseAll();
    const answers = (await client.hearMany(4)).map(codeOf);
    assert.deepEqual(answers.sort(), ["ack", "ack", "too_many_rooms", "too_many_rooms"]);
    assert.equal(population(t.runtime).rooms, 2);
  },
);

const both = `${team()}
  flow "gate" {
    from {
      connector = "ws"
      operation = "join_room"
      filter    = "client.user_id != 'ghost'"
    }
    accept {
      step "asked" {
        connector = "probe"
        target    = "asked"
      }
      when = "client.user_id != 'bob'"
    }
  }
`;

contract("rooms: the rule comes first, then accept, then the join", both, async (t) => {
  const bob = await t.connect("/ws?user_id=bob");
  assert.equal(await join(bob, "team:1"), "room_forbidden");
  t.probe.results.set("members of team:1", {});
  assert.equal(await join(bob, "team:1"), "rejected");
  assert.deepEqual(t.probe.targets, [
    ...["members of team:1", "members of team:1", "asked"],
  ]);
  assert.equal(population(t.runtime).rooms, 0);
});

/** Flows by which the data of a frame says what is done to whom. */
const WHOM: Readonly<Record<string, string>> = {
  me: "",
  user: 'user = "input.user"',
  others: 'user = "client.user_id"\nexclude_sender = true',
};
const own = ["join_room", "leave_room", "disconnect"].flatMap((operation) =>
  Object.entries(WHOM).map(([whom, lines]) => `
    flow "${operation}:${whom}" {
      from {
        connector = "ws"
        operation = "${operation}:${whom}"
      }
      to {
        connector = "ws"
        operation = "${operation}"
        ${operation === "disconnect" ? "" : 'target = "input.name"'}
        ${lines}
      }
      response {
        recipients = "output.recipients"
      }
    }
  `)
).join("");
const controlled = (attributes = "") => websocket(attributes) + flows + joined + own;

/** Lets a flow do something; gives how many it was done to, or the code of the error. */
async function order(client: SocketClient, type: string, data: unknown): Promise<unknown> {
  const answer = await client.ask({ type, data, id: "do" });
  return codeOf(answer) === "ack"
    ? (answer.data as { readonly recipients: number }).recipients
    : answer.code;
}

contract("join_room and leave_room by a flow: the sender, a user", controlled(), async (t) => {
  const [ann, again] = [await t.connect("/ws?user_id=ann"), await t.connect("/ws?user_id=ann")];
  const bob = await t.connect("/ws?user_id=bob");
  assert.equal(await order(ann, "join_room:me", { name: "a" }), 1);
  assert.equal(await t.runtime.sendToRoom("a", 1), 1);
  assert.deepEqual(await ann.hear(), { type: "message", data: 1, room: "a" });
  // All connections of a user, whether or not they were members.
  assert.equal(await order(bob, "join_room:user", { name: "a", user: "ann" }), 2);
  assert.equal(await t.runtime.sendToRoom("a", 2), 2);
  for (const client of [ann, again]) {
    assert.deepEqual(await client.hear(), { type: "message", data: 2, room: "a" });
  }
  assert.equal(await order(ann, "leave_room:others", { name: "a" }), 1);
  assert.equal(await t.runtime.sendToRoom("a", 3), 1);
  assert.deepEqual(await ann.hear(), { type: "message", data: 3, room: "a" });
  assert.equal(await order(bob, "leave_room:user", { name: "a", user: "ann" }), 2);
  assert.equal(await order(bob, "leave_room:me", { name: "never joined" }), 1);
  assert.equal(population(t.runtime).rooms, 0);
  for (const nobody of ["eve", "", "__proto__", 7]) {
    assert.equal(await order(bob, "join_room:user", { name: "a", user: nobody }), 0);
  }
  // The clients are told nothing, and the flows on join_room have not run.
  assert.deepEqual(t.probe.deliveries, []);
  for (const client of [ann, again, bob]) await client.hearsNothing();
});

contract("join_room by a flow: bad names fail the flow", controlled(), async (t) => {
  const ann = await t.connect("/ws?user_id=ann");
  for (const name of [null, {}, [], "", "x".repeat(256), "a\u0000b", true]) {
    for (const type of ["join_room:me", "leave_room:me"]) {
      assert.equal(await order(ann, type, { name }), "flow_failed", JSON.stringify(name));
    }
  }
  for (const user of [null, {}, [], false]) {
    for (const type of ["join_room:user", "leave_room:user", "disconnect:user"]) {
      assert.equal(await order(ann, type, { name: "a", user }), "flow_failed");
    }
  }
  // A number is a name, and a pattern is nothing but a name.
  for (const name of [7, "*", "#", ">", "__proto__"]) {
    assert.equal(await order(ann, "join_room:me", { name }), 1);
    assert.equal(await t.runtime.sendToRoom(String(name), "x"), 1);
    assert.equal((await ann.hear()).room, String(name));
  }
  assert.equal(await t.runtime.sendToRoom("anything", "x"), 0);
});

const few = controlled(`
  max_rooms = 2
  room "known" {
    join = "false"
  }
`);

contract("join_room by a flow: max_rooms holds, the rooms' rules are not asked", few, async (t) => {
  const [ann, again] = [await t.connect("/ws?user_id=ann"), await t.connect("/ws?user_id=ann")];
  assert.equal(await join(ann, "known"), "room_forbidden");
  assert.equal(await order(ann, "join_room:me", { name: "known" }), 1);
  assert.equal(await order(ann, "join_room:me", { name: "unknown" }), 1);
  assert.equal(await order(ann, "join_room:me", { name: "third" }), "flow_failed");
  // One that is in as many rooms as it may be keeps the other connection of its user out, too.
  assert.equal(await order(again, "join_room:user", { name: "third", user: "ann" }), "flow_failed");
  assert.equal(await t.runtime.sendToRoom("third", "x"), 0);
  assert.equal(await order(again, "join_room:user", { name: "known", user: "ann" }), 2);
});

contract("disconnect by a flow: 1008 after all that is queued", controlled(), async (t) => {
  const [ann, again] = [await t.connect("/ws?user_id=ann"), await t.connect("/ws?user_id=ann")];
  const bob = await t.connect("/ws?user_id=bob");
  await join(again, "a");
  await t.probe.received(1);
  for (let i = 0; i < 100; i++) assert.equal(await t.runtime.sendToRoom("a", i), 1);
  assert.equal(await order(ann, "disconnect:others", {}), 1);
  const { messages, ending } = await again.finish();
  assert.deepEqual(messages.map(({ data }) => data), Array.from({ length: 100 }, (_, i) => i));
  assert.equal(ending.code, closeCode(t.host, 1008));
  assert.equal(ending.reason, "disconnected by a flow");
  const [, { input }] = await t.probe.received(2);
  assert.deepEqual([input.code, input.reason, input.rooms], [1008, "disconnected by a flow", [
    "a",
  ]]);
  assert.equal(await order(bob, "disconnect:user", { user: "ann" }), 1);
  assert.equal((await ann.ending()).code, closeCode(t.host, 1008));
  assert.equal(await order(bob, "disconnect:user", { user: "ann" }), 0);
  // What the sender sent behind is not served any more, and the answer does not reach it.
  bob.say({ type: "disconnect:me", id: 1 }, { type: "echo", data: "late", id: 2 });
  assert.deepEqual((await bob.finish()).messages, []);
  assert.deepEqual(population(t.runtime), { connections: 0, rooms: 0, users: 0 });
});

contract(
  "control: a flow on disconnect finds its own connection gone",
  `${controlled()}
  flow "gone" {
    from {
      connector = "ws"
      operation = "disconnect"
    }
    to {
      connector = "ws"
      operation = "join_room"
      target    = "ghosts"
    }
    to {
      connector = "probe"
      target    = "after"
    }
  }
`,
  async (t) => {
    const client = await t.connect();
    client.destroy();
    await t.probe.received(2);
    assert.deepEqual(t.probe.targets.toSorted(), ["after", "ended"]);
    assert.deepEqual(population(t.runtime), { connections: 0, rooms: 0, users: 0 });
  },
);

const removal = `${team('cache = "1h"')}
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  flow "removed" {
    from {
      connector = "events"
      operation = "member.removed"
    }
    to {
      connector = "ws"
      operation = "leave_room"
      target    = "'team:' + string(input.team)"
      user      = "input.user_id"
    }
  }
`;

contract("a flow on member.removed takes a client out at once", removal, async (t: Contract) => {
  t.probe.results.set("members of team:1", {});
  const [ann, bob] = [await t.connect("/ws?user_id=ann"), await t.connect("/ws?user_id=bob")];
  for (const client of [ann, bob]) assert.equal(await join(client, "team:1"), "ack");
  assert.equal(await t.runtime.sendToRoom("team:1", "before"), 2);
  await t.runtime.publish("member.removed", { team: 1, user_id: "ann" });
  await until("ann is out", () => population(t.runtime).rooms === 1);
  await pause(10);
  assert.equal(await t.runtime.sendToRoom("team:1", "after"), 1);
  assert.deepEqual(await ann.hear(), { type: "message", data: "before", room: "team:1" });
  await ann.hearsNothing();
  assert.deepEqual((await bob.hearMany(2)).map(({ data }) => data), ["before", "after"]);
  assert.equal(population(t.runtime).connections, 2);
});

/** What the probe is asked about, and the rule, with the names of the pattern. */
const tickets = `${
  websocket(`
    room "ticket:{id}" {
      step "member" {
        connector = "probe"
        target    = "'members of ' + match.id"
        cache     = "1m"
      }
      join = "step.member == 'yes' || match.id == client.user_id"
    }
    room "org:{org}:user:{user}" {
      step "role" {
        connector = "probe"
        target    = "roles"
        params    = { org = "match.org", user = "match.user" }
        when      = "match.user != 'guest'"
        cache     = "1m"
      }
      join = "step.role != null || match['user'] == 'guest'"
    }
    room "ticket:*" {
      join = "false"
    }
  `)
}${flows}`;

contract("rooms: the names of a pattern are match, and what look-ups send", tickets, async (t) => {
  const ann = await t.connect("/ws?user_id=ann");
  const [yes, no] = ["ack", "room_forbidden"];
  t.probe.results.set("members of 7", "yes");
  t.probe.results.set("roles", "admin");
  assert.equal(await join(ann, "ticket:7"), yes);
  assert.equal(await join(ann, "ticket:8"), no);
  assert.equal(await join(ann, "ticket:ann"), yes);
  assert.equal(await join(ann, "ticket:__proto__"), no);
  assert.equal(await join(ann, "ticket:7:log"), no);
  assert.equal(await join(ann, "org:a:user:b"), yes);
  assert.equal(await join(ann, "org:a:user:guest"), yes);
  const sent = t.probe.deliveries.map(({ target, payload }) => [target, payload]);
  assert.deepEqual(sent, [
    ...["7", "8", "ann", "__proto__"].map((id) => [
      `members of ${id}`,
      { id, room: `ticket:${id}`, user_id: "ann" },
    ]),
    ["roles", { org: "a", user: "b" }],
  ]);
  // What is cached is for the same names alone.
  const before = t.probe.deliveries.length;
  assert.equal(await join(ann, "ticket:7"), yes);
  assert.equal(await join(ann, "org:a:user:b"), yes);
  assert.equal(t.probe.deliveries.length, before);
  assert.equal(await join(ann, "org:b:user:b"), yes);
  assert.equal(t.probe.deliveries.length, before + 1);
});

contract(
  "rooms: a query without params has the names of the pattern",
  `${
    websocket(`
      room "ticket:{id}" {
        step "member" {
          connector = "db"
          query     = "SELECT 1 AS found WHERE :id = '7' AND :user_id = 'ann'"
        }
        join = "step.member != null"
      }
    `)
  }
  connector "db" {
    type     = "database"
    driver   = "sqlite"
    database = ":memory:"
  }
  ${flows}`,
  async (t) => {
    const ann = await t.connect("/ws?user_id=ann");
    const bob = await t.connect("/ws?user_id=bob");
    assert.equal(await join(ann, "ticket:7"), "ack");
    assert.equal(await join(ann, "ticket:8"), "room_forbidden");
    assert.equal(await join(bob, "ticket:7"), "room_forbidden");
  },
);

/** Tells the probe what is `match` in each flow whose event can have a room. */
const matched = `${
  websocket(`
    room "ticket:{id}" {
      join = "client.user_id == 'ann'"
    }
    room "ticket:{id}:{part}" {
    }
    room "ticket:vip:*" {
    }
    room "*" {
    }
  `)
}${
  ["edit", "join_room", "leave_room"].map((operation) => `
    flow "${operation}" {
      from {
        connector = "ws"
        operation = "${operation}"
        filter    = "match.id != 'filtered'"
      }
      step "owner" {
        connector = "probe"
        target    = "'owner of ' + (match.id == null ? 'nothing' : match.id)"
      }
      transform {
        id   = "match.id"
        part = "match['part']"
        all  = "match"
      }
      to {
        connector = "probe"
        target    = "'${operation} ' + (match.id == null ? 'nothing' : match.id)"
      }
    }
  `).join("")
}`;

contract("rooms: a flow reads the names of the room of its frame as match", matched, async (t) => {
  const bob = await t.connect("/ws?user_id=bob");
  const edit = async (room?: string) => {
    const from = t.probe.deliveries.length;
    await bob.ask({ type: "edit", id: "do", ...(room === undefined ? {} : { room }) });
    return t.probe.deliveries.slice(from).map(({ target, payload }) => [target, payload]);
  };
  const none = { id: null, part: null, all: {} };
  // He is no member of the room, and may not become one.
  assert.deepEqual((await edit("ticket:7")).at(-1), [
    "edit 7",
    { id: "7", part: null, all: { id: "7" } },
  ]);
  assert.deepEqual((await edit("ticket:7:log")).at(-1), [
    "edit 7",
    { id: "7", part: "log", all: { id: "7", part: "log" } },
  ]);
  // The most specific pattern has no name; another one has none, either; there is no room.
  for (const room of ["ticket:vip:1", "lobby", undefined]) {
    assert.deepEqual((await edit(room)).at(-1), ["edit nothing", none], `room ${room}`);
  }
  assert.deepEqual((await edit("ticket:__proto__")).at(-1)?.[0], "edit __proto__");
  assert.deepEqual(await edit("ticket:filtered"), []);
  // A join and a leave have a room, too.
  assert.equal(await join(bob, "ticket:8:log"), "ack");
  assert.equal(t.probe.deliveries.at(-1)?.target, "join_room 8");
  assert.equal(await leave(bob, "ticket:9"), "ack");
  assert.equal(t.probe.deliveries.at(-1)?.target, "leave_room 9");
});
