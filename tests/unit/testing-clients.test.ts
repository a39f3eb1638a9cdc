import assert from "node:assert/strict";
import { test } from "node:test";
import { reportOf } from "./testing-support.ts";

const FLOWS = `type "chat" {
  text = string
}
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  validate { input = "chat" }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "'lobby'"
  }
  response { user = "client.user_id" }
}
flow "enter" {
  from {
    connector = "ws"
    operation = "connect"
  }
  accept { when = "client.params.key != 'wrong' && client.headers.origin != 'http://evil'" }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
flow "join" {
  from {
    connector = "ws"
    operation = "join_room"
  }
  accept { when = "input.room != 'secret'" }
  response { room = "input.room" }
}
flow "leave" {
  from {
    connector = "ws"
    operation = "disconnect"
  }
  transform { left = "client.user_id" }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
`;
const N = FLOWS.split("\n").length - 1;

/** The report on tests below the flows; `@1` is the first line of the tests. */
async function report(tests: string): Promise<string> {
  const text = await reportOf(FLOWS + tests);
  return text.replaceAll(/@(\d+)/g, (_, line) => `@${Number(line) - N}`);
}

/** A test of alice, who is in the lobby, and bob, who is not. */
function chat(steps: string): string {
  return `test "chat" {
client "alice" {
user_id = "a"
rooms = ["lobby"]
}
client "bob" { user_id = "b" }
${steps}
}
`;
}

test("a frame reaches the members of a room, and its sender is answered", async () => {
  const steps = `given "bob" {
    data = { text = "hi" }
    id   = 1
  }
  expect "alice" {
    type = "message"
    room = "lobby"
    data = { text = "hi" }
  }
  expect "bob" {
    type = "ack"
    id   = 1
    data = { user = "b" }
  }
  expect "alice" { nothing = true }
  expect "bob" { nothing = true }
  expect "ws" {
    operation = "send_to_room"
    target    = "lobby"
    data      = { text = "hi" }
  }
  expect "ws" { nothing = true }`;
  assert.equal(await report(chat(steps)), "ok      chat");
});

test("what does not match is shown with its differences, the nearest first", async () => {
  const steps = `given "bob" { data = { text = "hi" } }
given "bob" { data = { text = "ho" } }
expect "alice" {
  data = { text = "ho", n = 1 }
  room = "lobby"
}`;
  assert.equal(
    await report(chat(steps)),
    `FAILED  chat
        @9  expect "alice": nothing received matches
          expected  {"data":{"text":"ho","n":1},"room":"lobby"}
          received  {"type":"message","data":{"text":"ho"},"room":"lobby"}
                    data.n: expected 1, received nothing
          received  {"type":"message","data":{"text":"hi"},"room":"lobby"}
                    data.text: expected "ho", received "hi"
                    data.n: expected 1, received nothing`,
  );
});

test("a client that has got nothing has got nothing", async () => {
  assert.equal(
    await report(chat('expect "alice" { type = "message" }')),
    `FAILED  chat
        @7  expect "alice": nothing received matches
          expected  {"type":"message"}
          received  nothing`,
  );
});

test("nothing fails where something is left over", async () => {
  const steps = `given "bob" {
  data = { text = "hi" }
  id   = 5
}
expect "bob" { type = "ack" }
expect "bob" { nothing = true }
expect "alice" { nothing = true }`;
  assert.equal(
    await report(chat(steps)),
    `FAILED  chat
        @13  expect "alice": received something
          received  {"type":"message","data":{"text":"hi"},"room":"lobby"}`,
  );
});

test("an expect takes what it has found, so that a second one needs a second frame", async () => {
  const steps = `given "bob" { data = { text = "hi" } }
expect "alice" { data = { text = "hi" } }
expect "alice" { data = { text = "hi" } }`;
  assert.equal(
    await report(chat(steps)),
    `FAILED  chat
        @9  expect "alice": nothing received matches
          expected  {"data":{"text":"hi"}}
          received  nothing`,
  );
});

test("count is exact", async () => {
  const twice = 'given "bob" { data = { text = "hi" } }\ngiven "bob" { data = { text = "hi" } }\n';
  const expected = (count: number) => `expect "alice" {\n room = "lobby"\n count = ${count}\n}`;
  assert.equal(await report(chat(twice + expected(2))), "ok      chat");
  assert.equal(await report(chat(expected(0))), "ok      chat");
  assert.equal(
    await report(chat(twice + expected(1))),
    `FAILED  chat
        @9  expect "alice": expected 1 to match, but 2 did
          expected  {"room":"lobby"}
          received  {"type":"message","data":{"text":"hi"},"room":"lobby"}
          received  {"type":"message","data":{"text":"hi"},"room":"lobby"}`,
  );
  assert.equal(
    await report(chat(expected(3))),
    `FAILED  chat
        @7  expect "alice": expected 3 to match, but 0 did
          expected  {"room":"lobby"}
          received  nothing`,
  );
});

