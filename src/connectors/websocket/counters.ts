/** What a `websocket` connector counts: each limit that was reached, by its reason. */
import type { ErrorCode } from "../../base/errors.ts";

/** Handshakes that were refused. */
const REFUSED = [
  /** It is no right handshake: 400, 405 or 426. */
  "refused_request",
  /** Its `Origin` is not one of `origins`. */
  "refused_origin",
  /** Its token is missing or bad. */
  "refused_auth",
  /** A flow on `connect` refused it or failed. */
  "refused_flow",
  /** The decision took over 10 s. */
  "refused_late",
  /** `max_connections` are there or wait for their decision, or too many of all wait for it. */
  "refused_full",
  /** The server is shutting down. */
  "refused_shutdown",
] as const;

/** Connections that the server has ended. */
const CLOSED = [
  /** Over its queue. */
  "closed_slow",
  /** Over 100 error answers in 10 s. */
  "closed_errors",
  /** Over 100 frames in 10 s beyond `rate_limit`, or pings beyond their rate. */
  "closed_rate",
  /** More messages wait to be served than are kept. */
  "closed_waiting",
  /** No pong in time. */
  "closed_pong",
  /** Its socket threw an error when it was used. */
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
  /** What RFC 6455 forbids, or text that is not UTF-8. */
  "closed_invalid",
  /** The server is shutting down. */
  "closed_shutdown",
] as const;

/** Frames for a client that it has not been sent. */
const LEFT_OUT = [
  /** By `drop_oldest`. */
  "dropped",
  /** By `coalesce`: a newer one with the same key has taken its place. */
  "coalesced",
  /** Queued for a connection that ended before they were written. */
  "undelivered",
] as const;

/** Answers with an error, by their code. */
const ERRORS: Readonly<Record<ErrorCode, `error_${ErrorCode}`>> = {
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
};

const NAMES = [...REFUSED, ...CLOSED, ...LEFT_OUT, ...Object.values(ERRORS)] as const;

/** What is counted. */
export type Counter = (typeof NAMES)[number];

/** The numbers of one connector since it was made. They only grow. */
export class Counters {
  readonly #numbers = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<Counter, number>;

  /** Counts one more, or so many. */
  add(counter: Counter, by = 1): void {
    this.#numbers[counter] += by;
  }

  /** Counts an answer with an error. */
  addError(code: ErrorCode): void {
    this.add(ERRORS[code]);
  }

  /** All of them, those that are 0 included. */
  all(): Readonly<Record<Counter, number>> {
    return { ...this.#numbers };
  }
}
