/** Errors of a flow's own: `reject` at a gate, in a frame and over HTTP. */
import assert from "node:assert/strict";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";

/** Asks the probe for a member and for what is known of the member, then tells it who has come. */
function gate(operation: string, status = ""): string {
  return `
    flow "${operation} gate" {
      from {
        connector = "ws"
        operation = "${operation}"
      }
      step "member" {
        connector = "probe"
        target    = "members"
      }
      reject {
        when    = "step.member == null"
        code    = "no_member"
        message = "members only"
        ${status}
      }
      step "state" {
        connector = "probe"
        target    = "states"
      }
      reject {
        when = "step.state.blocked"
        code = "blocked"
      }
      to {
        connector = "probe"
        target    = "${operation}"
      }
      response {
        state = "step.state.name"
      }
    }
  `;
}

function know({ probe }: Contract, blocked: boolean): void {
  probe.results.set("members", { id: 1 });
  probe.results.set("states", { blocked, name: "new" });
}

const door = `${websocket("max_connections = 1")}${flows}${gate("connect", "status = 404")}`;

contract("reject: on connect it is the status of the handshake", door, async (t) => {
  const { status, body, headers } = await t.request("/ws");
  assert.deepEqual([status, body], [404, "members only\n"]);
  assert.match(headers.get("content-type") ?? "", /^text\/plain/);
  assert.deepEqual(t.probe.targets, ["members"]);
  know(t, true);
  assert.deepEqual((await t.request("/ws")).status, 403);
  assert.equal(t.runtime.counts().ws.refused_flow, 2);
  assert.equal(t.runtime.counts().ws.connections, 0);
  know(t, false);
  t.probe.deliveries.length = 0;
  const client = await t.connect("/ws");
  await t.probe.received(3);
  // Nothing is asked twice.
  assert.deepEqual(t.probe.targets, ["members", "states", "connect"]);
  await client.hearsNothing();
});

contract("reject: on connect a look-up that fails is no refusal", door, async (t) => {
  t.probe.holds = true;
  const answer = t.request("/ws");
  const [{ fail }] = await t.probe.received(1);
  fail(new Error("password=hunter2"));
  const { status, body } = await answer;
  assert.equal(status, 500);
  assert.match(body, /^flow "connect gate" failed \(ref [0-9a-f]{8}\)\n$/);
});

const checked = `${websocket()}${flows}
  type "arrival" {
    color = string({ enum = ["red", "blue"] })
  }
  flow "checked" {
    from {
      connector = "ws"
      operation = "connect"
    }
    validate {
      input = "arrival"
    }
    reject {
      when   = "input.color == 'blue'"
      code   = "no_blue"
      status = 499
    }
    error_handling {
      error_response {
        when   = "input.color != null && error.code == 'validation_failed'"
        status = 400
        body {
          message = "'unknown color ' + input.color"
        }
      }
    }
  }
`;

contract("reject: on connect the input is checked first; any status goes", checked, async (t) => {
  const none = await t.request("/ws");
  assert.deepEqual([none.status, none.body], [
    403,
    'flow "checked": the data is not a valid arrival\n',
  ]);
  const green = await t.request("/ws?color=green");
  assert.deepEqual([green.status, green.body], [400, "unknown color green\n"]);
  const blue = await t.request("/ws?color=blue");
  assert.deepEqual([blue.status, blue.body], [499, 'flow "checked" rejected the event\n']);
  await (await t.connect("/ws?color=red")).hearsNothing();
});

const house = `${websocket()}${flows}${gate("join_room")}`;

contract("reject: on join_room there is no member, and the code is its own", house, async (t) => {
  const client = await t.connect("/ws");
  const join = { type: "join_room", room: "r", id: 7 };
  assert.deepEqual(await client.ask(join), {
    type: "error",
    code: "no_member",
    message: "members only",
    id: 7,
  });
  know(t, true);
  assert.deepEqual(await client.ask(join), {
    type: "error",
    code: "blocked",
    message: 'flow "join_room gate" rejected the event',
    id: 7,
  });
  assert.equal(await t.runtime.sendToRoom("r", 1), 0);
  know(t, false);
  t.probe.deliveries.length = 0;
  assert.deepEqual(await client.ask(join), { type: "ack", id: 7, data: { state: "new" } });
  assert.deepEqual(t.probe.targets, ["members", "states", "join_room"]);
  assert.equal(await t.runtime.sendToRoom("r", 1), 1);
  assert.equal(t.runtime.counts().ws.error_own, 2);
});

const refuses = `${websocket()}
  flow "refuses" {
    from {
      connector = "ws"
      operation = "message"
    }
    reject {
      when = "input.code == 'a'"
      code = "constructor"
    }
    reject {
      when = "true"
      code = "__proto__"
    }
    error_handling {
      error_response {
        body {
          why = "error.code"
        }
      }
    }
  }
`;

contract("reject: a frame gets the code; over 100 of them close the client", refuses, async (t) => {
  const client = await t.connect("/ws");
  for (const [code, sent] of [["constructor", "a"], ["__proto__", "b"]]) {
    const { message: _, ...answer } = await client.ask({
      type: "message",
      id: 1,
      data: { code: sent },
    });
    assert.deepEqual(answer, { type: "error", code, id: 1, details: { why: code } });
  }
  assert.equal(t.runtime.counts().ws.error_own, 2);
  client.say(...Array(99).fill({ type: "message", data: {} }));
  assert.equal((await client.hearMany(99)).length, 99);
  // 4008 on Deno, embedded.
  assert.equal((await client.ending()).code % 1000, 8);
  assert.equal(t.runtime.counts().ws.closed_errors, 1);
});
