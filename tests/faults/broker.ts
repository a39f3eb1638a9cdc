/** A RabbitMQ node of a test's own, which may be killed, frozen and started again. */
import { Buffer } from "node:buffer";
import { access } from "node:fs/promises";
import process from "node:process";
import { test } from "node:test";
import { Connection, type Envelope, type Publisher, type SyncMessage } from "rabbitmq-client";
import { RABBITMQ_SERVER } from "../support/broker-programs.ts";
import { RabbitServer, rabbitSite } from "../support/rabbitmq.ts";

/**
 * Registers a test that needs a node of its own. Where RabbitMQ is not installed the test is skipped;
 * with `WEIR_TEST_REQUIRE_SERVICES` in the environment it fails.
 */
export async function brokerTest(name: string, run: () => Promise<void>): Promise<void> {
  const there = await access(RABBITMQ_SERVER).then(() => true, () => false);
  if (there || (process.env.WEIR_TEST_REQUIRE_SERVICES ?? "") !== "") test(name, run);
  else test.skip(`${name} (there is no ${RABBITMQ_SERVER})`, () => {});
}

/** Where a message goes: without an exchange straight to a queue. */
export type Target = Pick<Envelope, "exchange" | "routingKey" | "messageId" | "headers">;

/** A node with the test's own connection to it. */
export class Broker extends RabbitServer {
  #client: Connection | undefined;
  #publisher: Publisher | undefined;

  /** Makes a node that does not run yet. */
  static async make(): Promise<Broker> {
    return new Broker(await rabbitSite());
  }

  /** Closes every connection whose name begins with `weir`, as an operator does. */
  async closeConnections(): Promise<number> {
    const lines = (await this.control("list_connections", "pid", "client_properties")).split("\n");
    const ours = lines.filter((line) => /"weir \w/.test(line));
    for (const line of ours) await this.control("close_connection", line.split("\t")[0], "test");
    return ours.length;
  }

  /** The test's own connection, which comes back by itself. */
  get client(): Connection {
    if (this.#client === undefined) {
      this.#client = new Connection({
        hostname: "127.0.0.1",
        port: this.port,
        retryLow: 100,
        retryHigh: 500,
      });
      // The tests kill the broker; what they ask for meanwhile fails by itself.
      this.#client.on("error", () => undefined);
    }
    return this.#client;
  }

  /** Publishes a persistent message, bytes as they are, all else as JSON; resolves when it is confirmed. */
  async publish(target: Target, body: unknown): Promise<void> {
    this.#publisher ??= this.client.createPublisher({ confirm: true, maxAttempts: 1 });
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    await this.#publisher.send(
      { durable: true, contentType: "application/json", ...target },
      bytes,
    );
  }

  /** How many messages wait in a queue; those at work not counted. */
  async count(queue: string): Promise<number> {
    return (await this.client.queueDeclare({ queue, passive: true })).messageCount;
  }

  /** Takes the first message of a queue. */
  async take(queue: string): Promise<SyncMessage | undefined> {
    return await this.client.basicGet({ queue, noAck: true });
  }

  /** Lets go of the test's own connection; the next use makes a new one. */
  async release(): Promise<void> {
    const [client, publisher] = [this.#client, this.#publisher];
    this.#client = undefined;
    this.#publisher = undefined;
    await publisher?.close();
    await client?.close();
  }

  /** Ends everything that belongs to it. */
  override async end(): Promise<void> {
    this.thaw();
    if (this.pid === undefined) this.#client?.unsafeDestroy();
    else await this.release();
    await super.end();
  }
}
