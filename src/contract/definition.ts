/**
 * What a kind of connector is: its schema, its checks, and how one is made. Built-in connectors and
 * foreign ones go through the same door: a `ConnectorType` in the table that `createRuntime` takes.
 */
import type { BackplaneType } from "./backplane.ts";
import type { Connector, ConnectorContext, FlowEvent } from "./connector.ts";
import type { Expression } from "../expression/mod.ts";
import type { Fields, Values } from "./fields.ts";
import type { InspectedUse } from "./probe.ts";
import type { BlockProblem } from "./problem.ts";
import type { Telemetry } from "./telemetry.ts";

export type { BlockProblem, CodedProblem } from "./problem.ts";

/** What the checks of a destination see of a `to` or `step` block. */
export interface Destination<Options = unknown> {
  /** As written; undefined where it is absent. */
  readonly operation: string | undefined;
  /** A literal name, an expression, or undefined. */
  readonly target: string | Expression | undefined;
  /** The destination's own attributes. */
  readonly options: Options;
  /** False where no client's connection can be behind the event. */
  readonly fromClient?: boolean;
  /** A step's `params`, evaluated for each event; undefined where it has none. */
  readonly params?: Readonly<Record<string, Expression>>;
  /** The names that a step sends without `params`, if they are known. */
  readonly sent?: readonly string[];
}

/** How flows start at a kind of connector. */
export interface SourceType<Options = unknown> {
  /** Why no flow can start at a connector with these options, as a hint; undefined where it can. */
  unable?(options: Options): string | undefined;
  /**
   * Who waits for the end of an event: a connected client (expressions can use `client`), a broker
   * (which gets an acknowledgement, or delivers the message again), or a request that waits for its
   * response. Nobody if absent.
   */
  readonly kind?: "clients" | "messages" | "requests";
  /**
   * Operations for which the source asks `accept` before it does something, such as opening a
   * connection. A flow cannot acknowledge an event there that it refuses.
   */
  readonly gates?: readonly string[];
  /** The operation among `gates` whose event is an HTTP request, so that a refusal has a status. */
  readonly handshake?: string;
  /** Names of the fields of `input` that the source sets, beside those of the payload. */
  readonly metadata?: readonly string[];
  /**
   * The names that events of an operation may have in `match`, which expressions of flows read as
   * `match.NAME`. There is no `match` where it is absent or returns none.
   */
  matchNames?(operation: string | undefined, options: Options): readonly string[];
  /** True if the events of requests have a `client`, too. Those of clients always have. */
  readonly hasClient?: boolean;
  /** Whether an event needs a token unless its flow is `public`; never where absent. */
  needsToken?(options: Options): boolean;
  /** Whether a client's `user_id` has been verified; it never is where absent. */
  verifies?(options: Options): boolean;
  /** Whether clients can listen to a stream of events instead of a WebSocket; never where absent. */
  streams?(options: Options): boolean;
  /** Checks the `operation` of a `from` block. What could not be read of the options is undefined. */
  check?(operation: string | undefined, options: Options): readonly BlockProblem[];
  /**
   * The requests that an operation takes, in one form: only one connector on a port can have them.
   * Undefined for what `check` refuses.
   */
  route?(operation: string): string | undefined;
  /**
   * Whether every instance of a service hears an operation by itself, instead of one of them; never
   * where absent.
   */
  everyInstance?(operation: string | undefined, options: Options): boolean;
  /**
   * Whether what a block with `target` delivers here comes back as an event of `operation`. An
   * undefined operation is every event. Never where absent. `written` is the operation of the block.
   * A `given` block of a test has none, and its own operation is the target.
   */
  receives?(
    operation: string | undefined,
    target: string,
    options: Options,
    written?: string,
  ): boolean;
  /**
   * The same for a block that names another connector of this type, whose options are `sender`. With
   * no target: whether what that connector could not handle may come here. Never where absent.
   */
  receivesFrom?(
    operation: string | undefined,
    target: string | undefined,
    options: Options,
    sender: Options,
  ): boolean;
  /**
   * The events of `given` blocks, where only something outside could bring them and they have more
   * than their data. Where absent, a test makes an event of the data alone, or publishes them.
   */
  readonly given?: {
    /** Checks the `operation` of a block. */
    check(operation: string, options: Options): readonly BlockProblem[];
    /** Makes the event. `old` is what there was before, or null; `now` is the test's time. */
    event(operation: string, data: unknown, old: unknown, now: number): FlowEvent;
  };
  /** True where events come from flows of this configuration alone, unless it is embedded. */
  internal?(options: Options): boolean;
}

