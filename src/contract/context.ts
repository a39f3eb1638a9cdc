/** What a connector is made with: its log, the time, and what its runtime does for it. */
import type { Clock } from "../base/clock.ts";
import type { Scope } from "../expression/mod.ts";
import type { ConnectorCluster } from "./cluster.ts";
import type { LookupModel } from "./request.ts";

/**
 * A structured log. `{name}` in a message is replaced by the property of that name. Secrets and message
 * bodies do not belong into it above the level trace.
 */
export interface Logger {
  /** What happens to single events, with their payloads. */
  trace(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** Details that help to find a fault. */
  debug(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** What an operator wants to know. */
  info(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** A condition that an operator should look at. */
  warn(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** Something that failed. */
  error(message: string, properties?: Readonly<Record<string, unknown>>): void;
}

/** What `create` gets beside the options. */
export interface ConnectorContext {
  /** The connector's name in the configuration. */
  readonly name: string;
  /** Logs under `weir.<connector>`. */
  readonly logger: Logger;
  /** The time. Wait with `clock.after`, so that `weir test` can move the time. */
  readonly clock: Clock;
  /**
   * Makes the id of a message, a client or the like: a UUID. In `weir test` it makes the same ones in
   * every run. Use `crypto.randomUUID` if it is absent.
   */
  readonly newId?: (() => string) | undefined;
  /** The same object for all connectors of a runtime: the key of what they share, if anything. */
  readonly runtime?: object | undefined;
  /**
   * Takes note that a block of `rules` lets somebody enter or not, for `weir test --coverage`. Absent
   * elsewhere.
   */
  readonly observe?: ((label: string, enters: boolean) => void) | undefined;
  /** The configuration's `constants`, for expressions that are evaluated outside of flows. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** The other workers of the service; absent where it has one worker. */
  readonly cluster?: ConnectorCluster;
  /**
   * Asks other connectors outside of a flow, as the steps of a flow do. `steps` is the value of a
   * field made by `lookups`. Their expressions see `scope` and the results of earlier steps, and
   * `payload` is sent if a step has no `params`. Returns the results by name; a promise only if a
   * step has to wait. Must not be called before `start`.
   *
   * @throws {ConnectorError | ExpressionError | Error} A step failed or took too long. Nothing has
   * been logged.
   */
  lookUp(
    steps: readonly LookupModel[],
    scope: Scope,
    payload: unknown,
  ): StepResults | Promise<StepResults>;
}

/** The results of steps by their names: what an expression sees as `step`. */
export type StepResults = Readonly<Record<string, unknown>>;
