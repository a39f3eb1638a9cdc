/** Flows that decide who is let in: into the service at `connect`, into a room at `join_room`. */
import assert from "node:assert/strict";
import { population } from "../support/population.ts";
import { handshakeText, type SocketClient } from "../support/socket-client.ts";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";
import { pause, until } from "../support/socket-probe.ts";

/** Asks the probe whether somebody is a member, then tells it who has come. */
function gate(operation: string, more = ""): string {
  return `
    flow "${operation} gate" {
      ${more}
      from {
        connector = "ws"
        operation = "${operation}"
        filter    = "input.user_id != 'guest'"
      }
      accept {
        step "member" {
          connector = "probe"
          target    = "members"
          params    = { id = "client.user_id" }
        }
        when = "step.member != null && step.member.of == input.user_id"
      }
      to {
        connector = "probe"
        target    = "${operation}"
      }
    }
  `;
}

const doors = `${flows}${gate("connect")}`;
const door = websocket("max_connections = 1") + doors;

/** Makes one user a member. */
function admit({ probe }: Contract, user: string): void {
  probe.results.set("members", { of: user });
}

/** Begins a handshake whose decision waits, and gives its client. */
async function knock(t: Contract, user: string): Promise<SocketClient> {
  const before = t.probe.deliveries.length;
  const client = await t.raw();
  client.write(handshakeText(`${t.host.mount}/ws?user_id=${user}`));
  await t.probe.received(before + 1);
  return client;
}

contract("connect: who is refused gets 403, runs no flow and takes no room", door, async (t) => {
  admit(t, "ann");
  for (let i = 0; i < 3; i++) {
    const { status, headers, body } = await t.request("/ws?user_id=bob");
    assert.deepEqual([status, body], [403, 'flow "connect gate" rejected the event\n']);
    assert.match(headers.get("content-type") ?? "", /^text\/plain/);
  }
  assert.deepEqual(t.probe.targets, ["members", "members", "members"]);
  assert.deepEqual(population(t.runtime), { connections: 0, rooms: 0, users: 0 });
  await (await t.connect("/ws?user_id=ann")).hearsNothing();
  // Without a free place no step is run.
  const asked = t.probe.deliveries.length;
  assert.equal((await t.request("/ws?user_id=bob")).status, 503);
  assert.equal((await t.request("/ws?user_id=ann")).status, 503);
  assert.equal(t.probe.deliveries.length, asked);
});

contract("connect: who is let in is asked about once", door, async (t) => {
  admit(t, "ann");
  const client = await t.connect("/ws?user_id=ann&color=red");
  await t.probe.received(2);
  assert.deepEqual(t.probe.targets, ["members", "connect"]);
  const [asked, told] = t.probe.deliveries;
  assert.deepEqual(asked.payload, { id: "ann" });
  assert.deepEqual(told.payload, { user_id: "ann", color: "red" });
  assert.equal(told.input.client_id, asked.input.client_id);
  client.close();
  await client.ending();
  assert.deepEqual((await t.probe.received(3))[2].target, "ended");
});

contract("connect: a flow whose filter says no decides nothing", door, async (t) => {
  await (await t.connect("/ws?user_id=guest")).hearsNothing();
  assert.deepEqual(t.probe.deliveries, []);
});

contract(
  "connect: a decision may wait; the connection waits for it",
  websocket() + doors,
  async (t) => {
    admit(t, "ann");
    t.probe.holds = true;
    const client = await knock(t, "ann");
    assert.equal(t.runtime.counts().ws.connections, 0);
    assert.equal(await t.runtime.broadcast("too early"), 0);
    t.probe.releaseAll();
    await client.upgraded();
    await client.hearsNothing();
    assert.equal(await t.runtime.sendToUser("ann", "hello"), 1);
    assert.deepEqual(await client.hear(), { type: "message", data: "hello" });

    t.probe.holds = true;
    const refused = await knock(t, "bob");
    t.probe.releaseAll();
    assert.equal((await refused.response()).status, 403);
  },
);

contract(
  "connect: who waits has a place already; who is refused gives it back",
  door,
  async (t) => {
    admit(t, "ann");
    for (const [user, status] of [["bob", 403], ["ann", 101]] as const) {
      t.probe.holds = true;
      const waiting = await knock(t, user);
      // At once, and without asking.
      const { status: full, headers } = await t.request("/ws?user_id=ann");
      assert.deepEqual([full, headers.get("retry-after")], [503, "1"]);
      t.probe.releaseAll();
      assert.equal((await waiting.response()).status, status);
    }
    assert.deepEqual(t.probe.targets.filter((target) => target === "members").length, 2);
  },
);

contract("connect: who leaves while the decision waits leaves nothing behind", door, async (t) => {
  admit(t, "ann");
  t.probe.holds = true;
  (await knock(t, "ann")).destroy();
  // Time for the server to see it.
  await pause(50);
  t.probe.releaseAll();
  await (await t.connect("/ws?user_id=ann")).hearsNothing();
});

