import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Connection, type Publisher } from "rabbitmq-client";
import { type ErlangNode, evaluate, machineNode } from "../support/erlang.ts";
import { openStage, runtimes, type Stage, stageTest, type Weir } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { opcodes } from "../support/socket-frames.ts";
import { pause } from "../support/socket-probe.ts";

/** Sends an event to the page's broker; `json` is its body. */
type Publish = (key: string, json: string) => Promise<void>;

/** JSON that no server may change by a byte, in the spelling of `JSON.stringify`. */
const order = JSON.stringify({
  id: "o-7",
  total: 19.95,
  tiny: 5e-324,
  huge: 9007199254740991,
  lines: [{ sku: 'a"b\\c\n\u2028', count: 0 }, [], {}, null, false, ""],
  note: "grün 🙂 \u0000",
  room: "not a room",
  type: "error",
  data: { data: 1 },
}).replace('"id"', '"__proto__":{"polluted":true},"constructor":null,"id"');

stageTest("the page on the memory broker: rows, events, rooms", async (stage) => {
  const folder = await stage.copy("page");
  const server = await stage.script("tests/fixtures/scripts/page.ts", [folder]);
  const [, port] = await server.says(/^listening on (\d+)\n/);
  await playPage(Number(port), folder, (key, json) => {
    server.tell({ key, body: JSON.parse(json) });
    return Promise.resolve();
  });
});

for (const runtime of runtimes) {
  const name = `the page on RabbitMQ: rows, events, rooms, on ${runtime}`;
  await serviceTest("rabbitmq", name, () =>
    withBroker(async (url, publish) => {
      const stage = await openStage(runtime);
      try {
        const { weir, folder } = await startPage(stage, url);
        await playPage(weir.port, folder, publish);
      } finally {
        await stage.end();
      }
    }));
}

await serviceTest(
  "rabbitmq",
  "STOPS THE BROKER: the page's clients stay, and get the next event after its restart",
  () =>
    withBroker(async (url, publish, node) => {
      const stages = await Promise.all(runtimes.map(openStage));
      try {
        const servers = await Promise.all(stages.map((stage) => startPage(stage, url)));
        const clients = await Promise.all(servers.map(({ weir }) => open(weir.port, "orders")));
        await publish("order.updated", '{"n":1}');
        for (const client of clients) {
          assert.equal(await readText(client), '{"type":"message","data":{"n":1}}');
        }

        await evaluate(node, "rabbit:stop().");
        try {
          for (const { weir } of servers) {
            await until("the outage", async () => !await isReady(weir));
          }
          for (const client of clients) await saveMessage(client, "while the broker is away");
        } finally {
          await evaluate(node, "rabbit:start().");
        }
        for (const { weir } of servers) await until("the return", () => isReady(weir));
        await publish("room.event", '{"room":"orders","n":2}');
        for (const client of clients) {
          const expected = '{"type":"message","data":{"room":"orders","n":2},"room":"orders"}';
          assert.equal(await readText(client), expected);
          client.destroy();
        }
      } finally {
        await Promise.all(stages.map((stage) => stage.end()));
      }
    }),
);

