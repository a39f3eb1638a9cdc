/**
 * Runs one `weir` command after the other in this process, for `weir-session.ts`: each line of its
 * standard input is a command, each line of its standard output says how one ended.
 */
import { reset } from "@logtape/logtape";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { main } from "../../src/commands/mod.ts";
import { commandFile } from "./process.ts";
import type { Tool } from "./toolchain.ts";

/** What a command is started with. */
export interface Given {
  readonly args: readonly string[];
  readonly cwd: string;
  /** Added to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
}

/** How it ended. */
export interface Ended {
  /** Null where it threw what no command throws. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds of the processor that it has used. */
  readonly used: number;
}

/** Ends `main` where it would end the process. */
class ProcessExit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit with ${code}`);
    this.code = code;
  }
}

const home = process.cwd();
const environment = { ...process.env };
const answer = process.stdout.write.bind(process.stdout);
const printed = { stdout: "", stderr: "" };

for (const stream of ["stdout", "stderr"] as const) {
  const write = (text: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
    printed[stream] += typeof text === "string" ? text : new TextDecoder().decode(text);
    const done = rest.at(-1);
    if (typeof done === "function") done();
    return true;
  };
  Object.assign(process[stream], { write });
  // Deno and Bun do not print by the stream.
  const print = (...values: readonly unknown[]) => void write(`${values.join(" ")}\n`);
  Object.assign(
    console,
    stream === "stdout" ? { log: print, info: print } : {
      error: print,
      warn: print,
    },
  );
}
process.exit = (code) => {
  throw new ProcessExit(Number(code));
};

async function run({ args, cwd, env }: Given): Promise<Ended> {
  Object.assign(printed, { stdout: "", stderr: "" });
  process.argv.splice(2, Infinity, ...args);
  Object.assign(process.env, env);
  process.chdir(cwd);
  let code: number | null = null;
  const before = process.cpuUsage();
  try {
    await main();
  } catch (error) {
    if (error instanceof ProcessExit) code = error.code;
    else printed.stderr += error instanceof Error ? error.stack : String(error);
  }
  const { user, system } = process.cpuUsage(before);
  process.chdir(home);
  for (const name of Object.keys(process.env)) {
    if (environment[name] === undefined) delete process.env[name];
  }
  Object.assign(process.env, environment);
  // A command configures the log, which can be done once.
  await reset();
  return { code, ...printed, used: (user + system) / 1000 };
}

const { bun, deno } = process.versions;
const runtime: Tool = deno !== undefined ? "deno" : bun !== undefined ? "bun" : "node";
process.argv[1] = join(fileURLToPath(new URL("../../", import.meta.url)), commandFile(runtime));
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  answer(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
}
