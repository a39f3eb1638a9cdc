/** How many requests are sent at once. */
import { Fifo } from "../../base/fifo.ts";
import type { Stop } from "./stop.ts";

interface Waiting {
  readonly resolve: () => void;
  abandoned: boolean;
}

/** Places for requests. Those that find none wait, the first come first. */
export class Slots {
  readonly #most: number;
  readonly #queue = new Fifo<Waiting>();
  #taken = 0;
  #waiting = 0;

  /** `most` is the number of places. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The number of places in use. */
  get taken(): number {
    return this.#taken;
  }

  /** The number of requests that wait for one. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a place; returns false if all are in use. */
  take(): boolean {
    if (this.#taken >= this.#most) return false;
    this.#taken++;
    return true;
  }

  /** Waits for a place and takes it. Rejects with the reason if the attempt is ended before. */
  wait(stop: Stop): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        abandoned: false,
        resolve: () => {
          stop.onStop = undefined;
          this.#waiting--;
          resolve();
        },
      };
      stop.onStop = (reason) => {
        waiting.abandoned = true;
        this.#waiting--;
        reject(reason);
      };
      this.#waiting++;
      this.#queue.push(waiting);
    });
  }

  /** Gives a place back, to the first that waits. */
  release(): void {
    for (;;) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      if (next.abandoned) continue;
      return next.resolve();
    }
    this.#taken--;
  }
}
