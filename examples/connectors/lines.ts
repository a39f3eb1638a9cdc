/** `type = "lines"`: publishes to a service and subscribes to it, with lines of JSON over TCP. */
import {
  admit,
  attribute,
  type Connector,
  type ConnectorContext,
  ConnectorError,
  defineConnector,
  dispatch,
  type FlowHandler,
  InFlight,
  integer,
  text,
  type WriteRequest,
} from "@weir/runtime";
import { type Address, LinesClient, RefusedError } from "./lines-client.ts";

/** Milliseconds before another attempt to connect. */
const RETRY = 250;

/** What it adds to `input` beside the fields of the payload. */
const METADATA: ReadonlySet<string> = new Set(["body", "topic"]);

class Lines implements Connector {
  readonly #address: Address;
  readonly #context: ConnectorContext;
  /** The flows of each topic. */
  readonly #flows = new Map<string, FlowHandler[]>();
  readonly #inFlight = new InFlight();
  readonly #counts = { published: 0, received: 0 };
  #client: LinesClient | undefined;
  /** The reason why the connection is down. */
  #reason = "has not been started";
  #lostBefore = false;
  #consuming = false;
  #closed = false;
  #cancelRetry = (): void => {};

  /** Opens nothing: `weir check` makes connectors, too. */
  constructor(address: Address, context: ConnectorContext) {
    this.#address = address;
    this.#context = context;
  }

  subscribe(operation: string | undefined, flow: FlowHandler): void {
    const topic = String(operation); // The check of the source requires one.
    this.#flows.set(topic, [...this.#flows.get(topic) ?? [], flow]);
  }

  /** Connects. Resolves as well if the service is away: it may come back. */
  async start(): Promise<void> {
    await this.#connect();
  }

  /** Begins to take events. Each worker would get every message, so the leader alone does. */
  async consume(): Promise<void> {
    const subscribe = async (): Promise<void> => {
      this.#consuming = true;
      if (this.#client !== undefined) await this.#subscribeTo(this.#client);
    };
    const { cluster } = this.#context;
    await (cluster === undefined ? subscribe() : cluster.whenLeader(subscribe));
  }

  /** Resolves when the service has confirmed the message. */
  async write({ target, payload }: WriteRequest): Promise<void> {
    const client = this.#client;
    const { name } = this.#context;
    if (client === undefined) throw new ConnectorError(name, this.#reason);
    try {
      await this.#inFlight.add(client.ask({ publish: target, body: payload }));
    } catch (cause) {
      // A retry sends the same again, so it cannot succeed if the service refuses it.
      const permanent = cause instanceof RefusedError;
      throw new ConnectorError(name, messageOf(cause), { cause, permanent });
    }
    this.#counts.published++;
  }

  async probe(): Promise<string> {
    const { host, port } = this.#address;
    try {
      const client = await LinesClient.connect(this.#address, { message() {}, lost() {} });
      client.close();
    } catch (cause) {
      throw new ConnectorError(this.#context.name, messageOf(cause), { cause });
    }
    return `${host}:${port} accepts connections`;
  }

  stop(): Promise<void> {
    this.#consuming = false;
    return Promise.resolve();
  }

  /** Waits for flows and for confirmations. */
  drain(): Promise<void> {
    return this.#inFlight.empty();
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#reason = "is closed";
    this.#cancelRetry();
    this.#client?.close();
    this.#client = undefined;
    return Promise.resolve();
  }

  health(): string | undefined {
    return this.#client === undefined ? this.#reason : undefined;
  }

  counts(): Readonly<Record<string, number>> {
    return { ...this.#counts };
  }

  async #connect(): Promise<void> {
    try {
      const client = await LinesClient.connect(this.#address, {
        message: (topic, body) => this.#received(topic, body),
        lost: (reason) => this.#lost(reason),
      });
      if (this.#closed) return client.close();
      if (this.#lostBefore) this.#context.logger.info("connected again");
      this.#client = client;
      this.#reason = "";
      if (this.#consuming) await this.#subscribeTo(client);
    } catch (error) {
      this.#lost(messageOf(error));
    }
  }

  /** A connection without its subscriptions is of no use: the next one subscribes again. */
  async #subscribeTo(client: LinesClient): Promise<void> {
    try {
      for (const topic of this.#flows.keys()) await client.ask({ subscribe: topic });
    } catch (error) {
      if (this.#client !== client) return; // It was lost meanwhile, and that is known.
      client.close();
      this.#lost(messageOf(error));
    }
  }

  #lost(reason: string): void {
    this.#client = undefined;
    if (this.#closed) return;
    // Once for each reason: an outage can last for hours.
    if (reason !== this.#reason) {
      this.#context.logger.warn("not connected; keeps trying: {reason}", { reason });
    }
    this.#reason = reason;
    this.#lostBefore = true;
    this.#cancelRetry();
    this.#cancelRetry = this.#context.clock.after(RETRY, () => void this.#connect());
  }

  #received(topic: string, body: unknown): void {
    if (!this.#consuming) return;
    this.#counts.received++;
    void this.#inFlight.add(this.#run(topic, body));
  }

  async #run(topic: string, body: unknown): Promise<void> {
    const fields = typeof body === "object" && !Array.isArray(body) ? body : {};
    const input = { ...fields, body, topic };
    const event = { operation: topic, payload: body, input, metadata: METADATA };
    try {
      // Nothing can be delivered again, so a failure, which the flow has logged, is the end.
      await dispatch(admit(this.#flows.get(topic) ?? [], event), event).all;
    } catch (error) {
      this.#context.logger.error("a message of {topic} failed: {error}", { topic, error });
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const lines = defineConnector({
  fields: {
    host: attribute(text(), { about: "The host of the service.", default: "localhost" }),
    port: attribute(integer({ min: 1, max: 65_535 }), {
      about: "The port of the service.",
      required: true,
    }),
  },
  check: ({ host }) =>
    host.includes(":") || host === ""
      ? [{
        attribute: "host",
        message: "needs the name of a host",
        hint: 'write host = "localhost" and port = 4000',
      }]
      : [],
  source: {
    metadata: [...METADATA],
    check: (operation) =>
      operation === undefined ? [{ message: "needs an operation: the topic" }] : [],
  },
  destination: {
    fields: {},
    operations: [],
    check: ({ target }) => target === undefined ? [{ message: "needs a target: the topic" }] : [],
  },
  create: (options, context) => new Lines(options, context),
});

export default { lines };
