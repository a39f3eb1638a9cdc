/** The error codes of the wire protocol. */

/** The error codes of the wire protocol. They are stable. */
export type ErrorCode =
  | "invalid_json"
  | "invalid_message"
  | "unknown_type"
  | "invalid_room"
  | "room_forbidden"
  | "too_many_rooms"
  | "rate_limited"
  | "validation_failed"
  | "rejected"
  | "unauthorized"
  | "timeout"
  | "flow_failed";

/** An object, so that no code can be missing. */
const RESERVED: Readonly<
  Record<ErrorCode | "too_far_behind" | "undelivered" | "unavailable", true>
> = {
  invalid_json: true,
  invalid_message: true,
  unknown_type: true,
  invalid_room: true,
  room_forbidden: true,
  too_many_rooms: true,
  rate_limited: true,
  validation_failed: true,
  rejected: true,
  unauthorized: true,
  timeout: true,
  flow_failed: true,
  // Of handshakes and HTTP requests, and never of a frame that is served.
  unavailable: true,
  // Kept for later.
  too_far_behind: true,
  undelivered: true,
};

/** The codes that no flow can use for errors of its own. */
export const RESERVED_CODES: ReadonlySet<string> = new Set(Object.keys(RESERVED));
