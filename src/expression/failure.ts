/** What goes wrong inside an expression, before its place is known. */

import { Duration } from "./duration.ts";

/** A range of the source, in characters; `end` is exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * An operation that its values do not allow; the compiler adds the expression and the place. The
 * message goes into logs, so it names kinds and never values. It is not an Error: `exists` may meet one
 * for each of 240,000 items, and a stack is what makes errors slow and large.
 */
export class Failure {
  readonly message: string;
  /** Where it happened, once that is known. */
  range: Range | undefined;
  /** In how many items it happened. */
  count = 1;

  /** `message` completes a sentence that begins with the expression. */
  constructor(message: string) {
    this.message = message;
  }
}

/** The kind of a value in the words of an error message. */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
      return typeof value;
    case "bigint":
      return "number";
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return "list";
      if (value instanceof Uint8Array) return "bytes";
      if (value instanceof Date) return "timestamp";
      if (value instanceof Duration) return "duration";
      return "map";
    default:
      return "null";
  }
}

/** At most so many characters of a text. */
export function snippet(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
