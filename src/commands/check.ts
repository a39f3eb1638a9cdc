/** `weir check`: makes every check of a start, without starting. */
import { messageOf } from "../base/shown.ts";
import { getLogger } from "@logtape/logtape";
import { systemClock } from "../base/clock.ts";
import { ConfigError, ConnectorError } from "../base/errors.ts";
import { problemWithoutPlace, type RuntimeErrorCode } from "../base/problem.ts";
import type { ConnectorModel, Model } from "../model/mod.ts";
import { ConfigPathError } from "../server/files.ts";
import { type CheckCommand, UsageError } from "./arguments.ts";
import { loadModel } from "./load.ts";
import { count, countProblems, type ReportedProblem, toReported } from "./output.ts";
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

/** The result of `--connect` for one connector. */
export interface ProbeResult {
  /** The connector's name. */
  readonly connector: string;
  /** What it found, in words; undefined if it failed. */
  readonly found?: string;
  /** The code of its error; undefined if it did not fail. */
  readonly code?: string;
  /** Why it failed, a sentence that names the connector. */
  readonly error?: string;
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
  const model = await loadModel(command);
  const { warnings } = model;
  printWarnings(model);
  if (command.strict && warnings.length > 0) {
    console.error(
      `${countProblems(warnings)}; failing because of --strict: warnings count as errors`,
    );
    return 1;
  }
  const results = command.connect ? await probeConnectors(model) : [];
  for (const { connector, found, code, error } of results) {
    if (error === undefined) console.log(`connector "${connector}": ${found}`);
    else console.error(`error[${code}]: ${error}`);
  }
  if (results.some(({ error }) => error !== undefined)) return 3;
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
    const model = await loadModel(command);
    const counts = {
      connectors: model.connectors.size,
      flows: model.flows.length,
      tests: model.tests.length,
    };
    const problems = model.warnings.map(toReported);
    if (command.strict && problems.length > 0) return { code: 1, problems, ...counts };
    if (!command.connect) return { code: 0, problems, ...counts };
    const connections = await probeConnectors(model);
    const failures = connections.flatMap(({ code, error }) =>
      // The code of a connector that is not part of Weir is any text.
      error === undefined ? [] : [{ code: code as RuntimeErrorCode, message: error }]
    );
    problems.push(...failures.map((failure) => toReported(problemWithoutPlace(failure))));
    return { code: failures.length > 0 ? 3 : 0, problems, ...counts, connections };
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

/** Connects to every database and broker, all at once, without changing anything. Never rejects. */
async function probeConnectors({ connectors, constants }: Model): Promise<readonly ProbeResult[]> {
  const results = await Promise.all(
    [...connectors.values()].map((connector) => probe(connector, constants)),
  );
  return results.filter((result) => result !== undefined);
}

async function probe(
  { name, definition, options }: ConnectorModel,
  constants: Model["constants"],
): Promise<ProbeResult | undefined> {
  const logger = getLogger(["weir", name]);
  const lookUp = (): never => {
    throw new Error("connectors that have not been started cannot look anything up");
  };
  const context = { name, logger, clock: systemClock, constants, lookUp };
  try {
    const connector = await definition.create(options, context);
    if (connector.probe === undefined) return undefined;
    return { connector: name, found: await connector.probe() };
  } catch (error) {
    // A foreign connector may throw the errors of its library.
    const { code, message } = error instanceof ConnectorError
      ? error
      : new ConnectorError(name, messageOf(error));
    return { connector: name, code, error: message };
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
