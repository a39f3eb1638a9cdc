/** A running configuration: its connectors, its flows, and the API of the program that embeds it. */
import { systemClock } from "../base/clock.ts";
import type { Connector, HonoApp, HttpService, WriteRequest } from "../contract/connector.ts";
import type { Metrics, MetricsData } from "../contract/metrics.ts";
import type { ConnectorModel, Model } from "../model/mod.ts";
import type { Upgrader } from "../transport/handshake.ts";
import type { SocketEndpoint } from "../transport/socket.ts";
import { chosen, type ConnectorChoice } from "./choice.ts";
import { countsOf, groupsOf, type RuntimeGroups, troublesOf } from "./instances.ts";
import type { CoreOptions } from "./core-options.ts";
import { createFlows } from "./flows.ts";
import type { HealthSource } from "./health.ts";
import { Lifecycle } from "./lifecycle.ts";
import { refuseSharedPaths } from "./paths.ts";
import type { RoomPresence } from "./presence.ts";
import type { Work } from "./progress.ts";
import { metricsAreOff, scraped } from "./scrape.ts";
import { createSite, type Site } from "./site.ts";

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
   * Returns the members of a room that has `presence`, in all instances of the service.
   *
   * @throws {ConnectorError} The room has no presence, or no connector or more than one has rooms.
   */
  presence(room: string, choice?: ConnectorChoice): Promise<RoomPresence>;
  /**
   * Publishes to a broker, which may be the memory broker. `key` is the routing key.
   *
   * @throws {ConnectorError} No connector or more than one can publish, or the broker did not accept
   * the message.
   */
  publish(key: string, body: unknown, options?: PublishOptions): Promise<void>;
  /** The counters of all connectors, such as `counts().ws.connections`. */
  counts(): Counts;
  /**
   * All metrics as text in the format of Prometheus. With workers, those of all of them together.
   *
   * @throws {TypeError} The option `metrics` is not set.
   */
  metrics(): Promise<string>;
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

/** A runtime with the methods that start it and that listeners need. */
export class RuntimeCore implements Runtime {
  readonly #model: Model;
  readonly #connectors: ReadonlyMap<string, Connector>;
  readonly #groups: RuntimeGroups;
  readonly #upgrader: Upgrader | undefined;
  readonly #lifecycle: Lifecycle;
  readonly #metrics: Metrics | undefined;
  readonly #closed: CoreOptions["closed"];
  #site: Site | undefined;

  /** `connectors` has all connectors of the model. */
  constructor(
    model: Model,
    connectors: ReadonlyMap<string, Connector>,
    groups: RuntimeGroups,
    options: CoreOptions,
    metrics?: Metrics,
  ) {
    this.#metrics = metrics;
    const { upgrader, clock = systemClock, cluster, closed } = options;
    this.#closed = closed;
    this.#model = model;
    this.#connectors = connectors;
    this.#groups = groups;
    this.#upgrader = upgrader;
    const leader = groups.backplane?.group;
    const flows = createFlows(model, connectors, leader?.shared, options);
    const { service } = model;
    const parts = { connectors, flows, clock, cluster, service, leader };
    this.#lifecycle = new Lifecycle({ ...parts, groups: groupsOf(groups) });
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

  async presence(room: string, choice: ConnectorChoice = {}): Promise<RoomPresence> {
    const request = { operation: "presence", target: room, payload: null, options: {} };
    const supports = ({ definition }: ConnectorModel) =>
      definition.step?.operations?.includes("presence") === true;
    return await this.#write("presence", supports, choice, request) as RoomPresence;
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
    const connectors = [...this.#connectors].map(([name, connector]) =>
      [name, { ...connector.counts?.(), ...countsOf(name, this.#groups) }] as const
    );
    return Object.fromEntries(connectors);
  }

  health(): Readonly<Record<string, string>> {
    const found = [...this.#connectors].flatMap(([name, connector]): [string, string][] => {
      const reason = connector.health?.();
      return reason === undefined ? [] : [[name, reason]];
    });
    found.push(...troublesOf(this.#groups));
    return Object.fromEntries(
      this.#lifecycle.closing ? [...found, ["runtime", "shutting down"]] : found,
    );
  }

  async metrics(): Promise<string> {
    const data = this.metricsData();
    return await (await import("../metrics/mod.ts")).textOf([data]);
  }

  /**
   * The same as plain data, which can be added to that of other processes.
   *
   * @throws {TypeError} The option `metrics` is not set.
   */
  metricsData(): MetricsData {
    if (this.#metrics === undefined) throw metricsAreOff();
    const models = this.#model.connectors.values();
    return this.#metrics.collect(
      scraped(models, this.#connectors, this.counts(), this.health()),
    );
  }

  close(): Promise<void> {
    this.#metrics?.close();
    return this.#lifecycle.close().finally(() => this.#closed?.());
  }

  /** Whether clients can be served, whatever connectors are away. */
  get serving(): boolean {
    return this.#lifecycle.serving;
  }

  /** True once the shutdown has begun. */
  get closing(): boolean {
    return this.#lifecycle.closing;
  }

  /** What is at work at the moment. */
  get work(): Work {
    return this.#lifecycle.work;
  }

  /** What the health checks tell. */
  get healthSource(): HealthSource {
    const { name, version } = this.#model.service;
    const identity = { name, version };
    return { identity, health: () => this.health(), serving: () => this.serving };
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
        health: this.healthSource,
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
    choice: ConnectorChoice,
    request: Pick<WriteRequest, "operation" | "target" | "payload" | "options">,
  ): unknown {
    const name = chosen(method, this.#model.connectors.values(), supports, choice);
    const scope = { constants: this.#model.constants };
    return this.#connectors.get(name)?.write?.({ ...request, scope, event: undefined });
  }
}
