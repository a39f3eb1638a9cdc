import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { Connection, type Publisher } from "rabbitmq-client";
import { onAllRuntimes, type Stage, stageTest, type Weir } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { SocketClient } from "../support/socket-client.ts";
import { opcodes } from "../support/socket-frames.ts";
import { runtimes } from "../support/process.ts";

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
  await serviceTest("rabbitmq", `the page on RabbitMQ: rows, events, rooms, on ${runtime}`, () =>
    withBroker(async (url, publish) => {
      await onAllRuntimes(async (stage) => {
        const { weir, folder } = await startPage(stage, url);
        await playPage(weir.port, folder, publish);
      }, [runtime]);
    }));
}

await serviceTest(
  "rabbitmq",
  "STOPS THE BROKER: the page's clients stay, and get the next event after its restart",
  () =>
    withBroker(async (url, publish) => {
      const events = new Turnstile(runtimes.length);
      await onAllRuntimes(async (stage) => {
        const { weir } = await startPage(stage, url);
        const client = await open(weir.port, "orders");
        if (await events.pass()) await publish("order.updated", '{"n":1}');
        assert.equal(await readText(client), '{"type":"message","data":{"n":1}}');

        if (await events.pass()) {
          await rabbitmqctl("stop_app");
          await rabbitmqctl("start_app");
        }
        await until("the broker is back", () => isReady(weir));
        assert.deepEqual(await client.ask({ type: "message", data: { text: "hi" }, id: 1 }), {
          type: "ack",
          id: 1,
        });
        if (await events.pass()) await publish("room.event", '{"room":"orders","n":2}');
        assert.equal(
          await readText(client),
          '{"type":"message","data":{"room":"orders","n":2},"room":"orders"}',
        );
        client.destroy();
      });
    }),
);
