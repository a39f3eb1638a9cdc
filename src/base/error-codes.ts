/** The error codes of the wire protocol. */

const ERRORS = [
  "invalid_json",
  "invalid_message",
  "unknown_type",
  "invalid_room",
  "room_forbidden",
  "too_many_rooms",
  "rate_limited",
  "validation_failed",
  "rejected",
  "unauthorized",
  "timeout",
  "flow_failed",
] as const;

/** The error codes of the wire protocol. They are stable. */
export type ErrorCode = (typeof ERRORS)[number];

/** The codes that no flow can use for errors of its own; the last ones are kept for later. */
export const RESERVED_CODES: ReadonlySet<string> = new Set([
  ...ERRORS,
  ...["too_far_behind", "undelivered", "unavailable"],
]);
