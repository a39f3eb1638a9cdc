/** Runs the `test` blocks of a configuration in a program, as `weir test` does. */
import { ConfigError } from "../base/errors.ts";
import { problemWithoutPlace } from "../base/problem.ts";
import type { SourceFile } from "../hcl/tree.ts";
import type { Model } from "../model/mod.ts";
import { loadConfig, type LoadOptions } from "../runtime/load.ts";
import { hostOptions } from "../server/files.ts";
import { ManualClock } from "./clock.ts";
import { Coverage, type CoverageResult } from "./coverage.ts";
import { formatCoverage } from "./coverage-report.ts";
import { type Player, Players } from "./players.ts";
import { Printer } from "./printing.ts";
import { Randomness } from "./randomness.ts";
import { formatResult, formatSummary, type TestResult } from "./report.ts";
import { runTest } from "./run.ts";
import type { RegisterTest } from "./suite/options.ts";

/** The options of `runConfigTests`. */
export interface ConfigTestOptions extends Omit<LoadOptions, "now" | "randomBytes" | "embedded"> {
  /** Runs only the tests whose name contains this text. All by default. */
  readonly filter?: string;
  /** Records what no test goes through, for `coverage` of the results. False by default. */
  readonly coverage?: boolean;
}

/** The results of the `test` blocks of a configuration. */
export interface ConfigTestResults {
  /** True if all tests passed. */
  readonly passed: boolean;
  /** In the order of the blocks. */
  readonly results: readonly TestResult[];
  /** What answered for the services of the connectors, where that is not what the tests always use. */
  readonly played: readonly Player[];
  /** What the tests went through, and what not. Undefined without the option `coverage`. */
  readonly coverage?: CoverageResult;
  /** What `weir test` prints. */
  readonly report: string;
}

/** A test of a configuration failed. The message is that of `weir test`. */
export class ConfigTestError extends Error {
  /** `ConfigTestError`. */
  override readonly name = "ConfigTestError";
  /** All deviations of the test. */
  readonly result: TestResult;

  /** `result` has at least one failure. */
  constructor(result: TestResult) {
    super(formatResult(result));
    this.result = result;
  }
}

/** A model that was loaded for its tests, and what its expressions depend on. */
interface Loaded {
  readonly model: Model;
  readonly clock: ManualClock;
  readonly randomness: Randomness;
}

/**
 * Runs the `test` blocks of a configuration, as `weir test` does: without sockets, and with a clock
 * that the tests move. By default it reads environment variables and files of this machine, and
 * imports plugins. What the flows log goes where the program sends its log.
 *
 * @throws {ConfigError} The configuration has problems, or no test that matches `filter`.
 *
 * @example
 * ```ts
 * import { runConfigTests } from "@weir/runtime/testing";
 *
 * const { passed, report } = await runConfigTests(`
 *   connector "api" {
 *     type = "rest"
 *     port = 3000
 *   }
 *   flow "hello" {
 *     from {
 *       connector = "api"
 *       operation = "GET /hello/:name"
 *     }
 *     response { text = "'hello ' + input.name" }
 *   }
 *   test "it greets" {
 *     given "api" { operation = "GET /hello/ada" }
 *     expect "api" { data = { text = "hello ada" } }
 *   }
 * `);
 * console.log(passed, report);
 * ```
 */
export async function runConfigTests(
  config: string | readonly SourceFile[],
  options: ConfigTestOptions = {},
): Promise<ConfigTestResults> {
  const { model, ...world } = await load(config, options);
  const results: TestResult[] = [];
  const coverage = options.coverage ? new Coverage(model) : undefined;
  const players = new Players();
  const printer = new Printer(players);
  const lines: string[] = [];
  for (const test of model.tests) {
    const result = await runTest(model, test, { ...world, coverage, players });
    results.push(result);
    lines.push(...printer.result(result));
  }
  lines.push(...printer.players, formatSummary(results));
  return {
    passed: results.every(({ failures }) => failures.length === 0),
    results,
    played: players.all,
    ...(coverage && { coverage: coverage.result }),
    report: [...lines, ...(coverage ? [formatCoverage(coverage.result)] : [])].join("\n"),
  };
}

/**
 * Registers each `test` block of a configuration as a test of the runner: `test` of `node:test`, of
 * `bun:test` or of Vitest, or `Deno.test`. A test that fails throws a `ConfigTestError`.
 *
 * @throws {ConfigError} The configuration has problems, or no test that matches `filter`.
 *
 * @example
 * ```ts
 * import { testConfig } from "@weir/runtime/testing";
 *
 * const registered: string[] = [];
 * await testConfig(
 *   (name) => registered.push(name), // `test` of "node:test", or Deno.test
 *   `
 *     connector "api" {
 *       type = "rest"
 *       port = 3000
 *     }
 *     test "nobody calls" {
 *       expect "api" { nothing = true }
 *     }
 *   `,
 * );
 * console.log(registered); // ["nobody calls"]
 * ```
 */
export async function testConfig(
  test: RegisterTest,
  config: string | readonly SourceFile[],
  options: ConfigTestOptions = {},
): Promise<void> {
  const { model, ...world } = await load(config, options);
  let last: Promise<unknown> = Promise.resolve();
  for (const block of model.tests) {
    test(block.name, async () => {
      // One at a time, since they share the clock, even if the runner runs several at once.
      const running = last.then(() => runTest(model, block, world));
      last = running.catch(() => undefined);
      const result = await running;
      if (result.failures.length > 0) throw new ConfigTestError(result);
    });
  }
}

async function load(
  config: string | readonly SourceFile[],
  { filter = "", coverage: _, ...options }: ConfigTestOptions,
): Promise<Loaded> {
  const clock = new ManualClock();
  const randomness = new Randomness();
  // Expressions use the time of the tests, and random values that are the same in every run.
  const world = { now: () => clock.now(), randomBytes: randomness.expressions };
  const model = await loadConfig(config, { ...hostOptions, ...options, ...world });
  const tests = model.tests.filter(({ name }) => name.includes(filter));
  if (tests.length > 0) return { model: { ...model, tests }, clock, randomness };
  const message = model.tests.length === 0
    ? 'no tests found; write one as test "what must happen" { … }'
    : `no test has ${JSON.stringify(filter)} in its name; the configuration has ` +
      model.tests.map(({ name }) => JSON.stringify(name)).join(", ");
  throw new ConfigError([problemWithoutPlace({ code: "no-tests", message })]);
}
