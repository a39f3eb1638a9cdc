/** Questions of a worker to its supervisor, each with a number. No I/O. */
import type { Clock } from "../../base/clock.ts";
import { Deadlines, type Expiring } from "../../base/deadlines.ts";
import { BackplaneError } from "../../contract/backplane.ts";

/** A question that waits for its answer. */
interface Waiting<Answer> extends Expiring {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: BackplaneError) => void;
}

/** Those of one kind. */
export class Requests<Answer> {
  readonly #deadlines: Deadlines;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  readonly #isUnknown: boolean;
  #number = 0;

  /** Each waits for at most `patience` milliseconds. `isUnknown`: without an answer it may be done. */
  constructor(clock: Clock, patience: number, isUnknown: boolean) {
    this.#deadlines = new Deadlines(clock, patience);
    this.#isUnknown = isUnknown;
  }

  /** Sends a question with a new number. */
  ask(send: (number: number) => void): Promise<Answer> {
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      const waiting: Waiting<Answer> = {
        resolve,
        reject,
        expire: () => {
          this.#waiting.delete(number);
          reject(this.#error("the supervisor has not answered in time"));
        },
      };
      this.#waiting.set(number, waiting);
      this.#deadlines.add(waiting);
      send(number);
    });
  }

  /** The answer to a question has come. */
  answered(number: number, answer: Answer): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#waiting.delete(number);
    this.#deadlines.delete(waiting);
    waiting.resolve(answer);
  }

  /** No answer comes any more. */
  end(reason: string): void {
    this.#deadlines.close();
    for (const { reject } of this.#waiting.values()) reject(this.#error(`the link ${reason}`));
    this.#waiting.clear();
  }

  #error(message: string): BackplaneError {
    return new BackplaneError(message, { unknown: this.#isUnknown });
  }
}
