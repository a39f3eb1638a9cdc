/** A broker inside this process: one exchange and one queue, which vanish when the process ends. */
import type { Clock } from "../../../../base/clock.ts";
import { Fifo } from "../../../../base/fifo.ts";
import { quoted, shown } from "../../../../base/shown.ts";
import {
  type Broker,
  type BrokerContext,
  type Capabilities,
  type DeadLetter,
  type Deliver,
  type Delivery,
  type Matcher,
  UnsendableError,
} from "../../broker.ts";
import type { Message, Publication } from "../../message.ts";
import { type MqOptions, type Settings, settle } from "../../options.ts";
import { bindingKeys, compilePattern, LONGEST_KEY } from "../../routing.ts";

/** After this many deliveries the next waits for a timer, so that flows that feed each other block nothing. */
const LONGEST_RUN = 2000;

/** A message in the queue. */
interface Queued {
  readonly routingKey: string;
  /** JSON, as on a wire. */
  readonly body: string;
  /** JSON. */
  readonly headers: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly retries: number;
}

/** Makes a memory broker. */
export function createBroker(options: MqOptions, context: BrokerContext): MemoryBroker {
  return new MemoryBroker(settle(options), context);
}

/** Routes, delivers and redelivers as RabbitMQ does, but keeps nothing beyond the process. */
export class MemoryBroker implements Broker {
  readonly capabilities: Capabilities = {
    everyWorker: true,
    keeps: false,
    delays: true,
    longestKey: LONGEST_KEY,
  };
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #operations: BrokerContext["operations"];
  readonly #lost: BrokerContext["lost"];
  #bindings: readonly Matcher[] | undefined;
  readonly #queue = new Fifo<Queued>();
  /** Functions that end the wait of a message that will be redelivered. */
  readonly #waiting = new Set<() => void>();
  #deliver: Deliver | undefined;
  #idle: (() => void) | undefined;
  /** How many messages are being handled. */
  #atWork = 0;
  #run = 0;
  #scheduled = false;
  #closed = false;

