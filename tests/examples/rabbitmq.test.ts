/** The published page and the way of orders on a real broker. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openBrowser } from "../support/browser.ts";
import { Connection } from "rabbitmq-client";
import { openStage, root, runtimes, type Stage, type Weir } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import type { Tool } from "../support/toolchain.ts";
import { WebClient } from "../support/web-client.ts";

const BROKER = "amqp://guest:guest@127.0.0.1:5672";

/** The service, with names of its own on the broker. */
interface Service {
  readonly stage: Stage;
  readonly weir: Weir;
  readonly database: string;
  /** Publishes with the program of the example. */
  publish(...args: readonly string[]): Promise<void>;
}

async function withService(
  runtime: Tool,
  run: (service: Service) => Promise<void>,
): Promise<void> {
  const stage = await openStage(runtime);
  const name = `weir-example-${crypto.randomUUID()}`;
  const database = join(stage.folder, "page.db");
  const env = {
    RABBITMQ_URL: BROKER,
    RABBITMQ_EXCHANGE: name,
    RABBITMQ_QUEUE: name,
    PAGE_DB: database,
  };
  try {
    const weir = await stage.run([join(root, "examples/rabbitmq"), "--port", "ws=0"], { env });
    await run({
      stage,
      weir,
      database,
      async publish(...args) {
        const exit = await (await stage.script("examples/rabbitmq/publish.ts", args, { env }))
          .ended();
        assert.equal(exit.code, 0, exit.stderr);
      },
    });
  } finally {
    await stage.end();
    await clean(name);
  }
}

for (const runtime of runtimes) {
  await serviceTest(
    "rabbitmq",
    `rabbitmq: publish.ts reaches clients, on ${runtime}`,
    () =>
      withService(runtime, async ({ weir, database, publish }) => {
        const ada = await WebClient.open(`ws://localhost:${weir.port}/ws`);
        const bob = await WebClient.open(`ws://localhost:${weir.port}/ws`);
        const page = await WebClient.open(`ws://localhost:${weir.port}/watch`);
        await ada.request({ type: "join_room", room: "orders" });

        await publish("order.updated", '{"id":"A17","status":"packed"}');
        assert.deepEqual(await ada.message(), { id: "A17", status: "packed" });
        assert.deepEqual(await bob.message(), { id: "A17", status: "packed" });
        assert.partialDeepStrictEqual(await page.message(), {
          update: { id: "A17", status: "packed" },
        });

        await publish("room.event", '{"room":"orders","text":"The van is here"}');
        assert.deepEqual(await ada.message(), { room: "orders", text: "The van is here" });
        await bob.request({ type: "message", data: { text: "Hello", room: "orders" } });
        assert.equal(bob.waiting, 0);

        // The consumer may be faster than the confirmation, so that the order of the stages is open.
        const sees = async (data: unknown, stages: readonly string[]) => {
          await page.request({ type: "place", data });
          const found = [];
          while (found.length < stages.length) {
            found.push((await page.message() as { readonly stage: string }).stage);
          }
          assert.deepEqual(found.sort(), stages);
        };
        const address = "1 Long Street";
        await sees({ item: "book", address }, ["consumed", "packed", "published"]);
        const attempts = ["consumed", "consumed", "consumed"];
        await sees({ item: "lamp", address }, [...attempts, "dead", "published"]);

        weir.signal("SIGINT");
        assert.equal((await weir.ended()).code, 0, weir.output);
        const rows = new DatabaseSync(database).prepare("SELECT text, room FROM messages").all();
        assert.deepEqual(rows.map((row) => ({ ...row })), [{ text: "Hello", room: "orders" }]);
      }),
  );
}

await serviceTest("rabbitmq", "rabbitmq: the page shows the way of each order", async () => {
  const browser = await openBrowser();
  try {
    await withService("deno", async ({ weir, publish }) => {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(`http://localhost:${weir.port}/`);
      await page.getByText("Connected", { exact: true }).waitFor();
      const orders = page.getByRole("list", { name: "Orders", exact: true }).getByRole("listitem");

      await page.getByRole("button", { name: "Place the order" }).click();
      await page.getByText("The broker has confirmed the message.").waitFor();
      await orders.filter({ hasText: "acknowledged" }).waitFor();
      await page.getByLabel("Address").fill("");
      await page.getByRole("button", { name: "Place the order" }).click();
      await orders.filter({ hasText: "validation_failed" }).waitFor();
      await publish("order.updated", '{"id":"<b>A17</b>"}');
      await orders.filter({ hasText: '{"id":"<b>A17</b>"}' }).waitFor();

      const places = page.getByRole("list", { name: "Orders by place" }).getByRole("listitem");
      assert.deepEqual(await places.allTextContents(), [
        "2 published",
        "0 in the queue",
        "1 packed",
        "1 dead letters",
      ]);
      assert.deepEqual(complaints, []);
    });
  } finally {
    await browser.close();
  }
});

/** Deletes what the example has made on the broker. */
async function clean(name: string): Promise<void> {
  const connection = new Connection(BROKER);
  for (const exchange of [name, `${name}.dead`]) await connection.exchangeDelete({ exchange });
  const queues = [".retry", ".dlq", ".dead", ".dlq.retry", ".dead.retry", ""];
  for (const end of queues) await connection.queueDelete({ queue: name + end });
  await connection.close();
}
