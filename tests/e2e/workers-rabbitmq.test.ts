/** `--workers` with a RabbitMQ: who consumes, and who hears of it. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Connection } from "rabbitmq-client";
import { until } from "../support/mq.ts";
import { openStage, runtimes, type Stage, type Weir } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import type { SocketClient } from "../support/socket-client.ts";
import { openClient } from "../support/talk.ts";
import { openCrowd } from "../support/team.ts";
import { childrenOf } from "../support/workers.ts";

const BROKER = "amqp://guest:guest@127.0.0.1:5672";

/** What is published goes to everybody. */
const config = (exchange: string, queue: string): string => `
  connector "ws" {
    type = "websocket"
    port = 0
  }
  connector "rabbit" {
    type   = "mq"
    driver = "rabbitmq"
    url    = "${BROKER}"
    exchange {
      name    = "${exchange}"
      type    = "topic"
      durable = true
    }
    ${queue}
  }
  flow "tell" {
    from {
      connector = "rabbit"
      operation = "news.#"
    }
    transform { n = "input.n" }
    to {
      connector = "ws"
      operation = "broadcast"
    }
  }
`;

/** A broker with an exchange of this test's own. */
class Newsroom {
  readonly exchange: string = `weir-workers-${crypto.randomUUID().slice(0, 8)}`;
  readonly queue: string = `${this.exchange}.queue`;
  readonly client: Connection = new Connection(BROKER);

  constructor() {
    this.client.on("error", () => undefined);
  }

  /** Publishes numbers; gives how many of them no queue has got. */
  async publish(first: number, count: number): Promise<number> {
    let returned = 0;
    const publisher = this.client.createPublisher({ confirm: true });
    publisher.on("basic.return", () => returned++);
    const envelope = { exchange: this.exchange, routingKey: "news.n", mandatory: true };
    const numbers = Array.from({ length: count }, (_, index) => first + index);
    await Promise.all(numbers.map((n) => publisher.send(envelope, { n })));
    await publisher.close();
    return returned;
  }

  async end(): Promise<void> {
    await this.client.queueDelete(this.queue);
    await this.client.exchangeDelete({ exchange: this.exchange });
    await this.client.close();
  }
}

async function newsTest(
  name: string,
  run: (stage: Stage, newsroom: Newsroom) => Promise<void>,
): Promise<void> {
  for (const runtime of runtimes) {
    await serviceTest("rabbitmq", `${name}, on ${runtime}`, async () => {
      const stage = await openStage(runtime);
      const newsroom = new Newsroom();
      try {
        await run(stage, newsroom);
      } finally {
        await stage.end();
        await newsroom.end();
      }
    });
  }
}

async function startWorkers(stage: Stage, text: string): Promise<Weir> {
  const file = join(stage.folder, "news.hcl");
  await writeFile(file, text);
  return await stage.run([file, "--workers", "2"]);
}

/** Every client hears every number once, whatever their order. */
async function hearAll(
  clients: readonly SocketClient[],
  first: number,
  count: number,
): Promise<void> {
  const wanted = Array.from({ length: count }, (_, index) => first + index);
  for (const client of clients) {
    const numbers = (await client.hearMany(count)).map(({ data }) =>
      (data as { readonly n: number }).n
    );
    assert.deepEqual(numbers.sort((a, b) => a - b), wanted);
  }
  for (const client of clients) await client.hearsNothing();
}

async function stop(weir: Weir): Promise<void> {
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
  assert.doesNotMatch(weir.stderr, /error/i);
}

await newsTest(
  "both workers consume a named queue, each message once in sum",
  async (stage, newsroom) => {
    const { exchange, queue } = newsroom;
    const text = config(exchange, `queue {\n name = "${queue}"\n durable = true\n }`);
    const weir = await startWorkers(stage, text);
    const { clients } = await openCrowd({ weir }, 8);
    const { consumerCount } = await newsroom.client.queueDeclare({ queue, passive: true });
    assert.equal(consumerCount, 2);
    assert.equal(await newsroom.publish(0, 300), 0);
    await hearAll(clients, 0, 300);
    await stop(weir);

    // What is published meanwhile waits in the queue.
    assert.equal(await newsroom.publish(300, 50), 0);
    const again = await startWorkers(stage, text);
    await until("the queue is empty", async () => {
      const { messageCount } = await newsroom.client.queueDeclare({ queue, passive: true });
      return messageCount === 0;
    });
    const late = await openClient(again);
    assert.equal(await newsroom.publish(350, 1), 0);
    await hearAll([late], 350, 1);
    await stop(again);
  },
);

for (const kind of ["without a name", "that is exclusive"]) {
  await newsTest(
    `one worker consumes a queue ${kind}, for the clients of all, and the next one when it has ended`,
    async (stage, newsroom) => {
      const { exchange, queue } = newsroom;
      const exclusive = `queue {\n name = "${queue}"\n exclusive = true\n }`;
      const text = config(exchange, kind === "without a name" ? "" : exclusive);
      const weir = await startWorkers(stage, text);
      const { clients } = await openCrowd({ weir }, 8);
      assert.equal(await newsroom.publish(0, 300), 0);
      await hearAll(clients, 0, 300);

      // The other worker takes its place at once; only then the next one starts.
      for (const client of clients) client.destroy();
      const [leader] = await childrenOf(weir.pid);
      process.kill(leader, "SIGKILL");
      // Before, connections may still wait at its listener.
      await until("its end", () => /worker 1 ended/.test(weir.stderr));
      const { clients: others } = await openCrowd({ weir }, 8);
      await until("somebody consumes again", async () => await newsroom.publish(1000, 1) === 0)
        .catch((cause) => assert.fail(`${cause.message}\n${weir.output}`));
      await hearAll(others, 1000, 1);
      assert.equal(await newsroom.publish(2000, 100), 0);
      await hearAll(others, 2000, 100);
      const gaps = weir.stderr.match(/events since the former one was lost are missing/g) ?? [];
      assert.equal(gaps.length, kind === "without a name" ? 1 : 0);
      weir.signal("SIGTERM");
      assert.equal((await weir.ended()).code, 0, weir.output);
    },
  );
}
