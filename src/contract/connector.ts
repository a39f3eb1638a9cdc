/**
 * The contract between the runtime and a connector at work: the events that it takes, the flows that
 * it starts, the writes that it gets.
 */
import type { Scope } from "../expression/mod.ts";
import type { StreamEndpoint } from "../transport/event-stream.ts";
import type { SocketEndpoint } from "../transport/socket.ts";
import type { DedupeStore } from "./cluster.ts";
import type { ProbeRequest, ProbeSource } from "./probe.ts";

export type { ConnectorContext, Logger, Played, StepResults } from "./context.ts";

/**
 * What is known of the client that caused an event: what expressions see as `client`. The source sets
 * all of it, so a client cannot forge it. What only a connection has is null for a request.
 */
export interface Client {
  /** Unique to its connection; null without one. */
  readonly id: string | null;
  /** The identity of the client, or null. */
  readonly user_id: string | null;
  /** The claims of a verified token, or null. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** Query parameters of the handshake or the request. */
  readonly params: Readonly<Record<string, string>>;
  /** Headers of the handshake or the request, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The rooms that its connection is in now; null without one. */
  readonly rooms: readonly string[] | null;
  /** The address of the client, or null where the runtime does not tell. */
  readonly remote_addr: string | null;
  /** ISO 8601, UTC; null without a connection. */
  readonly connected_at: string | null;
}

/** Something that happened at a source. */
export interface FlowEvent {
  /** What happened, such as `message`, `order.updated` or `POST /orders`. */
  readonly operation: string;
  /**
   * What the sender sent, without an envelope. It is plain data, as in JSON. Destinations get it if the
   * flow has no `transform`.
   */
  readonly payload: unknown;
  /**
   * What expressions see as `input`: the fields of the payload, and the metadata of the source, which
   * wins over a field of the same name. A getter may make it when it is first used.
   */
  readonly input: Readonly<Record<string, unknown>>;
  /** Who caused it, if the source knows that. */
  readonly client?: Client;
  /**
   * What expressions see as `match`: the names in a pattern of the source, with their values in this
   * event. A getter may make it when it is first used. The type's `matchNames` declares them.
   */
  readonly match?: Readonly<Record<string, unknown>>;
  /**
   * The names of the payload's fields that are text because the source has nothing else, such as the
   * parameters of a URL. The type of the flow's `validate.input` makes numbers and booleans of them.
   * A getter may make it when it is first used.
   */
  readonly textFields?: ReadonlySet<string>;
  /**
   * The names on `input` that belong to the source alone. If a type changes or fills in a field of
   * the payload of this name, `input` keeps what the source says. A getter may make it when it is
   * first used.
   */
  readonly metadata?: ReadonlySet<string>;
  /** The trace that it is part of: the sender's `traceparent` header. What is none is ignored. */
  readonly traceparent?: string | undefined;
  /** The `tracestate` header beside it. */
  readonly tracestate?: string | undefined;
}

/** How a flow ended. */
export interface Outcome {
  /** The result of the flow's `response` block; undefined if it has none. */
  readonly response: { readonly data: unknown } | undefined;
  /** What `write` of the first destination returned; undefined if it returned nothing. */
  readonly result: unknown;
  /** True if the first destination made something new, which its `creates` says. */
  readonly created?: boolean;
}

/** How a broker's message ends: handled, failed for good, or redelivered. */
export type Settlement = "ack" | "reject" | "requeue";

/** What happens to a broker's message that the filters of all flows refuse. */
export interface FilterRefusal {
  /** Acked, failed for good, or redelivered. */
  readonly settlement: Settlement;
  /** The number of redeliveries before it fails for good. */
  readonly maxRequeue: number;
}

/**
 * One flow as its source sees it. A source rarely calls its methods: `admit`, `accept` and `dispatch`
 * do, for all flows of an event.
 */
