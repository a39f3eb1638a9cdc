/** `weir test` and the errors of a flow's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { reportOf } from "./testing-support.ts";

function refusing(name: string, source: string, rest = ""): string {
  return `flow "${name}" {
  ${source}
  step "ticket" {
    connector = "mail"
    operation = "${name}"
  }
  reject {
    when    = "step.ticket == null"
    code    = "not_found"
    message = "no such ticket"
    ${rest}
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
`;
}

function from(connector: string, operation: string): string {
  return `from {\nconnector = "${connector}"\noperation = "${operation}"\n}`;
}

function mock(name: string, returns: string): string {
  return `mock "mail" {\noperation = "${name}"\nreturns = ${returns}\n}\n`;
}

const FLOWS = [
  refusing("say", from("ws", "say")),
  refusing("enter", from("ws", "connect"), "status = 404"),
  refusing("join", from("ws", "join_room")),
  refusing("call", from("api", "GET /tickets/:id"), "status = 404"),
  refusing("order", from("rabbit", "order"), 'on_reject = "ack"'),
  refusing("tick", 'when = "@every 5s"'),
  'flow "tock" {\nwhen = "@every 5s"\naccept { when = "false" }\nto {\nconnector = "ws"\n' +
  'operation = "broadcast"\n}\n}\n',
].join("");

const IN = mock("enter", "1");

test("a refusal is expected by its code, its status and its message", async () => {
  const tests = `
test "frame" {
  ${IN} ${mock("say", "null")}
  client "ada" {}
  given "ada" {
    operation = "say"
  }
  expect "ada" { error = "not_found" }
}
test "another code" {
  ${IN} ${mock("say", "null")}
  client "ada" {}
  given "ada" {
    operation = "say"
  }
  expect "ada" { error = "rejected" }
}
test "handshake" {
  ${mock("enter", "null")}
  client "ada" {}
  given "ada" { operation = "connect" }
  expect "ada" {
    error  = "not_found"
    status = 404
  }
}
test "room" {
  ${IN} ${mock("join", "null")}
  client "ada" {}
  given "ada" {
    operation = "join_room"
    room      = "lobby"
  }
  expect "ada" { error = "not_found" }
}
test "request" {
  ${mock("call", "null")}
  given "api" { operation = "GET /tickets/7" }
  expect "api" {
    status = 404
    error  = "not_found"
    data   = { error = { message = "no such ticket" } }
  }
}
`;
  const report = await reportOf(FLOWS + tests);
  assert.deepEqual(report.split("\n").filter((line) => /^(?:ok|FAILED)/.test(line)), [
    "ok      frame",
    "FAILED  another code",
    "ok      handshake",
    "ok      room",
    "ok      request",
  ]);
});

test("a schedule and a message that is acked are refused without a word", async () => {
  const quiet = `
test "schedule" {
  ${IN} ${mock("tick", "null")}
  client "ada" {}
  advance { by = "6s" }
  expect "ada" { nothing = true }
}
test "message" {
  ${IN} ${mock("order", "null")}
  client "ada" {}
  given "rabbit" {
    operation = "order"
    data      = { id = 1 }
  }
  expect "ada" { nothing = true }
}
`;
  assert.equal(await reportOf(FLOWS + quiet), "ok      schedule\nok      message");
});
