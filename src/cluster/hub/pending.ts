/** What a worker has sent and waits for the answer to. No I/O. */
import type { Clock } from "../../base/clock.ts";
import { Deadlines, type Expiring } from "../../base/deadlines.ts";
import { Fifo } from "../../base/fifo.ts";
import { withTimeout } from "../../base/timeout.ts";
import { BackplaneError } from "../../contract/backplane.ts";

/** Publishes, which are answered in their order, and subscriptions, which have numbers. */
export class Pending {
  readonly #clock: Clock;
  readonly #patience: number;
  readonly #deadlines: Deadlines;
  /** Those that have expired are among them, since their answers may still come. */
  readonly #publishes = new Fifo<Answer>();
  readonly #subscriptions = new Map<number, Answer>();
  #number = 0;

  /** Each waits for at most `patience` milliseconds. */
  constructor(clock: Clock, patience: number) {
    this.#clock = clock;
    this.#patience = patience;
    this.#deadlines = new Deadlines(clock, patience);
  }

  /** Waits for the next publish to be taken. */
  publish(): Promise<void> {
    const answer = new Answer(() => new BackplaneError(LATE, { unknown: true }));
    this.#publishes.push(answer);
    this.#deadlines.add(answer);
    return answer.promise;
  }

  /** Waits for a subscription with a new number. Calls `withdraw` when it is late. */
  subscribe(
    withdraw: () => void,
  ): { readonly number: number; readonly answered: Promise<void> } {
    const number = this.#number = (this.#number + 1) % 2 ** 32;
    const answer = new Answer(() => {
      this.#subscriptions.delete(number);
      withdraw();
      return new BackplaneError(LATE);
    });
    this.#subscriptions.set(number, answer);
    this.#deadlines.add(answer);
    return { number, answered: answer.promise };
  }

  /** The supervisor has taken so many publishes. */
  taken(count: number): void {
    const known = Math.min(count, this.#publishes.length);
    for (let n = 0; n < known; n++) this.#succeed(this.#publishes.shift());
  }

  /** A subscription is in force everywhere. */
  subscribed(number: number): void {
    const answer = this.#subscriptions.get(number);
    this.#subscriptions.delete(number);
    this.#succeed(answer);
  }

  /** No answer comes any more. */
  end(reason: string): void {
    this.#deadlines.close();
    for (let one = this.#publishes.shift(); one !== undefined; one = this.#publishes.shift()) {
      one.reject(new BackplaneError(`the link ${reason}`, { unknown: true }));
    }
    for (const one of this.#subscriptions.values()) {
      one.reject(new BackplaneError(`the link ${reason}`));
    }
    this.#subscriptions.clear();
  }

  /** Waits for something else, no longer than for an answer. */
  async atMost(work: Promise<void>): Promise<void> {
    await withTimeout(work, this.#patience, () => {}, this.#clock);
  }

  #succeed(answer: Answer | undefined): void {
    if (answer === undefined) return;
    this.#deadlines.delete(answer);
    answer.resolve();
  }
}

const LATE = "the supervisor has not answered in time";

/** One answer, or its absence. */
class Answer implements Expiring {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: BackplaneError) => void;
  readonly #late: () => BackplaneError;

  constructor(late: () => BackplaneError) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.promise = promise;
    this.resolve = resolve;
    this.reject = reject;
    this.#late = late;
  }

  expire(): void {
    this.reject(this.#late());
  }
}
