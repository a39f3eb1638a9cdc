/** What flows need beside their models. */
import type { Clock } from "../base/clock.ts";
import type { Cluster } from "../contract/cluster.ts";
import type { FlowEvent, Logger } from "../contract/connector.ts";
import type { SharedDedupe } from "../contract/instances.ts";
import type { FlowObserver } from "../contract/observer.ts";
import type { Connectors } from "./requests.ts";

/** What a flow needs beside its model. */
export interface FlowContext {
  /** By name. */
  readonly connectors: Connectors;
  /** Values for every expression. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** Logs every failure. */
  readonly logger: Logger;
  /** For timeouts, delays and the age of keys. */
  readonly clock: Clock;
  /** Returns a number from 0 to below 1, for the jitter of delays. */
  readonly random: () => number;
  /** Makes the references of errors; random ones if it is absent. */
  readonly newId?: (() => string) | undefined;
  /** The other workers of the service; undefined without any. */
  readonly cluster?: Cluster | undefined;
  /** What the instances of the service share for `dedupe`; undefined where that is nothing. */
  readonly shared?: SharedDedupe | undefined;
  /** What watches the flow; undefined where nothing does. */
  readonly observer?: FlowObserver | undefined;
  /** Is told that the flow begins with an event, and the id of its trace; undefined where nothing logs it. */
  readonly begun?: ((event: FlowEvent, traceId: string | undefined) => void) | undefined;
}
