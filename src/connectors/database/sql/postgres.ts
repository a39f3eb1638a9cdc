/** The tokens of PostgreSQL. */
import {
  isBlank,
  isDigit,
  isWordStart,
  readCommon,
  type Reader,
  readQuoted,
  type Token,
} from "./token.ts";

/** Reads SQL as PostgreSQL does, from its beginning. */
export function postgresReader(): Reader {
  const brackets = new Brackets();
  return (text, at) => {
    const found = brackets.isSlice(text, at)
      ? { kind: "symbol", start: at, end: at + 1 } as const
      : read(text, at);
    if (typeof found !== "number") brackets.take(text, found, at);
    return found;
  };
}

function read(text: string, at: number): Token | number | undefined {
  const next = text[at + 1];
  switch (text[at]) {
    case "-":
      return next === "-" ? commentLineEnd(text, at) : undefined;
    case "/":
      return next === "*" ? readComment(text, at) : undefined;
    case "'":
    case '"':
      return readQuoted(text, at);
    case "E":
    case "e":
      return next === "'" ? readEscaped(text, at) : readCommon(text, at);
    case "$":
      return readDollar(text, at);
    default:
      return readCommon(text, at);
  }
}

/** A carriage return ends a line, too. */
function commentLineEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== "\n" && text[at] !== "\r") at++;
  return at;
}

/** Comments contain others. */
function readComment(text: string, start: number): Token | number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "/" && text[at + 1] === "*") depth++;
    else if (text[at] === "*" && text[at + 1] === "/") depth--;
    else continue;
    at++;
    if (depth === 0) return at + 1;
  }
  return { kind: "open", start, end: start + 2 };
}

/** `E'…'`, which goes on where another string begins on a later line. */
function readEscaped(text: string, start: number): Token {
  let token = readQuoted(text, start + 1, start, true);
  while (token.kind === "quoted") {
    const next = continuation(text, token.end);
    if (next === undefined) break;
    token = readQuoted(text, next, start, true);
  }
  return token;
}

/** The index of a quote that only blanks, line breaks and comments to the end of a line precede. */
function continuation(text: string, start: number): number | undefined {
  let at = start;
  let newLine = false;
  while (at < text.length) {
    if (text.startsWith("--", at)) {
      at = commentLineEnd(text, at);
      newLine = true;
    } else if (isBlank(text.charCodeAt(at))) {
      newLine ||= text[at] === "\n" || text[at] === "\r";
      at++;
    } else break;
  }
  return newLine && text[at] === "'" ? at : undefined;
}

/** `$1`, or a string between two marks such as `$$` or `$body$`. */
function readDollar(text: string, start: number): Token | undefined {
  let end = start + 1;
  const isNumber = isDigit(text.charCodeAt(end));
  while (isDigit(text.charCodeAt(end)) || !isNumber && isWordStart(text.charCodeAt(end))) end++;
  if (isNumber || text[end] !== "$") {
    return end === start + 1 ? undefined : { kind: "foreign", start, end };
  }
  const mark = text.slice(start, end + 1);
  const close = text.indexOf(mark, end + 1);
  if (close === -1) return { kind: "open", start, end: end + 1 };
  return { kind: "quoted", start, end: close + mark.length };
}

/**
 * Tells the colon of a slice from that of a parameter: in `a[1:n]` and `a[:n]` the first colon
 * belongs to the slice. `ARRAY[:a]` has no slice, nor has what is in parentheses.
 */
class Brackets {
  /** The open brackets and parentheses; true for a subscript whose colon has not come yet. */
  readonly #open: boolean[] = [];
  /** Whether a `[` here would begin a subscript. */
  #subscript = false;

  isSlice(text: string, at: number): boolean {
    return this.#open.at(-1) === true && text[at] === ":" && text[at + 1] !== ":" &&
      text[at + 1] !== "=";
  }

  take(text: string, token: Token | undefined, at: number): void {
    switch (text[at]) {
      case "[":
        this.#open.push(this.#subscript);
        break;
      case "(":
        this.#open.push(false);
        break;
      case "]":
      case ")":
        this.#open.pop();
        break;
      case ":":
        if (token?.kind === "symbol" && token.end === at + 1 && this.#open.length > 0) {
          this.#open[this.#open.length - 1] = false;
        }
        break;
    }
    const { kind = "symbol", end = at + 1 } = token ?? {};
    this.#subscript = kind === "word"
      ? text.slice(at, end).toUpperCase() !== "ARRAY"
      : kind !== "symbol" || text[at] === "]" || text[at] === ")";
  }
}
