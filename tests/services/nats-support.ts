/** NATS as one test sees it: names that nobody else uses, and connectors that are closed. */
import {
  type ConsumerConfig,
  type JetStreamManager,
  jetstreamManager,
  type StoredMsg,
  type StreamConfig,
} from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { FlowEvent, FlowHandler } from "../../src/contract/connector.ts";
import { flow, type Made, makeMq } from "../support/mq.ts";
import { SHARED_NATS } from "../support/nats.ts";
import { serviceTest } from "../support/services.ts";

/** What stands for the fields of a `connector` block. */
export type Options = Readonly<Record<string, unknown>>;

/** What a flow on an operation does; a handler for more. */
export type Flows = Readonly<
  Record<string, ((event: FlowEvent) => unknown) | FlowHandler>
>;

/** The server of this machine, or another one. */
export class Bench {
  readonly id: string = `weir-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly client: NatsConnection;
  readonly manager: JetStreamManager;
  readonly #url: string;
  readonly #made: Made[] = [];

  constructor(url: string, client: NatsConnection, manager: JetStreamManager) {
    this.#url = url;
    this.client = client;
    this.manager = manager;
  }

  /** Makes a connector that is not connected. */
  async unstarted(options: Options = {}): Promise<Made> {
    const made = await makeMq({ driver: "nats", url: [this.#url], ...options }, this.id);
    this.#made.push(made);
    return made;
  }

  /** Makes a connector and starts it; it consumes where it has flows. */
  async make(options: Options = {}, flows: Flows = {}): Promise<Made> {
    const made = await this.unstarted(options);
    for (const [operation, run] of Object.entries(flows)) {
      made.connector.subscribe(operation, typeof run === "function" ? flow(run) : run);
    }
    await made.connector.start();
    await made.connector.consume();
    return made;
  }

  /** Options of a connector with a stream for all subjects that begin with the id. */
  stream(consumer: Options = {}, stream: Options = {}): Options {
    return {
      stream: { name: this.id, subjects: [`${this.id}.>`], ...stream },
      queue: { name: this.id },
      consumer: { prefetch: 10, ...consumer },
    };
  }

  /** A consumer block with dead letters. */
  dlq(more: Options = {}): Options {
    return { dlq: { subject: `${this.id}-dead`, max_retries: 1, retry_delay: 50, ...more } };
  }

  /** The stream as the server has it. */
  async config(name = this.id): Promise<StreamConfig> {
    return (await this.manager.streams.info(name)).config;
  }

  /** The consumer as the server has it. */
  async consumer(): Promise<ConsumerConfig> {
    return (await this.manager.consumers.info(this.id, this.id)).config;
  }

  /** The messages of a stream. */
  async kept(name = this.id): Promise<readonly StoredMsg[]> {
    const { state: { first_seq, last_seq } } = await this.manager.streams.info(name);
    const found: StoredMsg[] = [];
    for (let seq = first_seq; seq <= last_seq && last_seq > 0; seq++) {
      const message = await this.manager.streams.getMessage(name, { seq });
      if (message !== null) found.push(message);
    }
    return found;
  }

  /** Ends a connector in good order. */
  async close({ connector }: Made): Promise<void> {
    await connector.stop();
    await connector.drain();
    await connector.close();
  }

  /** Closes everything, and removes its streams. */
  async end(): Promise<void> {
    for (const made of this.#made) await this.close(made);
    for await (const { config: { name } } of this.manager.streams.list()) {
      if (name.includes(this.id)) await this.manager.streams.delete(name);
    }
    await this.client.close();
  }
}

/** Registers a test with the server of this machine. */
export async function bench(name: string, run: (bench: Bench) => Promise<void>): Promise<void> {
  await serviceTest("nats", name, () => withBench(SHARED_NATS, run));
}

/** Calls `run` with a server. */
export async function withBench(url: string, run: (bench: Bench) => Promise<void>): Promise<void> {
  const client = await connect({ servers: url });
  const manager = await jetstreamManager(client, { checkAPI: false });
  const made = new Bench(url, client, manager);
  try {
    await run(made);
  } finally {
    await made.end();
  }
}
