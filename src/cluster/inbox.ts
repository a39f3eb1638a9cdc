/** What one connector hears from the instances, strictly in order. */
import type { Clock } from "../base/clock.ts";
import { Fifo } from "../base/fifo.ts";
import type { Logger } from "../contract/logger.ts";
import type { InstancesListener } from "../contract/instances.ts";

/** Milliseconds that a listener may hold back what comes after a message. */
const MAX_HELD = 30_000;

/** Something for a listener. A promise that it returns holds back what follows. */
type Item = (listener: InstancesListener) => void | Promise<void>;

/** Calls a listener. */
export class Inbox {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #listener: InstancesListener | undefined;
  readonly #items = new Fifo<Item>();
  /** Of the message that holds back the others; undefined without one. */
  #held: { readonly cancel: () => void } | undefined;
  #closed = false;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Whether a listener has been set. */
  get isHeard(): boolean {
    return this.#listener !== undefined;
  }

  /** As `Instances.hear`. */
  hear(listener: InstancesListener): void {
    this.#listener = listener;
  }

  /** Calls the listener in its turn; at once where nothing is held back. */
  push(item: Item): void {
    if (this.#listener === undefined || this.#closed) return;
    if (this.#held !== undefined) this.#items.push(item);
    else this.#call(item, this.#listener);
  }

  /** The answer to a question that need not wait for what is held back; undefined where nothing is. */
  answerAhead(question: Uint8Array, from: string): Uint8Array | undefined {
    return this.#held && this.#listener?.answerAhead?.(question, from);
  }

  /** Calls the listener no more. */
  close(): void {
    this.#closed = true;
    this.#held?.cancel();
  }

  #call(item: Item, listener: InstancesListener): void {
    let pending: void | Promise<void>;
    try {
      pending = item(listener);
    } catch (error) {
      this.#logError(error);
      return;
    }
    if (pending === undefined) return;
    const held = { cancel: this.#clock.after(MAX_HELD, () => this.#giveUp()) };
    this.#held = held;
    pending.catch((error) => this.#logError(error)).then(() => {
      held.cancel();
      // It may have been given up before.
      if (this.#held === held) this.#goOn();
    });
  }

  #goOn(): void {
    this.#held = undefined;
    while (this.#held === undefined && !this.#closed) {
      const item = this.#items.shift();
      if (item === undefined || this.#listener === undefined) return;
      this.#call(item, this.#listener);
    }
  }

  #giveUp(): void {
    const dropped = this.#items.length;
    while (this.#items.shift() !== undefined);
    this.#logger.error(
      "a message of another instance was not handled within 30 s: {dropped} more are dropped",
      { dropped },
    );
    this.#items.push((listener) => listener.gap());
    this.#goOn();
  }

  #logError(error: unknown): void {
    this.#logger.error("a message of another instance was not handled: {error}", { error });
  }
}
