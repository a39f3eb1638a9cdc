/** A queue, from which several connectors may consume. */
import { Fifo } from "../../base/fifo.ts";
import type { MemoryMessage } from "./routing.ts";

/** A message in a queue. */
export interface Queued {
  readonly message: MemoryMessage;
  /** The key of its event; that of the message where undefined. */
  readonly key: string | undefined;
}

/** A connector that consumes from a queue. */
export interface QueueConsumer {
  /** There may be a message for it. */
  wake(): void;
}

/** Messages in their order. */
export class MemoryQueue {
  readonly #messages = new Fifo<Queued>();
  #consumers: QueueConsumer[] = [];

  /** How many messages wait. */
  get length(): number {
    return this.#messages.length;
  }

  /** Whether a connector consumes from it. */
  get isConsumed(): boolean {
    return this.#consumers.length > 0;
  }

  /** Adds a message, which the consumers take in turn. */
  push(message: Queued): void {
    this.#messages.push(message);
    if (this.#consumers.length > 1) this.#consumers.push(...this.#consumers.splice(0, 1));
    for (const consumer of this.#consumers) consumer.wake();
  }

  /** Takes the oldest message; undefined where none waits. */
  shift(): Queued | undefined {
    return this.#messages.shift();
  }

  /** From now on it hears of messages. */
  join(consumer: QueueConsumer): void {
    if (!this.#consumers.includes(consumer)) this.#consumers.push(consumer);
  }

  /** It hears of no message any longer. */
  leave(consumer: QueueConsumer): void {
    this.#consumers = this.#consumers.filter((one) => one !== consumer);
  }
}
