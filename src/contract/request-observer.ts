/** What watches a request to a connector, here or in another instance. */

/** Watches one request. */
export interface RequestObserver {
  /** The trace that the destination passes on, as a `traceparent` header; undefined without one. */
  readonly traceparent: string | undefined;
  /** The `tracestate` header beside it; absent without one. */
  readonly tracestate?: string | undefined;
  /** Calls what makes the request as a part of its trace; absent where that makes no difference. */
  within?<T>(act: () => T): T;
  /** It has ended; `failure` is what it threw. */
  ended(failure?: unknown): void;
}

/**
 * Watches what a connector does here for a request of another instance, whose trace `traceparent`
 * names. `operation` is that of the request. Returns undefined for a `traceparent` that is none.
 */
export type RelayObserver = (
  traceparent: string,
  operation: string | undefined,
) => RequestObserver | undefined;
