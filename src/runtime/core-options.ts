/** What a runtime takes beside its model. */
import type { Clock } from "../base/clock.ts";
import type { Cluster } from "../contract/cluster.ts";
import type { FlowObserver } from "../contract/observer.ts";
import type { FlowModel } from "../model/mod.ts";
import type { Upgrader } from "../transport/handshake.ts";

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
  /** Each returns what watches one flow. None by default. */
  readonly observers?: readonly ((flow: FlowModel) => FlowObserver)[];
  /** Called when all is closed, and awaited. */
  readonly closed?: () => Promise<void>;
  /** False where flows are not traced, even if the program has an OpenTelemetry SDK. */
  readonly traces?: boolean;
}
