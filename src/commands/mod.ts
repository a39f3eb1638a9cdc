/**
 * The `weir` command, the same on every runtime.
 *
 * May import base/, contract/, hcl/, model/, runtime/, server/, testing/ and workers/.
 */
import process from "node:process";
import { parseCommand, USAGE, VERSION } from "./arguments.ts";
import { check } from "./check.ts";
import { flushOutput, printError } from "./output.ts";
import { run, type Serve } from "./run.ts";
import { type Host, WORKER_ARGUMENT } from "../server/host.ts";

export type { Serve } from "./run.ts";

/**
 * Runs the command that the process was started with, and exits with its code. `host` is what a
 * worker of a service serves with.
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
    code = printError(error);
  }
  await flushOutput();
  // Exits explicitly, since the handler of a signal that npx sends twice must stay until the end.
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
      // On demand, since the start of a server needs neither of the two.
      const { test } = await import("./test.ts");
      return await test(command);
    }
    case "init": {
      const { init } = await import("./init/mod.ts");
      return await init(command);
    }
    case "health": {
      const { health } = await import("./health.ts");
      return await health(command);
    }
  }
}
