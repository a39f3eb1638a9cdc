/**
 * Helpers for all parts: errors, problems, time limits, retries, a counter of running work, queues,
 * JSON and text. They know nothing about the other parts.
 *
 * May import no other folder.
 */
export type { Clock } from "./clock.ts";
export {
  ConfigError,
  ConnectorError,
  type ErrorAnswer,
  ExpressionError,
  type ExpressionErrorCode,
  FlowError,
  type FlowErrorOptions,
  PluginError,
  type PluginErrorCode,
  WorkerError,
} from "./errors.ts";
export type { ErrorCode } from "./error-codes.ts";
export { InFlight } from "./in-flight.ts";
export { formatProblem, type Problem, PROBLEM_CODES, type ProblemCode } from "./problem.ts";
