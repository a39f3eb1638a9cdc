/** Runs a folder of test files on one runtime and counts its tests. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Tool, Toolchain } from "../support/toolchain.ts";
import { toolVariable } from "../support/toolchain.ts";
import { parseReport } from "./junit.ts";
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

/** Each runtime's own test command; all of them write a JUnit report. */
const commands: Readonly<Record<Tool, (report: string, file: string) => string[]>> = {
  // `deno check` has checked the types before.
  deno: (report, file) => ["test", "-A", "--no-check", `--junit-path=${report}`, file],
  bun: (report, file) => [
    "test",
    "--timeout=60000", // Bun alone has a limit, of 5 seconds.
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    `./${file}`, // Without the dot it is a filter, not a path.
  ],
  node: (report, file) => [
    "--test",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    file,
  ],
};

/** A file that takes longer hangs, and is killed. */
const fileTimeout = 120_000;

/** Runs `files`, given relative to `root`, one after the other, each in a process of its own. */
export async function runSuite(
  runtime: Tool,
  files: readonly string[],
  root: string,
  tools: Toolchain,
): Promise<StepResult> {
  const results: StepResult[] = [];
  for (const file of files) results.push(await runFile(runtime, file, root, tools));
  return {
    passed: results.reduce((sum, result) => sum + result.passed, 0),
    failures: results.flatMap((result) => result.failures),
    skipped: results.flatMap((result) => result.skipped),
    output: results.filter((result) => result.failures.length > 0)
      .map((result) => result.output.trim()).join("\n\n"),
  };
}

/** Where the reports of the fault tests are kept, for docs/reliability.md: `RUNTIME/FILE.xml`. */
export function reportFolder(root: string): string {
  return join(root, ".tools/reports");
}

/** A file in which no test ran has failed. */
async function runFile(
  runtime: Tool,
  file: string,
  root: string,
  tools: Toolchain,
): Promise<StepResult> {
  const folder = await mkdtemp(join(tmpdir(), "weir-report-"));
  try {
    const report = join(folder, "report.xml");
    const { ok, output, end } = await run(tools[runtime], commands[runtime](report, file), {
      cwd: root,
      env: {
        NO_COLOR: "1",
        [toolVariable("deno")]: tools.deno,
        [toolVariable("bun")]: tools.bun,
        [toolVariable("node")]: tools.node,
      },
      timeout: fileTimeout,
    });
    // A runner that crashed or was killed has written none.
    const xml = await readFile(report, "utf8").catch(() => "");
    if (file.startsWith("tests/faults/")) await keepReport(xml, runtime, file, root);
    // Node reports a file without tests, or with a failure outside of them, as a test of that name.
    const cases = parseReport(xml).filter(({ name }) => name !== file);
    const failures = cases.filter((test) => test.result === "failed")
      .map((test) => `${file}: ${test.name}`);
    if (failures.length === 0 && !ok) failures.push(`${file}: ${end}`);
    if (failures.length === 0 && cases.length === 0) failures.push(`${file}: no test ran`);
    return {
      passed: cases.filter((test) => test.result === "passed").length,
      failures,
      skipped: cases.filter((test) => test.result === "skipped")
        .map(({ name, reason }) => `${file}: ${name}${reason === "" ? "" : ` (${reason})`}`),
      output,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function keepReport(xml: string, runtime: Tool, file: string, root: string): Promise<void> {
  const folder = join(reportFolder(root), runtime);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${basename(file)}.xml`), xml);
}