contract("connect: a shutdown lets nobody in", door, async (t) => {
  admit(t, "ann");
  t.probe.holds = true;
  const client = await knock(t, "ann");
  const closed = t.runtime.close();
  t.probe.releaseAll();
  assert.equal((await client.response()).status, 503);
  await closed;
  assert.deepEqual(t.probe.targets, ["members"]);
});

contract("connect: a decision of more than 10 seconds is 503", door, async (t) => {
  admit(t, "ann");
  t.probe.holds = true;
  const began = performance.now();
  const client = await t.raw();
  client.write(handshakeText(`${t.host.mount}/ws?user_id=ann`));
  await t.probe.received(1);
  await pause(5_000);
  const { status, headers } = await client.response();
  assert.deepEqual([status, headers.get("retry-after")], [503, "1"]);
  assert.ok(performance.now() - began > 9_900);
  t.probe.releaseAll();
  await (await t.connect("/ws?user_id=ann")).hearsNothing();
  assert.deepEqual(t.probe.targets, ["members", "members", "connect"]);
});

const unsteady = `${websocket()}
  flow "fails" {
    from {
      connector = "ws"
      operation = "connect"
      filter    = "input.how == 'fail'"
    }
    accept {
      step "check" {
        connector = "probe"
        target    = "fail"
      }
      when = "true"
    }
  }
  flow "late" {
    timeout = "100ms"
    from {
      connector = "ws"
      operation = "connect"
      filter    = "input.how == 'late'"
    }
    accept {
      step "check" {
        connector = "probe"
        target    = "slow"
      }
      when = "true"
    }
  }
  flow "polite" {
    from {
      connector = "ws"
      operation = "connect"
      filter    = "input.how == 'polite'"
    }
    accept {
      when = "false"
    }
    error_handling {
      error_response {
        body {
          message = "'members only, not ' + input.name"
        }
      }
    }
  }
  flow "every event" {
    from {
      connector = "ws"
    }
    accept {
      when = "client.params.how != 'any'"
    }
    to {
      connector = "probe"
      target    = "every"
    }
  }
`;

contract("connect: a decision that fails is 500 without its cause", unsteady, async (t) => {
  const { status, body } = await t.request("/ws?how=fail");
  assert.equal(status, 500);
  assert.match(body, /^flow "fails" failed \(ref [0-9a-f]{8}\)\n$/);
});

contract("connect: a flow that is out of time is 503", unsteady, async (t) => {
  t.probe.holds = true;
  const { status, body, headers } = await t.request("/ws?how=late");
  assert.deepEqual([status, headers.get("retry-after")], [503, "1"]);
  assert.match(body, /^flow "late" timed out \(ref [0-9a-f]{8}\)\n$/);
});

contract("connect: the message of an error_response is the refusal's", unsteady, async (t) => {
  const { status, body } = await t.request("/ws?how=polite&name=b%C3%B6b");
  assert.deepEqual([status, body], [403, "members only, not böb\n"]);
});

contract("connect: a flow on every event decides, too", unsteady, async (t) => {
  const { status, body } = await t.request("/ws?how=any");
  assert.deepEqual([status, body], [403, 'flow "every event" rejected the event\n']);
  assert.deepEqual(t.probe.deliveries, []);
  const client = await t.connect("/ws?how=well");
  assert.equal((await t.probe.received(1))[0].input.event, "connect");
  client.close();
  await client.ending();
  assert.equal((await t.probe.received(2))[1].input.event, "disconnect");
});

const rooms = `${websocket("max_rooms = 1\n concurrency = 2")}${flows}${gate("join_room")}`;

const house = `${websocket()}${flows}${gate("join_room")}
  flow "second" {
    from {
      connector = "ws"
      operation = "join_room"
    }
    accept {
      when = "input.room != 'closed'"
    }
    to {
      connector = "probe"
      target    = "second"
    }
  }
`;

contract("join_room: whom a flow lets in is a member, and asked about once", house, async (t) => {
  admit(t, "ann");
  const client = await t.connect("/ws?user_id=ann");
  assert.deepEqual(await client.ask({ type: "join_room", room: "r", id: 1 }), {
    type: "ack",
    id: 1,
  });
  assert.deepEqual(t.probe.targets, ["members", "join_room", "second"]);
  assert.equal(await t.runtime.sendToRoom("r", 1), 1);
});

