/** A running configuration: its connectors, its flows, and the API of the program that embeds it. */
import { getLogger } from "@logtape/logtape";
import { type Clock, systemClock } from "../base/clock.ts";
import { ConfigError, ConnectorError } from "../base/errors.ts";
import { problemWithoutPlace } from "../base/problem.ts";
import type { Cluster } from "../contract/cluster.ts";
import type { Connector, HonoApp, HttpService, WriteRequest } from "../contract/connector.ts";
import { Flow, traced } from "../flow/mod.ts";
import type { ConnectorModel, Model } from "../model/mod.ts";
import type { Upgrader } from "../transport/handshake.ts";
import type { SocketEndpoint } from "../transport/socket.ts";
import { Lifecycle } from "./lifecycle.ts";
import { createSite, type ServiceIdentity, type Site } from "./site.ts";

/** Selects a connector. */
export interface ConnectorChoice {
  /** The name of a connector. Required if several connectors support the operation. */
  readonly connector?: string;
}

/** The counters of all connectors, by connector and counter. */
export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A running configuration. `createRuntime` returns it. */
export interface Runtime {
  /** A Hono application with all paths, to mount with `app.route("/live", runtime.app)`. */
  readonly app: HonoApp;
  /** The WebSocket endpoints, for adapters. */
  readonly endpoints: readonly SocketEndpoint[];
  /**
   * Responds to a request, and upgrades requests for WebSocket paths. `env` is what the server
   * passes beside the request, such as Bun's server or Deno's connection info.
   */
  fetch(this: void, request: Request, env?: unknown): Response | Promise<Response>;
  /**
   * Sends to all clients. Returns the number of connections that the message was queued for; 0 where
   * the connector does not count them.
   *
   * @throws {ConnectorError} No connector or more than one can do it, or it failed. `connector` is
   * empty where none was chosen. `sendToRoom`, `sendToUser` and `publish` throw the same.
   */
  broadcast(data: unknown, choice?: ConnectorChoice): Promise<number>;
  /** Sends to a room. Returns the number of connections that the message was queued for. */
  sendToRoom(room: string, data: unknown, choice?: ConnectorChoice): Promise<number>;
  /** Sends to a user. Returns the number of connections that the message was queued for. */
  sendToUser(user: string, data: unknown, choice?: ConnectorChoice): Promise<number>;
  /**
   * Publishes to a broker, which may be the memory broker. `key` is the routing key.
   *
   * @throws {ConnectorError} No connector or more than one can publish, or the broker did not accept
   * the message.
   */
  publish(key: string, body: unknown, options?: PublishOptions): Promise<void>;
  /** The counters of all connectors, such as `counts().ws.connections`. */
  counts(): Counts;
  /** The connectors that cannot serve now, by name, each with the reason. Empty if all are healthy. */
  health(): Readonly<Record<string, string>>;
  /**
   * Shuts down: stops consuming events, waits for flows in flight, closes clients with 1001 spread
   * over the service's `shutdown_spread`, and closes brokers and databases. Steps that exceed the
   * service's `shutdown_timeout` are abandoned and logged.
   *
   * @throws {Error} A connector failed in one of the steps. The others were closed.
   */
  close(): Promise<void>;
}

/** The options of `publish`. */
export interface PublishOptions extends ConnectorChoice {
  /** The headers of the message. None by default. */
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** The options of a runtime beside its model. */
export interface CoreOptions {
  /** Upgrades requests to WebSockets in `fetch`. */
  readonly upgrader?: Upgrader;
  /** The time of this machine by default. */
  readonly clock?: Clock;
  /** Returns a number from 0 to below 1, for the jitter of delays. `Math.random` by default. */
  readonly random?: () => number;
  /**
   * Returns what makes the ids of one connector or flow, by its name. Random UUIDs by default.
   */
  readonly idsOf?: (owner: string) => () => string;
  /** The other workers of the service. None by default. */
  readonly cluster?: Cluster;
}

/** A runtime with the methods that start it and that listeners need. */
export class RuntimeCore implements Runtime {
  readonly #model: Model;
  readonly #connectors: ReadonlyMap<string, Connector>;
  readonly #upgrader: Upgrader | undefined;
  readonly #lifecycle: Lifecycle;
  #site: Site | undefined;

  /** `connectors` has all connectors of the model. */
  constructor(
    model: Model,
    connectors: ReadonlyMap<string, Connector>,
    { upgrader, clock = systemClock, random = Math.random, idsOf, cluster }: CoreOptions,
  ) {
    this.#model = model;
    this.#connectors = connectors;
    this.#upgrader = upgrader;
    const logger = getLogger(["weir", "flow"]);
    const context = { connectors, constants: model.constants, logger, clock, random, cluster };
    // Checked once, since tracing must not cost anything when it is off.
    const tracing = logger.isEnabledFor("trace");
    const flows = model.flows.map((model) => {
      const flow = new Flow(model, { ...context, newId: idsOf?.(`flow ${model.name}`) });
      return { model, flow, handler: tracing ? traced(flow, logger) : flow };
    });
    this.#lifecycle = new Lifecycle({ connectors, flows, clock, cluster, service: model.service });
    for (const { model: { source }, handler } of flows) {
      if (source.kind === "connector") {
        connectors.get(source.connector)?.subscribe?.(source.operation, handler);
      }
    }
  }

