/** What has become of a test. */
import type { TestPlace } from "../model/test.ts";
import type { Difference } from "./match.ts";

/** One test that has run. */
export interface TestResult {
  /** The block's label. */
  readonly name: string;
  /** Where the block stands. */
  readonly place: TestPlace;
  /** In the order of their places; none where the test is good. */
  readonly failures: readonly TestFailure[];
  /** What was logged meanwhile, a line each. */
  readonly log: readonly string[];
}

/** One thing that is not as the test says. */
export interface TestFailure {
  /** The block that is to blame. */
  readonly place: TestPlace;
  /** One sentence. */
  readonly message: string;
  /** What was expected; undefined where it is no matter of that. */
  readonly expected?: unknown;
  /** What came instead, the nearest first; undefined where it is no matter of that. */
  readonly received?: readonly Received[];
}

/** Something that came and does not match. */
export interface Received {
  /** All of it. */
  readonly value: unknown;
  /** Where it is another than expected; none where it should not have come at all. */
  readonly differences: readonly Difference[];
}
