/** The counters of a `websocket` connector: refusals, closes, lost messages and errors. */
import type { ErrorCode } from "../../base/error-codes.ts";

/** Handshakes that were refused. */
const REFUSED = [
  /** Not a valid handshake: 400, 405 or 426. */
  "refused_request",
  /** Its `Origin` is not one of `origins`. */
  "refused_origin",
  /** Its token is missing or bad. */
  "refused_auth",
  /** A flow on `connect` refused it or failed. */
  "refused_flow",
  /** A stream asks for a room that the client may not join. */
  "refused_room",
  /** The backplane could not subscribe a stream to its user and rooms. */
  "refused_backplane",
  /** The decision took over 10 s. */
  "refused_late",
  /** All slots of `max_connections` are taken, or too many handshakes wait for a decision. */
  "refused_full",
  /** The server is shutting down. */
  "refused_shutdown",
] as const;

/** Connections that the server has ended. */
const CLOSED = [
  /** More waited for it than its queue holds. */
  "closed_slow",
  /** Over 100 error answers in 10 s. */
  "closed_errors",
  /** Over 100 frames in 10 s beyond `rate_limit`, or pings beyond their rate. */
  "closed_rate",
  /** Too many of its messages waited to be served. */
  "closed_waiting",
  /** No pong in time. */
  "closed_pong",
  /** The backplane could not subscribe its user in time. */
  "closed_backplane",
  /** Its socket threw an error. */
  "closed_failed",
  /** Its token has expired. */
  "closed_expired",
  /** A flow has disconnected it. */
  "closed_flow",
  /** A message over `max_message_size`. */
  "closed_size",
  /** A message of too many fragments. */
  "closed_fragments",
  /** A binary frame. */
  "closed_binary",
  /** A violation of RFC 6455, or text that is not UTF-8. */
  "closed_invalid",
  /** The server is shutting down. */
  "closed_shutdown",
] as const;

/** Frames that were not sent to their client. */
const NOT_SENT = [
  /** By `drop_oldest`. */
  "dropped",
  /** By `coalesce`: a newer one with the same key has taken its place. */
  "coalesced",
  /** Queued for a connection that ended before they were written. */
  "undelivered",
] as const;

/** Error answers, by their code. */
const ERRORS = {
  invalid_json: "error_invalid_json",
  invalid_message: "error_invalid_message",
  unknown_type: "error_unknown_type",
  invalid_room: "error_invalid_room",
  room_forbidden: "error_room_forbidden",
  too_many_rooms: "error_too_many_rooms",
  rate_limited: "error_rate_limited",
  validation_failed: "error_validation_failed",
  rejected: "error_rejected",
  unauthorized: "error_unauthorized",
  timeout: "error_timeout",
  flow_failed: "error_flow_failed",
} as const satisfies Readonly<Record<ErrorCode, `error_${ErrorCode}`>>;

/** Error answers with a code of a flow's `reject`. */
const OWN = "error_own";

const NAMES = [...REFUSED, ...CLOSED, ...NOT_SENT, ...Object.values(ERRORS), OWN] as const;

/** The name of a counter. */
export type Counter = (typeof NAMES)[number];

/** The counters of one connector since it started. They only grow. */
export class Counters {
  readonly #numbers = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<Counter, number>;

  /** Adds to a counter, if there is one. */
  add(counter: Counter | undefined, by = 1): void {
    if (counter !== undefined) this.#numbers[counter] += by;
  }

  /** Counts an error answer. */
  addError(code: string): void {
    this.add(Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : OWN);
  }

  /** All counters, including those that are 0. */
  all(): Readonly<Record<Counter, number>> {
    return { ...this.#numbers };
  }
}