  get app(): HonoApp {
    return this.#embeddedSite().app;
  }

  get endpoints(): readonly SocketEndpoint[] {
    return this.#embeddedSite().endpoints;
  }

  readonly fetch = (request: Request, env?: unknown): Response | Promise<Response> =>
    this.#embeddedSite().fetch(request, env);

  broadcast(data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return this.#send("broadcast", "broadcast", undefined, data, choice);
  }

  sendToRoom(room: string, data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return this.#send("sendToRoom", "send_to_room", room, data, choice);
  }

  sendToUser(user: string, data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return this.#send("sendToUser", "send_to_user", user, data, choice);
  }

  async publish(
    key: string,
    body: unknown,
    publishOptions: PublishOptions = {},
  ): Promise<void> {
    const { headers } = publishOptions;
    const request = {
      operation: undefined,
      target: key,
      payload: body,
      options: headers === undefined ? {} : { headers },
    };
    const publishes = ({ definition }: ConnectorModel) =>
      definition.destination?.publishes === true;
    await this.#write("publish", publishes, publishOptions, request);
  }

  counts(): Counts {
    return Object.fromEntries(
      [...this.#connectors].map(([name, connector]) => [name, connector.counts?.() ?? {}]),
    );
  }

  health(): Readonly<Record<string, string>> {
    const found = [...this.#connectors].flatMap(([name, connector]): [string, string][] => {
      const reason = connector.health?.();
      return reason === undefined ? [] : [[name, reason]];
    });
    return Object.fromEntries(
      this.#lifecycle.closing ? [...found, ["runtime", "shutting down"]] : found,
    );
  }

  close(): Promise<void> {
    return this.#lifecycle.close();
  }

  /** The body of `/health/live`, beside its status. */
  get identity(): ServiceIdentity {
    const { name, version } = this.#model.service;
    return { name, version };
  }

  /** The HTTP services of the connectors, by connector. */
  get services(): ReadonlyMap<string, HttpService> {
    const services = [...this.#connectors].flatMap(([name, { http }]) =>
      http === undefined ? [] : [[name, http] as const]
    );
    return new Map(services);
  }

  /** Does what can be done of a start while the service that this one replaces still runs. */
  prepare(): Promise<void> {
    return this.#lifecycle.prepare();
  }

  /** Starts all connectors. They accept writes when this resolves. */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /** Starts to consume events, and starts the schedules. */
  consume(): Promise<void> {
    return this.#lifecycle.consume();
  }

  #embeddedSite(): Site {
    if (this.#site === undefined) {
      refuseSharedPaths(this.services);
      const upgrader = this.#upgrader;
      this.#site = createSite({
        services: [...this.services.values()],
        upgrader,
        identity: this.identity,
        health: () => this.health(),
      });
    }
    return this.#site;
  }

  async #send(
    method: string,
    operation: string,
    target: string | undefined,
    payload: unknown,
    choice: ConnectorChoice,
  ): Promise<number> {
    const request = { operation, target, payload, options: {} };
    const supports = ({ definition }: ConnectorModel) =>
      definition.destination?.operations?.includes(operation) === true;
    // A connector of another package may return nothing.
    const result = await this.#write(method, supports, choice, request);
    return (result as { readonly recipients?: number } | undefined)?.recipients ?? 0;
  }

  /** Writes to the connector with this name, or to the only one that supports the operation. */
  #write(
    method: string,
    supports: (connector: ConnectorModel) => boolean,
    { connector: name }: ConnectorChoice,
    request: Pick<WriteRequest, "operation" | "target" | "payload" | "options">,
  ): unknown {
    const able = [...this.#model.connectors.values()].filter(supports);
    const [model, ...more] = name === undefined
      ? able
      : able.filter((candidate) => candidate.name === name);
    if (model === undefined || more.length > 0) {
      const names = able.map((candidate) => candidate.name).join(", ");
      throw new ConnectorError(name ?? "", refusal(method, name, names), { permanent: true });
    }
    const scope = { constants: this.#model.constants };
    return this.#connectors.get(model.name)?.write?.({ ...request, scope, event: undefined });
  }
}

/** Why a connector cannot be selected. `able` has the names of those that support the operation. */
function refusal(method: string, name: string | undefined, able: string): string {
  if (able === "") return `${method}: the configuration has no connector that can do this`;
  return name === undefined
    ? `${method}: several connectors can do this; choose one of ${able}`
    : `cannot ${method}; connectors that can: ${able}`;
}

/** Two connectors may share a path on separate ports, but not in one application. */
function refuseSharedPaths(services: ReadonlyMap<string, HttpService>): void {
  const owners = new Map<string, string>();
  for (const [name, { socket }] of services) {
    if (socket === undefined) continue;
    const other = owners.get(socket.path);
    owners.set(socket.path, name);
    if (other === undefined) continue;
    const message = `connectors "${other}" and "${name}" have the same path ${socket.path}`;
    const hint = "an embedded runtime has one address: give one of them another path";
    throw new ConfigError([problemWithoutPlace({ code: "duplicate-address", message, hint })]);
  }
}
