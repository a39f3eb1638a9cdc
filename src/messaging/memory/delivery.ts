/** A message that was taken from a queue in memory. */
import type { DeadLetter, Delivery } from "../broker.ts";
import type { GivenUp } from "../dead-letter.ts";
import type { MemoryQueue, Queued } from "./queue.ts";
import type { MemoryMessage, MemoryRouting } from "./routing.ts";

/** What becomes of a message that was delivered. */
export interface Returns {
  /** Queues it again where it was, after `delay` milliseconds. */
  again(queued: Queued, queue: MemoryQueue, delay: number): void;
  /** Moves it to the dead letters, if a connector of this process consumes them. */
  bury(message: MemoryMessage, why: GivenUp): void;
}

/** One delivery of a message. */
export class MemoryDelivery implements Delivery {
  readonly routingKey: string;
  readonly retries: number;
  readonly held = true;
  readonly content: Delivery["content"];
  readonly #queued: Queued;
  readonly #queue: MemoryQueue;
  readonly #returns: Returns;

  constructor(
    queued: Queued,
    queue: MemoryQueue,
    { metadata, read = readJson }: Pick<MemoryRouting, "metadata" | "read">,
    returns: Returns,
  ) {
    const { message, key } = queued;
    const { routingKey, retries } = message;
    this.routingKey = routingKey;
    this.retries = retries;
    // Parsed for each delivery: nothing is shared with the publisher, as if it had been sent.
    const found = read(message.body);
    this.content = "reason" in found ? found : {
      key: key ?? routingKey,
      body: found.body,
      metadata: metadata(message, key, JSON.parse(message.headers)),
    };
    this.#queued = queued;
    this.#queue = queue;
    this.#returns = returns;
  }

  ack(): void {}

  requeue(): void {
    this.#returns.again(this.#queued, this.#queue, 0);
  }

  discard(): void {}

  redeliver(_reason: string, retries: number, delay: number): void {
    const { message, key } = this.#queued;
    this.#returns.again({ message: { ...message, retries }, key }, this.#queue, delay);
  }

  deadLetter(why: GivenUp): DeadLetter {
    this.#returns.bury(this.#queued.message, why);
    return {};
  }
}

function readJson(body: string): { readonly body: unknown } {
  return { body: JSON.parse(body) };
}
