/** What the tests of RabbitMQ share: the machine's broker, and names that nobody else uses. */
import { Connection } from "rabbitmq-client";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { closeConnection, connectionsWith, evaluate, machineNode } from "../support/erlang.ts";
import { flow, type Made, makeMq } from "../support/mq.ts";
import { serviceTest } from "../support/services.ts";

/** The defaults of a `queue` block, and of a `publisher` block. */
export const queueDefaults = { durable: true, exclusive: false, auto_delete: false };
export const publisherDefaults = { persistent: true, confirms: true, mandatory: false };

/** A broker's view for one test: names that nobody else uses, and connectors that are closed. */
export class Bench {
  readonly id: string = `weir-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly exchange: string = `${this.id}.exchange`;
  readonly queue: string = `${this.id}.queue`;
  readonly client: Connection = new Connection("amqp://guest:guest@127.0.0.1:5672");
  readonly #made: Made[] = [];

  constructor() {
    this.client.on("error", () => undefined);
  }

  async make(
    options: Record<string, unknown> = {},
    name = this.id,
    runtime?: object,
  ): Promise<Made> {
    const made = await makeMq(
      {
        driver: "rabbitmq",
        host: "127.0.0.1",
        exchange: { name: this.exchange, type: "topic", durable: true },
        ...options,
      },
      name,
      undefined,
      runtime,
    );
    this.#made.push(made);
    return made;
  }

  /** A connector that consumes with one flow. */
  async consume(
    options: Record<string, unknown>,
    run: (event: FlowEvent) => unknown,
    operation?: string,
  ): Promise<Made> {
    const made = await this.make(options);
    made.connector.subscribe(operation, flow(run));
    await made.connector.start();
    await made.connector.consume();
    return made;
  }

  /** Consumes from the named queue. */
  named(consumer: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      queue: { ...queueDefaults, name: this.queue },
      consumer: { prefetch: 10, ...consumer },
    };
  }

  async count(queue: string): Promise<number> {
    return (await this.client.queueDeclare({ queue, passive: true })).messageCount;
  }

  async end(): Promise<void> {
    for (const { connector } of this.#made) {
      await connector.stop();
      await connector.drain();
      await connector.close();
    }
    for (
      const name of ["queue", "queue.dlq", "queue.retry", "other", "other.dlq", "other.retry"]
    ) {
      await this.client.queueDelete(`${this.id}.${name}`);
    }
    for (const name of ["exchange", "other", "third"]) {
      await this.client.exchangeDelete({ exchange: `${this.id}.${name}` });
    }
    await this.client.close();
  }
}

/** Calls `run` with a bench, and tidies up afterwards. */
export async function withBench(run: (bench: Bench) => Promise<void>): Promise<void> {
  const made = new Bench();
  try {
    await run(made);
  } finally {
    await made.end();
  }
}

/** Registers a test with a bench. */
export async function bench(name: string, run: (bench: Bench) => Promise<void>): Promise<void> {
  await serviceTest("rabbitmq", name, () => withBench(run));
}

/** Evaluates expressions of Erlang in the machine's broker, as `rabbitmqctl eval` does. */
export async function tellBroker(expressions: string): Promise<string> {
  return await evaluate(await machineNode(), expressions);
}

/** The broker's names of the connections of connectors called `name`. */
export async function connectionsOf(name: string): Promise<readonly string[]> {
  return await connectionsWith(await machineNode(), `weir ${name}`);
}

/** Closes a connection of this name, as an operator does. */
export async function disconnect(name: string): Promise<void> {
  await closeConnection(await machineNode(), name);
}
