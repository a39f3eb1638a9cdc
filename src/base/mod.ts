/**
 * What every part may use: errors, JSON, the clock, texts, queues. It knows nothing of Weir's own
 * parts.
 *
 * May import no other folder.
 */
export type { Clock } from "./clock.ts";
export {
  ConfigError,
  ConnectorError,
  type ErrorAnswer,
  type ErrorCode,
  ExpressionError,
  FlowError,
  type FlowErrorOptions,
  WorkerError,
} from "./errors.ts";
export { formatProblem, type Problem, type ProblemCode } from "./problem.ts";
