/**
 * `createRuntime`: a model becomes running connectors, flows and schedules. A runtime opens no port;
 * `server/` does.
 *
 * May import base/, config/, connectors/, contract/, flow/, hcl/, model/ and transport/.
 */
import { getLogger } from "@logtape/logtape";
import { systemClock } from "../base/clock.ts";
import type { Cluster, ConnectorCluster } from "../contract/cluster.ts";
import type { Connector, ConnectorContext } from "../contract/connector.ts";
import { Lookups } from "../flow/requests.ts";
import type { Model, RequestModel } from "../model/mod.ts";
import type { Upgrader } from "../transport/handshake.ts";
import { type CoreOptions, type Runtime, RuntimeCore } from "./core.ts";
import { type Configuration, loadConfig, type LoadOptions } from "./load.ts";

export type { ConnectorChoice, Counts, PublishOptions, Runtime } from "./core.ts";

/** The options of `createRuntime`. */
export interface RuntimeOptions extends LoadOptions {
  /**
   * Upgrades requests to WebSockets in `fetch`. The entrypoints for Deno and Bun have their own.
   * Without it, `fetch` serves everything but WebSockets.
   */
  readonly upgrader?: Upgrader;
}

/** The options of `assembleRuntime`. */
export type AssemblyOptions = RuntimeOptions & CoreOptions;

/**
 * Creates a runtime and starts it: databases are migrated, and brokers are consumed. It does not
 * listen. Pass `fetch` or `app` to a server, use Node's `attach`, or use `serve` instead.
 *
 * @throws {ConfigError} The configuration has problems.
 * @throws {ConnectorError} A connector cannot start, such as after a failed migration or with wrong
 * credentials.
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
    // Fails if two connectors have the same path, before anything is started.
    void runtime.app;
    await runtime.start();
    await runtime.consume();
  } catch (error) {
    await runtime.close().catch((failure) =>
      getLogger(["weir"]).error("closing after a failed start failed as well: {failure}", {
        failure,
      })
    );
    throw error;
  }
  return runtime;
}

/** Creates a runtime without starting it. */
export async function assembleRuntime(
  config: Configuration,
  options: AssemblyOptions,
): Promise<RuntimeCore> {
  const { clock = systemClock, cluster, idsOf } = options;
  const model = isModel(config) ? config : await loadConfig(config, options);
  const { constants } = model;
  const connectors = new Map<string, Connector>();
  const lookups = new Lookups(connectors, clock);
  const runtime = Object.freeze({});
  const lookUp: ConnectorContext["lookUp"] = (...request) => lookups.run(...request);
  for (const { name, definition, options } of model.connectors.values()) {
    const logger = getLogger(["weir", name]);
    const place = cluster && clusterOf(name, model, cluster);
    const newId = idsOf?.(name);
    const own = { name, logger, clock, newId, runtime, constants, lookUp };
    const context = { ...own, ...(place && { cluster: place }) };
    connectors.set(name, await definition.create(options, context));
  }
  return new RuntimeCore(model, connectors, options);
}

/** The cluster as one connector sees it. */
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

/** All blocks that write to connectors. */
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
