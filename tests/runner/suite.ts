/** Runs test files on one runtime and counts their tests. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Tool, Toolchain } from "../support/toolchain.ts";
import { toolVariable } from "../support/toolchain.ts";
import { parseReport, type TestCase } from "./junit.ts";
import { run } from "./process.ts";
import { type StepResult, tail } from "./steps.ts";

/** Returns the arguments of a process that may take `timeout` milliseconds. */
type Command = (report: string, files: readonly string[], timeout: number) => string[];

/** Each runtime's own test command; all of them write a JUnit report. */
const commands: Readonly<Record<Tool, Command>> = {
  deno: (report, files) => [
    "test",
    "-A",
    "--no-check", // `deno check` has already checked the types.
    "--config=deno.json",
    `--junit-path=${report}`,
    ...files,
  ],
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

/** Options of {@link runFiles}. */
export interface SuiteOptions {
  /** After this time the process is taken to hang and is killed; in milliseconds. */
  readonly timeout?: number;
  /** Environment variables, added to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A process with one file, and what each further file adds. */
const timeouts = { oneFile: 120_000, another: 3_000 };

/**
 * Runs `files`, given relative to `root`, in one process. A file in which no test ran is a failure.
 */
export async function runFiles(
  runtime: Tool,
  files: readonly string[],
  root: string,
  tools: Toolchain,
  options: SuiteOptions = {},
): Promise<StepResult> {
  const timeout = options.timeout ?? timeouts.oneFile + (files.length - 1) * timeouts.another;
  const folder = await mkdtemp(join(tmpdir(), "weir-report-"));
  try {
    const report = join(folder, "report.xml");
    const command = commands[runtime](
      report,
      runtime === "deno" && files.length > 1 ? [await writeEntry(files, folder, root)] : files,
      timeout,
    );
    const { ok, output, end } = await run(tools[runtime], command, {
      cwd: root,
      env: {
        NO_COLOR: "1",
        // Compiling takes a third of the time of a short test on Node.
        NODE_COMPILE_CACHE: join(root, ".tools/compile-cache"),
        // Tests write nothing to the home folder of the user.
        WEIR_CACHE: join(root, ".tools/weir-cache"),
        // With it, tests collect sentences and compare none.
        WEIR_COLLECT_SENTENCES: undefined,
        [toolVariable("deno")]: tools.deno,
        [toolVariable("bun")]: tools.bun,
        [toolVariable("node")]: tools.node,
        ...options.env,
      },
      timeout,
    });
    // A process that crashed or was killed has written none.
    const xml = await readFile(report, "utf8").catch(() => "");
    for (const file of files) {
      if (file.startsWith("tests/faults/")) await keepReport(xml, runtime, file, root);
    }
    const cases = nameFiles(parseReport(xml), files, root);
    const failures = cases.filter(({ result }) => result === "failed")
      .map((test) => ({ name: describe(test), text: test.failure }));
    // Where no test failed, the process did.
    if (!ok && failures.length === 0) {
      const what = files.length === 1 ? files[0] : `${files.length} files`;
      failures.push({ name: `${what}: ${end}`, text: tail(output) });
    }
    if (failures.length === 0) {
      failures.push(
        ...files.filter((file) => !cases.some((test) => test.file === file))
          .map((file) => ({ name: file, text: "no test ran" })),
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

/**
 * Writes a module that imports `files`. Deno loads every file that it is given with all its imports
 * anew; files that one module imports share them, which takes half the time for 100 small files.
 */
async function writeEntry(
  files: readonly string[],
  folder: string,
  root: string,
): Promise<string> {
  const entry = join(folder, "all.test.ts");
  const imports = files.map((file) => `import ${JSON.stringify(pathToFileURL(join(root, file)))};`);
  await writeFile(entry, `${imports.join("\n")}\n`);
  return entry;
}

/** The tests, each with its path from `files`. */
function nameFiles(
  cases: readonly TestCase[],
  files: readonly string[],
  root: string,
): TestCase[] {
  return cases.map((test) => {
    // Deno and Node write the module that called `test`, which may be one that the file imports.
    const file = files.length === 1 ? files[0] : relative(root, resolve(root, test.file));
    return { ...test, file };
    // Node reports a file without tests, or with a failure outside of them, as a test of that name.
  }).filter(({ name }) => !files.includes(name));
}

function describe({ file, name }: TestCase): string {
  return `${file}: ${name}`;
}

/** The folder of the reports of the fault tests, for docs/reliability.md: `RUNTIME/FILE.xml`. */
export function reportFolder(root: string): string {
  return join(root, ".tools/reports");
}

async function keepReport(xml: string, runtime: Tool, file: string, root: string): Promise<void> {
  const folder = join(reportFolder(root), runtime);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${basename(file)}.xml`), xml);
}
