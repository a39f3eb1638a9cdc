/** What a connector is made with: its log, the time, and what its runtime does for it. */
import type { Clock } from "../base/clock.ts";
import type { TraceFields } from "../base/trace-context.ts";
import type { Expression, Scope } from "../expression/mod.ts";
import type { ConnectorCluster } from "./cluster.ts";
import type { Instances } from "./instances.ts";
import type { Logger } from "./logger.ts";
import type { RelayObserver } from "./request-observer.ts";
import type { LookupModel } from "./request.ts";

export type { Logger } from "./logger.ts";

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
  /**
   * Takes note of what answers for the service that the configuration names, for the report of
   * `weir test`. Absent elsewhere.
   */
  readonly played?: ((played: Played) => void) | undefined;
  /** The configuration's `constants`, for expressions that are evaluated outside of flows. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** The other workers of the service on this machine; absent where it has one worker. */
  readonly cluster?: ConnectorCluster;
  /**
   * The same connector in the other instances of the service, over its backplane or, without one, in
   * its workers; absent where there can be none.
   */
  readonly instances?: Instances | undefined;
  /**
   * True where the service has a backplane: then each instance takes the events of a source that
   * every instance hears by itself, also where it is one of several workers.
   */
  readonly hasBackplane?: boolean | undefined;
  /** Watches what it does for requests of other instances; absent where nothing traces. */
  readonly relayed?: RelayObserver | undefined;
  /** The options of every block that writes to this connector: `to`, `fallback` and `step`. */
  readonly requests?: readonly unknown[];
  /**
   * Compiles an expression of another instance's configuration as those of this one are compiled. It
   * can read `variables`.
   *
   * @throws {ExpressionError} It does not compile here.
   */
  readonly compile?: (text: string, variables: readonly string[]) => Expression;
  /**
   * Asks other connectors outside of a flow, as the steps of a flow do. `steps` is the value of a
   * field made by `lookups`. Their expressions see `scope` and the results of earlier steps, and
   * `payload` is sent if a step has no `params`. `trace` is what asks for it. Returns the results by
   * name; a promise only if a step has to wait. Must not be called before `start`.
   *
   * @throws {ConnectorError | ExpressionError | Error} A step failed or took too long. Nothing has
   * been logged.
   */
  lookUp(
    steps: readonly LookupModel[],
    scope: Scope,
    payload: unknown,
    trace?: TraceFields,
  ): StepResults | Promise<StepResults>;
}

/** What answers for a service in a test. */
export interface Played {
  /** The service that the configuration names, such as `PostgreSQL`. */
  readonly service: string;
  /**
   * `real`: the service itself; `mocks`: the connector answers nothing, so each request needs a mock.
   * All else is the name of what takes its place, such as `SQLite in memory`.
   */
  readonly by: string;
  /** Why it is played by mocks alone, in a few words; undefined where it is not. */
  readonly reason?: string | undefined;
}

/** The results of steps by their names: what an expression sees as `step`. */
export type StepResults = Readonly<Record<string, unknown>>;
