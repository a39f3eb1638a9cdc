/** The `traceparent` header of W3C Trace Context (https://www.w3.org/TR/trace-context/). */

/** What a `traceparent` says. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** A byte, whose lowest bit says that the trace is recorded. */
  readonly flags: number;
}

/** The fields of a message or a request that carry a trace. */
export interface TraceFields {
  /** The header `traceparent`; absent where there is no trace. */
  readonly traceparent?: string | undefined;
  /** The header `tracestate`. */
  readonly tracestate?: string | undefined;
}

/** A later version may have more after the flags. */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);
/** A later version is not longer than that, as far as is known. */
const LONGEST = 256;

/** Reads a `traceparent`; undefined where it is none. */
export function readTraceParent(text: unknown): TraceParent | undefined {
  if (typeof text !== "string" || text.length > LONGEST) return undefined;
  const [, version, traceId, spanId, flags, more] = FORM.exec(text) ?? [];
  if (version === undefined || version === "ff") return undefined;
  if (version === "00" && more !== undefined) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** Writes a `traceparent`. */
export function writeTraceParent({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${(flags & 0xff).toString(16).padStart(2, "0")}`;
}

/** The `traceparent` of a request whose trace is recorded; undefined for any other one. */
export function recordedTrace({ traceparent }: TraceFields): string | undefined {
  const flags = traceparent === undefined ? 0 : readTraceParent(traceparent)?.flags ?? 0;
  return (flags & 1) === 1 ? traceparent : undefined;
}

/** Whether a header carries a trace. */
export function isTraceHeader(name: string): boolean {
  return /^trace(?:parent|state)$/i.test(name);
}

/** Headers with the trace of a request beside those that it has of its own, which win. */
export function withTrace<T>(
  headers: Readonly<Record<string, T>>,
  { traceparent, tracestate }: TraceFields,
): Readonly<Record<string, T | string>> {
  if (traceparent === undefined) return headers;
  for (const name in headers) {
    // Its own trace is not mixed with another one.
    if (isTraceHeader(name)) return headers;
  }
  return { ...headers, traceparent, ...(tracestate && { tracestate }) };
}
