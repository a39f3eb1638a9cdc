/** The published page on a real broker. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Connection } from "rabbitmq-client";
import { openStage, root, runtimes } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { WebClient } from "../support/web-client.ts";

const BROKER = "amqp://guest:guest@127.0.0.1:5672";

for (const runtime of runtimes) {
  await serviceTest("rabbitmq", `rabbitmq: publish.ts reaches clients, on ${runtime}`, async () => {
    const stage = await openStage(runtime);
    const exchange = `weir-example-${crypto.randomUUID()}`;
    const database = join(stage.folder, "page.db");
    const env = { RABBITMQ_URL: BROKER, RABBITMQ_EXCHANGE: exchange, PAGE_DB: database };
    const publish = async (...args: readonly string[]): Promise<void> => {
      const exit = await (await stage.script("examples/rabbitmq/publish.ts", args, { env }))
        .ended();
      assert.equal(exit.code, 0, exit.stderr);
    };
    try {
      const example = join(root, "examples/rabbitmq");
      const weir = await stage.run([example, "--port", "ws=0"], { env });
      const ada = await WebClient.open(`ws://localhost:${weir.port}/ws`);
      const bob = await WebClient.open(`ws://localhost:${weir.port}/ws`);
      await ada.request({ type: "join_room", room: "orders" });

      await publish("order.updated", '{"id":"A17","status":"packed"}');
      assert.deepEqual(await ada.message(), { id: "A17", status: "packed" });
      assert.deepEqual(await bob.message(), { id: "A17", status: "packed" });

      await publish("room.event", '{"room":"orders","text":"The van is here"}');
      assert.deepEqual(await ada.message(), { room: "orders", text: "The van is here" });
      await bob.request({ type: "message", data: { text: "Hello", room: "orders" } });
      assert.equal(bob.waiting, 0);

      weir.signal("SIGINT");
      assert.equal((await weir.ended()).code, 0, weir.output);
      const rows = new DatabaseSync(database).prepare("SELECT text, room FROM messages").all();
      assert.deepEqual(rows.map((row) => ({ ...row })), [{ text: "Hello", room: "orders" }]);
    } finally {
      await stage.end();
      await deleteExchange(exchange);
    }
  });
}

async function deleteExchange(exchange: string): Promise<void> {
  const connection = new Connection(BROKER);
  await connection.exchangeDelete({ exchange });
  await connection.close();
}
