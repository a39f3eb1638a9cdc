/** `weir run --watch` with RabbitMQ: queues change hands, and what the broker refuses disturbs nobody. */
import assert from "node:assert/strict";
import { Connection } from "rabbitmq-client";
import { openStage, runtimes } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { openClient } from "../support/talk.ts";
import {
  complains,
  flow,
  server,
  startedAgain,
  startWatching,
  textOf,
  write,
} from "../support/watching.ts";

const BROKER = "amqp://guest:guest@127.0.0.1:5672";
const goodbye = { code: 1001, reason: "the server is shutting down" };

/** A connector and a flow that tells all clients of an event. */
function rabbit(exchange: string, queue: string, mark: string, url = BROKER): string {
  return `connector "rabbit" {
  type   = "mq"
  driver = "rabbitmq"
  url    = "${url}"
  exchange {
    name = "${exchange}"
  }
  ${queue}
}
flow "tell" {
  from {
    connector = "rabbit"
    operation = "news.${mark}"
  }
  transform { text = "'${mark} ' + string(input.n)" }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
`;
}

for (const runtime of runtimes) {
  for (const kind of ["exclusive", "durable"] as const) {
    await serviceTest(
      "rabbitmq",
      `watch: a queue that is ${kind} is taken over, on ${runtime}`,
      async () => {
        const stage = await openStage(runtime);
        const exchange = `weir-watch-${crypto.randomUUID().slice(0, 8)}`;
        const queue = `${exchange}.queue`;
        const block = `queue {\n    name      = "${queue}"\n    exclusive = ${
          kind === "exclusive"
        }\n  }`;
        const client = new Connection(BROKER);
        client.on("error", () => undefined);
        const publisher = client.createPublisher({ confirm: true });
        const publish = (key: string, n: number) =>
          publisher.send({ exchange, routingKey: `news.${key}`, mandatory: true }, { n });
        try {
          const weir = await startWatching(stage, {
            "a.hcl": server(),
            "b.hcl": flow("one"),
            "c.hcl": rabbit(exchange, block, "a"),
          });
          const first = await openClient(weir);
          await publish("a", 1);
          assert.deepEqual(await first.hear(), { type: "message", data: { text: "a 1" } });

          // The broker refuses all of these while the old server consumes.
          const closed = BROKER.replace("guest:guest", "guest:wrong");
          const durable = block.replace("\n    excl", "\n    durable   = false\n    excl");
          const refused = [
            rabbit(exchange, block, "b", closed),
            ...(kind === "durable" ? [rabbit(exchange, durable, "b")] : []),
          ];
          for (const text of refused) {
            weir.stderr = "";
            await write(stage, { "c.hcl": text });
            await complains(
              weir,
              /^error\[connector-failed\]: connector "rabbit": cannot start: /m,
            );
            await complains(weir, /^the previous configuration keeps running; waiting/m);
            await publish("a", 2);
            assert.deepEqual(await first.hear(), { type: "message", data: { text: "a 2" } });
            assert.equal(await textOf(first), "one");
          }

          // Nothing is bound for the new flow before it runs, and then it is.
          weir.stderr = "";
          await write(stage, { "c.hcl": rabbit(exchange, block, "b") });
          assert.deepEqual(await first.ending(), goodbye);
          await startedAgain(weir, 1);
          const second = await openClient(weir);
          await publish("b", 3);
          assert.deepEqual(await second.hear(), { type: "message", data: { text: "b 3" } });
          // No queue was locked, and nothing was tried twice.
          assert.doesNotMatch(weir.stderr, /RESOURCE_LOCKED|failed to/);
          weir.signal("SIGTERM");
          assert.equal((await weir.ended()).code, 0);
        } finally {
          await publisher.close();
          await stage.end();
          await client.queueDelete(queue);
          await client.exchangeDelete({ exchange });
          await client.close();
        }
      },
    );
  }
}
