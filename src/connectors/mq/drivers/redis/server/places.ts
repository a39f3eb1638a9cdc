/** The places of a consumer: how many deliveries are handled at once. */
import { Fifo } from "../../../../../base/fifo.ts";
import type { Deliver, Delivery } from "../../../../../messaging/mod.ts";

/** Hands deliveries over while a place is free; the others wait, in their order. */
export class Places {
  readonly #count: number;
  readonly #onFree: () => void;
  readonly #deliver: Deliver;
  readonly #backlog = new Fifo<Delivery>();
  #taken = 0;
  #closed = false;

  /** Calls `onFree` whenever a delivery is handled that had to be waited for. */
  constructor(count: number, deliver: Deliver, onFree: () => void) {
    this.#count = count;
    this.#deliver = deliver;
    this.#onFree = onFree;
  }

  /** How many places are free. */
  get free(): number {
    return this.#count - this.#taken;
  }

  /** Hands a delivery over, now or when a place is free; gives it back after `close`. */
  take(delivery: Delivery): void {
    if (this.#closed) delivery.requeue();
    else if (this.#taken < this.#count) this.#hand(delivery);
    else this.#backlog.push(delivery);
  }

  /** Gives back what waits. */
  close(): void {
    this.#closed = true;
    for (let next = this.#backlog.shift(); next !== undefined; next = this.#backlog.shift()) {
      next.requeue();
    }
  }

  #hand(delivery: Delivery): void {
    const handled = this.#deliver(delivery);
    if (handled === undefined) return;
    this.#taken++;
    void handled.then(this.#handled);
  }

  // One function for all deliveries.
  readonly #handled = (): void => {
    this.#taken--;
    while (this.#taken < this.#count) {
      const next = this.#backlog.shift();
      if (next === undefined) break;
      this.#hand(next);
    }
    this.#onFree();
  };
}
