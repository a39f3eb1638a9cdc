/** Failures inside an expression, before the compiler adds their place. */

/** A range of the source, in characters; `end` is exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * An operation that its values do not allow; the compiler adds the expression and the place. The
 * message goes into logs, so it names kinds and never values. It is not an Error: `exists` may meet
 * one for each of 240,000 items, and a stack makes errors slow and large.
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

/** A failure because of the kinds of values. No other values of these kinds can succeed. */
export class KindFailure extends Failure {}

/** The text, cut to at most `most` characters. */
export function snippet(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
