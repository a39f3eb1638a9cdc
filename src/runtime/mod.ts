/**
 * `createRuntime`: a model becomes running connectors, flows and schedules. A runtime opens no port;
 * `server/` does.
 *
 * May import base/, cluster/, config/, connectors/, contract/, expression/, flow/, hcl/, metrics/,
 * model/, tracing/ and transport/.
 */
import { getLogger } from "@logtape/logtape";
import { systemClock } from "../base/clock.ts";
import type { Cluster, ConnectorCluster } from "../contract/cluster.ts";
import type { Connector, ConnectorContext } from "../contract/connector.ts";
import { compileExpression } from "../expression/mod.ts";
import { Lookups } from "../flow/requests.ts";
import type { FlowModel, Model, RequestModel } from "../model/mod.ts";
import { startTracing } from "../tracing/mod.ts";
import type { Upgrader } from "../transport/handshake.ts";
import { type Runtime, RuntimeCore } from "./core.ts";
import type { CoreOptions } from "./core-options.ts";
import { createGroups, instancesOf } from "./instances.ts";
import { type Configuration, type LoadOptions, modelOf } from "./load.ts";

export type { ConnectorChoice } from "./choice.ts";
export type { Counts, PublishOptions, Runtime } from "./core.ts";
export type { PresenceMember, RoomPresence } from "./presence.ts";

/** The options of `createRuntime`. */
export interface RuntimeOptions extends LoadOptions {
  /**
   * Upgrades requests to WebSockets in `fetch`. The entrypoints for Deno and Bun have their own.
   * Without it, `fetch` serves everything but WebSockets.
   */
  readonly upgrader?: Upgrader;
  /**
   * Whether `metrics()` has metrics for Prometheus. False by default: then nothing is measured for
   * them.
   */
  readonly metrics?: boolean;
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
  const { clock = systemClock, cluster, idsOf, observers = [], traces = true } = options;
  const model = await modelOf(config, options);
  const { constants } = model;
  const tracing = traces ? await startTracing(model) : undefined;
  const { env, now, randomBytes } = options;
  const compile = (text: string, variables: readonly string[]) =>
    compileExpression(text, variables, { env, now, randomBytes });
  const writing = requestsOf(model);
  const connectors = new Map<string, Connector>();
  const lookups = new Lookups(connectors, clock);
  const runtime = Object.freeze({});
  const groups = await createGroups(model, { clock, cluster });
  const hasBackplane = groups.backplane !== undefined;
  for (const { name, definition, options } of model.connectors.values()) {
    const logger = getLogger(["weir", name]);
    const place = cluster && clusterOf(name, cluster);
    const newId = idsOf?.(name);
    const requests = writing.filter(({ connector }) => connector === name)
      .map(({ options }) => options);
    const own = { name, logger, clock, newId, runtime, constants, requests, compile };
    const instances = instancesOf(name, groups);
    const relayed = tracing?.relayed(name);
    const traced = tracing?.lookedUp(name);
    const lookUp: ConnectorContext["lookUp"] = (steps, scope, payload, trace) =>
      lookups.run(steps, scope, payload, traced?.(trace));
    const context = {
      ...own,
      lookUp,
      instances,
      hasBackplane,
      relayed,
      ...(place && { cluster: place }),
    };
    connectors.set(name, await definition.create(options, context));
  }
  const metrics = options.metrics === true
    ? new (await import("../metrics/mod.ts")).RuntimeMetrics()
    : undefined;
  const all = [
    ...observers,
    ...(metrics ? [metrics.observe.bind(metrics)] : []),
    ...(tracing ? [(flow: FlowModel) => tracing.observe(flow)] : []),
  ];
  const closed = tracing && (() => tracing.flush());
  const parts = { ...options, observers: all, ...(closed && { closed }) };
  return new RuntimeCore(model, connectors, groups, parts, metrics);
}

/** The cluster as one connector sees it. */
function clusterOf(name: string, cluster: Cluster): ConnectorCluster {
  return {
    worker: cluster.worker,
    get leader() {
      return cluster.leader;
    },
    whenLeader: (act) => cluster.whenLeader(act),
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
