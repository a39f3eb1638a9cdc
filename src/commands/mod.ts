/**
 * The `weir` command, the same on every runtime.
 *
 * May import base/, hcl/, model/, runtime/, server/, testing/ and workers/.
 */
import process from "node:process";
import { parseCommand, USAGE, VERSION } from "./arguments.ts";
import { check } from "./check.ts";
import { explain } from "./failure.ts";
import { flushOutput } from "./output.ts";
import { run, type Serve } from "./run.ts";
import { type Host, WORKER_ARGUMENT } from "../server/host.ts";

export type { Serve } from "./run.ts";

/**
 * Runs the command that the process was started with; ends the process with its exit code. `host` is
 * what it serves with where another process of the same service has started it.
 */
export async function main(serve: Serve, host?: Host): Promise<void> {
  const args = process.argv.slice(2);
  let code: number;
  try {
    if (host !== undefined && args[0] === WORKER_ARGUMENT && process.connected) {
      const { runWorker } = await import("../workers/worker.ts");
      code = await runWorker(host);
    } else code = await runCommand(args, serve);
  } catch (error) {
    code = explain(error);
  }
  await flushOutput();
  // A signal that npx delivers twice must still find its handler, so the end is an explicit one.
  process.exit(code);
}

async function runCommand(args: readonly string[], serve: Serve): Promise<number> {
  const command = parseCommand(args);
  switch (command.name) {
    case "help":
      console.log(USAGE);
      return 0;
    case "version":
      console.log(VERSION);
      return 0;
    case "check":
      return await check(command);
    case "run":
      return await run(command, serve);
    case "test": {
      // On demand: a server that starts needs neither of them.
      const { test } = await import("./test.ts");
      return await test(command);
    }
    case "init": {
      const { init } = await import("./init/mod.ts");
      return await init(command);
    }
  }
}
