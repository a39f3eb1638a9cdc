/** What is known of a value before any event. */

/**
 * The kinds of plain data, as far as databases tell them apart. A `long` is a whole number beyond 2^53,
 * which is text. From `email` on it is text of that form; `time` is ISO 8601 with a zone.
 */
export type ValueKind =
  | "null"
  | "boolean"
  | "integer"
  | "number"
  | "long"
  | "text"
  | "list"
  | "object"
  | "email"
  | "url"
  | "uuid"
  | "ip"
  | "date"
  | "time";

/** A value that is the same for every event, or the kind of one that is not. */
export type KnownValue = { readonly value: unknown } | { readonly kind: ValueKind };
