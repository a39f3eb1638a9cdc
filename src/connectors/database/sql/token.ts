/** The tokens of SQL, and what the syntaxes of all databases have in common. */

/** SQLite takes it for a blank. */
const BYTE_ORDER_MARK = 0xfeff;

/** A piece of SQL that is neither blank nor a comment. */
export interface Token {
  /**
   * - `word`: a keyword, or a name without quotes.
   * - `parameter`: `:name`.
   * - `foreign`: a parameter of another form, such as `?` or `$1`.
   * - `conditional`: a parameter in a comment that only some servers run.
   * - `quoted`: a string or a name in quotes.
   * - `open`: the beginning of a quotation or comment that never ends; always the last token.
   * - `symbol`: all else.
   */
  readonly kind: "word" | "parameter" | "foreign" | "conditional" | "quoted" | "open" | "symbol";
  /** The index of its first character. */
  readonly start: number;
  /** The index behind its last character. */
  readonly end: number;
}

/**
 * Reads what is at an index: a token, or the index behind a blank or a comment. Undefined for a
 * symbol of one character.
 */
export type Reader = (text: string, at: number) => Token | number | undefined;

/** Reads SQL from its beginning to its end. */
export function* tokensOf(text: string, read: Reader): Generator<Token> {
  for (let at = 0; at < text.length;) {
    const found = read(text, at) ?? symbol(text, at);
    if (typeof found === "number") {
      at = found;
      continue;
    }
    yield found;
    if (found.kind === "open") return;
    at = found.end;
  }
}

/** One character that means nothing by itself. */
function symbol(text: string, at: number): Token {
  const length = (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return { kind: "symbol", start: at, end: at + length };
}

/** Reads blanks, words, `:named` parameters, `::` and `:=`, which every syntax has in common. */
export function readCommon(text: string, at: number): Token | number | undefined {
  const code = text.charCodeAt(at);
  if (isBlank(code)) return at + 1;
  if (isWordStart(code)) return { kind: "word", start: at, end: wordEnd(text, at) };
  if (text[at] !== ":") return undefined;
  if (text[at + 1] === ":" || text[at + 1] === "=") {
    return { kind: "symbol", start: at, end: at + 2 };
  }
  const end = parameterEnd(text, at + 1);
  return end === at + 1 ? undefined : { kind: "parameter", start: at, end };
}

/** Reads a quotation, in which the quote itself is written twice, or behind a backslash. */
export function readQuoted(text: string, at: number, start = at, backslashes = false): Token {
  const quote = text[at];
  for (let i = at + 1; i < text.length; i++) {
    if (backslashes && text[i] === "\\") i++;
    else if (text[i] === quote) {
      if (text[i + 1] !== quote) return { kind: "quoted", start, end: i + 1 };
      i++;
    }
  }
  return { kind: "open", start, end: at + 1 };
}

/** The index behind the line that `at` is in. */
export function lineEnd(text: string, at: number): number {
  const found = text.indexOf("\n", at);
  return found === -1 ? text.length : found + 1;
}

/** The index behind the word that begins at `start`. Words may contain `$`. */
export function wordEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && isWordPart(text.charCodeAt(end))) end++;
  return end;
}

/** Every character beyond ASCII is a letter, as for the databases. */
export function isWordStart(code: number): boolean {
  return code >= 97 && code <= 122 || code >= 65 && code <= 90 || code === 95 ||
    code >= 128 && code !== BYTE_ORDER_MARK;
}

/** Whether the code is that of a digit of ASCII. */
export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isWordPart(code: number): boolean {
  return isWordStart(code) || isDigit(code) || code === 36;
}

/** Whether the code is that of a blank or a line break. */
export function isBlank(code: number): boolean {
  return code === 32 || code >= 9 && code <= 13 || code === BYTE_ORDER_MARK;
}

/** The index behind the name that begins at `start`; `start` where there is none. */
export function parameterEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length) {
    const character = String.fromCodePoint(text.codePointAt(end) ?? 0);
    if (!(end === start ? NAME_START : NAME_PART).test(character)) break;
    end += character.length;
  }
  return end;
}

const NAME_START = /[\p{L}_]/u;
const NAME_PART = /[\p{L}\p{N}_]/u;
