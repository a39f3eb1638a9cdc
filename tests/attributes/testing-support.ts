/** A configuration with clients, messages and orders, and what `weir test` says of its tests. */
import { defineConnector } from "../../src/contract/definition.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { runTest } from "../../src/testing/run.ts";

/** Clients that ask who they are, and speak to everybody. */
export const CLIENTS = `
connector "ws" {
  type = "websocket"
  port = 0
}
flow "who" {
  from {
    connector = "ws"
    operation = "who"
  }
  response {
    user = "client.user_id"
    lang = "client.params.lang"
    tag  = "client.headers['x-tag']"
    said = "input.data"
    room = "input.room"
  }
}
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
`;

/** Messages of a broker that go to a room. */
export const MESSAGES = `
connector "events" {
  type   = "mq"
  driver = "memory"
}
flow "ordered" {
  from {
    connector = "events"
    operation = "order.*"
  }
  transform {
    id  = "input.body.id"
    tag = "input.headers.tag"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "'orders'"
  }
}
`;

/** Orders of HTTP callers: each asks the connector `shop` for a price, and then to keep it. */
export const ORDERS = `
connector "api" {
  type = "rest"
  port = 0
}
connector "shop" {
  type = "sink"
}
type "order" {
  id = number
}
flow "order" {
  from {
    connector = "api"
    operation = "POST /orders"
  }
  validate {
    input = "order"
  }
  step "price" {
    connector = "shop"
    operation = "find"
    target    = "prices"
  }
  to {
    connector = "shop"
    operation = "insert"
    target    = "orders"
  }
  response {
    id    = "input.id"
    price = "step.price"
    kept  = "output"
    tag   = "input.headers['x-tag']"
  }
  error_handling {
    retry {
      attempts = 2
    }
  }
}
`;

/** A client that says who it is. */
export const ALICE = 'client "alice" {\nuser_id = "alice"\n}';

/** The frame by which a client asks who it is. */
export const WHO = given("alice", 'operation = "who"\nid = 1');

/** The request of an order. */
export const ORDER = given("api", 'operation = "POST /orders"\ndata = { id = 7 }');

/** Whatever the connector `shop` is asked, it returns 5. */
export const PRICE = mock("shop", "returns = 5");

/** A `given` block. */
export function given(subject: string, attributes: string): string {
  return `given "${subject}" {\n${attributes}\n}`;
}

/** A `mock` block. */
export function mock(connector: string, attributes: string): string {
  return `mock "${connector}" {\n${attributes}\n}`;
}

/** An `expect` block. */
export function expect(subject: string, attributes: string): string {
  return `expect "${subject}" {\n${attributes}\n}`;
}

/** What is said where something else has come than was expected. */
export function missed(subject: string, ...came: readonly unknown[]): readonly unknown[] {
  return [{ message: `expect "${subject}": nothing received matches`, came }];
}

/**
 * Runs one test of these blocks. Gives `"good"`, or for each of its failures the message and what
 * came instead.
 */
export async function verdict(config: string, blocks: readonly string[]): Promise<unknown> {
  const clock = new ManualClock();
  // Without a server it is not there: a test must say what it returns.
  const sink = defineConnector({ fields: {}, destination: { fields: {} }, create: () => ({}) });
  const model = await loadConfig(`${config}test "t" {\n${blocks.join("\n")}\n}\n`, {
    connectors: { sink },
    now: () => clock.now(),
  });
  const { failures } = await runTest(model, model.tests[0], { clock });
  if (failures.length === 0) return "good";
  return failures.map(({ message, received }) =>
    received === undefined
      ? message
      : { message, came: received.map(({ value }) => withoutRefs(value)) }
  );
}

/** The `ref` of an error is another one each time. */
function withoutRefs(value: unknown): unknown {
  const text = JSON.stringify(value);
  return JSON.parse(text.replace(/(?<=\(ref |"ref":")[0-9a-f]{8}/g, "REF"));
}