/** How flows start at a connector with these options; undefined where none can. */
export function sourceOf<Options>(
  { source }: ConnectorType<Options>,
  options: Options,
): SourceType<Options> | undefined {
  return source?.unable?.(options) === undefined ? source : undefined;
}

/** How flows end at a kind of connector. */
export interface DestinationType<Options = unknown, DestinationOptions = unknown> {
  /** Attributes of a block beside those that every `to` or `step` has. */
  readonly fields: Fields;
  /**
   * The operations that it knows; any text where absent. The methods of a runtime use `broadcast`,
   * `send_to_room` and `send_to_user`, for which `write` returns `{ recipients }`; nothing means 0.
   */
  readonly operations?: readonly string[];
  /** True where it publishes messages by the key in `target`: `runtime.publish` uses it. */
  readonly publishes?: boolean;
  /** True if its connectors have `transact`: then its blocks take `atomic`. */
  readonly transactions?: boolean;
  /** Checks a whole block. What could not be read of the options is undefined. */
  check?(to: Destination<DestinationOptions>, options: Options): readonly BlockProblem[];
  /** Whether what clients get by this block is kept for later, so that no event may come twice. */
  keeps?(to: Destination<DestinationOptions>, options: Options): boolean;
  /** Warnings about a whole block beside those of all flows. Asked only where these are all there are. */
  checkAmong?(
    to: { readonly operation: string | undefined; readonly target: string | undefined },
    usage: Usage,
    options: Options,
  ): readonly BlockProblem[];
  /** Whether delivering to this block makes something new, as an INSERT does. Never where absent. */
  creates?(to: Destination<DestinationOptions>, options: Options): boolean;
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
 *   fields: { label: attribute(text(), { about: "The label of the shelf." }) },
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
  /** Finds problems that are not those of one attribute. Called if all attributes are good. */
  check?(options: Options): readonly BlockProblem[];
  /** Warnings about what its block declares and no flow uses. Asked only where flows alone could. */
  checkUsage?(usage: Usage, options: Options): readonly BlockProblem[];
  /** Loads what traces say of its events and requests: little more than operations where absent. */
  telemetry?(): Promise<Telemetry<Options, DestinationOptions>>;
  /** The files that its `start` reads: `weir run --watch` restarts when one of them changes. */
  files?(options: Options): readonly FileDependency[];
  /**
   * Compares what the flows and look-ups ask of a connector with the files that its options name, such
   * as migrations, and reports what can never work. It connects to nothing and changes nothing. Only
   * `weir check` calls it.
   */
  inspect?(options: Options, use: InspectedUse): void | Promise<void>;
  /** What no two connectors may have alike, one or several, such as `0.0.0.0:3001/ws`. */
  address?(options: Options): string | readonly string[] | undefined;
  /** What connectors on one port must agree about. */
  listener?(options: Options): ListenerDemands | undefined;
  /** Present where a flow can start here. */
  readonly source?: SourceType<Options>;
  /** Present where a flow can end here. */
  readonly destination?: DestinationType<Options, DestinationOptions>;
  /** What a `step` block can have. The same as a `to` block if absent. */
  readonly step?: DestinationType<Options, DestinationOptions>;
  /**
   * The blocks of which each is a rule about who may enter, by the name of the block and of the
   * attribute by which it refuses. They call `observe` of the context with their label.
   */
  readonly rules?: { readonly block: string; readonly condition: string };
  /** True if its connectors have a `dedupeStore`, which the `dedupe` block of a flow can name. */
  readonly keeps?: boolean;
  /** Present where its connectors can link the instances of a service. */
  readonly backplane?: BackplaneType<Options>;
  /** The name of the connector that links this one with the other instances; undefined for none. */
  linkedBy?(options: Options): string | undefined;
  /** The labels of its blocks that need a backplane with a `history`, and their kind; none where absent. */
  remembers?(options: Options): { readonly block: string; readonly labels: readonly string[] };
  /**
   * The options with which `weir test` makes it: nothing outside of the process is touched. A
   * type without it is not made there, and what is sent to it needs a `mock`.
   */
  test?(options: Options): Options;
  /**
   * The options with which a test that has `real = true` makes it: it uses the service that the
   * configuration names. The same as `test` where absent.
   */
  testReal?(options: Options): Options;
  /**
   * Why several workers of a service cannot have it in common; undefined where they can. `operations`
   * are those of its flows.
   */
  unshared?(options: Options, operations: readonly (string | undefined)[]): string | undefined;
  /**
   * Makes a connector. It may import a library, and opens nothing: no connection, no timer. `weir check
   * --connect` makes connectors without starting them.
   */
  create(options: Options, context: ConnectorContext): Connector | Promise<Connector>;
}

