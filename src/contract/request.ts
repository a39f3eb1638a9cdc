/** The types of what one connector is asked by a block of a configuration. */
import type { Expression } from "../expression/mod.ts";

/** What a connector is asked to do, by a `to` or a `step`. */
export interface RequestModel {
  /** The connector's name. */
  readonly connector: string;
  /** What the connector does with the payload; undefined where the block does not say. */
  readonly operation: string | undefined;
  /** A literal name, or an expression. */
  readonly target: string | Expression | undefined;
  /** Skips it where it is false. */
  readonly when: Expression | undefined;
  /** What the connector's own fields made of the block. */
  readonly options: unknown;
  /** True where every instance of the service hears the flow's source by itself. */
  readonly everyInstance?: boolean;
}

/** A `step` block. */
export interface StepModel extends RequestModel {
  /** Its label; its result is `step.NAME`. */
  readonly name: string;
  /** What is sent; undefined for the payload. */
  readonly params: Readonly<Record<string, Expression>> | undefined;
  /** Milliseconds; undefined for no limit but the flow's. */
  readonly timeout: number | undefined;
  /** Whether a failure fails the flow or leaves the default as the result. */
  readonly onError: "fail" | "skip";
  /** The result where there is none; null where the block does not say. */
  readonly default: unknown;
  /** Takes note of a failure that was skipped, for `weir test --coverage`. Absent elsewhere. */
  readonly skipped?: (() => void) | undefined;
}

/** A `step` block of a connector: what it asks another one outside of any flow. */
export interface LookupModel extends StepModel {
  /** Milliseconds for which a result is reused for equal requests; undefined for never. */
  readonly cache: number | undefined;
}
