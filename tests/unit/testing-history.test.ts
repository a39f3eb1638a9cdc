/** `weir test`: clients of rooms with history that are cut, come back and resume. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failuresOf } from "../support/config.ts";
import { placed } from "../support/problems.ts";
import { resultsOf } from "./testing-support.ts";

const config = `
connector "shop" {
  type = "websocket"
  port = 3001
  path = "/shop"
  room "orders:*" {
    history {
      size = 2
    }
  }
}
flow "say" {
  from {
    connector = "shop"
    operation = "say"
  }
  to {
    connector = "shop"
    operation = "send_to_room"
    target    = "input.room"
  }
}
flow "joined" {
  from {
    connector = "shop"
    operation = "join_room"
  }
}
client "ann" {
  connector = "shop"
}
`;
const [service, client] = config.split(/(?=client "ann")/);
const clients = `${client}${client.replace("ann", "bob")}`;
const join = `given "ann" {
  operation = "join_room"
  room      = "orders:1"
  id        = 1
  history   = true
}
`;
const say = (n: number) => `given "bob" {\noperation = "say"\nroom = "orders:1"\ndata = ${n}\n}\n`;
const cut = 'given "ann" {\noperation = "disconnect"\n}\n';
const back = 'given "ann" {\noperation = "connect"\n}\n';
const ack = (rest: string) => `expect "ann" {\ntype = "ack"\n${rest}\n}\n`;
const message = (n: number, offset = n) =>
  `expect "ann" {\ntype = "message"\ndata = ${n}\noffset = ${offset}\n}\n`;

async function failures(body: string): Promise<readonly string[]> {
  const [result] = await resultsOf(`${service}test "t" {\n${clients}${body}\n}\n`);
  return result.failures.map(({ message }) => message);
}

test("a client of a test resumes, and expect sees offsets and whether that worked", async () => {
  const first = join + ack("offset = 0") + say(1) + message(1);
  const missed = cut + say(2) + say(3) + back + join;
  const recovered = ack("recovered = true\noffset = 1") + message(2) + message(3);
  assert.deepEqual(await failures(first + missed + recovered), []);
  const more = cut + [2, 3, 4].map(say).join("") + back + join;
  assert.deepEqual(await failures(first + more + ack("recovered = false\noffset = 4")), []);
  const [wrong] = await failures(first + missed + ack("recovered = false"));
  assert.match(wrong, /nothing received matches/);
});

test("history is for a join with an id", async () => {
  const codes = async (lines: string) => {
    const text = `${service}test "t" {\n${clients}given "ann" {\n${lines}\n}\n}\n`;
    return (await failuresOf(text)).map((problem) => placed(problem).split(" ")[1]);
  };
  assert.deepEqual(await codes('operation = "say"\nid = 1\nhistory = true'), ["unused-attribute"]);
  assert.deepEqual(await codes('operation = "join_room"\nroom = "a"\nhistory = true'), [
    "missing-attribute",
  ]);
  assert.deepEqual(await codes("reads = true\nhistory = true"), ["unused-attribute"]);
});
