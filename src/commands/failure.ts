/** What a command says of a failure that was expected. */
import { ConfigError, ConnectorError, WorkerError } from "../base/errors.ts";
import { ConfigPathError } from "../server/files.ts";
import { UsageError } from "./arguments.ts";
import { countProblems } from "./problems.ts";

/**
 * Shows the failure and gives the exit code that belongs to it: 1 for a wrong configuration, 2 for
 * wrong usage, 3 for a start that failed. Any other is a bug and is thrown again.
 */
export function explain(error: unknown): number {
  if (error instanceof ConfigError) {
    console.error(error.message);
    console.error(`\n${countProblems(error.problems)}`);
    return 1;
  }
  if (error instanceof UsageError || error instanceof ConfigPathError) {
    console.error(`error: ${error.message}`);
    return 2;
  }
  if (error instanceof ConnectorError || error instanceof WorkerError) {
    console.error(`error: ${error.message}`);
    return 3;
  }
  throw error;
}
