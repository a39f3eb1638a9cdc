/** Makes values from outside safe to show in logs, errors and responses. */

/** The longest value, in characters. */
const LONGEST = 100;

/** The longest message of another program, such as a database, in characters. */
const LONGEST_WORDS = 300;

/**
 * Characters that could change how a line reads: control characters, line breaks, invisible marks,
 * marks that change the direction of text, and lone surrogates.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A value from outside, such as a routing key: at most 100 characters, with unsafe ones escaped. */
export function shown(value: unknown): string {
  return cut(value, LONGEST).replace(UNSAFE, escaped);
}

/** The same as a JSON string. */
export function quoted(value: unknown): string {
  return JSON.stringify(cut(value, LONGEST)).replace(UNSAFE, escaped);
}

/** The kind of a plain value in the words of an error message, such as `a list`. */
export function kindName(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "text";
  if (typeof value === "bigint") return "a number";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The message of an error, or any other thrown value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error message of another program: at most 300 characters, with unsafe ones escaped. */
export function shownWords(message: string): string {
  return cut(message, LONGEST_WORDS).replace(UNSAFE, escaped);
}

function cut(value: unknown, most: number): string {
  const text = typeof value === "string" ? value : String(value);
  if (text.length <= most) return text;
  // A character has at most two units, so only the start of a long text is split.
  const characters = [...text.slice(0, 2 * most + 2)];
  return characters.length <= most ? text : `${characters.slice(0, most).join("")}…`;
}

function escaped(character: string): string {
  if (character === "\n") return "\\n";
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
