/**
 * The contract between the runtime and its connectors. Built-in connectors and foreign ones go
 * through the same door: a `ConnectorType` in the table that `createRuntime` takes.
 */
import type { Expression, Scope } from "./expression.ts";
import type { HonoApp } from "./hono.ts";
import type { Fields, Values } from "./schema.ts";
import type { SocketEndpoint } from "./socket.ts";

/** What is known of the connection that an event came from. A client cannot forge any of it. */
export interface Client {
  /** Unique to this connection. */
  readonly id: string;
  /** Who the client is, or null. */
  readonly user_id: string | null;
  /** The claims of a verified token, or null. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** Query parameters of the handshake. */
  readonly params: Readonly<Record<string, string>>;
  /** Headers of the handshake, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The rooms that the connection is in now. */
  readonly rooms: readonly string[];
  /** The address of the peer, or null where the runtime does not tell. */
  readonly remote_addr: string | null;
  /** ISO 8601, UTC. */
  readonly connected_at: string;
}

/** Something that happened at a source. */
export interface FlowEvent {
  /** Such as `message`, `order.updated` or `POST /orders`. */
  readonly operation: string;
  /** What the sender sent, without the envelope: what goes on when no transform says otherwise. */
  readonly payload: unknown;
  /** The payload's fields and the metadata of the source. May be made on first use. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The connection, where the source has clients. */
  readonly client?: Client;
}

/** How a flow ended. */
export interface Outcome {
  /** What the flow's `response` block made; undefined where it has none. */
  readonly response: { readonly data: unknown } | undefined;
  /** What the first destination returned; undefined where nothing did. */
  readonly result: unknown;
  /** True where the first destination made something new: its `creates` says so. */
  readonly created?: boolean;
}

/** One flow as its source sees it. */
export interface FlowHandler {
  /** The flow's name. */
  readonly flow: string;
  /**
   * Whether the flow's filter takes the event.
   *
   * @throws {FlowError} The filter failed; it has been logged.
   */
  takes(event: FlowEvent): boolean;
  /**
   * Runs the flow. Returns at once where nothing had to be waited for.
   *
   * @throws {FlowError} Something failed; it has been logged.
   */
  run(event: FlowEvent): Outcome | Promise<Outcome>;
}

/** One delivery to a destination. */
export interface WriteRequest<Options = unknown> {
  /** As the `to` block names it. */
  readonly operation: string | undefined;
  /** The table, room, user, routing key or address, evaluated. */
  readonly target: string | undefined;
  /** What is to be delivered. */
  readonly payload: unknown;
  /** The destination's own attributes. The same object for every request of one `to` block. */
  readonly options: Options;
  /** The variables for the expressions in `options`. */
  readonly scope: Scope;
  /** The event that started the flow; undefined where the library's user called. */
  readonly event: FlowEvent | undefined;
}

/**
 * A structured log. `{name}` in a message stands for the property of that name. Secrets and message
 * bodies do not belong into it above the level trace.
 */
