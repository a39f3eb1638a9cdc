/** Clients of a test that do not read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runConfigTests } from "../../src/testing/mod.ts";

/** The report of a test, whose connector has this block. */
async function report(slow: string, steps: string): Promise<string> {
  const { report } = await runConfigTests(`connector "ws" {
  type = "websocket"
  port = 3001
  ${slow}
}
connector "prices" {
  type   = "mq"
  driver = "memory"
}
flow "price" {
  from { connector = "prices" }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
flow "gone" {
  from {
    connector = "ws"
    operation = "disconnect"
  }
  to {
    connector = "ws"
    operation = "broadcast"
    transform { gone = "input.code" }
  }
}
test "slow" {
  ${steps}
}
`);
  return report.split("\n").filter((line) => !/^\s*(?:log|\S+ weir\.)/.test(line)).join("\n");
}

const SLOW = 'client "ada" { reads = false }\n  client "bob" {}\n';
const price = (lot: number, price: number, note = "") =>
  `  given "prices" {
    operation = "new"
    data      = { lot = ${lot}, price = ${price}, note = "${note}" }
  }
`;
const READS = '  given "ada" { reads = true }\n';
const got = (who: string, lot: number, price: number) =>
  `  expect "${who}" { data = { lot = ${lot}, price = ${price} } }\n`;
const nothing = (who: string) => `  expect "${who}" { nothing = true }\n`;
const GOOD = "ok      slow\n1 test, all passed";

test("a slow client that coalesces gets the newest of each key when it reads", async () => {
  const slow = 'slow_client {\n policy = "coalesce"\n key = "output.lot"\n}';
  const steps = SLOW + price(1, 10) + price(2, 5) + price(1, 11) + price(1, 12) + nothing("ada") +
    '  expect "bob" { count = 4 }\n' + READS + got("ada", 2, 5) + got("ada", 1, 12) +
    nothing("ada") + price(1, 13) + got("ada", 1, 13);
  assert.equal(await report(slow, steps), GOOD);
});

test("a slow client of drop_oldest is told how many messages it has lost", async () => {
  const slow = 'slow_client {\n policy = "drop_oldest"\n queue = "1KB"\n}';
  const note = "x".repeat(300);
  const steps = SLOW + [1, 2, 3, 4, 5, 6].map((n) => price(1, n, note)).join("") + READS +
    '  expect "ada" { type = "dropped" }\n' + got("ada", 1, 5) + got("ada", 1, 6) + nothing("ada");
  assert.equal(await report(slow, steps), GOOD);
});

test("a slow client whose queue is full is disconnected", async () => {
  const slow = 'slow_client { queue = "1KB" }';
  const note = "x".repeat(350);
  const gone = '  expect "bob" { data = { gone = 1013 } }\n';
  const steps = SLOW + price(1, 1, note) + price(1, 2, note) + nothing("ada") +
    price(1, 3, note) + gone + READS + got("ada", 1, 1) + got("ada", 1, 2) + got("ada", 1, 3) +
    '  expect "ada" {\n type = "close"\n data = { code = 1013 }\n }\n' + nothing("ada");
  assert.equal(await report(slow, steps), GOOD);
});

test("a client can stop to read in a step, and a step that connects one obeys it, too", async () => {
  const stop = '  given "bob" { reads = false }\n';
  const start = '  given "bob" { reads = true }\n';
  assert.equal(
    await report("", SLOW + stop + price(1, 1) + nothing("bob") + start + got("bob", 1, 1)),
    GOOD,
  );
  const late = 'client "ada" {\n reads = false\n rooms = ["a"]\n }\n' +
    '  given "ada" { operation = "connect" }\n' + price(1, 1) + nothing("ada") + READS +
    got("ada", 1, 1) + '  given "ada" { operation = "disconnect" }\n' + READS;
  assert.match(await report("", late), /^FAILED {2}slow\n.*client "ada" is not connected\n/);
});

test("what a client has not read when its connection ends is not read after the next one begins", async () => {
  const slow = 'slow_client { queue = "1KB" }';
  const note = "x".repeat(350);
  const stop = '  given "ada" { reads = false }\n';
  const step = (operation: string) => `  given "ada" { operation = "${operation}" }\n`;
  const full = [1, 2, 3].map((n) => price(1, n, note)).join("");
  const again = step("connect") + price(1, 4) + READS + got("ada", 1, 4) + nothing("ada");
  assert.equal(await report(slow, SLOW + stop + full + again), GOOD);
  const left = await report(slow, SLOW + stop + price(1, 1) + step("disconnect") + again);
  assert.equal(left, GOOD);
  // Its new connection has the whole queue for itself.
  const filled = step("connect") + price(1, 4, note) + price(1, 5, note) + READS +
    got("ada", 1, 4) + got("ada", 1, 5) + nothing("ada");
  assert.equal(await report(slow, SLOW + stop + full + filled), GOOD);
});

test("one message larger than the queue fails its flow and closes nobody", async () => {
  const steps = SLOW + price(1, 1, "x".repeat(1100)) +
    '  expect "prices" {\n error = "flow_failed"\n }\n' + READS + nothing("ada");
  assert.equal(await report('slow_client { queue = "1KB" }', steps), GOOD);
});
