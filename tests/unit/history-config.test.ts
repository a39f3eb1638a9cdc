/** What `weir check` says of rooms with history, and of what is sent to them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { hostOptions } from "../../src/server/files.ts";
import { failuresOf } from "../support/config.ts";
import { placed } from "../support/problems.ts";

const connector = `
connector "ws" {
  type = "websocket"
  port = 3001
  room "h:*" {
    history {
    }
  }
  room "h:none" {
  }
  room "*" {
  }
}
`;
const plain = connector.replace("history {\n    }", "");

const flow = (block: string) => `
flow "f" {
  from {
    connector = "ws"
    operation = "message"
  }
  ${block}
}
`;
const to = (lines: string) => flow(`to {\nconnector = "ws"\n${lines}\n}`);
const room = (target: string, more: string) =>
  to(`operation = "send_to_room"\ntarget = "${target}"\n${more}`);
const step = (lines: string) =>
  flow(`step "s" {\nconnector = "ws"\noperation = "history"\n${lines}\n}`) +
  to('operation = "broadcast"').replace('"f"', '"g"');

async function codes(text: string, of = connector): Promise<readonly string[]> {
  return (await failuresOf(of + text, hostOptions))
    .filter(({ severity }) => severity === "error")
    .map((problem) => placed(problem).split(" ")[1]);
}

async function warnings(text: string, of = connector): Promise<readonly string[]> {
  const { warnings } = await loadConfig(of + text, hostOptions);
  return warnings.map((problem) => placed(problem).split(" ")[1])
    .filter((code) => code !== "unused-room");
}

const ID = 'message_id = "input.message_id"';
const FILTER = `filter = "client.params.a == 'b'"`;

test("a message_id where nothing is kept is a warning", async () => {
  for (const target of ["h:1", "input.room"]) {
    assert.deepEqual(await warnings(room(target, ID)), []);
  }
  for (const target of ["h:none", "other"]) {
    assert.deepEqual(await warnings(room(target, ID)), ["unused-attribute"]);
  }
  assert.deepEqual(await warnings(room("input.room", ID), plain), ["unused-attribute"]);
  assert.deepEqual(await warnings(to(`operation = "broadcast"\n${ID}`)), ["unused-attribute"]);
  const join = to(`operation = "join_room"\ntarget = "h:1"\n${ID}`);
  assert.deepEqual(await codes(join), ["unused-attribute"]);
});

test("a filter on what could be kept is a warning", async () => {
  for (const target of ["h:1", "input.room"]) {
    assert.deepEqual(await warnings(room(target, FILTER)), ["not-kept"]);
  }
  assert.deepEqual(await warnings(room("other", FILTER)), []);
  assert.deepEqual(await warnings(room("h:1", FILTER), plain), []);
});

test("history belongs to join_room", async () => {
  const history = "history = true";
  assert.deepEqual(await codes(to(`operation = "join_room"\ntarget = "h:1"\n${history}`)), []);
  for (const rest of ['operation = "leave_room"\ntarget = "h:1"', 'operation = "broadcast"']) {
    assert.deepEqual(await codes(to(`${rest}\n${history}`)), ["unused-attribute"]);
  }
});

test("a step that lists needs a room and params with a limit alone", async () => {
  const params = 'params = {\nlimit = "20"\n}';
  assert.deepEqual(await codes(step(`target = "h:1"\n${params}`)), []);
  assert.deepEqual(await codes(step(params)), ["missing-target"]);
  assert.deepEqual(await codes(step('target = "h:1"')), ["missing-attribute"]);
  const more = params.replace("limit", "size");
  assert.deepEqual(await codes(step(`target = "h:1"\n${more}`)), ["unknown-attribute"]);
  // No destination lists.
  assert.deepEqual(await codes(to('operation = "history"\ntarget = "h:1"')), ["unknown-operation"]);
});