export interface Logger {
  /** For who follows a single event. */
  trace(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** For who looks for a fault. */
  debug(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** What an operator wants to know. */
  info(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** Something that may need a hand. */
  warn(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** Something that failed. */
  error(message: string, properties?: Readonly<Record<string, unknown>>): void;
}

/** What a connector is given when it is made. */
export interface ConnectorContext {
  /** The connector's name in the configuration. */
  readonly name: string;
  /** Logs under `weir.<connector>`. */
  readonly logger: Logger;
}

/** A part that serves HTTP or WebSockets on a listener that connectors share. */
export interface HttpService {
  /** Where it listens when Weir runs as a server of its own; an embedding server ignores it. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Adds this connector's routes. Called once for each application that serves them. */
  routes?(app: HonoApp): void;
  /** A WebSocket endpoint. */
  readonly socket?: SocketEndpoint;
  /** A folder of files to serve, absolute; ignored when embedded. */
  readonly files?: string;
}

/**
 * A connector at work. The runtime calls `subscribe` for every flow, then `start` on all, then
 * `consume` on all; at the end, or where one has failed, `stop`, `drain`, `closeClients`, `drain`
 * again and `close`, each on all. `drain` is repeated for as long as flows end meanwhile.
 */
export interface Connector {
  /** Adds a flow that wants the events of one operation, or of all where it is undefined. */
  subscribe?(operation: string | undefined, handler: FlowHandler): void;
  /**
   * Delivers. What it returns is the destination's result; a value that is no promise keeps a flow
   * synchronous.
   *
   * @throws {ConnectorError} The delivery failed.
   */
  write?(request: WriteRequest): unknown;
  /**
   * Gets ready to be written to.
   *
   * @throws {ConnectorError} It never can: a refused migration, wrong credentials.
   */
  start?(): Promise<void>;
  /** Begins to take events. */
  consume?(): Promise<void>;
  /** Takes no more events from outside; those in flight go on. */
  stop?(): Promise<void>;
  /** Waits for what is in flight. */
  drain?(): Promise<void>;
  /** Closes its clients after what is queued for them; the flows that this starts may go on. */
  closeClients?(): Promise<void>;
  /** Lets go of everything, without waiting for what is still in flight. */
  close?(): Promise<void>;
  /** Why it cannot serve at the moment; undefined when it can. */
  trouble?(): string | undefined;
  /** Numbers for `runtime.counts()`, such as `connections`. */
  counts?(): Readonly<Record<string, number>>;
  /** What it offers over HTTP. */
  readonly http?: HttpService;
}

/** Something to say about one block of a configuration. */
export interface Complaint {
  /** The attribute to point at; the block's header where it is undefined or absent. */
  readonly attribute?: string;
  /** What is wrong, a sentence without the block's name: `needs a target`. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** What the checks of a destination see of a `to` block. */
export interface Destination<Options = unknown> {
  /** As written; undefined where it is absent. */
  readonly operation: string | undefined;
  /** A literal name, an expression, or undefined. */
  readonly target: string | Expression | undefined;
  /** The destination's own attributes. */
  readonly options: Options;
}

/**
 * A kind of connector: `type` in a `connector` block names it.
 *
 * @example A connector that keeps what it is given
 * ```ts
 * import { attribute, createRuntime, defineConnector, text } from "@weir/runtime";
 *
 * const kept: unknown[] = [];
 * const shelf = defineConnector({
 *   fields: { label: attribute(text(), { about: "Stands on the shelf." }) },
 *   destination: { fields: {} },
 *   create: (options) => ({ write: ({ payload }) => kept.push([options.label, payload]) }),
 * });
 * const runtime = await createRuntime('connector "s" {\n type = "shelf"\n label = "a"\n}', {
 *   connectors: { shelf },
 * });
 * await runtime.close();
 * ```
 */
export interface ConnectorType<Options = unknown, DestinationOptions = unknown> {
  /** The attributes and blocks of its `connector` block, `type` left out. */
  readonly fields: Fields;
  /** What no single attribute tells. */
  check?(options: Options): readonly Complaint[];
  /** What no two connectors may have alike, such as `0.0.0.0:3001/ws`. */
  address?(options: Options): string | undefined;
  /** Present where a flow can start here. */
  readonly source?: {
    /** True where events come from connections, so that expressions may use `client`. */
    readonly clients?: boolean;
    /** Checks the `operation` of a `from` block. What could not be read of the options is undefined. */
    check?(operation: string | undefined, options: Options): readonly Complaint[];
  };
  /** Present where a flow can end here. */
  readonly destination?: {
    /** Attributes of a `to` block beside `connector`, `operation`, `target` and `when`. */
    readonly fields: Fields;
    /** The operations that it knows; any text where absent. */
    readonly operations?: readonly string[];
    /** Checks a whole `to` block. What could not be read of the options is undefined. */
    check?(to: Destination<DestinationOptions>, options: Options): readonly Complaint[];
    /** Whether delivering to this block makes something new, as an INSERT does. Never where absent. */
    creates?(to: Destination<DestinationOptions>, options: Options): boolean;
  };
  /** Makes a connector; may load its client library now, and opens nothing before `start`. */
  create(options: Options, context: ConnectorContext): Connector | Promise<Connector>;
}

/** A `ConnectorType` whose options follow from its fields. Give it to `defineConnector`. */
export interface ConnectorDefinition<F extends Fields, D extends Fields>
  extends Omit<ConnectorType<Values<F>, Values<D>>, "fields" | "destination"> {
  /** The attributes and blocks of its `connector` block, `type` left out. */
  readonly fields: F;
  /** Present where a flow can end here. */
  readonly destination?:
    & { readonly fields: D }
    & Omit<NonNullable<ConnectorType<Values<F>, Values<D>>["destination"]>, "fields">;
}

/** Types a connector's options by its fields. */
export function defineConnector<F extends Fields, D extends Fields = Record<never, never>>(
  definition: ConnectorDefinition<F, D>,
): ConnectorType {
  // The schema made the options that these functions get, so forgetting their type here is safe.
  return definition as unknown as ConnectorType;
}
