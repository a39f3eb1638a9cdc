/** The decisions of a configuration, which `weir test --coverage` looks for in its tests. */
import type { TestPlace } from "./test.ts";

/** The part of a flow, or the rule of a connector, that decides. */
export type DecisionPart =
  | "flow"
  | "filter"
  | "accept"
  | "accept step"
  | "accept skip"
  | "validate.input"
  | "validate.output"
  | "step"
  | "skip"
  | "reject"
  | "dedupe"
  | "to"
  | "fallback"
  | "error_response"
  | "rule";

/** Something that can turn out in several ways. */
export interface Decision {
  /** The name of the flow or connector. */
  readonly owner: string;
  /** Its part. */
  readonly part: DecisionPart;
  /** Which of several: the label of a rule, else the position among the parts of this kind. */
  readonly key: string | number;
  /** In words, such as `flow "order", to "ws"`. */
  readonly subject: string;
  /** Whether it has a condition that can be false. */
  readonly conditional: boolean;
  /** The place of the block or attribute. */
  readonly place: TestPlace;
}
