/**
 * The test command: `deno task test` runs everything, `deno task test TEXT` the test files whose
 * path contains TEXT. It needs Deno alone and brings the other runtimes. Its last line is
 * `N passed, N failed`; a check that has no tests inside counts as one test.
 */

import { readdir, rm } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installDependencies, listChecks, runCheck } from "./runner/checks.ts";
import { installToolchain } from "./runner/install.ts";
import { Interrupted } from "./runner/process.ts";
import { reportFolder, runSuite, type StepResult } from "./runner/suite.ts";
import { type Tool, type Toolchain, versions } from "./support/toolchain.ts";

const everyRuntime: readonly Tool[] = ["deno", "bun", "node"];

/** A folder with test files. */
interface Suite {
  readonly folder: string;
  /** What runs it. */
  readonly runtimes: readonly Tool[];
}

/** In the order in which they run. */
const suites: readonly Suite[] = [
  { folder: "tests/unit", runtimes: everyRuntime },
  { folder: "tests/architecture", runtimes: ["deno"] },
  { folder: "tests/attributes", runtimes: everyRuntime },
  { folder: "tests/contract", runtimes: everyRuntime },
  { folder: "tests/faults", runtimes: everyRuntime },
  // These start the runtimes that they test.
  { folder: "tests/examples", runtimes: ["deno"] },
  { folder: "tests/e2e", runtimes: ["deno"] },
  { folder: "tests/services", runtimes: everyRuntime },
];

/**
 * Files that stop the broker which others use, or that measure time or memory. They come after all
 * else, one row after the other; the files of a row run side by side.
 */
const later: readonly (readonly string[])[] = [
  ["tests/services/rabbitmq.test.ts", "tests/e2e/heartbeat.test.ts", "tests/e2e/signals.test.ts"],
  ["tests/e2e/page.test.ts"],
  ["tests/examples/tests.test.ts"],
  ["tests/faults/slow-client.test.ts"],
];

/** How many suites run side by side: most of their time is spent in waiting. */
const LANES = 4;

/** Something that runs and is counted. */
interface Step {
  readonly name: string;
  /** True where others may run at the same time. */
  readonly shares: boolean;
  run(): Promise<StepResult>;
}

const root = fileURLToPath(new URL("../", import.meta.url));

async function main(filter: string | undefined): Promise<number> {
  const results: StepResult[] = [];
  let tools: Toolchain | undefined;
  results.push(
    await runStep({
      name: `Deno ${versions.deno}, Bun ${versions.bun}, Node ${versions.node}`,
      shares: false,
      run: async () => {
        tools = await installToolchain();
        return { passed: 1, failures: [], skipped: [], output: "" };
      },
    }),
  );
  if (tools !== undefined) {
    // Reports of an older run would count as results of this one.
    if (filter === undefined) await rm(reportFolder(root), { recursive: true, force: true });
    results.push(...await runAll(await listSteps(tools, filter)));
    results.push(...await runLater(tools, filter ?? ""));
    if (filter === undefined) results.push(await runStep(reliabilityStep(tools)));
  }
  return summarize(results);
}

/** Runs steps in their order: those that share side by side, each of the others alone. */
async function runAll(steps: readonly Step[]): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (let start = 0; start < steps.length;) {
    const next = steps.findIndex(({ shares }, index) => index >= start && !shares);
    const end = next === start ? start + 1 : next < 0 ? steps.length : next;
    const waiting = steps.slice(start, end);
    const lane = async (): Promise<void> => {
      for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
        results.push(await runStep(step));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    start = end;
  }
  return results;
}

async function listSteps(tools: Toolchain, filter: string | undefined): Promise<Step[]> {
  const checks = [installDependencies];
  if (filter === undefined) checks.push(...await listChecks(root));
  const steps: Step[] = checks.map((check) => ({
    name: check.name,
    shares: false,
    run: () => runCheck(check, root, tools.deno),
  }));

  const files = await listTestFiles(filter ?? "");
  if (files.length === 0) {
    steps.push(failedStep("test files", `no test file's path contains "${filter ?? ""}"`));
  }
  for (const { folder, runtimes } of suites) {
    const selected = files.filter((file) =>
      file.startsWith(`${folder}/`) && !later.flat().includes(file)
    );
    if (selected.length === 0) continue;
    for (const runtime of runtimes) {
      const run = () => runSuite(runtime, selected, root, tools);
      steps.push({ name: `${folder} on ${runtime}`, shares: true, run });
    }
  }
  for (const file of files) {
    if (!suites.some(({ folder }) => file.startsWith(`${folder}/`))) {
      steps.push(failedStep(file, "this file is in no folder that tests/run.ts knows"));
    }
  }
  return steps;
}

/** Runs the files of `later` that are wanted. */
async function runLater(tools: Toolchain, filter: string): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const row of later) {
    await Promise.all(
      row.filter((file) => file.includes(filter)).map(async (file) => {
        const { runtimes } = suites.find(({ folder }) => file.startsWith(`${folder}/`)) ??
          suites[0];
        for (const runtime of runtimes) {
          const run = () => runSuite(runtime, [file], root, tools);
          results.push(await runStep({ name: `${file} on ${runtime}`, shares: false, run }));
        }
      }),
    );
  }
  return results;
}

/** The table of faults must say what the run has found. */
function reliabilityStep({ deno }: Toolchain): Step {
  const folder = reportFolder(root);
  const name = "docs/reliability.md";
  const args = ["run", "-A", "docs/reliability.ts", folder, "--check"];
  return { name, shares: false, run: () => runCheck({ name, args }, root, deno) };
}

async function listTestFiles(filter: string): Promise<string[]> {
  const names = await readdir(`${root}tests`, { recursive: true });
  return names.map((name) => `tests/${name}`)
    .filter((file) => file.endsWith(".test.ts") && file.includes(filter))
    .sort();
}

function failedStep(name: string, problem: string): Step {
  return {
    name,
    shares: false,
    run: () => Promise.resolve({ passed: 0, failures: [problem], skipped: [], output: "" }),
  };
}

/** Runs one step and says how it went. What it throws is its failure: the next one still runs. */
async function runStep(step: Step): Promise<StepResult> {
  const start = performance.now();
  let result: StepResult;
  try {
    result = await step.run();
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const problem = error instanceof Error ? error.message : String(error);
    result = { passed: 0, failures: [problem], skipped: [], output: "" };
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { passed, failures, skipped, output } = result;
  const counts = [`${passed} passed`];
  if (failures.length > 0) counts.push(`${failures.length} failed`);
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
  const verdict = failures.length > 0 ? "FAILED" : "ok    ";
  console.log(`${verdict} ${step.name}: ${counts.join(", ")} (${seconds} s)`);
  if (failures.length > 0 && output !== "") console.log(`\n${output.trim()}\n`);
  for (const name of skipped) console.log(`       skipped: ${name}`);
  return { ...result, failures: failures.map((failure) => `${step.name}: ${failure}`) };
}

/** Prints the totals and returns the exit code. */
function summarize(results: readonly StepResult[]): number {
  const failures = results.flatMap((result) => result.failures);
  if (failures.length > 0) console.log(`\nFailed:\n  ${failures.join("\n  ")}`);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  console.log(`\n${passed} passed, ${failures.length} failed`);
  return failures.length > 0 ? 1 : 0;
}

try {
  process.exit(await main(process.argv[2]));
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  console.log(`stopped by ${error.message}`);
  process.exit(130);
}
