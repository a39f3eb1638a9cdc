/** A configuration at work: its flows, its connectors, and what its owner can ask of it. */
import { getLogger } from "@logtape/logtape";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Cluster } from "../contract/cluster.ts";
import type { Connector, HttpService, WriteRequest } from "../contract/connector.ts";
import { ConfigError, ConnectorError } from "../base/errors.ts";
import { problemWithoutPlace } from "../base/problem.ts";
import { Flow, traced } from "../flow/mod.ts";
import type { HonoApp } from "../contract/hono.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { ConnectorModel, Model } from "../model/mod.ts";
import { createSite, type Identity, type Site } from "./site.ts";
import type { Upgrader } from "../transport/handshake.ts";
import type { SocketEndpoint } from "../transport/socket.ts";

/** Which of several connectors is meant. */
export interface ConnectorChoice {
  /** Its name; needed where the configuration has more than one of the kind. */
  readonly connector?: string;
}

/** Numbers of every connector, by its name. */
export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A configuration at work. `createRuntime` makes it. */
export interface Runtime {
  /** A Hono application with every path, to mount: `app.route("/live", runtime.app)`. */
  readonly app: HonoApp;
  /** The WebSocket endpoints, for adapters. */
  readonly endpoints: readonly SocketEndpoint[];
  /**
   * Answers a request, and upgrades it where it is for a WebSocket path. `env` is what the server
   * hands over beside the request: Bun's server, Deno's connection info.
   */
  fetch(this: void, request: Request, env?: unknown): Response | Promise<Response>;
  /** Sends to every client; gives how many connections it was queued for. */
  broadcast(data: unknown, choice?: ConnectorChoice): Promise<number>;
  /** Sends to the members of a room; gives how many connections it was queued for. */
  sendToRoom(room: string, data: unknown, choice?: ConnectorChoice): Promise<number>;
  /** Sends to the connections of a user; gives how many it was queued for. */
  sendToUser(user: string, data: unknown, choice?: ConnectorChoice): Promise<number>;
  /**
   * Publishes on a broker, the memory broker included. `key` is the routing key.
   *
   * @throws {ConnectorError} No connector, or more than one, can publish, or the broker did not take the
   * message.
   */
  publish(key: string, body: unknown, options?: PublishOptions): Promise<void>;
  /** What every connector counts, such as `counts().ws.connections`. */
  counts(): Counts;
  /** The connectors that cannot serve now, by name, each with the reason. Empty if all are healthy. */
  health(): Readonly<Record<string, string>>;
  /**
   * Ends everything: takes no more events, waits for the flows in flight, closes clients with 1001
   * spread over the service's `shutdown_spread`, lets go of brokers and databases. What is not done
   * within its `shutdown_timeout` is left.
   */
  close(): Promise<void>;
}

/** What `publish` can be told. */
export interface PublishOptions extends ConnectorChoice {
  /** Headers of the message. None by default. */
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** What a runtime is put together with. */
export interface CoreOptions {
  /** How `fetch` upgrades a request to a WebSocket. */
  readonly upgrader?: Upgrader;
  /** The machine's own time by default. */
  readonly clock?: Clock;
  /** From 0 to below 1: the jitter of delays; `Math.random` by default. */
  readonly random?: () => number;
  /** The other workers of the service. None by default. */
  readonly cluster?: Cluster;
}

/** A runtime as those see it who start it and listen for it. */
export class RuntimeCore implements Runtime {
  readonly #model: Model;
  readonly #connectors: ReadonlyMap<string, Connector>;
  readonly #upgrader: Upgrader | undefined;
  readonly #lifecycle: Lifecycle;
  #site: Site | undefined;

  /** The model's connectors must all be there. */
  constructor(
    model: Model,
    connectors: ReadonlyMap<string, Connector>,
    { upgrader, clock = systemClock, random = Math.random, cluster }: CoreOptions,
  ) {
    this.#model = model;
    this.#connectors = connectors;
    this.#upgrader = upgrader;
    const logger = getLogger(["weir", "flow"]);
    const context = { connectors, constants: model.constants, logger, clock, random, cluster };
    // Asked once: following single events must cost those nothing who do not.
    const follows = logger.isEnabledFor("trace");
    const flows = model.flows.map((model) => {
      const flow = new Flow(model, context);
      return { model, flow, handler: follows ? traced(flow, logger) : flow };
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
    return this.#send("broadcast", undefined, data, choice);
  }

  sendToRoom(room: string, data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return this.#send("send_to_room", room, data, choice);
  }

  sendToUser(user: string, data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return this.#send("send_to_user", user, data, choice);
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

  /** Who this is, for those who ask over HTTP. */
  get identity(): Identity {
    const { name, version } = this.#model.service;
    return { name, version };
  }

  /** What the connectors serve, by their names, for those who listen. */
  get services(): ReadonlyMap<string, HttpService> {
    const services = [...this.#connectors].flatMap(([name, { http }]) =>
      http === undefined ? [] : [[name, http] as const]
    );
    return new Map(services);
  }

  /** Gets everything ready to be written to. */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /** Begins to take events. */
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
    operation: string,
    target: string | undefined,
    payload: unknown,
    choice: ConnectorChoice,
  ): Promise<number> {
    const request = { operation, target, payload, options: {} };
    const knows = ({ definition }: ConnectorModel) =>
      definition.destination?.operations?.includes(operation) === true;
    const result = await this.#write(operation, knows, choice, request);
    return (result as { readonly recipients: number }).recipients;
  }

  /** Writes to the one connector that can do it, or to the one of these that is named. */
  #write(
    what: string,
    can: (connector: ConnectorModel) => boolean,
    { connector: name }: ConnectorChoice,
    request: Pick<WriteRequest, "operation" | "target" | "payload" | "options">,
  ): unknown {
    const able = [...this.#model.connectors.values()].filter(can);
    const [model, ...more] = name === undefined
      ? able
      : able.filter((candidate) => candidate.name === name);
    if (model === undefined || more.length > 0) {
      const names = able.map((candidate) => candidate.name).join(", ");
      throw new ConnectorError(name ?? "*", refusal(what, name, names), { permanent: true });
    }
    const scope = { constants: this.#model.constants };
    return this.#connectors.get(model.name)?.write?.({ ...request, scope, event: undefined });
  }
}

/** Why none of the connectors that can do something is the one to use; `able` are their names. */
function refusal(what: string, name: string | undefined, able: string): string {
  if (able === "") return `no connector of the configuration can ${what}`;
  return name === undefined
    ? `several connectors can ${what}: name one of ${able}`
    : `is no connector that can ${what}, as ${able} can`;
}

/** On ports of their own two connectors may share a path; in one application they cannot. */
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
