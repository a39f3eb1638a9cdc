/** Every error that Weir throws on purpose. This module imports nothing. */

/** Something wrong with a configuration, and the place where it stands. */
export interface Problem {
  /** A warning does not keep a configuration from running. */
  readonly severity: "error" | "warning";
  /** One sentence that names the block and what is wrong with it. */
  readonly message: string;
  /** The file as it was named by the caller; empty where no file is to blame. */
  readonly file: string;
  /** 1-based; 0 where no place in the file is to blame. */
  readonly line: number;
  /** 1-based, in characters. */
  readonly column: number;
  /** How many characters the caret underlines; at least 1. */
  readonly length: number;
  /** The text of the line, without its line break. */
  readonly source: string;
  /** What to do about it, such as `did you mean "broadcast"?`. */
  readonly hint?: string;
}

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
  /** The connector's name in the configuration. */
  readonly connector: string;
  /** True where a second try cannot succeed: an expression that fails, a body that is no JSON. */
  readonly permanent: boolean;

  /** `permanent` is false unless told otherwise. */
  constructor(
    connector: string,
    message: string,
    options: ErrorOptions & { readonly permanent?: boolean } = {},
  ) {
    super(`connector "${connector}": ${message}`, options);
    this.connector = connector;
    this.permanent = options.permanent ?? false;
  }
}

/** Something took longer than its time. */
export class TimeoutError extends Error {
  override readonly name: string = "TimeoutError";
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

/** An expression that cannot be compiled, or that failed for one event. */
export class ExpressionError extends Error {
  /** `ExpressionError`. */
  override readonly name = "ExpressionError";
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

  /** `start` and `end` default to the whole expression. */
  constructor(
    expression: string,
    message: string,
    options: ErrorOptions & {
      readonly start?: number;
      readonly end?: number;
      readonly hint?: string | undefined;
      readonly place?: string | undefined;
    } = {},
  ) {
    super(message, options);
    this.expression = expression;
    this.start = options.start ?? 0;
    this.end = options.end ?? expression.length;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.place !== undefined) this.place = options.place;
  }
}

/**
 * Shows one problem with its place, the line itself, a caret and the hint.
 *
 * @example
 * ```ts
 * import { ConfigError, formatProblem, loadConfig } from "@weir/runtime";
 *
 * await loadConfig("flow {").catch((error) => {
 *   if (error instanceof ConfigError) error.problems.map(formatProblem).forEach((p) => console.log(p));
 * });
 * ```
 */
export function formatProblem(problem: Problem): string {
  const { severity, message, file, line, column, length, source, hint } = problem;
  const head = `${severity}: ${message}`;
  if (line === 0) {
    const where = file === "" ? "" : `\n  ┌ ${file}`;
    return head + where + (hint === undefined ? "" : `\n  = ${hint}`);
  }
  const gutter = " ".repeat(String(line).length);
  const { before, after } = around(source, column);
  // A tab stays a tab in front of the caret, so that both lines are equally wide.
  const indent = [...before].map((character) => character === "\t" ? "\t" : " ").join("");
  const width = Math.min(length, Math.max(1, [...after].length));
  const caret = "^".repeat(Math.max(1, width)) + (hint === undefined ? "" : ` ${hint}`);
  return [
    head,
    `${gutter}┌ ${file}:${line}:${column}`,
    `${line}│ ${before}${after}`,
    `${gutter}│ ${indent}${caret}`,
  ].join("\n");
}

/** A line with more characters is shown in part. */
const LONG_LINE = 400;
/** How many characters of it are shown before and after the column. */
const EACH_SIDE = 120;

/** A line in front of a column and from it on; only what is near where the line is long. */
function around(source: string, column: number): { before: string; after: string } {
  let at = 0;
  for (let count = 1; count < column && at < source.length; count++) {
    at += (source.codePointAt(at) ?? 0) > 0xFFFF ? 2 : 1;
  }
  if (source.length <= LONG_LINE) return { before: source.slice(0, at), after: source.slice(at) };
  const before = source.slice(Math.max(0, at - EACH_SIDE), at);
  const after = source.slice(at, at + EACH_SIDE);
  return {
    before: before.length < at ? `…${before}` : before,
    after: at + after.length < source.length ? `${after}…` : after,
  };
}
