/** A service of several workers, as the program that starts it sees it. */
import { getLogger } from "@logtape/logtape";
import process from "node:process";
import { ConnectorError } from "../base/errors.ts";
import type { SourceFile } from "../hcl/tree.ts";
import type { Model } from "../model/mod.ts";
import type { ProcessTotals } from "../metrics/totals.ts";
import type { ConnectorChoice } from "../runtime/choice.ts";
import type { Counts, PublishOptions, Runtime } from "../runtime/core.ts";
import type { RoomPresence } from "../runtime/presence.ts";
import { asFiles, type Configuration, loadConfig } from "../runtime/load.ts";
import { assembleRuntime } from "../runtime/mod.ts";
import { metricsAreOff } from "../runtime/scrape.ts";
import { commandSpecifier, type Host, MAX_WORKERS } from "../server/host.ts";
import type { AdminPort } from "../server/admin-port.ts";
import { groupByListener, requirePorts } from "../server/listeners.ts";
import { adminOf, type ServeOptions, type Service } from "../server/mod.ts";
import { healthOfAll } from "./health.ts";
import { countsOfAll } from "./counts.ts";
import { InputRecorder, MemoryTextCache } from "./inputs.ts";
import { lowestLevel } from "./log.ts";
import { workerCommand } from "./process.ts";
import { scrape } from "./scrape.ts";
import { Supervisor } from "./supervisor.ts";

/** The part of `Deno` that is used here. */
interface DenoGlobal {
  readonly permissions: {
    querySync(descriptor: { readonly name: string }): { readonly state: string };
  };
}

const PERMISSIONS = ["read", "write", "net", "env", "run", "sys"];

/**
 * Starts the workers and supervises them.
 *
 * @throws {TypeError | RangeError} An option does not work with several processes.
 * @throws {ConfigError} The configuration has errors.
 * @throws {ConnectorError} A port is taken, a migration failed, a connector cannot be shared.
 * @throws {WorkerError} A worker ended before it was ready.
 */
export async function startWorkers(
  host: Host,
  config: Configuration,
  { workers = 1, ports = {}, adminPort, cache, metrics: wanted, ...others }: ServeOptions,
): Promise<Service> {
  requireWorkers(workers);
  const command = host.workerCommand ?? ownCommand();
  refuseOthers(others);
  const files = filesOf(config);
  const texts = new MemoryTextCache([], cache);
  const recorder = new InputRecorder(host.options);
  const { env, readFile } = recorder;
  const model = await loadConfig(files, { ...host.options, env, readFile, cache: texts });
  const adminModel = adminOf(model.service.admin, adminPort);
  const metrics = wanted ?? adminModel !== undefined;
  refuseUnshared(model);
  await requireFreePorts(model, host, ports);
  const supervisor = new Supervisor({
    workers,
    command,
    order: {
      files,
      cache: texts.texts,
      inputs: recorder.inputs,
      ports,
      logLevel: lowestLevel(),
      metrics,
    },
    shutdownTimeout: model.service.shutdownTimeout,
    logger: getLogger(["weir", "workers"]),
  });
  let admin: AdminPort | undefined;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => closed ??= supervisor.close().finally(() => admin?.close());
  const runtime = new WorkersRuntime(supervisor, metrics, close);
  // Before the workers start, so that it tells how the start goes on.
  if (adminModel !== undefined) {
    const { openAdminPort } = await import("../server/admin-port.ts");
    const { workersAdminSource } = await import("./admin.ts");
    const source = { ...workersAdminSource(model, supervisor), metrics: () => runtime.metrics() };
    admin = await openAdminPort(adminModel, source, host.listen);
  }
  try {
    const started = await supervisor.start();
    return { ...started, runtime, admin: admin?.address, close };
  } catch (error) {
    await admin?.close();
    throw error;
  }
}

function requireWorkers(workers: number): void {
  if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS) {
    throw new RangeError(`workers: ${workers} is not a whole number from 1 to ${MAX_WORKERS}`);
  }
  // Only the kernel of Linux spreads the connections of a port over the processes that share it.
  if (process.platform !== "linux") {
    throw new TypeError("workers: several processes share a port on Linux only");
  }
  const { Deno } = globalThis as { readonly Deno?: DenoGlobal };
  // Workers get all permissions, so this process must have them.
  const granted = (name: string) => Deno?.permissions.querySync({ name }).state === "granted";
  if (Deno !== undefined && !PERMISSIONS.every(granted)) {
    throw new TypeError("workers: they need all permissions; start with deno run -A");
  }
}

