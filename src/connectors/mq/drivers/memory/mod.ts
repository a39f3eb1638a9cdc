/** A broker inside this process: one exchange and one queue, which end with it. */
import { quoted } from "../../../../base/shown.ts";
import type { Clock } from "../../../../base/clock.ts";
import type {
  Connector,
  ConnectorContext,
  FlowHandler,
  WriteRequest,
} from "../../../../contract/connector.ts";
import { ConnectorError } from "../../../../base/errors.ts";
import { Fifo } from "../../../../base/fifo.ts";
import { Ledger } from "../../ledger.ts";
import { type Message, MessageEvent } from "../../message.ts";
import type { Settings } from "../../options.ts";
import { type PublishOptions, toJson, toPublication } from "../../publication.ts";
import { type Failure, Subscriptions } from "../../subscriptions.ts";
import { bindingKeys, compilePattern, type Matcher } from "../../topic.ts";

/** A message that waits for its flows. */
interface Queued {
  readonly routingKey: string;
  /** JSON, as on a wire. */
  readonly body: string;
  /** JSON. */
  readonly headers: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** How often it has been delivered again. */
  readonly retries: number;
}

/** After so many deliveries the next waits for a timer: flows that feed each other starve nobody. */
const LONGEST_RUN = 2000;

/** Routes, delivers and repeats as RabbitMQ does, but keeps nothing beyond the process. */
export class MemoryBroker implements Connector {
  readonly #name: string;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #subscriptions = new Subscriptions();
  #bindings: readonly Matcher[] | undefined;
  readonly #queue = new Fifo<Queued>();
  /** Ends the wait of each message that is to be delivered again. */
  readonly #waiting = new Set<() => void>();
  #idle: (() => void) | undefined;
  #atWork = 0;
  #run = 0;
  #scheduled = false;
  #consuming = false;
  #draining = false;
  #closed = false;

  /** Holds what is published until `consume`. */
  constructor(settings: Settings, { name, logger, clock }: ConnectorContext) {
    this.#name = name;
    this.#settings = settings;
    this.#ledger = new Ledger(logger);
    this.#clock = clock;
  }

  subscribe(operation: string | undefined, handler: FlowHandler): void {
    this.#subscriptions.add(operation, handler);
  }

  /** Queues a message where a flow's operation asks for it; its flows run later. */
  write(request: WriteRequest<PublishOptions>): void {
    if (this.#closed) throw new ConnectorError(this.#name, "is closed");
    const { routingKey, body, headers } = toPublication(this.#name, request);
    const { persistent, mandatory } = this.#settings.publisher;
    const routed = this.#routes(routingKey);
    if (!routed && mandatory) {
      const message = `no queue takes the routing key ${quoted(routingKey)}`;
      throw new ConnectorError(this.#name, message);
    }
    this.#ledger.counts.published++;
    if (!routed) return;
    const properties = {
      content_type: "application/json",
      delivery_mode: persistent ? 2 : 1,
      message_id: crypto.randomUUID(),
      timestamp: Math.floor(this.#clock.now() / 1000),
    };
    const headersText = toJson(this.#name, "a header", headers);
    this.#enqueue({ routingKey, body, headers: headersText, properties, retries: 0 });
  }

  consume(): Promise<void> {
    this.#consuming = true;
    this.#schedule();
    return Promise.resolve();
  }

  /** Delivers all that is queued; what waits to be delivered again does not wait any longer. */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const end of [...this.#waiting]) end();
    if (!this.#consuming || this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idle = resolve);
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const end of [...this.#waiting]) end();
    const failure = { reason: "the broker in this process has ended", permanent: true };
    for (let left = this.#queue.shift(); left !== undefined; left = this.#queue.shift()) {
      this.#ledger.discarded(left.routingKey, failure);
    }
    return Promise.resolve();
  }

  counts(): Readonly<Record<string, number>> {
    return { ...this.#ledger.counts, queued: this.#queue.length + this.#waiting.size };
  }

  #routes(routingKey: string): boolean {
    const { exchange, publisher, queue } = this.#settings;
    const { operations } = this.#subscriptions;
    if (publisher.exchange === "") return routingKey === queue?.name && operations.length > 0;
    if (publisher.exchange !== exchange.name) return false;
    this.#bindings ??= bindingKeys(exchange.type, operations)
      .map((key) => compilePattern(exchange.type === "fanout" ? "#" : key));
    return this.#bindings.some((matches) => matches(routingKey));
  }

  /** Nothing is delivered inside a write, so that a flow never runs in the middle of another. */
  #schedule(): void {
    if (this.#scheduled || !this.#consuming || this.#closed) return;
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
      this.#deliver(next);
    }
    if (this.#queue.length > 0 && this.#atWork < prefetch) this.#schedule();
    if (this.#isIdle()) this.#idle?.();
  }

  #deliver(item: Queued): void {
    this.#ledger.counts.consumed++;
    const ended = this.#subscriptions.deliver(new MessageEvent(this.#toMessage(item)));
    if (!(ended instanceof Promise)) return this.#settle(item, ended);
    this.#atWork++;
    void ended.then((failure) => {
      this.#atWork--;
      this.#settle(item, failure);
      this.#schedule();
    });
  }

  /** Parsed for each delivery: nothing is shared with the publisher, as if it had been sent. */
  #toMessage({ routingKey, body, headers, properties }: Queued): Message {
    const { exchange } = this.#settings.publisher;
    return {
      routingKey,
      exchange,
      body: JSON.parse(body),
      headers: JSON.parse(headers),
      properties,
    };
  }

  #settle(item: Queued, failure: Failure | undefined): void {
    const { counts } = this.#ledger;
    const { routingKey } = item;
    const { maxRetries, retryDelay, deadLetters } = this.#settings.consumer;
    const limit = failure?.maxRetries ?? maxRetries;
    if (failure === undefined) {
      counts.acked++;
    } else if (!failure.permanent && item.retries < limit && !this.#closed) {
      const delay = this.#draining ? 0 : retryDelay;
      this.#ledger.retried(routingKey, failure, delay);
      this.#deliverAgain({ ...item, retries: item.retries + 1 }, delay);
    } else if (deadLetters !== undefined) {
      this.#ledger.deadLettered(routingKey, failure, deadLetters.queue);
    } else {
      this.#ledger.discarded(routingKey, failure);
    }
  }

  #deliverAgain(item: Queued, delay: number): void {
    // Who holds the clock need not move it for what has nothing to wait for.
    if (delay === 0) return this.#enqueue(item);
    const end = (): void => {
      cancel();
      this.#waiting.delete(end);
      this.#enqueue(item);
    };
    const cancel = this.#clock.after(delay, end);
    this.#waiting.add(end);
  }

  #enqueue(item: Queued): void {
    this.#queue.push(item);
    this.#schedule();
  }

  #isIdle(): boolean {
    return this.#atWork === 0 && this.#queue.length === 0 && this.#waiting.size === 0;
  }
}
