/** The answers to requests for streams. No I/O. */
import type { StreamAnswer } from "../../../transport/event-stream.ts";
import type { HandshakeRefusal, SocketSession } from "../../../transport/socket.ts";
import { BY_FLOW, refusalCode } from "../closing.ts";
import { ALLOWED, END_ID } from "./request.ts";

/** Headers by name in lower case. */
type Headers = Readonly<Record<string, string>>;

const STREAM: Headers = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // For proxies: nginx collects what it passes on, unless this says no.
  "x-accel-buffering": "no",
};

/** How long a browser remembers the answer to a preflight request, in seconds. */
const PREFLIGHT_AGE = "600";
/** Names of headers, such as those that a page wants to send. */
const HEADER_NAMES = /^[!#$%&'*+\-.^_`|~0-9A-Za-z, ]+$/;

/** The close code of a shutdown. */
const SHUTTING_DOWN = 1001;
/** After a shutdown a client waits for a random time between these, in milliseconds. */
const MIN_RETRY = 1_000;
const MAX_RETRY = 5_000;

/** The beginning of a stream. */
export function acceptance(session: SocketSession, cors: Headers): StreamAnswer {
  return { accepted: true, headers: { ...STREAM, ...cors }, session, lastEvent };
}

/** The answer to a client that is refused. Its body is that of a `rest` connector's errors. */
export function refused(refusal: HandshakeRefusal, cors: Headers): StreamAnswer {
  const { status, message, headers } = refusal;
  return {
    accepted: false,
    status,
    headers: { ...headers, ...cors, ...NOT_STORED, "content-type": "application/json" },
    body: JSON.stringify({ error: { code: refusalCode(refusal), message } }),
  };
}

/** The answer to a client that must not come back: with this status `EventSource` gives up. */
export function ended(cors: Headers): StreamAnswer {
  return { accepted: false, status: 204, headers: { ...cors, ...NOT_STORED }, body: null };
}

const NOT_STORED: Headers = { "cache-control": "no-store" };

/** The answer to OPTIONS. With `cors` of its origin a page may send the headers that it asks for. */
export function preflight(asked: Headers, cors: Headers): StreamAnswer {
  const headers: Record<string, string> = { allow: ALLOWED, ...cors };
  if (cors["access-control-allow-origin"] !== undefined) {
    const names = asked["access-control-request-headers"];
    headers["access-control-allow-methods"] = "GET";
    headers["access-control-max-age"] = PREFLIGHT_AGE;
    headers.vary = [cors.vary, "Access-Control-Request-Headers"].filter(Boolean).join(", ");
    if (names !== undefined && HEADER_NAMES.test(names)) {
      headers["access-control-allow-headers"] = names;
    }
  }
  return { accepted: false, status: 204, headers, body: null };
}

/**
 * The last event of a stream. After a shutdown clients come back at random times. `EventSource`
 * always comes back: one that a flow has disconnected gets an id by which it is known then.
 */
export function lastEvent(code: number, reason: string): string {
  const wait = MIN_RETRY + Math.floor(Math.random() * (MAX_RETRY - MIN_RETRY));
  const retry = code === SHUTTING_DOWN ? `retry: ${wait}\n` : "";
  const id = reason === BY_FLOW ? `id: ${END_ID}\n` : "";
  return `${retry}${id}event: close\ndata: ${JSON.stringify({ code, reason })}\n\n`;
}
