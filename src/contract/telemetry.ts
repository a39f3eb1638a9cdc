/** What traces say of a connector, in the words of OpenTelemetry's semantic conventions. */
import type { FlowEvent } from "./connector.ts";
import type { Ending } from "./dispatch.ts";

/** The attributes of a span, by name. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/** What a span tells of an event or a request. */
export interface SpanDescription {
  /** The span's name. It must not depend on a room, a user, a client or a message. */
  readonly name: string;
  /** As OpenTelemetry defines it. */
  readonly kind: "server" | "client" | "producer" | "consumer" | "internal";
  /** The same for every event or request. */
  readonly attributes?: SpanAttributes;
  /** More attributes: of the operation of one event, or of the target of one request. */
  attributesOf?(value: string): SpanAttributes;
}

/** What the span of an event tells. */
export interface EventDescription extends SpanDescription {
  /** More attributes, of one event. */
  attributesOfEvent?(event: FlowEvent): SpanAttributes;
  /** More attributes, of how the flow has ended with an event. */
  attributesOfEnding?(ending: Ending): SpanAttributes;
}

/** A `to`, `step` or `fallback` block, for its spans. */
export interface DescribedRequest<Options = unknown> {
  /** As written; undefined where it is absent. */
  readonly operation: string | undefined;
  /** Undefined where the event decides, or the block has none. */
  readonly target: string | undefined;
  /** The block's own attributes. */
  readonly options: Options;
}

/**
 * Describes the spans of a kind of connector. Each function is called once for a block. `connector` is
 * the name of the connector, and `options` are its own.
 */
export interface Telemetry<Options = unknown, DestinationOptions = unknown> {
  /** The spans of a flow that starts here. `operation` is that of its `from` block. */
  event?(operation: string | undefined, options: Options, connector: string): EventDescription;
  /** The spans of the requests of one block. */
  request?(
    request: DescribedRequest<DestinationOptions>,
    options: Options,
    connector: string,
  ): SpanDescription;
}

/** The attributes of the server at a URL. None where the text is no URL with a host. */
export function serverAttributes(url: string | undefined, defaultPort?: number): SpanAttributes {
  const parsed = url === undefined ? null : URL.parse(url);
  if (parsed === null || parsed.hostname === "") return {};
  const port = parsed.port === "" ? defaultPort : Number(parsed.port);
  return {
    // An IPv6 address has brackets in a URL, but nowhere else.
    "server.address": parsed.hostname.replace(/^\[(.*)\]$/, "$1"),
    ...(port !== undefined && { "server.port": port }),
  };
}
