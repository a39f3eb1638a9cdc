/** `weir run`: serves a configuration until a signal arrives. */
import process from "node:process";
import type { RunCommand } from "./arguments.ts";
import { diskCache } from "./disk-cache.ts";
import { loadModel } from "./load.ts";
import { WorkerError } from "../base/errors.ts";
import { withTimeout } from "../base/timeout.ts";
import { readConfigFiles } from "../server/files.ts";
import type { Service } from "../server/mod.ts";
import { configureLog } from "./log.ts";
import {
  announce,
  printWarnings,
  refuseUnknownPorts,
  type Serve,
  titleOf,
  warningsOfStart,
} from "./start.ts";

export type { Serve } from "./start.ts";

/** A second signal within this time, in milliseconds, is the same Ctrl-C, which npx passes on. */
const SAME_SIGNAL = 1_000;
/** A signal may be reported this much later than the end of a worker by it, in milliseconds. */
const SIGNAL_DELAY = 200;
/** The interval of the timer that keeps a process alive that does not listen; any will do. */
const A_DAY = 86_400_000;

/** Runs until SIGINT or SIGTERM. Returns the exit code. */
export async function run(command: RunCommand, serve: Serve): Promise<number> {
  const startedAt = performance.now();
  const signal = firstSignal();
  const keepAlive = setInterval(() => {}, A_DAY);
  try {
    if (command.watch) {
      await configureLog(command.logLevel, command.logFormat);
      // On demand, since a start without it needs neither its code nor that of plugins.
      const { watch } = await import("./watch/mod.ts");
      await watch(command, serve, signal);
    } else {
      await runOnce(command, serve, { startedAt, signal });
    }
  } finally {
    clearInterval(keepAlive);
  }
  return 0;
}

async function runOnce(
  command: RunCommand,
  serve: Serve,
  { startedAt, signal }: { readonly startedAt: number; readonly signal: Promise<void> },
): Promise<void> {
  const { paths, ports, adminPort, workers } = command;
  const model = await loadModel(command);
  refuseUnknownPorts(command, model);
  printWarnings(warningsOfStart(model));
  await configureLog(command.logLevel, command.logFormat);
  const title = titleOf(model);
  let service: Service;
  try {
    service = workers === 1
      ? await serve(model, { ports, adminPort })
      : await serve(await readConfigFiles(...paths), {
        ports,
        adminPort,
        workers,
        cache: diskCache(),
      });
  } catch (error) {
    // Ctrl-C also reaches the workers, and ends those that do not handle it yet.
    if (!(error instanceof WorkerError) || !await arrivesSoon(signal)) throw error;
    console.log(`${title} is shutting down`);
    return;
  }
  announce(title, "is ready", startedAt, service, workers);
  await signal;
  console.log(`${title} is shutting down`);
  await service.close();
}

/** Whether a signal arrives within `SIGNAL_DELAY`. */
function arrivesSoon(signal: Promise<void>): Promise<boolean> {
  return withTimeout(signal.then(() => true), SIGNAL_DELAY, () => false);
}

/** Resolves with the first signal. Another one, at least a second later, exits at once. */
function firstSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let first: number | undefined;
  const listener = (): void => {
    if (first === undefined) {
      first = performance.now();
      resolve();
    } else if (performance.now() - first > SAME_SIGNAL) {
      console.error("exiting before the shutdown is complete");
      process.exit(1);
    }
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return promise;
}
