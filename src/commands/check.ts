/** `weir check`: everything that a start checks, without starting. */
import { ConfigError } from "../base/errors.ts";
import { loadConfig } from "../runtime/load.ts";
import { problemWithoutPlace } from "../base/problem.ts";
import type { Model } from "../model/mod.ts";
import { ConfigPathError, hostOptions, readConfigFiles } from "../server/files.ts";
import { type CheckCommand, type ReadingCommand, UsageError } from "./arguments.ts";
import { type Trial, tryConnectors } from "./connect.ts";
import { diskCache } from "./disk-cache.ts";
import { loadEnvFile } from "./env-file.ts";
import { count, countProblems, type ReportedProblem, toReported } from "./problems.ts";
import { printWarnings } from "./start.ts";

/** What `weir check --json` prints. */
export interface CheckReport {
  /** True where the command exits with 0. */
  readonly good: boolean;
  /** By file, line and column. */
  readonly problems: readonly ReportedProblem[];
  /** How many there are; null where the configuration has errors. */
  readonly connectors: number | null;
  /** How many there are; null where the configuration has errors. */
  readonly flows: number | null;
  /** How many there are; null where the configuration has errors. */
  readonly tests: number | null;
  /** With `--connect`: what has been tried. */
  readonly connections?: readonly Trial[];
}

/**
 * Says whether the configuration is good; gives the exit code.
 *
 * @throws {ConfigError} It has errors. With `--json` they are printed instead, as are those below.
 * @throws {ConfigPathError | UsageError} There is nothing to check.
 */
export async function check(command: CheckCommand): Promise<number> {
  return await (command.json ? checkForEditors(command) : checkForPeople(command));
}

/** The model of a command's paths: the very path that `run` takes. */
export async function readModel(
  { paths, envFile }: Pick<ReadingCommand, "paths" | "envFile">,
): Promise<Model> {
  if (envFile !== undefined) await loadEnvFile(envFile);
  const options = { ...hostOptions, cache: diskCache(), embedded: false };
  return await loadConfig(await readConfigFiles(...paths), options);
}

async function checkForPeople(command: CheckCommand): Promise<number> {
  const model = await readModel(command);
  const { warnings } = model;
  printWarnings(model);
  if (command.strict && warnings.length > 0) {
    console.error(`${countProblems(warnings)}: with --strict that is not good enough`);
    return 1;
  }
  const trials = command.connect ? await tryConnectors(model) : [];
  for (const { connector, found, error } of trials) {
    if (error === undefined) console.log(`connector "${connector}": ${found}`);
    else console.error(`error: ${error}`);
  }
  if (trials.some(({ error }) => error !== undefined)) return 3;
  console.log(`good: ${summarize(model)}`);
  return 0;
}

async function checkForEditors(command: CheckCommand): Promise<number> {
  const { code, ...verdict } = await judge(command);
  const report: CheckReport = { good: code === 0, ...verdict };
  console.log(JSON.stringify(report));
  return code;
}

async function judge(
  command: CheckCommand,
): Promise<Omit<CheckReport, "good"> & { readonly code: number }> {
  const unknown = { connectors: null, flows: null, tests: null };
  try {
    const model = await readModel(command);
    const counts = {
      connectors: model.connectors.size,
      flows: model.flows.length,
      tests: model.tests.length,
    };
    const problems = model.warnings.map(toReported);
    if (command.strict && problems.length > 0) return { code: 1, problems, ...counts };
    if (!command.connect) return { code: 0, problems, ...counts };
    const connections = await tryConnectors(model);
    const failures = connections.flatMap(({ error }) => error === undefined ? [] : [error]);
    for (const message of failures) {
      problems.push(toReported(problemWithoutPlace({ code: "connector-failed", message })));
    }
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

function summarize({ connectors, flows, tests, warnings }: Model): string {
  return [
    count(connectors.size, "connector"),
    count(flows.length, "flow"),
    count(tests.length, "test"),
    ...(warnings.length > 0 ? [countProblems(warnings)] : []),
  ].join(", ");
}
