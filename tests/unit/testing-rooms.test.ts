import assert from "node:assert/strict";
import { test } from "node:test";
import { reportOf, resultsOf } from "./testing-support.ts";

/** A connector with a room whose members stand in the connector `store`. */
const door = (store: string) => `
connector "door" {
  type = "websocket"
  port = 3001
  path = "/door"
  room "team:*" {
    step "member" {
      connector = "${store}"
      target    = "room"
      cache     = "30s"
      timeout   = "2s"
    }
    join = "step.member.role == 'admin'"
  }
}
flow "say" {
  from {
    connector = "door"
    operation = "say"
  }
  to {
    connector = "door"
    operation = "send_to_room"
    target    = "'team:1'"
  }
}
`;

const ANN = 'client "ann" {\nconnector = "door"\nuser_id = "ann"\n}\n';

function join(more = ""): string {
  return `given "ann" {
    operation = "join_room"
    room      = "team:1"
    id        = 1
    ${more}
  }
  `;
}

function mock(lines: string): string {
  return `mock "mail" {\nstep = "member"\n${lines}\n}\n`;
}

/** What `weir test` finds wrong in a test with this body. */
async function failures(body: string, store = "mail"): Promise<readonly string[]> {
  const [result] = await resultsOf(`${door(store)}test "t" {\n${body}\n}\n`);
  return result.failures.map(({ message }) => message);
}

const ACK = 'expect "ann" {\ntype = "ack"\n}\n';
const NO = 'expect "ann" {\nerror = "room_forbidden"\n}\n';
const FAILED = 'expect "ann" {\nerror = "flow_failed"\n}\n';

test("a mock answers the look-up of a room, which is seen as a step", async () => {
  const yes = mock('target = "team:1"\nreturns = { role = "admin" }');
  const asked = 'expect "mail" {\nstep = "member"\ntarget = "team:1"\n' +
    'data = { room = "team:1", user_id = "ann" }\n}\n';
  assert.deepEqual(await failures(ANN + yes + join() + asked + ACK), []);
  assert.deepEqual(await failures(ANN + mock('returns = { role = "guest" }') + join() + NO), []);
  assert.deepEqual(await failures(ANN + mock('error = "away"') + join() + FAILED), []);
});

test("a client of a test joins its rooms by the room's rule", async () => {
  const rooms = ANN.replace("}\n", 'rooms = ["team:1"]\n}\n');
  const said = 'given "ann" {\noperation = "say"\ndata = 1\n}\n' +
    'expect "ann" {\nroom = "team:1"\ndata = 1\n}\n';
  assert.deepEqual(await failures(rooms + mock('returns = { role = "admin" }') + said), []);
  const [refused] = await failures(rooms + mock('returns = { role = "guest" }') + said);
  assert.match(refused, /could not join room "team:1": room_forbidden/);
});

test("the time of a cache and of a look-up is the test's", async () => {
  const once = mock('returns = { role = "admin" }\ntimes = 1') + mock('returns = { role = "no" }');
  const kept = `${join()}${ACK}advance {\nby = "29s"\n}\n${join()}${ACK}`;
  assert.deepEqual(
    await failures(`${ANN}${once}${kept}advance {\nby = "2s"\n}\n${join()}${NO}`),
    [],
  );
  const slow = mock('returns = { role = "admin" }\ndelay = "3s"');
  assert.deepEqual(await failures(`${ANN}${slow}${join()}advance {\nby = "2s"\n}\n${FAILED}`), []);
});

test("a look-up that nobody answers says which one", async () => {
  const report = await reportOf(`${door("mail")}test "t" {\n${ANN}${join()}}\n`);
  assert.match(
    report,
    /connector "mail" \(mail\) does not run in tests and no mock answers "team:1"/,
  );
});

test("a flow under test reads the names of the room of its frame", async () => {
  const [result] = await resultsOf(`
    connector "door" {
      type = "websocket"
      port = 3001
      path = "/door"
      room "team:{team}" {
      }
    }
    flow "say" {
      from {
        connector = "door"
        operation = "say"
      }
      to {
        connector = "mail"
        target    = "'of ' + match.team"
      }
    }
    test "t" {
      ${ANN}
      mock "mail" {
      }
      given "ann" {
        operation = "say"
        room      = "team:1"
      }
      expect "mail" {
        target = "of 1"
      }
    }
  `);
  assert.deepEqual(result.failures, []);
});
