/**
 * The test command.
 *
 *     deno task test             everything
 *     deno task test TEXT        the test files whose path contains TEXT, on all runtimes
 *     deno task test --quick     unit and contract tests on Deno alone
 *
 * It needs only Deno and installs the other runtimes. Its last line is `N passed, N failed`; a check
 * that has no tests inside counts as one test. Exit codes: 0 all passed, 1 a failure, 2 wrong usage,
 * 130 interrupted.
 */

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Check, installDependencies, listChecks, runCheck } from "./runner/checks.ts";
import { installToolchain } from "./runner/install.ts";
import { packagesFor } from "./runner/packages.ts";
import { Interrupted } from "./runner/process.ts";
import { freeProcessor } from "./runner/processor.ts";
import {
  failed,
  type Part,
  runSteps,
  type Step,
  type StepResult,
  summarize,
} from "./runner/steps.ts";
import { reportFolder, runFiles } from "./runner/suite.ts";
import {
  divide,
  everyRuntime,
  gather,
  isolated,
  later,
  patienceFor,
  queueOf,
  suites,
} from "./runner/suites.ts";
import { PACKAGES_VARIABLE, type Toolchain, versions } from "./support/toolchain.ts";

/** How many checks run side by side: they use all of a core. */
const CHECK_LANES = 2;

/** How many processes with tests run side by side: most of them wait most of the time. */
const TEST_LANES = 6;

/** How many more where all of those wait. */
const SPARE_LANES = 3;

/** How often it is looked whether they do, in milliseconds: a process needs that long to start. */
const LOOK = 1_500;

/** The same where a text selects the files: without queues, they may all be those that compute. */
const SELECTED_LANES = 4;

/** How many processes share the files of a folder with `--quick`: some of their tests wait. */
const QUICK_PROCESSES = 3;

const root = fileURLToPath(new URL("../", import.meta.url));

/** What the command line asks for. */
interface Options {
  readonly filter: string;
  readonly quick: boolean;
  /** True where everything runs. */
  readonly whole: boolean;
}

/** The command line is wrong. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

function parseOptions(args: readonly string[]): Options {
  const flags = args.filter((arg) => arg.startsWith("-"));
  const texts = args.filter((arg) => !arg.startsWith("-"));
  const unknown = flags.find((flag) => flag !== "--quick");
  if (unknown !== undefined) {
    throw new UsageError(`unknown option "${unknown}"; the only option is --quick`);
  }
  if (texts.length > 1) {
    throw new UsageError(
      `one text selects the test files, not ${texts.length}: ${texts.join(" ")}`,
    );
  }
  const filter = texts.at(0) ?? "";
  const quick = flags.length > 0;
  return { filter, quick, whole: filter === "" && !quick };
}

async function main(options: Options): Promise<number> {
  const { filter, quick, whole } = options;
  const files = await listTestFiles(filter, quick);
  if (files.length === 0) {
    const kind = quick ? "unit or contract test" : "test file in tests/";
    throw new UsageError(`the path of no ${kind} contains "${filter}"`);
  }
  const results: StepResult[] = [];
  let tools: Toolchain | undefined;
  const names = `Deno ${versions.deno}, Bun ${versions.bun}, Node ${versions.node}`;
  results.push(
    ...await runSteps([singleStep(names, async () => {
      tools = await installToolchain();
      return { passed: 1, failures: [], skipped: [], output: "" };
    })], 1),
  );
  if (tools !== undefined) {
    const { deno } = tools;
    results.push(...await runSteps([checkStep(installDependencies, deno)], 1));
    if (whole) {
      // Reports of an older run would count as results of this one.
      await rm(reportFolder(root), { recursive: true, force: true });
      const checks = (await listChecks(root)).map((check) => checkStep(check, deno));
      results.push(...await runSteps(checks, CHECK_LANES));
    }
    const lanes = filter === "" ? TEST_LANES : SELECTED_LANES;
    const packages = await mkdtemp(join(tmpdir(), "weir-packages-"));
    try {
      results.push(...await preparePackages(files, packages, deno));
      const spare = { most: lanes + SPARE_LANES, every: LOOK, free: freeProcessor() };
      results.push(...await runSteps(listTests(tools, files, options), lanes, spare));
      results.push(...await runLater(tools, files));
    } finally {
      await rm(packages, { recursive: true });
    }
    if (whole) results.push(...await runSteps([reliabilityStep(deno), smokeStep(deno)], 1));
  }
  return summarize(results);
}

/** Makes the packages that the files install, if any of them does, and tells their processes where. */
async function preparePackages(
  files: readonly string[],
  folder: string,
  deno: string,
): Promise<StepResult[]> {
  const check = await packagesFor(files, root, folder);
  if (check === undefined) return [];
  const results = await runSteps([checkStep(check, deno)], 1);
  // Where they could not be made, each test says why.
  if (results.every(({ failures }) => failures.length === 0)) {
    process.env[PACKAGES_VARIABLE] = folder;
  }
  return results;
}