test("a refused frame is an error with its code and details", async () => {
  const steps = `given "bob" { data = { tex = 1 } }
expect "bob" {
  error   = "validation_failed"
  details = [{ path = "text" }, { path = "tex" }]
}
expect "bob" { nothing = true }`;
  assert.equal(await report(chat(steps)), "ok      chat");
});

test("an error that no expect names fails the test", async () => {
  assert.equal(
    await report(chat('given "bob" { data = 5 }')),
    `FAILED  chat
        @7  flow "say" failed: validation_failed: flow "say": the data is not a valid chat ` +
      `[{"path":"","message":"must be an object"}]`,
  );
});

test("nonsense is sent as it stands", async () => {
  const steps = `given "bob" { text = "{" }
expect "bob" { error = "invalid_json" }
given "bob" { text = "[]" }
expect "bob" { error = "invalid_message" }
given "bob" { operation = "sya" }
expect "bob" {
  type  = "error"
  error = "unknown_type"
}
given "bob" {
  operation = "join_room"
  id        = "x"
}
expect "bob" {
  error = "invalid_room"
  id    = "x"
}
given "bob" { operation = "ping" }
expect "bob" { type = "pong" }`;
  assert.equal(await report(chat(steps)), "ok      chat");
});

test("a client may connect and disconnect in the middle of a test", async () => {
  const steps = `client "carol" {
  user_id = "c"
  rooms   = ["lobby"]
  params  = { key = "right" }
}
given "carol" { operation = "connect" }
expect "alice" { data = { key = "right", user_id = "c" } }
expect "bob" { data = { key = "right" } }
given "bob" { data = { text = "hi" } }
expect "carol" { data = { key = "right" } }
expect "carol" { data = { text = "hi" } }
given "carol" { operation = "disconnect" }
expect "alice" { data = { text = "hi" } }
expect "alice" { data = { left = "c" } }
given "carol" { operation = "connect" }
expect "alice" { data = { key = "right" } }`;
  assert.equal(await report(chat(steps)), "ok      chat");
});

test("a client that is not connected can do nothing, and one that is cannot connect", async () => {
  const steps = `client "carol" {}
given "alice" { operation = "disconnect" }
given "alice" { data = { text = "hi" } }
given "alice" { operation = "disconnect" }
given "carol" { operation = "connect" }
given "carol" { operation = "connect" }`;
  assert.equal(
    await report(chat(steps)),
    `FAILED  chat
        @9  client "alice" is not connected
        @12  client "carol" is already connected`,
  );
});

test("a refused connection fails the test where no given asks for it", async () => {
  const tests = `test "t" {
  client "eve" { params = { key = "wrong" } }
  given "eve" { data = { text = "hi" } }
}
test "u" {
  client "eve" { headers = { Origin = "http://evil" } }
}
test "v" {
  client "eve" { user_id = "${"x".repeat(256)}" }
}
`;
  assert.equal(
    await report(tests),
    `FAILED  t
        @2  client "eve" could not connect: 403 flow "enter" rejected the event
FAILED  u
        @6  client "eve" could not connect: 403 flow "enter" rejected the event
FAILED  v
        @9  client "eve" could not connect: 400 user_id is longer than 255 bytes`,
  );
});

test("a refused client that offers weir.1 is expected by its status and code, too", async () => {
  const tests = `test "t" {
  client "eve" {
    params  = { key = "wrong" }
    headers = { "Sec-WebSocket-Protocol" = "weir.1" }
  }
  given "eve" { operation = "connect" }
  expect "eve" {
    status = 403
    error  = "rejected"
  }
}
test "u" {
  client "eve" {
    user_id = "${"x".repeat(256)}"
    headers = { "Sec-WebSocket-Protocol" = "weir.1" }
  }
}
`;
  assert.equal(
    await report(tests),
    `ok      t
FAILED  u
        @13  client "eve" could not connect: 400 user_id is longer than 255 bytes`,
  );
});

