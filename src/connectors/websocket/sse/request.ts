/** The form of a request for a stream, and the rooms that it names. No I/O. */
import { refuse } from "../../../transport/handshake.ts";
import type { HandshakeRefusal, HandshakeRequest } from "../../../transport/socket.ts";

/** The methods of the path; browsers ask with OPTIONS before some requests. */
export const ALLOWED = "GET, OPTIONS";

/** The type of a stream. */
const STREAM = "text/event-stream";

/** The event id of a stream that has ended for good. */
export const END_ID = "end";

/** The refusal of a request that cannot have a stream, whoever sends it. */
export function checkRequest({ method, headers }: HandshakeRequest): HandshakeRefusal | undefined {
  if (method !== "GET") {
    return refuse(405, `this path has ${ALLOWED}`, { allow: ALLOWED }, "method_not_allowed");
  }
  if (acceptsStream(headers["accept"] ?? "")) return undefined;
  return refuse(406, `this path answers with ${STREAM}: accept it`, {}, "not_acceptable");
}

/**
 * Whether a client asks for a stream. One that takes anything and prefers nothing, such as curl, does.
 * A browser's tab or image prefers something else and takes anything after that.
 */
export function acceptsStream(accept: string): boolean {
  const ranges = accept.split(",").map((range) => range.trim().toLowerCase());
  if (ranges.length === 1 && /^\*\/\*\s*(?:;|$)/.test(ranges[0])) return !isExcluded(ranges[0]);
  return ranges.some((range) => {
    const [type] = range.split(";", 1);
    return type.trimEnd() === STREAM && !isExcluded(range);
  });
}

/** Whether a range has the quality 0: the client does not take it. */
function isExcluded(range: string): boolean {
  return /;\s*q\s*=\s*0(?:\.0*)?\s*(?:;|$)/.test(range);
}

/** Whether the last stream of this client has ended for good, and its browser has come back. */
export function isEnded(headers: Readonly<Record<string, string>>): boolean {
  return headers["last-event-id"] === END_ID;
}

/** What a request asks for beside its rooms. */
export interface StreamWishes {
  /** To be told who is in the rooms where it is `1`; any other text is malformed. Null without it. */
  readonly presence: string | null;
  /** The id of the last event that the client has got; undefined for none. */
  readonly lastEventId: string | undefined;
}

/** Reads them. */
export function wishesOf({ hasQuery, url, headers }: HandshakeRequest): StreamWishes {
  const presence = hasQuery === false ? null : url.searchParams.get("presence");
  return { presence, lastEventId: headers["last-event-id"] };
}

/** The rooms that a request asks for, in its order and each once. Their names are not checked. */
export function roomsOf({ hasQuery, url }: HandshakeRequest): readonly string[] {
  if (hasQuery === false) return [];
  return [...new Set(url.searchParams.getAll("room"))];
}
