/** `weir check`: makes every check of a start, without starting. */
import { ConfigError } from "../base/errors.ts";
import { formatProblem, problemWithoutPlace, type RuntimeErrorCode } from "../base/problem.ts";
import type { Model } from "../model/mod.ts";
import { ConfigPathError } from "../server/files.ts";
import { type CheckCommand, UsageError } from "./arguments.ts";
import { loadModel } from "./load.ts";
import { count, countProblems, type ReportedProblem, toReported } from "./output.ts";
import { probeConnectors, type ProbeResult } from "./probing.ts";
import { printWarnings } from "./start.ts";

/** What `weir check --json` prints. */
export interface CheckReport {
  /** True if the command exits with 0. */
  readonly good: boolean;
  /** Sorted by file, line and column. */
  readonly problems: readonly ReportedProblem[];
  /** The number of connectors; null if the configuration has errors. */
  readonly connectors: number | null;
  /** The number of flows; null if the configuration has errors. */
  readonly flows: number | null;
  /** The number of tests; null if the configuration has errors. */
  readonly tests: number | null;
  /** The results of `--connect`. */
  readonly connections?: readonly ProbeResult[];
}

/**
 * Checks the configuration and returns the exit code.
 *
 * @throws {ConfigError} It has errors. With `--json` all errors are printed instead.
 * @throws {ConfigPathError | UsageError} There is nothing to check.
 */
export async function check(command: CheckCommand): Promise<number> {
  return await (command.json ? checkAsJson(command) : checkAsText(command));
}

async function checkAsText(command: CheckCommand): Promise<number> {
  const model = await loadModel(command, { inspect: true });
  const { warnings } = model;
  printWarnings(warnings);
  if (command.strict && warnings.length > 0) {
    console.error(
      `${countProblems(warnings)}; failing because of --strict: warnings count as errors`,
    );
    return 1;
  }
  const { results, problems } = command.connect
    ? await probeConnectors(model)
    : { results: [], problems: [] };
  for (const problem of problems) console.error(`${formatProblem(problem)}\n`);
  for (const { connector, found, code, error } of results) {
    if (error === undefined) console.log(`connector "${connector}": ${found}`);
    else console.error(`error[${code}]: ${error}`);
  }
  if (problems.length > 0) console.error(countProblems(problems));
  if (results.some(({ error }) => error !== undefined)) return 3;
  if (problems.length > 0) return 1;
  console.log(`good: ${summarize(model)}`);
  return 0;
}

async function checkAsJson(command: CheckCommand): Promise<number> {
  const { code, ...result } = await resultOf(command);
  const report: CheckReport = { good: code === 0, ...result };
  console.log(JSON.stringify(report));
  return code;
}

async function resultOf(
  command: CheckCommand,
): Promise<Omit<CheckReport, "good"> & { readonly code: number }> {
  const unknown = { connectors: null, flows: null, tests: null };
  try {
    const model = await loadModel(command, { inspect: true });
    const counts = {
      connectors: model.connectors.size,
      flows: model.flows.length,
      tests: model.tests.length,
    };
    const problems = model.warnings.map(toReported);
    if (command.strict && problems.length > 0) return { code: 1, problems, ...counts };
    if (!command.connect) return { code: 0, problems, ...counts };
    const { results: connections, problems: refused } = await probeConnectors(model);
    const failures = connections.flatMap(({ code, error }) =>
      // The code of a connector that is not part of Weir is any text.
      error === undefined ? [] : [{ code: code as RuntimeErrorCode, message: error }]
    );
    problems.push(...refused.map(toReported));
    problems.push(...failures.map((failure) => toReported(problemWithoutPlace(failure))));
    const code = failures.length > 0 ? 3 : refused.length > 0 ? 1 : 0;
    return { code, problems, ...counts, connections };
  } catch (error) {
    if (error instanceof ConfigError) {
      return { code: 1, problems: error.problems.map(toReported), ...unknown };
    }
    if (error instanceof ConfigPathError || error instanceof UsageError) {
      return { code: 2, problems: [toReported(problemWithoutPlace(error))], ...unknown };
    }
    throw error;
  }
}

function summarize({ connectors, flows, tests, warnings }: Model): string {
  return [
    count(connectors.size, "connector"),
    count(flows.length, "flow"),
    count(tests.length, "test"),
    ...(warnings.length > 0 ? [countProblems(warnings)] : []),
  ].join(", ");
}
