/** JSON from untrusted senders. */

/** The deepest nesting of objects and lists. */
export const MAX_DEPTH = 64;

/**
 * Parses JSON. A key such as `__proto__` becomes a plain field.
 *
 * @throws {SyntaxError} The text is not JSON, or is nested deeper than `MAX_DEPTH`. The depth is
 * checked before the text is parsed, since the parser is recursive. The sender may see the message.
 */
export function parseJson(text: string): unknown {
  if (isDeeperThan(text, MAX_DEPTH)) throw new SyntaxError(`nested deeper than ${MAX_DEPTH}`);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own error contains a part of the text, which must not be logged.
    throw new SyntaxError("not valid JSON");
  }
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets a field. Defines `__proto__` as a plain one; any other can be assigned, which is faster. */
export function setField(fields: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") fields[name] = value;
  else {
    const property = { value, enumerable: true, writable: true, configurable: true };
    Object.defineProperty(fields, name, property);
  }
}

/**
 * For `JSON.stringify`, since JSON has no BigInt: a safe integer becomes a number, any other its
 * digits as text.
 */
export function integersAsJson(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/**
 * Whether any text or field name in a value contains a lone surrogate, which JSON can represent and
 * UTF-8 cannot.
 */
export function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value === "string") return !value.isWellFormed();
  if (Array.isArray(value)) return value.some(hasLoneSurrogate);
  return isObject(value) &&
    Object.entries(value).some(([name, item]) => !name.isWellFormed() || hasLoneSurrogate(item));
}

/** Whether the objects and lists of a JSON text are nested deeper than `limit`. */
export function isDeeperThan(text: string, limit: number): boolean {
  // Each level has two brackets.
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
