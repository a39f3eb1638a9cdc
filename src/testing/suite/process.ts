/** Runs a connector in a process of its own, which must end by itself. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { withTimeout } from "../../base/timeout.ts";
import { must, Seen } from "./failure.ts";
import { Subject, type SubjectOptions } from "./subject.ts";

/** What the process does before it must end. */
export type Part = "create" | "probe" | "close";

/** The longest time that a process may take to load and run a connector. */
const LOADING = 60_000;
/** The longest life of a process, whatever the patience. */
const LONGEST = 10 * LOADING;
/** The variable of the environment of a process that checks a rule. */
const ALONE = "WEIR_SUITE_PROCESS";
/** The number of characters of the output of a process that failed. */
const MAX_OUTPUT = 2_000;

/**
 * Runs a part of the life of a connector in a new process. Fails the rule if the process fails, or
 * does not end by itself within `patience` milliseconds after that part.
 */
export async function endsAlone(
  part: Part,
  { module, type, config }: SubjectOptions,
  patience: number,
): Promise<void> {
  // Whatever happens, a process of a rule starts no other one.
  refuseInside({ module });
  const order = { module: String(module), type, config, part };
  const program = `const { live } = await import(${JSON.stringify(import.meta.url)});` +
    `await live(${JSON.stringify(order)});`;
  const [command, ...args] = commandOf(program);
  const env = { ...process.env, [ALONE]: part };
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  try {
    await watch(child, part, patience);
  } finally {
    child.kill("SIGKILL");
  }
}

async function watch(child: ChildProcess, part: Part, patience: number): Promise<void> {
  let output = "";
  const done = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (DONE.test(output)) done.resolve();
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(`could not be started: ${error.message}`));
    child.on(
      "close",
      (code, signal) => resolve(code === null ? `signal ${signal}` : `code ${code}`),
    );
  });
  await withTimeout(Promise.race([done.promise, ended]), LOADING, () => {
    throw new Seen(`a process did not get through ${part}() within ${LOADING} ms`);
  });
  const [, open] = DONE.exec(output) ?? [];
  const end = await withTimeout(ended, patience, () => undefined);
  must(
    end !== undefined,
    `a process did not end within ${patience} ms after ${part}()` +
      (open === undefined || open === "[]" ? "" : `; still open: ${open}`),
  );
  must(end === "code 0" && open !== undefined, `a process ended with ${end}: ${tail(output)}`);
}

const DONE = /^weir-suite done (.*)$/m;

function tail(output: string): string {
  return output.trim().slice(-MAX_OUTPUT);
}

/** The command that runs a program on this platform, with the same configuration and packages. */
function commandOf(program: string): string[] {
  const { execPath, versions } = process;
  // Finds the configuration of the project, which a program from a data: URL does not.
  if ("deno" in versions) return [execPath, "eval", "--quiet", program];
  if ("bun" in versions) return [execPath, "--no-env-file", "-e", program];
  return [execPath, "--input-type=module", "-e", program];
}

/**
 * Refuses tests in a process that checks a rule: it would start processes, each of which would start
 * others, without an end. The processes that it starts have the variable as well.
 *
 * @throws {TypeError} This process checks a rule.
 */
export function refuseInside({ module }: Pick<SubjectOptions, "module">): void {
  if (process.env[ALONE] === undefined) return;
  throw new TypeError(
    `a process that checks the connector of ${module} must have no tests of connectors: move the ` +
      "tests into another file, which neither the module nor what it imports reads",
  );
}

/** The process itself: does its part, says so, and waits for nothing. */
export async function live({ part, ...options }: SubjectOptions & { part: Part }): Promise<void> {
  // A leak must not outlive the tests, if these are killed. It does not keep the process alive.
  setTimeout(() => process.exit(1), LONGEST).unref();
  const instance = await new Subject({ ...options, patience: LOADING }).create();
  if (part === "probe") await instance.probe();
  if (part === "close") {
    await instance.start();
    await instance.consume();
    await instance.shut();
  }
  // Bun has the function, and knows nothing.
  const open = process.getActiveResourcesInfo?.().filter((name) =>
    !/^(?:Pipe|TTY|File)/.test(name)
  );
  // The module may have printed a line without an end.
  console.log(`\nweir-suite done ${JSON.stringify([...new Set(open)])}`);
}
