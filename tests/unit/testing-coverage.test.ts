/** What the tests of a configuration go through, and what not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { coverageJson } from "../../src/testing/coverage-report.ts";
import { runConfigTests } from "../../src/testing/mod.ts";

const CONFIG = `connector "ws" {
  type = "websocket"
  port = 3001
  room "lots:*" {
    join = "client.user_id != null"
  }
  room "open" {}
}
connector "api" {
  type = "rest"
  port = 3001
}
connector "events" {
  type   = "mq"
  driver = "memory"
}
type "order" { id = number }
flow "order" {
  from {
    connector = "api"
    operation = "POST /orders"
    filter    = "input.id != 0"
  }
  accept {
    step "known" {
      connector = "events"
      target    = "look"
      when      = "input.id == 5"
      on_error  = "skip"
    }
    when = "input.id != -1"
  }
  validate { input = "order" }
  step "twice" {
    connector = "events"
    target    = "look"
    when      = "input.id == 2"
    on_error  = "skip"
  }
  reject {
    when = "input.id == 3"
    code = "three"
  }
  dedupe {
    key = "input.id == 6 ? 6 : null"
    ttl = "1m"
  }
  to "told" {
    connector = "ws"
    operation = "broadcast"
    when      = "input.id != 4"
  }
  reject {
    when = "input.id == 8 && results.told != null"
    code = "eight"
  }
  to {
    connector = "events"
    target    = "order"
  }
  response {}
  error_handling {
    fallback {
      connector = "events"
      target    = "failed"
      when      = "input.id == 1"
    }
    error_response {
      when   = "error.code == 'three'"
      status = 409
    }
    error_response { status = 503 }
  }
}
flow "tick" {
  when = "@every 1m"
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
flow "never" {
  from {
    connector = "ws"
    operation = "never"
    filter    = "input.id == 1"
  }
  to {
    connector = "ws"
    operation = "broadcast"
    when      = "input.id == 1"
  }
}
`;

/** The coverage of a test with these steps. */
async function coverageOf(steps: string) {
  const text = `${CONFIG}test "t" {\n${steps}\n}\n`;
  const { coverage, passed, report } = await runConfigTests(text, { coverage: true });
  assert.ok(passed, report);
  const lines = CONFIG.split("\n");
  const missing = coverage?.missing.map(({ place: { line }, message }) =>
    `${lines[line - 1].trim().split(/[ {=]/)[0]}: ${message}`
  );
  return { ...coverage, missing, last: report.split("\n").at(-1) };
}

const order = (id: number | string, more = "") =>
  `given "api" {
    operation = "POST /orders"
    data      = { id = ${id} }
  }
  ${more}
  `;
/** The next request of a step fails. */
const fails = (step: string) =>
  `mock "events" {
    step   = "${step}"
    target = "look"
    error  = "is away"
    times  = 1
  }
  `;
const status = (code: number) => `expect "api" { status = ${code} }`;

test("a flow that no test goes through is one line; its branches count", async () => {
  const { missing, last } = await coverageOf('expect "api" { nothing = true }');
  assert.deepEqual(missing, [
    'room: connector "ws", room "lots:*": nobody has joined',
    'room: connector "ws", room "lots:*": nobody was refused',
    'room: connector "ws", room "open": nobody has joined',
    'flow: flow "order": no test goes through it',
    'flow: flow "tick": no test goes through it',
    'flow: flow "never": no test goes through it',
  ]);
  assert.equal(last, "coverage: 0 of 3 flows, 0 of 21 branches, 0 of 3 outcomes of rooms");
});

test("a decision that always turned out the same is missed at its place", async () => {
  const { missing, flows, branches, rooms } = await coverageOf(
    `client "ada" {
       user_id = "ada"
       rooms   = ["lots:1"]
     }\n` + order(1, status(200)),
  );
  assert.deepEqual(missing, [
    'room: connector "ws", room "lots:*": nobody was refused',
    'room: connector "ws", room "open": nobody has joined',
    'filter: flow "order", filter was never false',
    'accept: flow "order", accept has refused nothing',
    'step: flow "order", accept step "known" when was never true',
    'on_error: flow "order", accept step "known" on_error has skipped no failure',
    'validate: flow "order", validate.input has refused nothing',
    'step: flow "order", step "twice" when was never true',
    'on_error: flow "order", step "twice" on_error has skipped no failure',
    'reject: flow "order", reject has refused nothing',
    'dedupe: flow "order", dedupe has met no repeated event',
    'to: flow "order", to "told" when was never false',
    'reject: flow "order", reject has refused nothing',
    'fallback: flow "order", fallback was never used',
    'fallback: flow "order", fallback when was never false',
    'error_response: flow "order", error_response was never used',
    'error_response: flow "order", error_response was never used',
    'flow: flow "tick": no test goes through it',
    'flow: flow "never": no test goes through it',
  ]);
  assert.deepEqual({ flows, branches, rooms }, {
    flows: { seen: 1, all: 3 },
    branches: { seen: 3, all: 21 },
    rooms: { seen: 1, all: 3 },
  });
});

test("nothing is missed where tests go every way", async () => {
  const { missing, last } = await coverageOf(
    `client "ada" {
       user_id = "ada"
       rooms   = ["lots:1", "open"]
     }
     client "eve" {}
     given "eve" {
       operation = "join_room"
       room      = "lots:1"
     }
     expect "eve" { error = "room_forbidden" }\n` +
      order(0, status(404)) + order(-1, status(503)) + order('"x"', status(503)) +
      fails("twice") + order(2, status(200)) + order(3, status(409)) + order(4, status(200)) +
      fails("known") + order(5, status(200)) + order(6, status(200)) + order(6, status(200)) +
      order(8, status(503)) +
      `mock "ws" {
 error = "is away"
 times = 2
 }\n` + order(1, status(503)) + order(7, status(503)) +
      `advance { by = "1m" }
       given "ada" {
         operation = "never"
         data      = { id = 2 }
       }`,
  );
  assert.deepEqual(missing, ['flow: flow "never": no test goes through it']);
  assert.equal(last, "coverage: 2 of 3 flows, 19 of 21 branches, 3 of 3 outcomes of rooms");
});

test("as JSON, each thing that is missed has its place", async () => {
  const { coverage } = await runConfigTests(
    `${CONFIG}test "t" {\n expect "api" { nothing = true }\n}\n`,
    { coverage: true },
  );
  assert.ok(coverage);
  const { flows, missing } = coverageJson(coverage) as { flows: unknown; missing: unknown[] };
  assert.deepEqual(flows, { seen: 0, all: 3 });
  assert.deepEqual(missing[2], {
    file: "config.hcl",
    line: 7,
    column: 3,
    message: 'connector "ws", room "open": nobody has joined',
  });
});

test("without the option nothing is recorded", async () => {
  const { coverage, report } = await runConfigTests(`${CONFIG}test "t" {\n${order(1)}\n}\n`);
  assert.equal(coverage, undefined);
  assert.doesNotMatch(report, /coverage/);
});
