/** Every error that Weir throws on purpose. */
import { formatProblem, type Problem, type ProblemCode } from "./problem.ts";

/**
 * A configuration that cannot run. It carries all problems at once; `message` shows them the way
 * `weir check` prints them.
 *
 * @example
 * ```ts
 * import { ConfigError, loadConfig } from "@weir/runtime";
 *
 * try {
 *   await loadConfig('connector "ws" { type = "websokcet" }');
 * } catch (error) {
 *   if (error instanceof ConfigError) console.log(error.problems[0].hint);
 * }
 * ```
 */
export class ConfigError extends Error {
  /** `ConfigError`. */
  override readonly name = "ConfigError";
  /** Stable; each problem has a code of its own. */
  readonly code = "invalid-configuration";
  /** All problems, in the order of files and lines. */
  readonly problems: readonly Problem[];

  /** Makes one error of all `problems`. */
  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join("\n\n"));
    this.problems = problems;
  }
}

/**
 * A connector that cannot start or cannot do what was asked of it: a port that is taken, a
 * migration that the database refuses, a publish that the broker did not confirm.
 */
export class ConnectorError extends Error {
  /** `ConnectorError`. */
  override readonly name = "ConnectorError";
  /** What kind of failure it is, such as `cannot-listen`. Codes are stable; any text is allowed. */
  readonly code: string;
  /** The connector's name in the configuration. */
  readonly connector: string;
  /** True where a second try cannot succeed: an expression that fails, a body that is no JSON. */
  readonly permanent: boolean;

  /** `code` is `connector-failed` and `permanent` is false by default. */
  constructor(
    connector: string,
    message: string,
    options: ErrorOptions & { readonly code?: string; readonly permanent?: boolean } = {},
  ) {
    super(`connector "${connector}": ${message}`, options);
    this.connector = connector;
    this.code = options.code ?? "connector-failed";
    this.permanent = options.permanent ?? false;
  }
}

/** Something took longer than its time. */
export class TimeoutError extends Error {
  override readonly name: string = "TimeoutError";
  /** Stable, as every code of an error. */
  readonly code = "timed-out";
}

/**
 * Whether a failure comes from something that is away or too slow at the moment: nothing that the
 * sender of the event could have done better.
 */
export function isOutage(error: unknown): boolean {
  return error instanceof TimeoutError || (error instanceof ConnectorError && !error.permanent);
}

/** A service of several workers that could not start, or has none that serves at the moment. */
export class WorkerError extends Error {
  /** `WorkerError`. */
  override readonly name = "WorkerError";
  /** Stable, as every code of an error. */
  readonly code = "worker-failed";
}

/** The error codes of the wire protocol. They are stable. */
export type ErrorCode =
  | "invalid_json"
  | "invalid_message"
  | "unknown_type"
  | "invalid_room"
  | "room_forbidden"
  | "too_many_rooms"
  | "rate_limited"
  | "validation_failed"
  | "rejected"
  | "unauthorized"
  | "timeout"
  | "flow_failed";

/** What a caller gets instead of the error's own text: a flow's `error_response`. */
export interface ErrorAnswer {
  /** The HTTP status; undefined where the error's code decides. */
  readonly status: number | undefined;
  /** The answer's body; undefined where the error itself is told. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** What a `FlowError` is made of beside its code. */
export interface FlowErrorOptions extends ErrorOptions {
  /** For the client; must not tell the cause. By default it names the flow and the `ref`. */
  readonly message?: string;
  /** None where the message says it all. */
  readonly ref?: string;
  /** False unless told otherwise. */
  readonly permanent?: boolean;
  /** False unless told otherwise. */
  readonly outage?: boolean;
  /** For the client: every `{ path, message }` of data that was refused. */
  readonly details?: readonly unknown[];
  /** None unless the flow has an `error_response`. */
  readonly answer?: ErrorAnswer;
}

/**
 * A flow that could not serve its event. The message may go to a client; `cause` is for the log
 * alone, which repeats `ref` beside it.
 */
export class FlowError extends Error {
  /** `FlowError`. */
  override readonly name = "FlowError";
  /** The flow's name in the configuration. */
  readonly flow: string;
  /** What the client is told. */
  readonly code: ErrorCode;
  /** Eight characters that stand in the log beside the cause; undefined where there is no secret. */
  readonly ref: string | undefined;
  /** True where a second try cannot succeed. */
  readonly permanent: boolean;
  /** True where something that the flow needs is away or too slow: the sender is not to blame. */
  readonly outage: boolean;
  /** What is wrong with the data, each `{ path, message }`; undefined where that is not the reason. */
  readonly details: readonly unknown[] | undefined;
  /** What the caller gets instead. */
  readonly answer: ErrorAnswer | undefined;

  /** Names the flow and what the client is told. */
  constructor(flow: string, code: ErrorCode, options: FlowErrorOptions) {
    super(options.message ?? `flow "${flow}" failed (ref ${options.ref})`, options);
    this.flow = flow;
    this.code = code;
    this.ref = options.ref;
    this.permanent = options.permanent ?? false;
    this.outage = options.outage ?? false;
    this.details = options.details;
    this.answer = options.answer;
  }
}

/** A reference by which an answer to a client and a line of the log can be brought together. */
export function newRef(): string {
  return crypto.randomUUID().slice(0, 8);
}

/** Why an expression cannot be compiled, or `expression-failed` where it failed for one event. */
export type ExpressionErrorCode =
  | "expression-failed"
  | Extract<
    ProblemCode,
    | "expression-syntax"
    | "invalid-expression"
    | "unknown-function"
    | "unknown-variable"
    | "wrong-arguments"
  >;

/** An expression that cannot be compiled, or that failed for one event. */
export class ExpressionError extends Error {
  /** `ExpressionError`. */
  override readonly name = "ExpressionError";
  /** What kind of mistake it is. Codes are stable. */
  readonly code: ExpressionErrorCode;
  /** The expression as written. */
  readonly expression: string;
  /** Where in the expression, in characters from 0; `end` is exclusive. */
  readonly start: number;
  /** The end of the range, exclusive. */
  readonly end: number;
  /** A name that was meant, where one is close. */
  readonly hint?: string;
  /** Where the expression stands in the configuration, such as `chat.hcl:34 (flow "say", text)`. */
  readonly place?: string;

  /** `start` and `end` default to the whole expression, `code` to `expression-failed`. */
  constructor(
    expression: string,
    message: string,
    options: ErrorOptions & {
      readonly code?: ExpressionErrorCode;
      readonly start?: number;
      readonly end?: number;
      readonly hint?: string | undefined;
      readonly place?: string | undefined;
    } = {},
  ) {
    super(message, options);
    this.expression = expression;
    this.code = options.code ?? "expression-failed";
    this.start = options.start ?? 0;
    this.end = options.end ?? expression.length;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.place !== undefined) this.place = options.place;
  }
}
