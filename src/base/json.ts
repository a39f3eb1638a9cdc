/** JSON that a stranger sent. No I/O. */

/** How deep objects and lists may nest. */
export const MAX_DEPTH = 64;

/**
 * Parses JSON. A key such as `__proto__` becomes a field like any other.
 *
 * @throws {SyntaxError} Not JSON, or nested deeper than `MAX_DEPTH`, which is judged on the text so
 * that hostile text never reaches the parser's stack. The message may go to the sender.
 */
export function parseJson(text: string): unknown {
  if (isDeeperThan(text, MAX_DEPTH)) throw new SyntaxError(`nested deeper than ${MAX_DEPTH}`);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own error shows a part of the text, which must not get into a log.
    throw new SyntaxError("not valid JSON");
  }
}

/** Whether a JSON value is an object, so that it has fields. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether a text in a value, or a field's name, holds half of a surrogate pair: what JSON can write
 * and UTF-8 cannot.
 */
export function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value === "string") return !value.isWellFormed();
  if (Array.isArray(value)) return value.some(hasLoneSurrogate);
  return isObject(value) &&
    Object.entries(value).some(([name, item]) => !name.isWellFormed() || hasLoneSurrogate(item));
}

/** Whether objects and lists in a JSON text nest deeper than `limit`. */
export function isDeeperThan(text: string, limit: number): boolean {
  // Every level of valid JSON needs two brackets.
  if (text.length <= limit * 2) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > limit) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}
