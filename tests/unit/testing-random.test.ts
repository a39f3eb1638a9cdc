/** In a test, random values are the same in every run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runConfigTests } from "../../src/testing/mod.ts";
import { Randomness } from "../../src/testing/randomness.ts";

const CONFIG = `connector "ws" {
  type = "websocket"
  port = 3001
}
connector "events" {
  type   = "mq"
  driver = "memory"
}
connector "db" {
  type     = "database"
  driver   = "sqlite"
  database = ":memory:"
}
flow "enter" {
  from {
    connector = "ws"
    operation = "message"
  }
  transform {
    first  = "uuid()"
    second = "uuid()"
    number = "random()"
    client = "client.id"
  }
  to {
    connector = "events"
    target    = "entered"
  }
  response { made = "output" }
}
flow "tell" {
  from { connector = "events" }
  transform {
    made    = "input.body"
    message = "input.properties.message_id"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
flow "fail" {
  from {
    connector = "ws"
    operation = "fail"
  }
  to {
    connector = "db"
    target    = "missing"
  }
}
`;

/** What a client receives in a test with this name, as a failed `expect` shows it. */
async function received(name: string, before = ""): Promise<string> {
  const { results } = await runConfigTests(`${CONFIG}${before}
test "${name}" {
  client "ada" {}
  client "bob" {}
  given "ada" {}
  given "bob" {}
  given "ada" { operation = "fail" }
  expect "ada" { count = 100 }
}
`);
  return JSON.stringify(results.at(-1)?.failures.find((one) => one.received)?.received);
}

test("uuid(), random() and all ids of a test are those of every other run, and each is new", async () => {
  const first = await received("a");
  assert.equal(await received("a"), first);
  assert.equal(
    await received("b", 'test "before" {\n client "eve" {}\n given "eve" {}\n}\n'),
    first,
  );
  const found = first.match(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g);
  // Two ids of the transform, the client's and the message's, for two clients.
  assert.equal(new Set(found).size, 8, first);
  assert.equal(new Set(first.match(/0\.\d{10,}/g)).size, 2, first);
  assert.match(first, /\(ref [0-9a-f]{8}\)/);
});

test("sequences do not depend on each other, and begin anew", () => {
  const randomness = new Randomness();
  const [ids, others] = [randomness.ids("a"), randomness.ids("b")];
  const made = [ids(), ids()];
  assert.notEqual(made[0], made[1]);
  assert.notEqual(others(), made[0]);
  randomness.reset();
  others();
  assert.deepEqual([ids(), ids()], made);
});

test("the bytes of a sequence are spread evenly", () => {
  const bytes = new Uint8Array(256 * 100);
  new Randomness().fill("a", bytes);
  const counts = new Map<number, number>();
  for (const byte of bytes) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  assert.equal(counts.size, 256);
  assert.ok(Math.max(...counts.values()) < 160 && Math.min(...counts.values()) > 50);
});
