/**
 * The `weir` command, the same on every runtime.
 *
 * May import base/, contract/, hcl/, model/, plugins/, runtime/, server/, testing/ and workers/.
 */
import process from "node:process";
import { parseCommand } from "./arguments.ts";
import { flushOutput, printError } from "./output.ts";
import { run, type Serve } from "./run.ts";
import { VERSION } from "../base/version.ts";
import { USAGE } from "./usage.ts";
import { type Host, loadHost, WORKER_ARGUMENT } from "../server/host.ts";
import { serveOn } from "../workers/mod.ts";

/** What the command serves with. */
export interface MainOptions {
  /** By default that of the runtime, which is imported on demand. */
  readonly host?: Host;
  /** By default it serves on the host. */
  readonly serve?: Serve;
}

/** Runs the command, or the worker, that the process was started as, and exits with its code. */
export async function main(options: MainOptions = {}): Promise<void> {
  const args = process.argv.slice(2);
  let code: number;
  try {
    if (args[0] === WORKER_ARGUMENT && process.connected) {
      const { runWorker } = await import("../workers/worker.ts");
      code = await runWorker(options.host ?? await loadHost());
    } else code = await runCommand(args, options);
  } catch (error) {
    code = printError(error);
  }
  await flushOutput();
  // Exits explicitly, since the handler of a signal that npx sends twice must stay until the end.
  process.exit(code);
}

async function runCommand(args: readonly string[], options: MainOptions): Promise<number> {
  const command = parseCommand(args);
  switch (command.name) {
    case "help":
      console.log(USAGE);
      return 0;
    case "version":
      console.log(VERSION);
      return 0;
    case "check": {
      // On demand, since the start of a server needs none of these.
      const { check } = await import("./check.ts");
      return await check(command);
    }
    case "run":
      return await run(command, options.serve ?? await serveOf(options.host));
    case "test": {
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
    case "status": {
      const { status } = await import("./status/mod.ts");
      return await status(command);
    }
  }
}

async function serveOf(given: Host | undefined): Promise<Serve> {
  const host = given ?? await loadHost();
  return (config, options = {}) => serveOn(host, config, options);
}
