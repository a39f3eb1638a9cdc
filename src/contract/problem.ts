/** A problem of one block of a configuration, as a connector finds it. */
import type { ProblemCode } from "../base/problem.ts";

/** A problem of one block of a configuration, as a connector's own checks return it. */
export interface BlockProblem<Code extends string = string> {
  /** What kind of problem it is; `connector-rule` by default. Built-in connectors have `ProblemCode`. */
  readonly code?: Code;
  /**
   * The attribute or inner block to point at, such as `queue` or `queue.name`; the block's header
   * where it is undefined or absent.
   */
  readonly attribute?: string;
  /** The label of the block that `attribute` names, if there are several. */
  readonly label?: string;
  /** What is wrong, a sentence without the block's name: `needs a target`. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** A warning does not keep a configuration from running. An error by default. */
  readonly severity?: "error" | "warning";
}

/** A `BlockProblem` of a built-in connector, whose code is one of Weir's own. */
export type CodedProblem = BlockProblem<ProblemCode> & { readonly code: ProblemCode };