/** Everything that the page promises, on a server that is ready. */
async function playPage(port: number, folder: string, publish: Publish): Promise<void> {
  const [one, two, other] = await Promise.all([
    open(port, "orders"),
    open(port, "orders"),
    open(port, "order"),
  ]);
  const everyone = [one, two, other];

  await saveMessage(one, "hello");
  assert.deepEqual(rows(folder), [{ id: 1, text: "hello", room: null }]);
  one.say({ type: "message", data: { text: "no answer", room: "orders" } });
  await one.hearsNothing();
  assert.deepEqual(rows(folder).at(-1), { id: 2, text: "no answer", room: "orders" });
  const refused = await one.ask({ type: "message", data: { no_such_column: 1 } });
  assert.deepEqual([refused.type, refused.code], ["error", "flow_failed"]);
  assert.equal(rows(folder).length, 2);

  await publish("order.updated", order);
  for (const client of everyone) {
    assert.equal(await readText(client), `{"type":"message","data":${order}}`);
  }

  // Events that go nowhere: other keys, rooms that are none, and no room at all.
  await publish("order.updated.twice", "1");
  await publish("room.event", '{"room":null}');
  await publish("room.event", '{"room":"*"}');
  await publish("room.event", "[]");
  const event = '{"room":"orders","title":"7 is ready"}';
  await publish("room.event", event);
  for (const client of [one, two]) {
    assert.equal(await readText(client), `{"type":"message","data":${event},"room":"orders"}`);
  }
  for (const client of everyone) await client.hearsNothing();

  assert.deepEqual(await two.ask({ type: "leave_room", room: "orders", id: 1 }), ack(1));
  await publish("room.event", event);
  assert.equal(await readText(one), `{"type":"message","data":${event},"room":"orders"}`);
  for (const client of everyone) {
    await client.hearsNothing();
    client.close();
    assert.equal((await client.ending()).code, 1000);
  }
}

/** A client that is a member of a room. */
async function open(port: number, room: string): Promise<SocketClient> {
  const client = await SocketClient.connect(port);
  client.write(handshakeText("/ws"));
  await client.upgraded();
  assert.deepEqual(await client.ask({ type: "join_room", room, id: "joined" }), ack("joined"));
  return client;
}

/** An ack says that the row is committed. */
async function saveMessage(client: SocketClient, text: string): Promise<void> {
  assert.deepEqual(await client.ask({ type: "message", data: { text }, id: 1 }), ack(1));
}

function ack(id: unknown): Record<string, unknown> {
  return { type: "ack", id };
}

/** The next frame as it stands on the wire. */
async function readText(client: SocketClient): Promise<string> {
  const { opcode, payload } = await client.frame();
  assert.equal(opcode, opcodes.text);
  return payload.toString();
}

/** What another process sees of the table. */
function rows(folder: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(folder, "data/page.db"), { readOnly: true });
  try {
    return database.prepare("SELECT * FROM messages ORDER BY id").all().map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

async function startPage(stage: Stage, url: string): Promise<{ weir: Weir; folder: string }> {
  const folder = await stage.copy("page");
  const env = { PAGE_MQ: "rabbitmq", PAGE_MQ_URL: url };
  const weir = await stage.run([folder, "--port", "ws=0"], { env });
  await until("the broker", () => isReady(weir));
  return { weir, folder };
}

async function isReady({ port }: Weir): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`);
  await response.body?.cancel();
  return response.ok;
}

/** A virtual host of its own, since the page names its exchange. */
async function withBroker(
  run: (url: string, publish: Publish, node: ErlangNode) => Promise<void>,
): Promise<void> {
  const vhost = `weir-test-${crypto.randomUUID().slice(0, 8)}`;
  const url = `amqp://guest:guest@127.0.0.1:5672/${vhost}`;
  const node = await machineNode();
  const [name, us] = [`<<"${vhost}">>`, '<<"test">>'];
  await evaluate(node, `rabbit_vhost:add(${name}, ${us}).`);
  let connection: Connection | undefined;
  try {
    const rights = ["guest", vhost, ".*", ".*", ".*", "test"].map((text) => `<<"${text}">>`);
    await evaluate(node, `rabbit_auth_backend_internal:set_permissions(${rights}).`);
    connection = new Connection(url);
    // It tells of the broker's restart, and connects again by itself.
    connection.on("error", () => {});
    const publisher: Publisher = connection.createPublisher({ confirm: true });
    await run(url, async (routingKey, json) => {
      const envelope = { exchange: "page", routingKey, contentType: "application/json" };
      await publisher.send(envelope, Buffer.from(json));
    }, node);
  } finally {
    connection?.unsafeDestroy();
    await evaluate(node, `rabbit_vhost:delete(${name}, ${us}).`);
  }
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`timed out waiting for ${what}`);
    await pause(50);
  }
}
