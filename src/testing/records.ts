/** What has come of a test so far: frames, writes and answers, and the flows that failed. */
import type { FlowEvent } from "../contract/connector.ts";
import type { FlowError } from "../base/errors.ts";
import type { TestPlace } from "../model/test.ts";
import { snapshot } from "./match.ts";

/** Something that a client or a connector got. */
export interface Occurrence {
  /** The client's or the connector's name. */
  readonly subject: string;
  /** What an `expect` can name. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether it tells the sender of a flow's failure. */
  tells(failure: FlowFailure): boolean;
  /** An `expect` has taken it. */
  taken: boolean;
}

/** A flow that failed. */
export interface FlowFailure {
  /** Where the flow's events come from. */
  readonly connector: string;
  readonly flow: string;
  readonly error: FlowError;
  readonly event: FlowEvent;
  /** True where the sender is answered by this flow. */
  readonly answering: boolean;
  /** The step in which it failed. */
  readonly place: TestPlace;
  /** An `expect` has named it. */
  named: boolean;
}

/** Everything that has come of one test. */
export class Records {
  /** In the order in which they came. */
  readonly failures: FlowFailure[] = [];
  /** What is wrong with the test itself, by its text: each is told once. */
  readonly mistakes: Map<string, TestPlace> = new Map();
  /** Where the step stands that is going on. */
  place: TestPlace;
  readonly #touch: () => void;
  #occurrences: Occurrence[] = [];
  #ended = false;

  /** `touch` is told of everything that comes. */
  constructor(place: TestPlace, touch: () => void) {
    this.place = place;
    this.#touch = touch;
  }

  /** Something has come. Fields that are undefined are not there. */
  add(
    subject: string,
    fields: Readonly<Record<string, unknown>>,
    tells: (failure: FlowFailure) => boolean = () => false,
  ): void {
    this.#touch();
    if (this.#ended) return;
    const kept = Object.entries(fields).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, snapshot(value)]]
    );
    this.#occurrences.push({ subject, fields: Object.fromEntries(kept), tells, taken: false });
  }

  /** A flow has failed. */
  fail(failure: Omit<FlowFailure, "named" | "place">): void {
    this.#touch();
    if (!this.#ended) this.failures.push({ ...failure, place: this.place, named: false });
  }

  /** The test cannot go on as it stands. */
  mistake(message: string): void {
    this.#touch();
    if (!this.mistakes.has(message)) this.mistakes.set(message, this.place);
  }

  /** What one subject got and no `expect` has taken. */
  left(subject: string): readonly Occurrence[] {
    return this.#occurrences.filter((one) => one.subject === subject && !one.taken);
  }

  /** An `expect` takes it, and with it the failure that it tells of. */
  take(occurrence: Occurrence): void {
    occurrence.taken = true;
    const told = this.failures.find((failure) => !failure.named && occurrence.tells(failure));
    if (told !== undefined) told.named = true;
  }

  /** Names the failures of which nothing more can be said than has been. */
  leaveOut(tells: (failure: FlowFailure) => boolean): void {
    for (const failure of this.failures) {
      if (failure.error.cause === undefined && tells(failure)) failure.named = true;
    }
  }

  /** Forgets what has come so far, but not what failed. */
  forget(): void {
    this.#occurrences = [];
  }

  /** The test is over: what comes from now on is nobody's concern. */
  end(): void {
    this.#ended = true;
    this.forget();
  }

  /** Whether the test is over. */
  get ended(): boolean {
    return this.#ended;
  }
}
