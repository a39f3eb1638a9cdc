/** Starts a configuration as a service of several workers. */
import { getLogger } from "@logtape/logtape";
import process from "node:process";
import type { SourceFile } from "../hcl/tree.ts";
import { ConnectorError } from "../base/errors.ts";
import { asFiles, type Configuration, loadConfig } from "../runtime/load.ts";
import type { Model } from "../model/mod.ts";
import { assembleRuntime } from "../runtime/mod.ts";
import { type Host, MOST_WORKERS } from "../server/host.ts";
import { cannotListen, groupByListener, type ServeOptions, type Service } from "../server/mod.ts";
import { mayStartAnything } from "./permissions.ts";
import { lowestLevel } from "./log.ts";
import { tryAddress } from "./ports.ts";
import { Recorder } from "./reads.ts";
import { WorkersRuntime } from "./runtime.ts";
import { Supervisor } from "./supervisor.ts";
import { Texts } from "./texts.ts";

/**
 * Starts so many workers, and looks after them.
 *
 * @throws {TypeError | RangeError} The options are not for several processes.
 * @throws {ConfigError} The configuration cannot run.
 * @throws {ConnectorError} A port is taken, a migration was refused, a connector cannot be shared.
 */
export async function startWorkers(
  host: Host,
  config: Configuration,
  { workers = 1, ports = {}, cache, ...others }: ServeOptions,
): Promise<Service> {
  requireWorkers(workers);
  refuseOthers(others);
  const files = filesOf(config);
  const texts = new Texts([], cache);
  const recorder = new Recorder(host.options);
  const { env, readFile } = recorder;
  const model = await loadConfig(files, { ...host.options, env, readFile, cache: texts });
  refuseUnshared(model);
  await requirePorts(model, host, ports);
  const { supervisor, started } = await Supervisor.start({
    workers,
    entry: host.entry,
    order: { files, texts: texts.known, reads: recorder.reads, ports, logLevel: lowestLevel() },
    shutdownTimeout: model.service.shutdownTimeout,
    logger: getLogger(["weir", "workers"]),
  });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => closed ??= supervisor.close();
  return { ...started, runtime: new WorkersRuntime(supervisor, close), close };
}

function requireWorkers(workers: number): void {
  if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
    throw new RangeError(`workers: ${workers} is not a whole number from 1 to ${MOST_WORKERS}`);
  }
  // The kernel of Linux alone spreads what comes to a port among those who listen there.
  if (process.platform !== "linux") {
    throw new TypeError("workers: several processes share a port on Linux only");
  }
  if (!mayStartAnything()) {
    throw new TypeError("workers: they are processes with all permissions; start with deno run -A");
  }
}

/** Functions do not reach another process, and an option that is ignored helps nobody. */
function refuseOthers(options: Omit<ServeOptions, "workers" | "ports" | "cache">): void {
  const given = Object.entries(options).find(([, value]) => value !== undefined)?.[0];
  if (given === undefined) return;
  throw new TypeError(`workers: ${given} does not reach other processes; leave one of them out`);
}

function filesOf(config: Configuration): readonly SourceFile[] {
  if (typeof config === "string" || !("connectors" in config)) return asFiles(config);
  throw new TypeError(
    "workers: a model does not reach other processes; give the text or the files",
  );
}

function refuseUnshared({ connectors }: Model): void {
  for (const { name, definition, options } of connectors.values()) {
    const why = definition.unshared?.(options);
    if (why !== undefined) throw new ConnectorError(name, `with several workers, ${why}`);
  }
}

/** What is wrong with a port is told before any worker starts, and by whom it is asked for. */
async function requirePorts(
  model: Model,
  { options }: Host,
  ports: Readonly<Record<string, number>>,
): Promise<void> {
  const runtime = await assembleRuntime(model, options);
  for (const group of await groupByListener(runtime.services, { ports })) {
    if (group.address.port === 0) continue;
    await tryAddress(group.address).catch((cause) => {
      throw cannotListen(group, cause);
    });
  }
}