function singleStep(name: string, run: Part["run"]): Step {
  return { name, parts: [{ name, run }] };
}

function checkStep(check: Check, deno: string): Step {
  return singleStep(check.name, () => runCheck(check, root, deno));
}

/** One step for each suite and runtime, without the files of `later`. */
function listTests(
  tools: Toolchain,
  files: readonly string[],
  { quick, whole }: Options,
): Step[] {
  const steps: Step[] = [];
  for (const { folder, runtimes, processes, queue } of suites) {
    const selected = files.filter((file) =>
      file.startsWith(`${folder}/`) && !later.flat().some((entry) => entry.file === file)
    );
    if (selected.length === 0) continue;
    for (const runtime of quick ? ["deno" as const] : runtimes) {
      const alone = selected.filter((file) => isolated.includes(file));
      const others = selected.filter((file) => !alone.includes(file));
      const shared = processes === undefined
        ? gather(others)
        : divide(others, quick ? QUICK_PROCESSES : processes);
      const groups = [...shared, ...alone.map((file) => [file])];
      const parts = groups.map((group): Part => {
        const found = queueOf(group[0], whole ? queue : undefined);
        return {
          name: group.length === 1 ? group[0] : `${group.length} files`,
          queue: found,
          heavy: found === queue,
          run: () => runFiles(runtime, group, root, tools, { timeout: patienceFor(group[0]) }),
        };
      });
      steps.push({ name: `${folder} on ${runtime}`, parts });
    }
  }
  for (const file of files) {
    if (!suites.some(({ folder }) => file.startsWith(`${folder}/`))) {
      const problem = "this file is in no folder that tests/run.ts knows";
      steps.push(singleStep(file, () => Promise.resolve(failed(file, problem))));
    }
  }
  return steps;
}

/** Runs those of `files` that are in `later`. */
async function runLater(tools: Toolchain, files: readonly string[]): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const row of later) {
    const steps = row.filter(({ file }) => files.includes(file)).flatMap(({ file, runtimes }) => {
      const suite = suites.find(({ folder }) => file.startsWith(`${folder}/`));
      return (runtimes ?? suite?.runtimes ?? everyRuntime).map((runtime) =>
        singleStep(`${file} on ${runtime}`, () => runFiles(runtime, [file], root, tools))
      );
    });
    results.push(...await runSteps(steps, steps.length));
  }
  return results;
}

/** Compares the table of faults with the results of this run. */
function reliabilityStep(deno: string): Step {
  const args = ["run", "-A", "docs/reliability.ts", reportFolder(root), "--check"];
  return checkStep({ name: "docs/reliability.md", args }, deno);
}

/** Compares the speed of Weir, in ratios, with the documented one. */
function smokeStep(deno: string): Step {
  const check = { name: "smoke benchmark", args: ["run", "-A", "bench/smoke.ts"] };
  return singleStep(check.name, async () => {
    const result = await runCheck(check, root, deno);
    const reason = /^skipped: (.*)/m.exec(result.output)?.[1];
    return reason === undefined || result.failures.length > 0
      ? result
      : { ...result, passed: 0, skipped: [reason] };
  });
}

async function listTestFiles(filter: string, quick: boolean): Promise<string[]> {
  const quickFolders = suites.filter((suite) => suite.quick).map(({ folder }) => `${folder}/`);
  const names = await readdir(`${root}tests`, { recursive: true });
  return names.map((name) => `tests/${name}`)
    .filter((file) => file.endsWith(".test.ts") && file.includes(filter))
    .filter((file) => !quick || quickFolders.some((folder) => file.startsWith(folder)))
    .sort();
}

try {
  process.exit(await main(parseOptions(process.argv.slice(2))));
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`error: ${error.message}`);
    process.exit(2);
  }
  if (!(error instanceof Interrupted)) throw error;
  console.log(`stopped by ${error.message}`);
  process.exit(130);
}
