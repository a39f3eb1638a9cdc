/** How the sender of an event is answered. */
import type { ConnectorModel } from "../../model/mod.ts";

/** Where the events of a flow come from. */
export interface EventSource {
  /** Undefined if it is not known. */
  readonly source: ConnectorModel | "schedule" | undefined;
  /** The `operation` of the `from` block. */
  readonly operation: string | undefined;
  /** Whether the flow can refuse an event before its destinations run. */
  readonly refuses: boolean;
}

/** Why no sender of these events gets an HTTP status; undefined if one does, or if it is not known. */
export function whyNoStatus({ source, operation, refuses }: EventSource): string | undefined {
  if (source === undefined) return undefined;
  const { kind, handshake } = (source === "schedule" ? undefined : source.definition.source) ?? {};
  if (kind === "requests") return undefined;
  if (handshake !== undefined && operation === handshake) {
    return refuses ? undefined : "no accept or reject refuses a connection";
  }
  // A flow without an operation gets the event of the handshake, too.
  if (handshake !== undefined && operation === undefined && refuses) return undefined;
  return kind === "clients" ? "a client is answered by a frame" : "nobody is answered";
}
