/** The errors that Weir throws. */
import { recognizeCopies } from "./copies.ts";
import { formatProblem, type Problem, type ProblemCode } from "./problem.ts";

/**
 * A configuration has problems. The error has all of them, and `message` shows them as `weir check`
 * prints them.
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

  static {
    recognizeCopies(this, "ConfigError");
  }
}

/**
 * A connector cannot start or an operation failed: a port is in use, a database refused a migration,
 * a broker did not confirm a message.
 */
export class ConnectorError extends Error {
  /** `ConnectorError`. */
  override readonly name = "ConnectorError";
  /** The kind of failure, such as `cannot-listen`. Codes are stable. A connector may have its own. */
  readonly code: string;
  /** The connector's name in the configuration; empty if the error is not about one connector. */
  readonly connector: string;
  /** True if a retry cannot succeed, such as with a body that is not JSON. */
  readonly permanent: boolean;
  /** The status of the response of an API, which expressions see as `error.status`; undefined without one. */
  readonly status: number | undefined;
  /** The parsed body of that response, which expressions see as `error.body`. */
  readonly body: unknown;

  /** `code` is `connector-failed` and `permanent` is false by default. */
  constructor(
    connector: string,
    message: string,
    options: ErrorOptions & {
      readonly code?: string;
      readonly permanent?: boolean;
      readonly status?: number;
      readonly body?: unknown;
    } = {},
  ) {
    super(connector === "" ? message : `connector "${connector}": ${message}`, options);
    this.connector = connector;
    this.code = options.code ?? "connector-failed";
    this.permanent = options.permanent ?? false;
    this.status = options.status;
    this.body = options.body;
  }

  static {
    recognizeCopies(this, "ConnectorError");
  }
}

/** Why a plugin cannot be used. */
export type PluginErrorCode = Extract<ProblemCode, `plugin-${string}`>;

/**
 * A plugin cannot be imported. The option `importPlugin` of `loadConfig` throws it; the problem of
 * the configuration has its code, message and hint.
 */
export class PluginError extends Error {
  /** `PluginError`. */
  override readonly name = "PluginError";
  /** The kind of failure. Codes are stable. */
  readonly code: PluginErrorCode;
  /** What to do about it. */
  readonly hint?: string;

  /** `message` completes a sentence that begins with the plugin: `is not installed`. */
  constructor(
    code: PluginErrorCode,
    message: string,
    options: ErrorOptions & { readonly hint?: string | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
    if (options.hint !== undefined) this.hint = options.hint;
  }

  static {
    recognizeCopies(this, "PluginError");
  }
}

/** An operation timed out. */
export class TimeoutError extends Error {
  override readonly name: string = "TimeoutError";
  /** The code of the error. Codes are stable. */
  readonly code = "timed-out";
}

/** Whether a failure is temporary: something is unavailable or too slow. */
export function isOutage(error: unknown): boolean {
  return error instanceof TimeoutError || (error instanceof ConnectorError && !error.permanent);
}

/** A service of several workers could not start, or has no worker that serves now. */
export class WorkerError extends Error {
  /** `WorkerError`. */
  override readonly name = "WorkerError";
  /** The code of the error. Codes are stable. */
  readonly code = "worker-failed";

  static {
    recognizeCopies(this, "WorkerError");
  }
}

/** The response of a flow's `error_response`, which replaces that of the error. */
export interface ErrorAnswer {
  /** The HTTP status; undefined for that of the error's code. */
  readonly status: number | undefined;
  /** The body; undefined for that of the error. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** The options of a `FlowError`. */
export interface FlowErrorOptions extends ErrorOptions {
  /** For the client, so without the cause. By default it names the flow and the `ref`. */
  readonly message?: string;
  /** None by default. */
  readonly ref?: string;
  /** False by default. */
  readonly permanent?: boolean;
  /** False by default. */
  readonly outage?: boolean;
  /** The HTTP status of a `reject`. None by default. */
  readonly status?: number;
  /** For the client: every `{ path, message }` of invalid data. */
  readonly details?: readonly unknown[];
  /** The response of `error_response`. None by default. */
  readonly answer?: ErrorAnswer;
}

/**
 * A flow failed. The client may see `message`. `cause` is for the log only, where it has the same
 * `ref` as the message.
 */
export class FlowError extends Error {
  /** `FlowError`. */
  override readonly name = "FlowError";
  /** The flow's name in the configuration. */
  readonly flow: string;
  /** The error code for the client: an `ErrorCode`, or that of the flow's own `reject`. */
  readonly code: string;
  /** Eight characters that are also in the log, beside the cause; undefined without a cause. */
  readonly ref: string | undefined;
  /** True if a retry cannot succeed. */
  readonly permanent: boolean;
  /** True if something that the flow needs is unavailable or too slow. */
  readonly outage: boolean;
  /** The HTTP status of the `reject` that refused the event; undefined for any other failure. */
  readonly status: number | undefined;
  /** Every `{ path, message }` of invalid data; undefined if the data is not the reason. */
  readonly details: readonly unknown[] | undefined;
  /** The response that replaces that of the error; undefined if there is none. */
  readonly answer: ErrorAnswer | undefined;

  /** `message` names the flow and the `ref` by default. */
  constructor(flow: string, code: string, options: FlowErrorOptions) {
    super(options.message ?? `flow "${flow}" failed (ref ${options.ref})`, options);
    this.flow = flow;
    this.code = code;
    this.ref = options.ref;
    this.permanent = options.permanent ?? false;
    this.outage = options.outage ?? false;
    this.status = options.status;
    this.details = options.details;
    this.answer = options.answer;
  }

  static {
    recognizeCopies(this, "FlowError");
  }
}

/** Whether the flow's `accept` or `reject` refused the event, which is no failure. */
export function isRefusal({ code, status }: FlowError): boolean {
  return code === "rejected" || status !== undefined;
}

/** Why an expression cannot be compiled; `expression-failed` if it failed for an event. */
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

/** An expression cannot be compiled, or failed for an event. */
export class ExpressionError extends Error {
  /** `ExpressionError`. */
  override readonly name = "ExpressionError";
  /** The kind of error. Codes are stable. */
  readonly code: ExpressionErrorCode;
  /** The expression as written. */
  readonly expression: string;
  /** The start of the range in the expression, in characters from 0. */
  readonly start: number;
  /** The end of the range, exclusive. */
  readonly end: number;
  /** A name that was probably meant. */
  readonly hint?: string;
  /** The place in the configuration, such as `chat.hcl:34 (flow "say", text)`. */
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

  static {
    recognizeCopies(this, "ExpressionError");
  }
}

/** The message of an error, with the place of an expression. It is for logs: no client may see it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error instanceof ExpressionError ? error.place : undefined;
  return place === undefined ? error.message : `${place}: ${error.message}`;
}