contract("join_room: whom any flow refuses is no member, and no flow runs", house, async (t) => {
  admit(t, "ann");
  const [ann, bob] = [await t.connect("/ws?user_id=ann"), await t.connect("/ws?user_id=bob")];
  const cases = [[ann, "closed", "second"], [bob, "open", "join_room gate"]] as const;
  for (const [client, room, flow] of cases) {
    const refusal = {
      type: "error",
      message: `flow "${flow}" rejected the event`,
      code: "rejected",
    };
    assert.deepEqual(await client.ask({ type: "join_room", room, id: 7 }), { ...refusal, id: 7 });
    assert.deepEqual(await client.ask({ type: "join_room", room }), refusal);
    assert.equal(await t.runtime.sendToRoom(room, "secret"), 0);
    await client.hearsNothing();
  }
  assert.equal(t.runtime.counts().ws.rooms, 0);
  assert.deepEqual(new Set(t.probe.targets), new Set(["members"]));
});

contract("join_room: a decision that fails lets nobody in", house, async (t) => {
  // Not an object with a field "of".
  t.probe.results.set("members", { of: { deep: [1] } });
  const client = await t.connect("/ws?user_id=ann");
  t.probe.holds = true;
  client.say({ type: "join_room", room: "r", id: 1 });
  const [{ fail }] = await t.probe.received(1);
  fail(new Error("password=hunter2"));
  const { message, ...rest } = await client.hear();
  assert.deepEqual(rest, { type: "error", code: "flow_failed", id: 1 });
  assert.match(String(message), /^flow "join_room gate" failed \(ref [0-9a-f]{8}\)$/);
  assert.equal(await t.runtime.sendToRoom("r", 1), 0);
});

contract("join_room: frames behind a decision wait for it", house, async (t) => {
  admit(t, "ann");
  t.probe.holds = true;
  const client = await t.connect("/ws?user_id=ann");
  client.say(
    { type: "join_room", room: "r", id: "join" },
    { type: "echo", data: 1, id: "echo" },
    { type: "leave_room", room: "r", id: "leave" },
  );
  await t.probe.received(1);
  assert.equal(await t.runtime.sendToRoom("r", "too early"), 0);
  assert.deepEqual(await client.ask({ type: "ping", id: 0 }), { type: "pong", id: 0 });
  t.probe.releaseAll();
  assert.deepEqual((await client.hearMany(3)).map(({ type, id }) => [type, id]), [
    ["ack", "join"],
    ["ack", "echo"],
    ["ack", "leave"],
  ]);
  assert.equal(await t.runtime.sendToRoom("r", 1), 0);
});

contract("join_room: a refusal takes no membership away", house, async (t) => {
  admit(t, "ann");
  const client = await t.connect("/ws?user_id=ann");
  await client.ask({ type: "join_room", room: "r", id: 1 });
  admit(t, "bob");
  assert.equal((await client.ask({ type: "join_room", room: "r", id: 2 })).code, "rejected");
  assert.equal(await t.runtime.sendToRoom("r", "still"), 1);
});

contract("join_room: side by side they stay within max_rooms", rooms, async (t) => {
  admit(t, "ann");
  t.probe.holds = true;
  const client = await t.connect("/ws?user_id=ann");
  client.say({ type: "join_room", room: "a", id: "a" }, { type: "join_room", room: "b", id: "b" });
  await t.probe.received(2);
  t.probe.releaseAll();
  const answers = await client.hearMany(2);
  assert.deepEqual(answers.map(({ type, code }) => code ?? type).sort(), ["ack", "too_many_rooms"]);
  assert.equal(t.runtime.counts().ws.rooms, 1);
});

contract("join_room: who leaves while the decision waits is no member", house, async (t) => {
  admit(t, "ann");
  t.probe.holds = true;
  const client = await t.connect("/ws?user_id=ann");
  client.say({ type: "join_room", room: "r", id: 1 });
  await t.probe.received(1);
  client.destroy();
  await until("an empty hub", () => t.runtime.counts().ws.connections === 0);
  t.probe.releaseAll();
  await until("the end", () => t.probe.targets.includes("ended"));
  assert.equal(t.runtime.counts().ws.rooms, 0);
});

const broken = `${websocket()}
  flow "door" {
    from {
      connector = "ws"
      operation = "connect"
      filter    = "input.how == 'well' || input.how + 1 > 0"
    }
    accept {
      when = "true"
    }
  }
  flow "house" {
    from {
      connector = "ws"
      operation = "join_room"
      filter    = "input.room == 'good' || len(input.room) - input.room > 0"
    }
    accept {
      when = "true"
    }
  }
`;

contract("gates: a filter that fails lets nobody in", broken, async (t) => {
  assert.equal((await t.request("/ws?how=badly")).status, 500);
  const client = await t.connect("/ws?how=well");
  const refused = await client.ask({ type: "join_room", room: "bad", id: 1 });
  assert.equal(refused.code, "flow_failed");
  assert.equal(await t.runtime.sendToRoom("bad", 1), 0);
  assert.equal((await client.ask({ type: "join_room", room: "good", id: 2 })).type, "ack");
  assert.equal(await t.runtime.sendToRoom("good", 1), 1);
});
