/** `weir test`: runs the test blocks of a configuration, without any server. */
import { configure, type LogRecord } from "@logtape/logtape";
import { ConfigError } from "../base/errors.ts";
import { problemWithoutPlace } from "../base/problem.ts";
import type { Model } from "../model/mod.ts";
import { ManualClock } from "../testing/clock.ts";
import { Coverage } from "../testing/coverage.ts";
import { coverageJson, formatCoverage } from "../testing/coverage-report.ts";
import { Players } from "../testing/players.ts";
import { Printer } from "../testing/printing.ts";
import { Randomness } from "../testing/randomness.ts";
import { formatSummary, toJson } from "../testing/report.ts";
import type { TestResult } from "../testing/report.ts";
import { runTest } from "../testing/run.ts";
import type { TestCommand } from "./arguments.ts";
import { loadModel } from "./load.ts";
import { count, toReported } from "./output.ts";

/**
 * Runs the tests one after another, prints their results and returns the exit code.
 *
 * @throws {ConfigError} The configuration has errors. With `--json` they are printed instead.
 */
export async function test(command: TestCommand): Promise<number> {
  const clock = new ManualClock();
  const randomness = new Randomness();
  const lines: string[] = [];
  await keepLog(lines);
  let model: Model;
  try {
    // Expressions use the time of the tests, and random values that are the same in every run.
    const randomBytes = randomness.expressions;
    // A test serves no files, so a page need not be built.
    const hasFolder = undefined;
    model = await loadModel(command, { now: () => clock.now(), randomBytes, hasFolder });
  } catch (error) {
    if (!command.json || !(error instanceof ConfigError)) throw error;
    return printJson([], error.problems.map(toReported));
  }
  const tests = model.tests.filter(({ name }) => name.includes(command.filter));
  if (tests.length === 0) return refuse(model, command);
  const results: TestResult[] = [];
  const coverage = command.coverage ? new Coverage(model) : undefined;
  const players = new Players();
  const printer = new Printer(players);
  const takeLog = () => lines.splice(0);
  for (const one of tests) {
    const result = await runTest(model, one, { clock, randomness, coverage, players, takeLog });
    results.push(result);
    if (command.json) continue;
    for (const line of printer.result(result)) console.log(line);
  }
  if (command.json) return printJson(results, [], players, coverage);
  for (const line of printer.players) console.log(line);
  console.log(formatSummary(results));
  if (coverage !== undefined) console.log(formatCoverage(coverage.result));
  return results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

/** Fails a run without tests, which would otherwise look like a success. */
function refuse({ tests }: Model, { filter, json }: TestCommand): number {
  const message = tests.length === 0
    ? 'no tests found; write one as test "what must happen" { … }'
    : `none of ${count(tests.length, "test")} has "${filter}" in its name`;
  if (json) return printJson([], [toReported(problemWithoutPlace({ code: "no-tests", message }))]);
  console.error(`error[no-tests]: ${message}`);
  return 1;
}

function printJson(
  results: readonly TestResult[],
  problems: readonly unknown[],
  players?: Players,
  coverage?: Coverage,
): number {
  const found = coverage && { coverage: coverageJson(coverage.result) };
  console.log(JSON.stringify({ ...toJson(results, players?.all), ...found, problems }));
  const good = problems.length === 0 && results.every(({ failures }) => failures.length === 0);
  return good ? 0 : 1;
}

/** Collects the log in `lines`; only that of a failed test is printed. */
async function keepLog(lines: string[]): Promise<void> {
  await configure({
    sinks: { lines: (record) => void lines.push(toLine(record)) },
    loggers: [
      { category: "weir", lowestLevel: "info", sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["lines"] },
    ],
  });
}

/** The same text on every runtime, and without a time, since tests stop the clock. */
function toLine({ level, category, message }: LogRecord): string {
  const text = message.map((part, index) => index % 2 === 0 ? part : toText(part)).join("");
  return `${level} ${category.join(".")}: ${text}`;
}

function toText(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof Error ? value.message : JSON.stringify(value) ?? String(value);
}
