/**
 * What watches flows, for metrics and traces. A flow calls it at once and goes on: no method may throw,
 * and none is called where nothing watches.
 */
import type { FlowEvent } from "./connector.ts";
import type { Ending } from "./dispatch.ts";
import type { RequestModel } from "./request.ts";
import type { RequestObserver } from "./request-observer.ts";

export type { RequestObserver } from "./request-observer.ts";

/** How a flow has ended with an event. */
export type RunOutcome =
  | "ok"
  /** Its `accept` or a `reject` refused the event. */
  | "rejected"
  /** The data does not match a type. */
  | "invalid"
  /** Its `dedupe` knew the event. */
  | "duplicate"
  | "failed"
  | "timeout"
  /** It failed, and its `fallback` took the event. */
  | "fallback";

/** Watches one flow. */
export interface FlowObserver {
  /** Its filter does not take an event. */
  filtered(): void;
  /** Its schedule has skipped a run, since the previous one had not ended. */
  skipped?(): void;
  /**
   * It begins with an event. A flow that is asked before the event is let in begins twice: with
   * `accept`, which ends with undefined if it accepts the event, and with `run`. Returns undefined
   * where it does not watch this event.
   */
  begin(phase: "accept" | "run", event: FlowEvent): RunObserver | undefined;
}

/** Watches a flow at work with one event. */
export interface RunObserver {
  /** The id of its trace, for the log; absent without one. */
  readonly traceId?: string | undefined;
  /** A step, a destination or the `fallback` begins. Cached results of steps are not told. */
  request(request: ObservedRequest): RequestObserver;
  /** Its delivery has failed and will be tried again. */
  retried(): void;
  /**
   * It has ended, with what it tells its source. Undefined where it was asked to accept the event, and
   * does. What a connector looks up outside of flows tells no source.
   */
  ended(outcome: RunOutcome | undefined, ending?: Ending): void;
}

/** A request to a connector. */
export interface ObservedRequest {
  readonly kind: "step" | "destination" | "fallback";
  /** Undefined for a destination without one. */
  readonly name: string | undefined;
  readonly connector: string;
  readonly operation: string | undefined;
  readonly target: string | undefined;
  /** The block of the configuration, the same for all of its requests. */
  readonly block: RequestModel;
}
