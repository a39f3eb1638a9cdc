/** RabbitMQ as others see it while a configuration of a row works with it. */
import type { Buffer } from "node:buffer";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { AMQPChannelError, Connection, type SyncMessage } from "rabbitmq-client";
import { ConnectorError } from "../../src/base/errors.ts";
import { inWorld, REST, type World, type WorldOptions } from "./support.ts";

/** What the blocks of the connector say; each is left out where it is undefined. */
export interface Blocks {
  /** The attributes outside of blocks; the machine's own broker by default. */
  readonly address?: string;
  readonly exchange?: string;
  readonly queue?: string;
  readonly consumer?: string;
  readonly publisher?: string;
  /** False: no flow consumes. */
  readonly consumes?: boolean;
}

/** The broker, with names that nobody else uses. In a configuration, `env` gives them. */
export class Broker {
  readonly exchange: string;
  readonly other: string;
  readonly queue: string;
  readonly dead: string;
  /** A routing key. */
  readonly key: string;
  readonly #id = `weir-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly #client: Connection = new Connection("amqp://guest:guest@127.0.0.1:5672");

  /** Connects. */
  constructor() {
    this.exchange = `${this.#id}.exchange`;
    this.other = `${this.#id}.other`;
    this.queue = `${this.#id}.queue`;
    this.dead = `${this.#id}.dead`;
    this.key = `${this.#id}.key`;
    // What is refused is told to who asked.
    this.#client.on("error", () => undefined);
  }

  /** The names as environment variables. */
  get env(): Readonly<Record<string, string>> {
    return { EXCHANGE: this.exchange, OTHER: this.other, QUEUE: this.queue, DEAD: this.dead };
  }

  /** A name without what nobody else uses. */
  plain(name: string): string {
    return name.replace(`${this.#id}.`, "");
  }

  /** Declares a durable topic exchange; gives `good` or why it is refused. */
  declareExchange(exchange: string): Promise<string> {
    return verdict(this.#client.exchangeDeclare({ exchange, type: "topic", durable: true }));
  }

  /** Declares a durable queue, by name; gives `good` or why it is refused. */
  declareQueue(queue: string): Promise<string> {
    return verdict(this.#client.queueDeclare({ queue, durable: true }));
  }

  /** A queue of this test alone that gets what an exchange gets with the test's routing keys. */
  async listen(...exchanges: readonly string[]): Promise<string> {
    const { queue } = await this.#client.queueDeclare({ queue: "", exclusive: true });
    for (const exchange of exchanges) {
      await this.#client.queueBind({ exchange, queue, routingKey: `${this.#id}.#` });
    }
    return queue;
  }

  /** Publishes and waits until the broker has it. */
  async publish(exchange: string, body: unknown): Promise<void> {
    const publisher = this.#client.createPublisher({ confirm: true });
    await publisher.send({ exchange, routingKey: this.key }, body);
    await publisher.close();
  }

  /** Takes the first message of a queue. */
  async take(queue: string): Promise<SyncMessage | undefined> {
    return await this.#client.basicGet({ queue, noAck: true });
  }

  /** What stands under a queue's name, or why the broker does not tell. */
  async look(queue: string): Promise<string> {
    try {
      const found = await this.#client.queueDeclare({ queue, passive: true });
      return `${found.messageCount} messages, ${found.consumerCount} consumers`;
    } catch (error) {
      return codeOf(error);
    }
  }

  /** Removes what stands under its names. */
  async end(): Promise<void> {
    for (const queue of [this.queue, `${this.queue}.dlq`, `${this.queue}.retry`, this.dead]) {
      await this.#client.queueDelete(queue);
    }
    for (const exchange of [this.exchange, this.other]) {
      await this.#client.exchangeDelete({ exchange });
    }
    await this.#client.close();
  }
}

/** Calls `use` with the broker and tidies up afterwards. */
export async function withBroker<T>(use: (broker: Broker) => Promise<T>): Promise<T> {
  const broker = new Broker();
  try {
    return await use(broker);
  } finally {
    await broker.end();
  }
}

/**
 * Runs a connector with these blocks: `POST /events` publishes its body with `key` as routing key, and
 * every event that comes goes to the sink "a".
 */
export function withConnector<T>(
  { address = 'host = "127.0.0.1"', consumes = true, ...blocks }: Blocks,
  look: (world: World) => Promise<T>,
  options: WorldOptions,
): Promise<T> {
  const body = Object.entries(blocks).map(([name, text]) => `${name} {\n${text}\n}\n`).join("");
  const consume = `
    connector "a" {
      type = "sink"
    }
    flow "consume" {
      from { connector = "events" }
      to { connector = "a" }
    }
  `;
  const config = `${REST}
    connector "events" {
      type   = "mq"
      driver = "rabbitmq"
      ${address}
      ${body}
    }
    flow "publish" {
      from {
        connector = "api"
        operation = "POST /events"
      }
      to {
        connector = "events"
        target    = "input.key"
      }
    }
    ${consumes ? consume : ""}
  `;
  return inWorld(config, look, options);
}

/** How a start with these attributes ends: `connected`, who is away, or the code of a refusal. */
export async function connection(
  address: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  try {
    return await withConnector({ address, consumes: false }, ({ runtime }) => {
      const { events } = runtime.health();
      if (events === undefined) return Promise.resolve("connected");
      return Promise.resolve(/ is away: /.test(events) ? events.replace(/: .*/s, "") : events);
    }, { env });
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    return /\b[A-Z]+_[A-Z]+\b/.exec(error.message)?.[0] ?? error.message;
  }
}

/** A way to the broker through a port of its own, which shows what connections begin with. */
export class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sent: Buffer[] = [];

  private constructor() {
    this.#server = createServer((client) => {
      const broker = connect({ host: "127.0.0.1", port: 5672 });
      client.on("data", (bytes: Buffer) => this.#sent.push(bytes));
      for (const [from, to] of [[client, broker], [broker, client]]) {
        this.#sockets.add(from);
        from.on("error", () => to.destroy());
        from.on("close", () => this.#sockets.delete(from));
        from.pipe(to);
      }
    });
  }

  /** Listens on a free port while `use` works. */
  static async open<T>(use: (wire: Wire) => Promise<T>): Promise<T> {
    const wire = new Wire();
    const server = wire.#server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      return await use(wire);
    } finally {
      for (const socket of wire.#sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  get port(): string {
    return String((this.#server.address() as AddressInfo).port);
  }

  /** What came over it first: `AMQP`, `TLS`, or `nothing`. */
  get protocol(): string {
    const [first] = this.#sent;
    if (first === undefined) return "nothing";
    // A handshake record of TLS begins with this byte.
    return first[0] === 0x16 ? "TLS" : first.subarray(0, 4).toString();
  }

  /** User and password as they were sent, with a space between them. */
  get login(): string | undefined {
    const text = this.#sent.map((bytes) => bytes.toString("latin1")).join("");
    // The mechanism, the length of what follows, then both after a NUL each, then the locale.
    const [, user, password] = /PLAIN[^]{4}\0(\w+)\0(\w+)[^]en_US/.exec(text) ?? [];
    return user === undefined ? undefined : `${user} ${password}`;
  }
}

async function verdict(declared: Promise<unknown>): Promise<string> {
  try {
    await declared;
    return "good";
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof AMQPChannelError)) throw error;
  return error.code;
}
