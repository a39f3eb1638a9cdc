/** Runs test files on one runtime and counts their tests. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import type { Tool, Toolchain } from "../support/toolchain.ts";
import { toolVariable } from "../support/toolchain.ts";
import { parseReport, type TestCase } from "./junit.ts";
import { run } from "./process.ts";

/** What one step of the test run amounts to. */
export interface StepResult {
  readonly passed: number;
  /** One sentence for each test that failed. */
  readonly failures: readonly string[];
  /** One sentence for each test that was skipped: its name and the reason. */
  readonly skipped: readonly string[];
  /** What to show when something failed. */
  readonly output: string;
}

/** Makes the arguments of a process that may take `timeout` milliseconds. */
type Command = (report: string, files: readonly string[], timeout: number) => string[];

/** Each runtime's own test command; all of them write a JUnit report. */
const commands: Readonly<Record<Tool, Command>> = {
  // `deno check` has checked the types before.
  deno: (report, files) => ["test", "-A", "--no-check", `--junit-path=${report}`, ...files],
  bun: (report, files, timeout) => [
    "test",
    `--timeout=${timeout / 2}`, // Bun alone has a limit for each test, of 5 seconds.
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    ...files.map((file) => `./${file}`), // Without the dot it is a filter, not a path.
  ],
  node: (report, files) => [
    "--test",
    "--test-isolation=none",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    ...files,
  ],
};

/** How a process with tests is run. */
export interface SuiteOptions {
  /** One that takes longer hangs, and is killed; in milliseconds. */
  readonly timeout?: number;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

const defaultTimeouts = { oneFile: 120_000, manyFiles: 300_000 };

/**
 * Runs `files`, given relative to `root`, in one process. A file in which no test ran has failed.
 */
export async function runFiles(
  runtime: Tool,
  files: readonly string[],
  root: string,
  tools: Toolchain,
  options: SuiteOptions = {},
): Promise<StepResult> {
  const timeout = options.timeout ??
    (files.length === 1 ? defaultTimeouts.oneFile : defaultTimeouts.manyFiles);
  const folder = await mkdtemp(join(tmpdir(), "weir-report-"));
  try {
    const report = join(folder, "report.xml");
    const command = commands[runtime](report, files, timeout);
    const { ok, output, end } = await run(tools[runtime], command, {
      cwd: root,
      env: {
        NO_COLOR: "1",
        // Compiling takes a third of the time of a short test on Node.
        NODE_COMPILE_CACHE: join(root, ".tools/compile-cache"),
        // Tests leave nothing behind in the home of who runs them.
        WEIR_CACHE: join(root, ".tools/weir-cache"),
        [toolVariable("deno")]: tools.deno,
        [toolVariable("bun")]: tools.bun,
        [toolVariable("node")]: tools.node,
        ...options.env,
      },
      timeout,
    });
    // A runner that crashed or was killed has written none.
    const xml = await readFile(report, "utf8").catch(() => "");
    for (const file of files) {
      if (file.startsWith("tests/faults/")) await keepReport(xml, runtime, file, root);
    }
    const cases = nameFiles(parseReport(xml), files, root);
    const failures = cases.filter(({ result }) => result === "failed").map(describe);
    // Where no test failed, it is the process that did.
    if (!ok && failures.length === 0) failures.push(`${files.join(", ")}: ${end}`);
    if (failures.length === 0) {
      failures.push(
        ...files.filter((file) => !cases.some((test) => test.file === file))
          .map((file) => `${file}: no test ran`),
      );
    }
    return {
      passed: cases.filter(({ result }) => result === "passed").length,
      failures,
      skipped: cases.filter(({ result }) => result === "skipped")
        .map((test) => `${describe(test)}${test.reason === "" ? "" : ` (${test.reason})`}`),
      output,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The tests, each with the one of `files` that it is in. */
function nameFiles(
  cases: readonly TestCase[],
  files: readonly string[],
  root: string,
): TestCase[] {
  return cases.map((test) => {
    // Deno and Node tell where `test` was called, which may be a module that a file imports.
    const file = files.length === 1 ? files[0] : relative(root, resolve(root, test.file));
    return { ...test, file };
    // Node reports a file without tests, or with a failure outside of them, as a test of that name.
  }).filter(({ name }) => !files.includes(name));
}

function describe({ file, name }: TestCase): string {
  return `${file}: ${name}`;
}

/** Where the reports of the fault tests are kept, for docs/reliability.md: `RUNTIME/FILE.xml`. */
export function reportFolder(root: string): string {
  return join(root, ".tools/reports");
}

async function keepReport(xml: string, runtime: Tool, file: string, root: string): Promise<void> {
  const folder = join(reportFolder(root), runtime);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${basename(file)}.xml`), xml);
}
