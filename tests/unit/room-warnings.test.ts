import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { placed } from "../support/problems.ts";

/** A connector with these rooms. */
function websocket(...rooms: readonly string[]): string {
  const blocks = rooms.map((room) => `room "${room}" {\n}\n`).join("");
  return `connector "ws" {\ntype = "websocket"\nport = 0\n${blocks}}\n`;
}

let flows = 0;

/** A flow whose `to` says this. */
function to(lines: string): string {
  return `flow "f${++flows}" {
    from {
      connector = "ws"
      operation = "message"
    }
    to {
      connector = "ws"
      ${lines}
    }
  }
  `;
}

function send(target: string): string {
  return to(`operation = "send_to_room"\ntarget = "${target}"`);
}

/** The rooms that `weir check` warns of. */
async function unused(config: string, embedded = false): Promise<readonly (string | undefined)[]> {
  const { warnings } = await loadConfig(config, { embedded });
  return warnings.filter(({ code }) => code === "unused-room")
    .map(({ message }) => /room "([^"]*)"/.exec(message)?.[1]);
}

test("a room that no literal target reaches is a warning", async () => {
  const three = websocket("news", "orders:*", "*:log");
  assert.deepEqual(await unused(three), ["news", "orders:*", "*:log"]);
  assert.deepEqual(await unused(three + send("news")), ["orders:*", "*:log"]);
  assert.deepEqual(await unused(three + send("orders:1:log")), ["news"]);
  assert.deepEqual(await unused(three + send("'orders:' + '1'")), ["news", "*:log"]);
  const joins = to('operation = "join_room"\ntarget = "news"');
  const leaves = to('operation = "leave_room"\ntarget = "a:log"');
  assert.deepEqual(await unused(three + joins + leaves), ["orders:*", "*:log"]);
  assert.deepEqual(await unused(websocket("*") + send("anything")), []);
  const named = websocket("ticket:{id}", "ticket:{id}:log");
  assert.deepEqual(await unused(named + send("ticket:7")), ["ticket:{id}:log"]);
});

test("a room that no block allows to clients is a warning, and no other room is one then", async () => {
  // The sentences name the flows.
  flows = 0;
  const { warnings } = await loadConfig(websocket("news") + send("new"), { embedded: false });
  assert.deepEqual(warnings.map(placed), ["config.hcl:15:10+5 closed-room"]);
  assert.equal(warnings[0].severity, "warning");
  const closed = async (config: string, embedded = false) =>
    (await loadConfig(config, { embedded })).warnings.filter(({ code }) => code === "closed-room")
      .map(placed);
  const both = websocket("news", "orders:{id}");
  assert.deepEqual(await closed(both + send("order:7")), ["config.hcl:17:10+9 closed-room"]);
  assert.deepEqual(await closed(both + send("orders:7") + send("input.room")), []);
  // Without room blocks all rooms are open, and a flow or a program may add members to any.
  assert.deepEqual(await closed(websocket() + send("new")), []);
  const joins = (target: string) => to(`operation = "join_room"\ntarget = "${target}"`);
  assert.deepEqual(await closed(both + send("new") + joins("new")), []);
  assert.deepEqual(await closed(both + send("new") + joins("input.room")), []);
  assert.deepEqual(await closed(both + send("new") + joins("old")), [
    "config.hcl:17:10+5 closed-room",
  ]);
  assert.deepEqual(await closed(both + send("new"), true), []);
});

test("no warning where the event, an expression or a program may reach it", async () => {
  const news = websocket("news");
  assert.deepEqual(await unused(news + send("input.room")), []);
  assert.deepEqual(await unused(news + send("x") + send("'n' + input.rest")), []);
  const filter = `operation = "broadcast"\nfilter = "'news' in client.rooms"`;
  assert.deepEqual(await unused(news + to(filter)), []);
  assert.deepEqual(
    await unused(news + to('operation = "broadcast"\nfilter = "client != null"')),
    [],
  );
  assert.deepEqual(await unused(news, true), []);
  // Another connector's rooms are not this one's.
  const other = news.replace('"ws"', '"other"').replace("port = 0", "port = 1");
  assert.deepEqual(await unused(websocket() + other + send("news")), ["news"]);
});

test("a rule with an unverified user_id is a warning at its place", async () => {
  const warned = async (room: string, auth = "") => {
    const { warnings } = await loadConfig(
      `connector "ws" {\ntype = "websocket"\nport = 0\n${auth}\nroom "a" {\n${room}\n}\n}\n` +
        'connector "db" {\ntype = "database"\ndriver = "sqlite"\ndatabase = ":memory:"\n}\n' +
        send("a"),
    );
    return warnings.map(placed);
  };
  assert.deepEqual(await warned(`join = "client.user_id == 'ann'"`), [
    "config.hcl:6:9+14 unverified-user",
  ]);
  const step = 'step "s" {\nconnector = "db"\nquery = "SELECT :id AS x"\n' +
    'params = { id = "client.user_id" }\n}\njoin = "step.s.x != null"';
  assert.deepEqual(await warned(step), ["config.hcl:9:18+14 unverified-user"]);
  assert.deepEqual(await warned(`join = "client.params.user_id == 'ann'"`), []);
  const auth = 'auth {\njwt {\nsecret = "0123456789abcdef0123456789abcdef"\n}\n}';
  assert.deepEqual(await warned(step, auth), []);
});
