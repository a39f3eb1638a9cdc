/** Runs test files on one runtime and counts their tests. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Tool, Toolchain } from "../support/toolchain.ts";
import { toolVariable } from "../support/toolchain.ts";
import { parseReport, type TestCase } from "./junit.ts";
import { run } from "./process.ts";
import { splitReport, writeEntry } from "./shared.ts";
import { type StepResult, tail } from "./steps.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

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
    // Without the dot it is a filter, not a path.
    ...files.map((file) => isAbsolute(file) ? file : `./${file}`),
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

/**
 * A runtime compiles WebAssembly, which the parser is, again where it is called often, so that it runs
 * faster. Most processes of tests read a few lines and end: that is half of all that they compute. So
 * it has to be called more often; Bun never does it.
 */
export const compiledOnce: Readonly<Record<string, string>> = {
  BUN_JSC_useOMGJIT: "0",
  DENO_V8_FLAGS: "--wasm-tiering-budget=1000000000",
  NODE_OPTIONS: `--require ${JSON.stringify(join(here, "../support/light-wasm.cjs"))}`,
};

/** Options of {@link runFiles}. */
export interface SuiteOptions {
  /** After this time the process is taken to hang and is killed; in milliseconds. */
  readonly timeout?: number | undefined;
  /** Environment variables, added to those of this process; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A process with one file, what each further file adds, and the most. */
const timeouts = { oneFile: 120_000, another: 60_000, most: 600_000 };

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
  const { oneFile, another, most } = timeouts;
  const timeout = options.timeout ?? Math.min(oneFile + (files.length - 1) * another, most);
  const folder = await mkdtemp(join(tmpdir(), "weir-report-"));
  try {
    const report = join(folder, "report.xml");
    const given = files.length === 1 ? files : [await writeEntry(files, folder, root)];
    const command = commands[runtime](report, given, timeout);
    const { ok, output, end } = await run(tools[runtime], command, {
      cwd: root,
      env: {
        NO_COLOR: "1",
        ...compiledOnce,
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
    const cases: TestCase[] = [];
    for (const [file, part] of splitReport(xml, files)) {
      if (file.startsWith("tests/faults/")) await keepReport(part, runtime, file, root);
      cases.push(
        // Node reports a file without tests, or with a failure outside of them, as a test of its name.
        ...parseReport(part).filter(({ name }) => name !== file).map((test) => ({ ...test, file })),
      );
    }
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