  /** Holds what is published until `consume`. */
  constructor(settings: Settings, { clock, operations, lost }: BrokerContext) {
    this.#settings = settings;
    this.#clock = clock;
    this.#operations = operations;
    this.#lost = lost;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  /** Queues a message where the operation of a flow asks for it; its flows run later. */
  publish({ routingKey, body, headers }: Publication): void {
    if (this.#closed) throw new Error("the broker in this process is closed");
    const { persistent, mandatory } = this.#settings.publisher;
    const headersText = toJson(headers);
    if (!this.#routes(routingKey)) {
      if (mandatory) throw new Error(`no queue takes the routing key ${quoted(routingKey)}`);
      return;
    }
    const properties = {
      content_type: "application/json",
      delivery_mode: persistent ? 2 : 1,
      message_id: crypto.randomUUID(),
      timestamp: Math.floor(this.#clock.now() / 1000),
    };
    this.#enqueue({ routingKey, body, headers: headersText, properties, retries: 0 });
  }

  consume(deliver: Deliver): Promise<void> {
    this.#deliver = deliver;
    this.#schedule();
    return Promise.resolve();
  }

  /** Does nothing: all messages come from this process. */
  stop(): Promise<void> {
    return Promise.resolve();
  }

  /** Delivers all that is queued; what waits to be redelivered does not wait any longer. */
  async drain(): Promise<void> {
    this.#endWaits();
    if (this.#deliver === undefined || this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idle = resolve);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#endWaits();
    for (let left = this.#queue.shift(); left !== undefined; left = this.#queue.shift()) {
      this.#lost(left.routingKey, "the broker in this process has ended");
    }
    return Promise.resolve();
  }

  health(): undefined {
    return undefined;
  }

  counts(): Readonly<Record<string, number>> {
    return { queued: this.#queue.length + this.#waiting.size };
  }

  #routes(routingKey: string): boolean {
    const { exchange, publisher, queue } = this.#settings;
    if (publisher.exchange === "") {
      return routingKey === queue?.name && this.#operations.length > 0;
    }
    if (publisher.exchange !== exchange.name) return false;
    this.#bindings ??= bindingKeys(exchange.type, this.#operations)
      .map((key) => compilePattern(exchange.type === "fanout" ? "#" : key));
    return this.#bindings.some((matches) => matches(routingKey));
  }

  /** Nothing is delivered inside a write, so that a flow never runs in the middle of another. */
  #schedule(): void {
    if (this.#scheduled || this.#deliver === undefined || this.#closed) return;
    this.#scheduled = true;
    if (this.#run < LONGEST_RUN) {
      queueMicrotask(() => this.#pump());
    } else {
      this.#run = 0;
      setTimeout(() => this.#pump(), 0);
    }
  }

  #pump(): void {
    this.#scheduled = false;
    const { prefetch } = this.#settings.consumer;
    while (this.#atWork < prefetch && this.#run < LONGEST_RUN) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#run++;
      this.#handle(next);
    }
    if (this.#queue.length > 0 && this.#atWork < prefetch) this.#schedule();
    if (this.#isIdle()) this.#idle?.();
  }

  #handle(message: Queued): void {
    const delivery = new MemoryDelivery(message, this.#settings.publisher.exchange, this.#return);
    const handled = this.#deliver?.(delivery);
    if (handled === undefined) return;
    this.#atWork++;
    void handled.then(() => {
      this.#atWork--;
      this.#schedule();
    });
  }

  /** Queues a message that was delivered, after `delay` milliseconds. */
  readonly #return = (message: Queued, delay: number): void => {
    if (this.#closed) throw new UnsendableError("the broker in this process is closed");
    // Without a delay the clock need not move.
    if (delay === 0) return this.#enqueue(message);
    const end = (): void => {
      cancel();
      this.#waiting.delete(end);
      this.#enqueue(message);
    };
    const cancel = this.#clock.after(delay, end);
    this.#waiting.add(end);
  };

  #endWaits(): void {
    for (const end of [...this.#waiting]) end();
  }

  #enqueue(message: Queued): void {
    this.#queue.push(message);
    this.#schedule();
  }

  #isIdle(): boolean {
    return this.#atWork === 0 && this.#queue.length === 0 && this.#waiting.size === 0;
  }
}

/** A message that was taken from the queue. */
class MemoryDelivery implements Delivery {
  readonly routingKey: string;
  readonly retries: number;
  readonly held = true;
  readonly content: Message;
  readonly #message: Queued;
  readonly #return: (message: Queued, delay: number) => void;

  constructor(
    message: Queued,
    exchange: string,
    queueAgain: (message: Queued, delay: number) => void,
  ) {
    const { routingKey, retries, properties } = message;
    this.routingKey = routingKey;
    this.retries = retries;
    // Parsed for each delivery: nothing is shared with the publisher, as if it had been sent.
    const headers = JSON.parse(message.headers);
    this.content = {
      key: routingKey,
      body: JSON.parse(message.body),
      metadata: { headers, routing_key: routingKey, exchange, properties },
    };
    this.#message = message;
    this.#return = queueAgain;
  }

  ack(): void {}

  requeue(): void {
    this.#return(this.#message, 0);
  }

  discard(): void {}

  redeliver(_reason: string, retries: number, delay: number): void {
    this.#return({ ...this.#message, retries }, delay);
  }

  /** Keeps nothing, because nothing in this process could read dead letters. */
  deadLetter(): DeadLetter {
    return {};
  }
}

function toJson(headers: Publication["headers"]): string {
  try {
    return JSON.stringify(headers);
  } catch (cause) {
    throw new UnsendableError(`a header cannot be written as JSON: ${shown(cause)}`, { cause });
  }
}
