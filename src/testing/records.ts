/** What a test has recorded: frames, requests, responses, and the flows that failed. */
import type { FlowEvent } from "../contract/connector.ts";
import { ConnectorError, type FlowError } from "../base/errors.ts";
import type { TestPlace } from "../model/test.ts";
import { snapshot } from "./match.ts";

/** Something that a client or a connector received. */
export interface Occurrence {
  /** The client's or the connector's name. */
  readonly subject: string;
  /** The fields that an `expect` can name. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether it reports the failure of a flow to the sender. */
  reports(failure: FlowFailure): boolean;
  /** An `expect` has taken it. */
  taken: boolean;
}

/** A flow that failed. */
export interface FlowFailure {
  /** The source of the flow. */
  readonly connector: string;
  readonly flow: string;
  readonly error: FlowError;
  readonly event: FlowEvent;
  /** True if this flow answers the sender. */
  readonly answering: boolean;
  /** The step during which it failed. */
  readonly place: TestPlace;
  /** Whether an `expect` has named it. */
  expected: boolean;
}

/** The records of one test. */
export class Records {
  /** In the order in which they happened. */
  readonly failures: FlowFailure[] = [];
  /** The mistakes of the test itself, with their places. Each is reported once. */
  readonly mistakes: Map<string, TestPlace> = new Map();
  /** The place of the current step. */
  place: TestPlace;
  readonly #touch: () => void;
  #occurrences: Occurrence[] = [];
  #ended = false;

  /** Calls `touch` for every record. */
  constructor(place: TestPlace, touch: () => void) {
    this.place = place;
    this.#touch = touch;
  }

  /** Records something received, and returns what it has recorded. Undefined fields are left out. */
  add(
    subject: string,
    fields: Readonly<Record<string, unknown>>,
    reports: (failure: FlowFailure) => boolean = () => false,
  ): Occurrence | undefined {
    this.#touch();
    if (this.#ended) return undefined;
    const kept = Object.entries(fields).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, snapshot(value)]]
    );
    const occurrence = { subject, fields: Object.fromEntries(kept), reports, taken: false };
    this.#occurrences.push(occurrence);
    return occurrence;
  }

  /** Forgets what was recorded of work that is done once more. */
  withdraw(occurrences: readonly (Occurrence | undefined)[]): void {
    if (occurrences.length === 0) return;
    this.#occurrences = this.#occurrences.filter((one) => !occurrences.includes(one));
  }

  /** Records the failure of a flow. */
  fail(failure: Omit<FlowFailure, "expected" | "place">): void {
    this.#touch();
    if (!this.#ended) this.failures.push({ ...failure, place: this.place, expected: false });
  }

  /** Records a mistake of the test itself. */
  mistake(message: string): void {
    this.#touch();
    if (!this.mistakes.has(message)) this.mistakes.set(message, this.place);
  }

  /** Calls `act`. A request that lacks a mock is a mistake of the test, even if the flow goes on. */
  watchMocks<T>(act: () => T): T {
    const note = (error: unknown): void => {
      if (error instanceof ConnectorError && error.code === "needs-mock") {
        this.mistake(error.message);
      }
    };
    try {
      const result = act();
      if (result instanceof Promise) void result.catch(note);
      return result;
    } catch (error) {
      note(error);
      throw error;
    }
  }

  /** What a subject has received and no `expect` has taken. */
  remaining(subject: string): readonly Occurrence[] {
    return this.#occurrences.filter((one) => one.subject === subject && !one.taken);
  }

  /** Takes it for an `expect`, with the failure that it reports. */
  take(occurrence: Occurrence): void {
    occurrence.taken = true;
    const reported = this.failures.find((failure) =>
      !failure.expected && occurrence.reports(failure)
    );
    if (reported !== undefined) reported.expected = true;
  }

  /** Marks failures as expected if another message has all their details. */
  excuse(matches: (failure: FlowFailure) => boolean): void {
    for (const failure of this.failures) {
      if (failure.error.cause === undefined && matches(failure)) failure.expected = true;
    }
  }

  /** Forgets what was received so far, but not the failures. */
  forget(): void {
    this.#occurrences = [];
  }

  /** Ends the test: nothing is recorded from now on. */
  end(): void {
    this.#ended = true;
    this.forget();
  }

  /** Whether the test has ended. */
  get ended(): boolean {
    return this.#ended;
  }
}
