/** `weir test`: runs the test blocks of a configuration, without any server. */
import { configure, type LogRecord } from "@logtape/logtape";
import { ConfigError } from "../base/errors.ts";
import { loadConfig } from "../runtime/load.ts";
import { problemWithoutPlace } from "../base/problem.ts";
import type { Model } from "../model/mod.ts";
import { hostOptions, readConfigFiles } from "../server/files.ts";
import { ManualClock } from "../testing/clock.ts";
import { formatResult, formatSummary, toJson } from "../testing/report.ts";
import type { TestResult } from "../testing/result.ts";
import { runTest } from "../testing/mod.ts";
import type { TestCommand } from "./arguments.ts";
import { diskCache } from "./disk-cache.ts";
import { loadEnvFile } from "./env-file.ts";
import { count, toReported } from "./problems.ts";

/**
 * Runs the tests one after the other and prints what has become of them; gives the exit code.
 *
 * @throws {ConfigError} The configuration has errors. With `--json` they are printed instead.
 */
export async function test(command: TestCommand): Promise<number> {
  const clock = new ManualClock();
  const lines: string[] = [];
  await keepLog(lines);
  let model: Model;
  try {
    model = await readModel(command, clock);
  } catch (error) {
    if (!command.json || !(error instanceof ConfigError)) throw error;
    return printJson([], error.problems.map(toReported));
  }
  const tests = model.tests.filter(({ name }) => name.includes(command.filter));
  if (tests.length === 0) return refuse(model, command);
  const results: TestResult[] = [];
  for (const one of tests) {
    const result = await runTest(model, one, { clock, takeLog: () => lines.splice(0) });
    results.push(result);
    if (!command.json) console.log(formatResult(result));
  }
  if (command.json) return printJson(results, []);
  console.log(formatSummary(results));
  return results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

/** The model, whose expressions have the time of the tests. */
async function readModel({ paths, envFile }: TestCommand, clock: ManualClock): Promise<Model> {
  if (envFile !== undefined) await loadEnvFile(envFile);
  const options = {
    ...hostOptions,
    cache: diskCache(),
    embedded: false,
    now: () => clock.now(),
  };
  return await loadConfig(await readConfigFiles(...paths), options);
}

/** What would pass for good where nothing has been tested. */
function refuse({ tests }: Model, { filter, json }: TestCommand): number {
  const message = tests.length === 0
    ? 'there is no test: write one as test "what must happen" { … }'
    : `none of ${count(tests.length, "test")} has "${filter}" in its name`;
  if (json) return printJson([], [toReported(problemWithoutPlace({ code: "no-tests", message }))]);
  console.error(`error: ${message}`);
  return 1;
}

function printJson(results: readonly TestResult[], problems: readonly unknown[]): number {
  console.log(JSON.stringify({ ...toJson(results), problems }));
  const good = problems.length === 0 && results.every(({ failures }) => failures.length === 0);
  return good ? 0 : 1;
}

/** Puts the log into `lines`: only that of a test that fails is of interest. */
async function keepLog(lines: string[]): Promise<void> {
  await configure({
    sinks: { lines: (record) => void lines.push(toLine(record)) },
    loggers: [
      { category: "weir", lowestLevel: "info", sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["lines"] },
    ],
  });
}

/** The same text on every runtime, and without a time: that of tests stands still. */
function toLine({ level, category, message }: LogRecord): string {
  const text = message.map((part, index) => index % 2 === 0 ? part : toText(part)).join("");
  return `${level} ${category.join(".")}: ${text}`;
}

function toText(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof Error ? value.message : JSON.stringify(value) ?? String(value);
}