test("a refused connection is expected by its status or its code", async () => {
  const expected = (field: string) =>
    `test "${field.slice(0, 6)} ${field.slice(-4, -1).trim()}" {
  client "eve" { params = { key = "wrong" } }
  given "eve" { operation = "connect" }
  expect "eve" { ${field} }
}
`;
  const fields = ["status = 403 ", 'error = "rejected"', "status = 401 "];
  assert.equal(
    await report(fields.map(expected).join("")),
    `ok      status 403
ok      error  ted
FAILED  status 401
        @13  flow "enter" failed: rejected: flow "enter" rejected the event
        @14  expect "eve": nothing received matches
          expected  {"status":401}
          received  {"status":403,"error":"rejected","message":"flow \\"enter\\" rejected the event"}
                    status: expected 401, received 403`,
  );
});

test("a refused room fails the test, or is expected", async () => {
  const tests = `test "t" {
  client "eve" { rooms = ["lobby", "secret"] }
}
test "u" {
  client "eve" {}
  given "eve" {
    operation = "join_room"
    room      = "secret"
  }
  expect "eve" { error = "rejected" }
  expect "eve" { nothing = true }
}
test "v" {
  client "eve" {}
  given "eve" {
    operation = "join_room"
    room      = "other"
    id        = 1
  }
  expect "eve" { data = { room = "other" } }
}
`;
  assert.equal(
    await report(tests),
    `FAILED  t
        @2  client "eve" could not join room "secret": rejected: flow "join" rejected the event
ok      u
ok      v`,
  );
});

test("what the clients caused before the first step is forgotten", async () => {
  assert.equal(
    await report(chat('expect "alice" { nothing = true }\nexpect "ws" { nothing = true }')),
    "ok      chat",
  );
});

test("a server that closes is seen", async () => {
  const many = 'given "bob" { text = "{" }\n'.repeat(101);
  const steps = `${many}expect "bob" {
  error = "invalid_json"
  count = 101
}
expect "bob" {
  type = "close"
  data = { code = 1008, reason = "too many errors" }
}
expect "alice" { data = { left = "b" } }`;
  assert.equal(await report(chat(steps)), "ok      chat");
});

test("clients of one test do not see those of another", async () => {
  const tests = `test "a" {
  client "alice" { user_id = "a" }
  expect "alice" { nothing = true }
}
test "b" {
  client "alice" { user_id = "a" }
  expect "alice" { nothing = true }
}
`;
  assert.equal(await report(tests), "ok      a\nok      b");
});

test("mocks before all other steps answer flows that let clients in", async () => {
  const flow = `flow "look up" {
  from {
    connector = "ws"
    operation = "connect"
  }
  accept {
    step "known" { connector = "mail" }
    when = "step.known"
  }
}
`;
  const clients = (returns: boolean) =>
    `test "${returns}" {
  client "alice" {}
  mock "mail" { returns = ${returns} }
  expect "alice" { nothing = true }
}
`;
  assert.equal(
    await reportOf(flow + clients(true) + clients(false)),
    `ok      true
FAILED  false
        @17  client "alice" could not connect: 403 flow "look up" rejected the event`,
  );
});

test("a handshake that waits for the clock is no failure where a given asks for it", async () => {
  const flow = `flow "look up" {
  from {
    connector = "ws"
    operation = "connect"
  }
  accept {
    step "known" { connector = "mail" }
    when = "step.known"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
`;
  const steps = `test "late" {
  client "alice" { params = { a = "b" } }
  mock "mail" {
    returns = true
    delay   = "5s"
  }
  given "alice" { operation = "connect" }
  advance { by = "4s" }
  expect "alice" { nothing = true }
  advance { by = "1s" }
  expect "alice" { data = { a = "b" } }
}
test "later" {
  client "alice" {}
  mock "mail" {
    returns = true
    delay   = "5s"
  }
  expect "alice" { nothing = true }
}
`;
  assert.equal(
    await reportOf(flow + steps),
    `ok      late
FAILED  later
        @28  client "alice" could not connect: its handshake waits for the clock`,
  );
});

test("where an answer is expected, answers are shown first, that of the same frame before others", async () => {
  const steps = `given "bob" { data = { text = "hi" } }
given "alice" {
  data = { text = 1 }
  id   = 1
}
given "alice" {
  data = { text = 2 }
  id   = 2
}
expect "alice" {
  type = "ack"
  id   = 2
  room = "lobby"
}`;
  const shown = [...(await report(chat(steps))).matchAll(/received {2}(\{.*\})/g)]
    .map(([, frame]) => JSON.parse(frame) as { readonly type: string; readonly id?: number })
    .map(({ type, id }) => [type, id]);
  assert.deepEqual(shown.slice(0, 3), [["error", 2], ["error", 1], ["message", undefined]]);
});
