/** A broker inside this process: its exchanges and queues vanish when the process ends. */
import type { Clock } from "../../../../base/clock.ts";
import { randomId } from "../../../../base/ids.ts";
import { quoted, shown } from "../../../../base/shown.ts";
import {
  type Broker,
  type BrokerContext,
  type Capabilities,
  type DeadLetter,
  type Deliver,
  type Delivery,
  UnsendableError,
} from "../../broker.ts";
import { deadLetterHeaders, type Message, type Publication } from "../../message.ts";
import { type MqOptions, type Settings, settle } from "../../options.ts";
import { LONGEST_KEY } from "../../routing.ts";
import { type HostMember, hostOf, type MemoryHost, type MemoryQueue, type Queued } from "./host.ts";

/** After this many deliveries the next waits for a timer, so that flows that feed each other block nothing. */
const LONGEST_RUN = 2000;

/** Makes a memory broker. */
export function createBroker(options: MqOptions, context: BrokerContext): MemoryBroker {
  return new MemoryBroker(settle(options), hostOf(options, context.runtime), context);
}

/** Routes, delivers and redelivers as RabbitMQ does, but keeps nothing beyond the process. */
export class MemoryBroker implements Broker, HostMember {
  readonly capabilities: Capabilities = {
    everyWorker: true,
    keeps: false,
    delays: true,
    longestKey: LONGEST_KEY,
  };
  readonly settings: Settings;
  readonly operations: BrokerContext["operations"];
  readonly queue: MemoryQueue;
  readonly #host: MemoryHost;
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #lost: BrokerContext["lost"];
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
  constructor(
    settings: Settings,
    host: MemoryHost,
    { clock, operations, lost, newId = randomId }: BrokerContext,
  ) {
    this.settings = settings;
    this.operations = operations;
    this.queue = host.queue(settings.queue?.name);
    this.#host = host;
    this.#clock = clock;
    this.#newId = newId;
    this.#lost = lost;
    host.join(this);
    this.queue.join(this);
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  /** Queues a message where the operations of flows ask for it; its flows run later. */
  publish({ routingKey, body, headers }: Publication): void {
    if (this.#closed) throw new Error("the broker in this process is closed");
    const { exchange, persistent, mandatory } = this.settings.publisher;
    const headersText = toJson(headers);
    const queues = this.#host.route(exchange, routingKey);
    if (queues.length === 0) {
      if (mandatory) throw new Error(`no queue takes the routing key ${quoted(routingKey)}`);
      return;
    }
    const properties = {
      content_type: "application/json",
      delivery_mode: persistent ? 2 : 1,
      message_id: this.#newId(),
      timestamp: Math.floor(this.#clock.now() / 1000),
    };
    const message = { routingKey, exchange, body, headers: headersText, properties, retries: 0 };
    for (const queue of queues) queue.push(message);
  }

  consume(deliver: Deliver): Promise<void> {
    this.#deliver = deliver;
    this.wake();
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
    this.#host.leave(this);
    const isLast = this.queue.leave(this);
    if (!isLast) return Promise.resolve();
    for (let left = this.queue.shift(); left !== undefined; left = this.queue.shift()) {
      this.#lost(left.routingKey, "the broker in this process has ended");
    }
    return Promise.resolve();
  }

  health(): undefined {
    return undefined;
  }

  counts(): Readonly<Record<string, number>> {
    return { queued: this.queue.length + this.#waiting.size };
  }

  /** Nothing is delivered inside a write, so that a flow never runs in the middle of another. */
  wake(): void {
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
    const { prefetch } = this.settings.consumer;
    while (this.#atWork < prefetch && this.#run < LONGEST_RUN) {
      const next = this.queue.shift();
      if (next === undefined) break;
      this.#run++;
      this.#handle(next);
    }
    if (this.queue.length > 0 && this.#atWork < prefetch) this.wake();
    if (this.#isIdle()) this.#idle?.();
  }

  #handle(message: Queued): void {
    const delivery = new MemoryDelivery(message, this.#return, this.#bury);
    const handled = this.#deliver?.(delivery);
    if (handled === undefined) return;
    this.#atWork++;
    void handled.then(() => {
      this.#atWork--;
      this.wake();
    });
  }

  /** Queues a message that was delivered, after `delay` milliseconds. */
  readonly #return = (message: Queued, delay: number): void => {
    if (this.#closed) throw new UnsendableError("the broker in this process is closed");
    // Without a delay the clock need not move.
    if (delay === 0) return this.queue.push(message);
    const end = (): void => {
      cancel();
      this.#waiting.delete(end);
      this.queue.push(message);
    };
    const cancel = this.#clock.after(delay, end);
    this.#waiting.add(end);
  };

  /** Moves a message to the dead letters, if a connector of this process consumes them. */
  readonly #bury = (message: Queued, reason: string, retries: number): void => {
    const { deadLetters } = this.settings.consumer;
    if (deadLetters === undefined) return;
    const { routingKey } = message;
    const { exchange } = deadLetters;
    const key = exchange === "" ? deadLetters.queue : routingKey;
    const own = deadLetterHeaders(message, reason, retries);
    const copy = {
      ...message,
      // What was sent straight to a queue comes from it as it was published first.
      exchange: exchange === "" ? message.exchange : exchange,
      headers: JSON.stringify({ ...JSON.parse(message.headers), ...own }),
      properties: { ...message.properties, delivery_mode: 2 },
      retries: 0,
    };
    for (const queue of this.#host.route(exchange, key)) queue.push(copy);
  };

  #endWaits(): void {
    for (const end of [...this.#waiting]) end();
  }

  #isIdle(): boolean {
    return this.#atWork === 0 && this.queue.length === 0 && this.#waiting.size === 0;
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
  readonly #bury: (message: Queued, reason: string, retries: number) => void;

  constructor(
    message: Queued,
    queueAgain: (message: Queued, delay: number) => void,
    bury: (message: Queued, reason: string, retries: number) => void,
  ) {
    const { routingKey, exchange, retries, properties } = message;
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
    this.#bury = bury;
  }

  ack(): void {}

  requeue(): void {
    this.#return(this.#message, 0);
  }

  discard(): void {}

  redeliver(_reason: string, retries: number, delay: number): void {
    this.#return({ ...this.#message, retries }, delay);
  }

  deadLetter(reason: string, retries: number): DeadLetter {
    this.#bury(this.#message, reason, retries);
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