export interface FlowHandler {
  /** The flow's name. */
  readonly flow: string;
  /** What happens to a message that no flow takes. It is acknowledged if this is absent. */
  readonly filterRefusal?: FilterRefusal;
  /** True if the flow takes requests without a token, where the source asks for one. */
  readonly public?: boolean;
  /** Whether `accept` has something to wait for, such as a step. */
  readonly waits?: boolean;
  /**
   * Whether the flow's filter takes the event.
   *
   * @throws {FlowError} The filter failed; it has been logged.
   */
  takes(event: FlowEvent): boolean;
  /**
   * Asks the flow's `accept` block before anything is done, for events that can be refused: before a
   * connection is opened or a room joined. If the flow has `reject` blocks, its input is checked and
   * its steps run as well. `run` does none of this again for the same event. Returns a promise only
   * if it has to wait.
   *
   * @throws {FlowError} It refuses the event, or it failed; that has been logged.
   */
  accept?(event: FlowEvent): void | Promise<void>;
  /**
   * Runs the flow, its `accept` included. Returns a promise only if it has to wait.
   *
   * @throws {FlowError} Something failed; it has been logged.
   */
  run(event: FlowEvent): Outcome | Promise<Outcome>;
}

/** One delivery to a destination. */
export interface WriteRequest<Options = unknown> {
  /** The `operation` of the `to` or `step` block; undefined if it has none. */
  readonly operation: string | undefined;
  /** The `target`, such as a table, a room or a routing key. An expression has been evaluated. */
  readonly target: string | undefined;
  /** What is to be delivered. Other destinations get the same object, so do not change it. */
  readonly payload: unknown;
  /**
   * The values of the destination's own fields: the same object for every request of one block. Empty
   * if a program calls, for example with `runtime.publish`.
   */
  readonly options: Options;
  /**
   * The variables for the expressions in `options`. Where the result is cached for others, it has
   * nothing else but what these expressions read, and the constants.
   */
  readonly scope: Scope;
  /** The event that started the flow; undefined if a program calls, or a look-up. */
  readonly event: FlowEvent | undefined;
  /** False if the result is not used, so that the connector need not compute it. */
  readonly resultUsed?: boolean;
  /**
   * True where every instance of the service hears the event by itself: then what is sent to clients
   * reaches those of this instance, and the others send it to theirs.
   */
  readonly everyInstance?: boolean;
  /** The trace that the delivery is part of, as a `traceparent` header; absent without one. */
  readonly traceparent?: string;
  /** The `tracestate` header beside it; absent without one. */
  readonly tracestate?: string;
}

/** An open transaction of a connector. */
export interface Transaction {
  /** As `write` of the connector. It sees the writes before it. Where it fails, all of them do. */
  write(request: WriteRequest): unknown;
  /**
   * Keeps a key of `dedupe` together with the writes, and fails if there is one that has not expired.
   * Undefined where it cannot.
   */
  readonly dedupeKeys?: Pick<DedupeStore, "add"> | undefined;
}

/** A promise whose work can be stopped. `write` and `transact` may return one. */
export interface Cancellable<T = unknown> extends PromiseLike<T> {
  /** Stops the work: no flow waits for its result any more. The promise still settles. */
  cancel(): void;
  /**
   * What the work does now, for the error of a flow or a step whose time is up: a clause such as `its
   * statement was still running at the server`. Undefined where it cannot tell.
   */
  doing?(): string | undefined;
}

/** A part that serves HTTP or WebSockets on a listener that connectors share. */
export interface HttpService {
  /** Where it listens when Weir runs as a server of its own; an embedding server ignores it. */
  readonly listen: {
    readonly host: string;
    readonly port: number;
    /**
     * PEM files, absolute: the certificate and its key. Null for a listener without TLS. If it is
     * absent, the connector uses the TLS of the others on its port, or none.
     */
    readonly tls?: { readonly cert: string; readonly key: string } | null;
  };
  /** Adds this connector's routes. Called once for each application that serves them. */
  routes?(app: HonoApp): void;
  /** A WebSocket endpoint. */
  readonly socket?: SocketEndpoint;
  /** A path that answers with streams of events. */
  readonly stream?: StreamEndpoint;
  /** A folder of files to serve, absolute; ignored when embedded. */
  readonly files?: string;
}

