/** `weir run`: serves a configuration until a signal ends it. */
import process from "node:process";
import type { RunCommand } from "./arguments.ts";
import { readModel } from "./check.ts";
import { diskCache } from "./disk-cache.ts";
import { loadEnvFile } from "./env-file.ts";
import { WorkerError } from "../base/errors.ts";
import { withTimeout } from "../base/timeout.ts";
import { readConfigFiles } from "../server/files.ts";
import type { Service } from "../server/mod.ts";
import { configureLog } from "./log/mod.ts";
import { announce, printWarnings, refuseUnknownPorts, type Serve, titleOf } from "./start.ts";
import { watch } from "./watch/mod.ts";

export type { Serve } from "./start.ts";

/** One Ctrl-C can arrive twice, as npx passes it on; a second one that is meant comes later. */
const SAME_SIGNAL = 1_000;
/** So much later than a child that it ends a signal may be told of, in milliseconds. */
const SIGNAL_DELAY = 200;
/** A timer keeps a process alive that listens nowhere; how often it fires does not matter. */
const A_DAY = 86_400_000;

/** Runs until SIGINT or SIGTERM; gives the exit code. */
export async function run(command: RunCommand, serve: Serve): Promise<number> {
  const startedAt = performance.now();
  const signal = firstSignal();
  const keepAlive = setInterval(() => {}, A_DAY);
  try {
    if (command.watch) {
      if (command.envFile !== undefined) await loadEnvFile(command.envFile);
      await configureLog(command.logLevel, command.logFormat);
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
  const { paths, ports, workers } = command;
  const model = await readModel(command);
  refuseUnknownPorts(ports, model);
  printWarnings(model);
  await configureLog(command.logLevel, command.logFormat);
  const title = titleOf(model);
  let service: Service;
  try {
    service = workers === 1
      ? await serve(model, { ports })
      : await serve(await readConfigFiles(...paths), { ports, workers, cache: diskCache() });
  } catch (error) {
    // A Ctrl-C reaches workers, too, some of which do not listen for it yet: all have ended by now.
    if (!(error instanceof WorkerError) || !await comesSoon(signal)) throw error;
    console.log(`${title} is shutting down`);
    return;
  }
  announce(title, "is ready", startedAt, service, workers);
  await signal;
  console.log(`${title} is shutting down`);
  await service.close();
}

/** Whether a signal is there: their end may be told before the Ctrl-C that has caused it. */
function comesSoon(signal: Promise<void>): Promise<boolean> {
  return withTimeout(signal.then(() => true), SIGNAL_DELAY, () => false);
}

/** Resolves with the first signal; a second one, a second later or more, ends the process. */
function firstSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let first: number | undefined;
  const listener = (): void => {
    if (first === undefined) {
      first = performance.now();
      resolve();
    } else if (performance.now() - first > SAME_SIGNAL) {
      console.error("ended before everything was closed");
      process.exit(1);
    }
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return promise;
}
