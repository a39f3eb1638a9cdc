/**
 * The long forms of the tests that have one, on every runtime: `deno task soak`, or
 * `deno task soak TEXT` for the files whose path contains TEXT. All of them take about an hour and a half.
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import { installToolchain } from "./runner/install.ts";
import { Interrupted } from "./runner/process.ts";
import { runSteps, summarize } from "./runner/steps.ts";
import { compiledOnce, runFiles } from "./runner/suite.ts";
import type { Tool } from "./support/toolchain.ts";

const everyRuntime: readonly Tool[] = ["deno", "bun", "node"];

/** The files that know `WEIR_TEST_LONG`. */
const soaks: readonly { readonly file: string; readonly runtimes: readonly Tool[] }[] = [
  // It starts the runtimes that it tests.
  { file: "tests/e2e/heartbeat.test.ts", runtimes: ["deno"] },
  { file: "tests/e2e/instances-redis.test.ts", runtimes: ["deno"] },
  { file: "tests/e2e/instances-nats.test.ts", runtimes: ["deno"] },
  { file: "tests/e2e/instances-rabbitmq.test.ts", runtimes: ["deno"] },
  { file: "tests/e2e/client-browser.test.ts", runtimes: ["deno"] },
  { file: "tests/faults/client-numbered.test.ts", runtimes: everyRuntime },
  { file: "tests/faults/process.test.ts", runtimes: everyRuntime },
  { file: "tests/faults/killed.test.ts", runtimes: everyRuntime },
  { file: "tests/faults/database-numbered.test.ts", runtimes: everyRuntime },
  { file: "tests/faults/downstream-changes.test.ts", runtimes: everyRuntime },
  { file: "tests/faults/downstream-numbered.test.ts", runtimes: everyRuntime },
  { file: "tests/faults/slow-client.test.ts", runtimes: everyRuntime },
  { file: "tests/faults/fuzz.test.ts", runtimes: everyRuntime },
  { file: "tests/faults/fuzz-compression.test.ts", runtimes: everyRuntime },
];

/** A process that takes longer hangs. Bun ends a test after half of it, which must be over 10 minutes. */
const TIMEOUT = 25 * 60_000;

const root = fileURLToPath(new URL("../", import.meta.url));

try {
  const tools = await installToolchain();
  // What runs for minutes is compiled as at work.
  const asAtWork = Object.fromEntries(Object.keys(compiledOnce).map((name) => [name, undefined]));
  const options = { timeout: TIMEOUT, env: { ...asAtWork, WEIR_TEST_LONG: "1" } };
  const steps = soaks.filter(({ file }) => file.includes(process.argv[2] ?? ""))
    .flatMap(({ file, runtimes }) =>
      runtimes.map((runtime) => ({
        name: `${file} on ${runtime}`,
        parts: [{ name: file, run: () => runFiles(runtime, [file], root, tools, options) }],
      }))
    );
  process.exit(summarize(await runSteps(steps, 1)));
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  console.log(`stopped by ${error.message}`);
  process.exit(130);
}
