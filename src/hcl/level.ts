/** What a scan is inside of. */

/** What can be nested: a body of attributes and blocks, brackets, a text, what is put into a text. */
export type Kind = "body" | "items" | "text" | "insertion";

/** One of what is inside each other where a scan is. */
export interface Level {
  readonly kind: Kind;
  /** What ends it: a character, or the word of a heredoc. */
  readonly closer: string;
  /** Operators since the item at work began, each of which may have the rest of it below. */
  operators: number;
  /** Open `%{ if }` and `%{ for }`. */
  directives: number;
  /** Where the item at work began. */
  start: number;
  /** Whether that is an attribute. */
  isAttribute: boolean;
  /** Whether that is a block. */
  hasBlock: boolean;
  /** Whether that is more than a literal. */
  isComposed: boolean;
  /** The words and texts of a block's header, or the pieces of a text. */
  count: number;
}

/** A new one. */
export function level(kind: Kind, closer: string, start: number): Level {
  const counts = { operators: 0, directives: 0, count: 0 };
  return { kind, closer, start, ...counts, isAttribute: false, hasBlock: false, isComposed: false };
}

/** What would close them, the last one first. */
export function closersOf(levels: readonly Level[]): string {
  const closers = levels.map(({ kind, closer }) => {
    const isHeredoc = kind === "text" && closer !== '"';
    return isHeredoc || kind === "body" ? `\n${closer}\n` : closer;
  });
  return closers.toReversed().join("");
}
