/** Values that come from outside, in the lines of a log, in errors and in answers. */

/** How much of a value is shown, in characters. */
const LONGEST = 100;

/** How much is shown of what a database or a broker says itself: its words, with a name in them. */
const LONGEST_WORDS = 300;

/**
 * What could change how a line reads: control characters, line breaks, marks that are invisible or
 * turn the direction of the text, and lone surrogates.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * A value that comes from outside, such as a routing key or a column: at most 100 characters
 * of it, and escaped where it could pass for something else.
 */
export function shown(value: unknown): string {
  return cut(value, LONGEST).replace(UNSAFE, escaped);
}

/** The same in quotes, as JSON has them. */
export function quoted(value: unknown): string {
  return JSON.stringify(cut(value, LONGEST)).replace(UNSAFE, escaped);
}

/** What another program says of a failure: at most 300 characters, escaped. */
export function shownWords(message: string): string {
  return cut(message, LONGEST_WORDS).replace(UNSAFE, escaped);
}

function cut(value: unknown, most: number): string {
  const text = typeof value === "string" ? value : String(value);
  if (text.length <= most) return text;
  // A character is at most two units, so a hostile text is never taken apart.
  const characters = [...text.slice(0, 2 * most + 2)];
  return characters.length <= most ? text : `${characters.slice(0, most).join("")}…`;
}

function escaped(character: string): string {
  if (character === "\n") return "\\n";
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
