/** `weir run`: serves a configuration until a signal ends it. */
import process from "node:process";
import type { Configuration } from "../load.ts";
import type { Model } from "../model.ts";
import { didYouMean } from "../nearest.ts";
import type { ServeOptions, Service } from "../server/service.ts";
import { type RunCommand, UsageError } from "./arguments.ts";
import { readModel } from "./check.ts";
import { configureLog } from "./log.ts";

/** `serve` of a runtime's entrypoint. */
export type Serve = (config: Configuration, options?: ServeOptions) => Promise<Service>;

/** One Ctrl-C can arrive twice, as npx passes it on; a second one that is meant comes later. */
const SAME_SIGNAL = 1_000;
/** A timer keeps a process alive that listens nowhere; how often it fires does not matter. */
const A_DAY = 86_400_000;

/** Runs until SIGINT or SIGTERM; gives the exit code. */
export async function run(command: RunCommand, serve: Serve): Promise<number> {
  const startedAt = performance.now();
  const signal = firstSignal();
  const model = await readModel(command);
  refuseUnknownPorts(command.ports, model);
  await configureLog(command.logLevel, command.logFormat);
  const service = await serve(model, { ports: command.ports });
  const duration = Math.round(performance.now() - startedAt);
  const addresses = service.addresses.length === 0
    ? "nothing listens"
    : service.addresses.join("  ");
  console.log(`weir is ready in ${duration} ms: ${addresses}`);
  const keepAlive = setInterval(() => {}, A_DAY);
  await signal;
  console.log("weir is shutting down");
  await service.close();
  clearInterval(keepAlive);
  return 0;
}

function refuseUnknownPorts(ports: RunCommand["ports"], { connectors }: Model): void {
  for (const [name, port] of Object.entries(ports)) {
    if (connectors.has(name)) continue;
    const hint = didYouMean(name, connectors.keys()) ??
      `one of ${[...connectors.keys()].join(", ")}`;
    throw new UsageError(`--port ${name}=${port}: there is no connector "${name}"; ${hint}`);
  }
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
