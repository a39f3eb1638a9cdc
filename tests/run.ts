/**
 * The test command: `deno task test` runs everything, `deno task test TEXT` the test files whose
 * path contains TEXT. It needs Deno alone and brings the other runtimes. Its last line is
 * `N passed, N failed`; a check that has no tests inside counts as one test.
 */

import { readdir, rm } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Check, installDependencies, listChecks, runCheck } from "./runner/checks.ts";
import { installToolchain } from "./runner/install.ts";
import { Interrupted } from "./runner/process.ts";
import { runSteps, type Step, summarize } from "./runner/steps.ts";
import { reportFolder, runFiles, type StepResult } from "./runner/suite.ts";
import { type Tool, type Toolchain, versions } from "./support/toolchain.ts";

const everyRuntime: readonly Tool[] = ["deno", "bun", "node"];

/** A folder with test files. */
interface Suite {
  readonly folder: string;
  /** What runs it. */
  readonly runtimes: readonly Tool[];
  /**
   * True where one process runs all files: to start it takes longer than most of them. Each file
   * must call `test` itself.
   */
  readonly together?: boolean;
}

/** In the order in which they start: the longest come first, so that no lane waits for the last one. */
const suites: readonly Suite[] = [
  { folder: "tests/unit", runtimes: everyRuntime, together: true },
  // These two start the runtimes that they test.
  { folder: "tests/e2e", runtimes: ["deno"] },
  { folder: "tests/examples", runtimes: ["deno"] },
  { folder: "tests/faults", runtimes: everyRuntime },
  { folder: "tests/contract", runtimes: everyRuntime },
  { folder: "tests/services", runtimes: everyRuntime },
  { folder: "tests/attributes", runtimes: everyRuntime },
  { folder: "tests/architecture", runtimes: ["deno"] },
];

/**
 * Files that stop the broker which others use, or that measure time or memory. They come after all
 * else, one row after the other; the files of a row run side by side.
 */
const later: readonly (readonly string[])[] = [
  ["tests/services/rabbitmq.test.ts", "tests/e2e/signals.test.ts"],
  ["tests/e2e/heartbeat.test.ts"],
  ["tests/e2e/page.test.ts"],
  ["tests/examples/tests.test.ts"],
  ["tests/faults/slow-client.test.ts"],
];

/** How many checks run side by side: they compute. */
const CHECK_LANES = 2;

/** How many processes with tests run side by side: most of their time is spent in waiting. */
const TEST_LANES = 4;

const root = fileURLToPath(new URL("../", import.meta.url));

async function main(filter: string | undefined): Promise<number> {
  const results: StepResult[] = [];
  let tools: Toolchain | undefined;
  results.push(
    ...await runSteps([{
      name: `Deno ${versions.deno}, Bun ${versions.bun}, Node ${versions.node}`,
      parts: [async () => {
        tools = await installToolchain();
        return { passed: 1, failures: [], skipped: [], output: "" };
      }],
    }], 1),
  );
  if (tools !== undefined) {
    const { deno } = tools;
    results.push(...await runSteps([checkStep(installDependencies, deno)], 1));
    if (filter === undefined) {
      // Reports of an older run would count as results of this one.
      await rm(reportFolder(root), { recursive: true, force: true });
      const checks = (await listChecks(root)).map((check) => checkStep(check, deno));
      results.push(...await runSteps(checks, CHECK_LANES));
    }
    results.push(...await runSteps(await listTests(tools, filter ?? ""), TEST_LANES));
    results.push(...await runLater(tools, filter ?? ""));
    if (filter === undefined) {
      results.push(...await runSteps([reliabilityStep(deno), smokeStep(deno)], 1));
    }
  }
  return summarize(results);
}

function checkStep(check: Check, deno: string): Step {
  return { name: check.name, parts: [() => runCheck(check, root, deno)] };
}

async function listTests(tools: Toolchain, filter: string): Promise<Step[]> {
  const steps: Step[] = [];
  const files = await listTestFiles(filter);
  if (files.length === 0) {
    steps.push(failedStep("test files", `no test file's path contains "${filter}"`));
  }
  for (const { folder, runtimes, together } of suites) {
    const selected = files.filter((file) =>
      file.startsWith(`${folder}/`) && !later.flat().includes(file)
    );
    if (selected.length === 0) continue;
    const groups = together ? [selected] : selected.map((file) => [file]);
    for (const runtime of runtimes) {
      const parts = groups.map((group) => () => runFiles(runtime, group, root, tools));
      steps.push({ name: `${folder} on ${runtime}`, parts });
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
          const parts = [() => runFiles(runtime, [file], root, tools)];
          results.push(...await runSteps([{ name: `${file} on ${runtime}`, parts }], 1));
        }
      }),
    );
  }
  return results;
}

/** The table of faults must say what the run has found. */
function reliabilityStep(deno: string): Step {
  const args = ["run", "-A", "docs/reliability.ts", reportFolder(root), "--check"];
  return checkStep({ name: "docs/reliability.md", args }, deno);
}

/** Whether Weir is as fast as it says, in ratios. */
function smokeStep(deno: string): Step {
  const check = { name: "smoke benchmark", args: ["run", "-A", "bench/smoke.ts"] };
  const run = async (): Promise<StepResult> => {
    const result = await runCheck(check, root, deno);
    const reason = /^skipped: (.*)/m.exec(result.output)?.[1];
    return reason === undefined || result.failures.length > 0
      ? result
      : { ...result, passed: 0, skipped: [reason] };
  };
  return { name: check.name, parts: [run] };
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
    parts: [() => Promise.resolve({ passed: 0, failures: [problem], skipped: [], output: "" })],
  };
}

try {
  process.exit(await main(process.argv[2]));
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  console.log(`stopped by ${error.message}`);
  process.exit(130);
}
