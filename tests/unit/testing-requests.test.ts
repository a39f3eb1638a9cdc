import assert from "node:assert/strict";
import { test } from "node:test";
import { reportOf } from "./testing-support.ts";

const FLOWS = `flow "one" {
  from {
    connector = "api"
    operation = "POST /rooms/:room"
  }
  accept { when = "input.room != 'secret'" }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.room"
  }
  response {
    room  = "input.room"
    q     = "input.q"
    n     = "input.n"
    token = "input.headers.token"
  }
}
flow "two" {
  from {
    connector = "api"
    operation = "POST /rooms/:room"
  }
  step "size" {
    connector = "mail"
    operation = "count"
  }
}
flow "slow" {
  from {
    connector = "api"
    operation = "GET /slow"
  }
  step "size" {
    connector = "mail"
    operation = "slow"
  }
  response { size = "step.size" }
}
`;
const N = FLOWS.split("\n").length - 1;

const MOCK = `mock "mail" {
operation = "count"
returns = 5
}
`;

async function report(steps: string): Promise<string> {
  const text = await reportOf(`${FLOWS}test "rest" {\n${steps}\n}\n`);
  return text.replaceAll(/@(\d+)/g, (_, line) => `@${Number(line) - N - 1}`);
}

const POST = `${MOCK}given "api" {
  operation = "POST /rooms/lobby?q=a%20b"
  data      = { n = 1 }
  headers   = { Token = "t" }
}
`;

test("a request is answered through the application that serves it", async () => {
  const steps = `client "alice" { rooms = ["lobby"] }
${POST}expect "api" {
  status  = 200
  data    = { room = "lobby", q = "a b", n = 1, token = "t" }
  headers = { Content-Type = "application/json" }
}
expect "api" { nothing = true }
expect "alice" { data = { n = 1 } }
expect "mail" {
  step      = "size"
  operation = "count"
}`;
  assert.equal(await report(steps), "ok      rest");
});

test("an answer that is another is shown", async () => {
  const steps = `${POST}expect "api" {
  status  = 201
  data    = { n = 2 }
  headers = { x-none = 1 }
}`;
  assert.equal(
    await report(steps),
    `FAILED  rest
        @10  expect "api": nothing received matches
          expected  {"status":201,"data":{"n":2},"headers":{"x-none":"1"}}
          received  {"status":200,"data":{"room":"lobby","q":"a b","n":1,"token":"t"},` +
      `"headers":{"content-type":"application/json"}}
                    status: expected 201, received 200
                    data.n: expected 2, received 1
                    headers.x-none: expected "1", received nothing`,
  );
});

test("what no flow takes is answered by the application itself", async () => {
  const steps = `given "api" { operation = "GET /nowhere" }
expect "api" {
  status = 404
  error  = "not_found"
}
given "api" { operation = "DELETE /rooms/lobby" }
expect "api" { status = 405 }
given "api" {
  operation = "POST /rooms/lobby"
  text      = "{"
}
expect "api" { error = "invalid_json" }
given "api" {
  operation = "POST /rooms/lobby"
  text      = "{}"
  headers   = { content-type = "text/plain" }
}
expect "api" { status = 415 }
given "api" { operation = "GET /health/live" }
expect "api" { data = { status = "ok" } }`;
  assert.equal(await report(steps), "ok      rest");
});

test("an answer names the failure of its own flow, and no other's", async () => {
  const secret = `${MOCK}given "api" { operation = "POST /rooms/secret" }\n`;
  assert.equal(await report(`${secret}expect "api" { status = 403 }`), "ok      rest");
  assert.equal(await report(`${secret}expect "api" { error = "rejected" }`), "ok      rest");
  const failing = `mock "mail" {
  operation = "count"
  error     = "is full"
}
given "api" { operation = "POST /rooms/lobby" }
expect "api" { status = 200 }`;
  assert.equal(
    await report(failing),
    `FAILED  rest
        @5  flow "two" failed: flow_failed: connector "mail": is full`,
  );
  assert.equal(await report(`${failing}\nexpect "api" { error = "flow_failed" }`), "ok      rest");
  assert.equal(
    await report(`${failing}\nexpect "api" { error = "timeout" }`),
    `FAILED  rest
        @5  flow "two" failed: flow_failed: connector "mail": is full
        @7  expect "api": nothing received matches
          expected  {"error":"timeout"}
          received  nothing`,
  );
});

test("a request may wait for the clock while others are answered", async () => {
  const steps = `mock "mail" {
  operation = "slow"
  returns   = 7
  delay     = "5s"
}
given "api" { operation = "GET /slow" }
${POST}expect "api" { data = { room = "lobby" } }
expect "api" { nothing = true }
advance { by = "4s" }
expect "api" { nothing = true }
advance { by = "1s" }
expect "api" { data = { size = 7 } }`;
  assert.equal(await report(steps), "ok      rest");
});

test("a test waits for a long list, whose deliveries pause now and then", async () => {
  const flows = `flow "many" {
  from {
    connector = "ws"
    operation = "many"
  }
  to "sent" {
    each      = "lists.range(2500)"
    connector = "ws"
    operation = "send_to_user"
    target    = "'nobody'"
  }
  response { count = "results.sent.size()" }
}
test "many" {
  client "ann" {
    connector = "ws"
  }
  given "ann" {
    operation = "many"
    id        = 1
  }
  expect "ann" {
    id   = 1
    data = { count = 2500 }
  }
  expect "ws" {
    target = "nobody"
    count  = 2500
  }
}
`;
  assert.equal(await reportOf(flows), "ok      many");
});
