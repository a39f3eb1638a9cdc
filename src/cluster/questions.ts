/** Questions that one instance asks others, and their answers. No I/O. */
import type { Clock } from "../base/clock.ts";
import type { Answers } from "../contract/instances.ts";

/** Sends a question under a number. The promise rejects when it was not sent. */
type Send = (number: number) => Promise<void>;

/** The answers, and who has not answered. */
interface Asked extends Answers {
  readonly missing: readonly string[];
}

/** A question that waits for answers. */
interface Question {
  readonly waiting: Set<string>;
  readonly answers: Map<string, Uint8Array>;
  readonly end: PromiseWithResolvers<void>;
}

/** Keeps the questions that are under way. */
export class Questions {
  readonly #clock: Clock;
  readonly #open = new Map<number, Question>();
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Asks instances, and ends when all have answered or are gone, after `patience` milliseconds at
   * the latest.
   *
   * @throws {BackplaneError} The question was not sent.
   */
  async ask(instances: readonly string[], patience: number, send: Send): Promise<Asked> {
    if (instances.length === 0) return { answers: [], incomplete: false, missing: [] };
    const question: Question = {
      waiting: new Set(instances),
      answers: new Map(),
      end: Promise.withResolvers(),
    };
    const number = ++this.#last;
    this.#open.set(number, question);
    const cancel = this.#clock.after(patience, () => question.end.resolve());
    send(number).catch((error) => question.end.reject(error));
    try {
      await question.end.promise;
    } finally {
      cancel();
      this.#open.delete(number);
    }
    const missing = [...question.waiting];
    return { answers: [...question.answers.values()], incomplete: missing.length > 0, missing };
  }

  /** An answer has come. One that nobody waits for is ignored. */
  answered(number: number, from: string, answer: Uint8Array): void {
    const question = this.#open.get(number);
    if (question === undefined || !question.waiting.delete(from)) return;
    question.answers.set(from, answer);
    if (question.waiting.size === 0) question.end.resolve();
  }

  /** An instance has no answer to a question. */
  unanswered(number: number, from: string): void {
    const question = this.#open.get(number);
    question?.waiting.delete(from);
    if (question?.waiting.size === 0) question.end.resolve();
  }

  /** Instances are gone: nobody waits for them. */
  gone(instances: readonly string[]): void {
    for (const { waiting, end } of this.#open.values()) {
      for (const id of instances) waiting.delete(id);
      if (waiting.size === 0) end.resolve();
    }
  }

  /** Ends all questions with the answers that there are. */
  close(): void {
    for (const { end } of this.#open.values()) end.resolve();
  }
}