/** What a connector asks of the port that it shares with others. */
export interface ListenerDemands {
  /** The host and the port, such as `0.0.0.0:3001`. */
  readonly address: string;
  /** The networks in the attribute `trust_proxy`, such as `10.0.0.0/8`, in any order. */
  readonly trustedProxies: readonly string[];
}

/** A file or folder that a start reads beside the configuration. */
export interface FileDependency {
  /** As the options have it: absolute, or relative to the working directory. */
  readonly path: string;
  /**
   * What counts: the content of a `file`, the contents of those `files` in a folder whose names end
   * with `ending`, or whether there is a `folder`.
   */
  readonly kind: "file" | "files" | "folder";
  /** For `files`, such as `.sql`; every file by default. */
  readonly ending?: string;
  /** The attribute that names a folder without which nothing can start; for `folder` and `files`. */
  readonly attribute?: string;
}

/** What all flows of a configuration do with one connector. */
export interface Usage {
  /** What `to`, `step` and `fallback` blocks ask of it. */
  readonly requests: readonly {
    /** As written; undefined where it is absent. */
    readonly operation: string | undefined;
    /** Undefined where the event decides; empty where the block has none. */
    readonly target: string | undefined;
  }[];
  /** What the expressions of all flows read, as `paths` of an expression. */
  readonly paths: ReadonlySet<string>;
}

/** A `ConnectorType` whose options follow from its fields. Give it to `defineConnector`. */
export interface ConnectorDefinition<F extends Fields, D extends Fields, S extends Fields = D>
  extends Omit<ConnectorType<Values<F>, Values<D>>, "fields" | "destination" | "step"> {
  /** The attributes and blocks of its `connector` block, `type` left out. */
  readonly fields: F;
  /** Present where a flow can end here. */
  readonly destination?:
    & { readonly fields: D }
    & Omit<DestinationType<Values<F>, Values<D>>, "fields">;
  /** What a `step` may say; as the destination, where absent. */
  readonly step?: { readonly fields: S } & Omit<DestinationType<Values<F>, Values<S>>, "fields">;
}

/**
 * Makes a connector type. The types of the options follow from the fields. `docs/write-a-connector.md`
 * describes all parts.
 *
 * @example
 * ```ts
 * import { attribute, defineConnector, text } from "@weir/runtime";
 *
 * const print = defineConnector({
 *   fields: { prefix: attribute(text(), { about: "Comes before each line.", default: "" }) },
 *   destination: { fields: {} },
 *   create: ({ prefix }) => ({ write: ({ payload }) => console.log(prefix, payload) }),
 * });
 * ```
 */
export function defineConnector<
  F extends Fields,
  D extends Fields = Record<never, never>,
  S extends Fields = D,
>(definition: ConnectorDefinition<F, D, S>): ConnectorType {
  // The schema made the options that these functions get, so forgetting their type here is safe.
  return definition as unknown as ConnectorType;
}