/**
 * A connector at work. The runtime calls `subscribe` for every flow, then `start` on all connectors,
 * then `consume` on all. If it replaces a running service, as `weir run --watch` does, it calls
 * `prepare` on all before, while the other service still runs. At the end, or if one of them has
 * failed, it calls `stop`, `drain`, `closeClients`, `drain` again and `close`, each on all. `drain` is
 * repeated for as long as flows end meanwhile.
 */
export interface Connector {
  /**
   * Adds a flow. `operation` is that of its `from` block; undefined for a flow that wants all events.
   * Called for each flow before `start`.
   */
  subscribe?(operation: string | undefined, handler: FlowHandler): void;
  /**
   * Connects for `weir check --connect`, instead of `start`. Changes nothing and leaves nothing open.
   * `requests` are those of the configuration, look-ups of other connectors included: what the service
   * would refuse of them is reported to the request. `sources` are the flows that it would start;
   * `subscribe` is not called. Returns what it found, in a few words.
   *
   * @throws {ConnectorError} The service does not answer, or refuses the credentials.
   */
  probe?(requests: readonly ProbeRequest[], sources: readonly ProbeSource[]): Promise<string>;
  /**
   * Delivers. What it returns is the destination's result; a value that is not a promise keeps a flow
   * synchronous. Where it is `Cancellable`, it is cancelled when the flow's or the step's time is up.
   * Mark it with `placed` where everything that is written later comes later all the same.
   *
   * @throws {ConnectorError} The delivery failed.
   */
  write?(request: WriteRequest): unknown;
  /**
   * In a test, takes the message of a `given` block as if it came from outside: its key is the
   * `target`. Returns whether it may reach a flow. Where absent, the message is written to the
   * connector if that brings it to a flow, and goes to the flows of its operation otherwise.
   */
  receive?(request: WriteRequest): boolean;
  /**
   * Calls `work` in a transaction. What it writes takes effect when it has ended, all of it, or none
   * if it throws or rejects; others see nothing of it before. Resolves with its result once that is
   * durable. `work` may be called again after all that it wrote has been undone. Where the promise is
   * `Cancellable`, all is undone when the flow's time is up. Its type has `transactions`.
   *
   * @throws {unknown} What `work` threw, or a `ConnectorError`: nothing was written.
   */
  transact?<T>(work: (transaction: Transaction) => T | PromiseLike<T>): PromiseLike<T>;
  /**
   * Does as much of `start` as it can while the service that this one replaces still runs, and takes
   * nothing from it: no event, no lock, no port. `start` does the rest when the other one is closed.
   * Without it, all of `start` waits for that. A connector that has a `prepare` may be closed
   * after it without a `start`.
   *
   * @throws {ConnectorError} It cannot start. The other service then keeps running.
   */
  prepare?(): Promise<void>;
  /**
   * Gets ready to be written to.
   *
   * @throws {ConnectorError} It never can: a refused migration, wrong credentials.
   */
  start?(): Promise<void>;
  /** Begins to take events, and to start flows. All connectors have been started. */
  consume?(): Promise<void>;
  /** Takes no more events from outside. Flows that run go on, and may still write. */
  stop?(): Promise<void>;
  /** Waits for what is in flight: flows that it has started, and what it has not delivered yet. */
  drain?(): Promise<void>;
  /**
   * Closes its clients after what is queued for them; the flows that this starts may go on. The
   * closes are spread at random over that many milliseconds if there are many.
   */
  closeClients?(spread: number): Promise<void>;
  /**
   * Releases everything, without waiting for what is still in flight. May be called before `start`,
   * and again.
   */
  close?(): Promise<void>;
  /** Why it cannot serve now, in a few words. Undefined if it is healthy. */
  health?(): string | undefined;
  /** Numbers for `runtime.counts()`, such as `connections`: finite, not negative, in `snake_case`. */
  counts?(): Readonly<Record<string, number>>;
  /** What it offers over HTTP. */
  readonly http?: HttpService;
  /** Present where its type `keeps` keys for a flow's `dedupe`. */
  readonly dedupeStore?: DedupeStore;
}

/**
 * An application of the `hono` package. Written this way, since the documentation's lint wants every
 * type that it can follow to be exported from here.
 */
export type HonoApp = InstanceType<(typeof import("hono"))["Hono"]>;
