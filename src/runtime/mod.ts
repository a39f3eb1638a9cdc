/**
 * Puts the parts together, and is the only place that does: a model becomes a running service
 * without sockets of its own.
 *
 * May import base/, config/, connectors/, contract/, flow/, hcl/, model/ and transport/.
 */
import { getLogger } from "@logtape/logtape";
import { systemClock } from "../base/clock.ts";
import type { Cluster, ConnectorCluster } from "../contract/cluster.ts";
import type { Connector, ConnectorContext } from "../contract/connector.ts";
import { Lookups } from "../flow/requests.ts";
import { type Configuration, loadConfig, type LoadOptions } from "./load.ts";
import type { Model, RequestModel } from "../model/mod.ts";
import { type CoreOptions, type Runtime, RuntimeCore } from "./core.ts";
import type { Upgrader } from "../transport/handshake.ts";

export type { ConnectorChoice, Counts, PublishOptions, Runtime } from "./core.ts";

/** What a runtime is made with. */
export interface RuntimeOptions extends LoadOptions {
  /**
   * How `fetch` upgrades a request to a WebSocket. The entrypoints for Deno and Bun bring theirs;
   * without one, `fetch` serves everything else.
   */
  readonly upgrader?: Upgrader;
}

/** What a runtime can be made with by who starts it. */
export type AssemblyOptions = RuntimeOptions & CoreOptions;

/**
 * Makes a runtime of a configuration and starts it: databases are migrated, brokers consumed. It
 * does not listen: hand `fetch`, `app` or Node's `attach` to a server, or use `serve` instead.
 *
 * @throws {ConfigError} The configuration cannot run.
 * @throws {ConnectorError} A connector can never start: a refused migration, wrong credentials.
 *
 * @example
 * ```ts
 * import { createRuntime } from "@weir/runtime";
 *
 * const runtime = await createRuntime(`
 *   connector "ws" {
 *     type = "websocket"
 *     port = 3001
 *   }
 * `);
 * console.log(await runtime.broadcast({ hello: "everyone" })); // 0
 * await runtime.close();
 * ```
 */
export async function createRuntime(
  config: Configuration,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  const runtime = await assembleRuntime(config, options);
  try {
    // Two connectors on one path must be found before anything has begun.
    void runtime.app;
    await runtime.start();
    await runtime.consume();
  } catch (error) {
    await runtime.close().catch((failure) =>
      getLogger(["weir"]).error("closing after a failed start failed, too: {failure}", { failure })
    );
    throw error;
  }
  return runtime;
}

/** Makes a runtime that has not been started. */
export async function assembleRuntime(
  config: Configuration,
  options: AssemblyOptions,
): Promise<RuntimeCore> {
  const { clock = systemClock, cluster } = options;
  const model = isModel(config) ? config : await loadConfig(config, options);
  const { constants } = model;
  const connectors = new Map<string, Connector>();
  const lookups = new Lookups(connectors, clock);
  const lookUp: ConnectorContext["lookUp"] = (...request) => lookups.run(...request);
  for (const { name, definition, options } of model.connectors.values()) {
    const logger = getLogger(["weir", name]);
    const place = cluster && clusterOf(name, model, cluster);
    const context = { name, logger, clock, constants, lookUp, ...(place && { cluster: place }) };
    connectors.set(name, await definition.create(options, context));
  }
  return new RuntimeCore(model, connectors, options);
}

/** What one connector sees of the other workers. */
function clusterOf(name: string, model: Model, cluster: Cluster): ConnectorCluster {
  const requests = requestsOf(model).filter(({ connector }) => connector === name);
  return {
    get leader() {
      return cluster.leader;
    },
    whenLeader: (act) => cluster.whenLeader(act),
    channel: cluster.channel(name),
    requests: requests.map(({ options }) => options),
    readOnce: (what, read) => cluster.readOnce(`${name} ${what}`, read),
    acquireSlot: (limit) => cluster.acquireSlot(name, limit),
    releaseSlot: () => cluster.releaseSlot(name),
  };
}

/** Every block that asks a connector for something. */
function requestsOf({ flows, connectors }: Model): readonly RequestModel[] {
  return [
    ...flows.flatMap(({ accept, steps, to, errorHandling: { fallback } }) =>
      [accept?.steps ?? [], steps, to, fallback ?? []].flat()
    ),
    ...[...connectors.values()].flatMap(({ lookups }) => lookups),
  ];
}

function isModel(config: Configuration): config is Model {
  return typeof config === "object" && "connectors" in config;
}