/** The command of a worker that is a module of this package. */
function ownCommand(): readonly string[] {
  const url = commandSpecifier();
  if (url !== undefined) return workerCommand(url);
  throw new TypeError(
    "workers: a bundle has no program for them; leave @weir/runtime out of the bundle",
  );
}

/** Functions cannot be sent to other processes. */
function refuseOthers(
  options: Omit<ServeOptions, "workers" | "ports" | "adminPort" | "cache" | "metrics">,
): void {
  const given = Object.entries(options).find(([, value]) => value !== undefined)?.[0];
  if (given === undefined) return;
  throw new TypeError(
    `workers: ${given} cannot be sent to other processes; leave out one of the two`,
  );
}

function filesOf(config: Configuration): readonly SourceFile[] {
  if (typeof config === "string" || !("connectors" in config)) return asFiles(config);
  throw new TypeError(
    "workers: a model cannot be sent to other processes; pass the text or the files",
  );
}

function refuseUnshared({ connectors, flows }: Model): void {
  for (const { name, definition, options } of connectors.values()) {
    const operations = flows.flatMap(({ source }) =>
      source.kind === "connector" && source.connector === name ? [source.operation] : []
    );
    const why = definition.unshared?.(options, operations);
    if (why !== undefined) throw new ConnectorError(name, `with several workers, ${why}`);
  }
}

/** Workers share ports, and would share one with another program: so it must be free before. */
async function requireFreePorts(
  model: Model,
  { options }: Host,
  ports: Readonly<Record<string, number>>,
): Promise<void> {
  const runtime = await assembleRuntime(model, options);
  await requirePorts(await groupByListener(runtime.services, { ports }));
}

/** Calls the workers. They listen themselves, so there is nothing to mount. */
class WorkersRuntime implements Runtime {
  readonly #supervisor: Supervisor;
  readonly #hasMetrics: boolean;
  readonly #close: () => Promise<void>;
  /** Made with the first scrape. */
  #totals: ProcessTotals | undefined;

  constructor(supervisor: Supervisor, hasMetrics: boolean, close: () => Promise<void>) {
    this.#supervisor = supervisor;
    this.#hasMetrics = hasMetrics;
    this.#close = close;
  }

  get app(): never {
    return refuse("app");
  }

  get endpoints(): never {
    return refuse("endpoints");
  }

  readonly fetch = (): never => refuse("fetch");

  async broadcast(data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return await this.#supervisor.call("broadcast", [data, choice]) as number;
  }

  async sendToRoom(room: string, data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return await this.#supervisor.call("sendToRoom", [room, data, choice]) as number;
  }

  async sendToUser(user: string, data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return await this.#supervisor.call("sendToUser", [user, data, choice]) as number;
  }

  async presence(room: string, choice: ConnectorChoice = {}): Promise<RoomPresence> {
    return await this.#supervisor.call("presence", [room, choice]) as RoomPresence;
  }

  async publish(key: string, body: unknown, options: PublishOptions = {}): Promise<void> {
    await this.#supervisor.call("publish", [key, body, options]);
  }

  counts(): Counts {
    return countsOfAll(this.#supervisor.statuses.map(({ counts }) => counts));
  }

  async metrics(): Promise<string> {
    if (!this.#hasMetrics) throw metricsAreOff();
    const { ProcessTotals, workersData } = await import("../metrics/mod.ts");
    this.#totals ??= new ProcessTotals();
    const processes = await scrape(this.#supervisor.running);
    const own = workersData(this.#supervisor.workers);
    return await this.#totals.text(new Map([...processes, ["supervisor", own]]));
  }

  health(): Readonly<Record<string, string>> {
    return healthOfAll(this.#supervisor);
  }

  close(): Promise<void> {
    return this.#close();
  }
}

function refuse(name: string): never {
  throw new TypeError(`a service of several workers has no ${name}: the workers listen themselves`);
}
