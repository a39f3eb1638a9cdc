/** The tokens of MySQL and MariaDB, with backslashes in strings and `"` around strings. */
import {
  isDigit,
  lineEnd,
  readCommon,
  type Reader,
  readQuoted,
  type Token,
  wordEnd,
} from "./token.ts";

/** Reads SQL as MySQL does, from its beginning. */
export function mysqlReader(): Reader {
  /** Whether it is in a comment that servers run, such as `/*!50001 … *\/`. */
  let conditional = false;
  return (text, at) => {
    if (text.startsWith("/*", at)) {
      const content = conditionalStart(text, at);
      if (content === undefined) return readComment(text, at);
      conditional = true;
      return content;
    }
    if (conditional && text.startsWith("*/", at)) {
      conditional = false;
      return at + 2;
    }
    const found = read(text, at);
    const isParameter = typeof found === "object" && found.kind === "parameter";
    return conditional && isParameter ? { ...found, kind: "conditional" } : found;
  };
}

function read(text: string, at: number): Token | number | undefined {
  switch (text[at]) {
    case "#":
      return lineEnd(text, at);
    case "-":
      return isLineComment(text, at) ? lineEnd(text, at) : undefined;
    case "'":
    case '"':
      return readQuoted(text, at, at, true);
    case "`":
      return readQuoted(text, at);
    case "?":
      return { kind: "foreign", start: at, end: at + 1 };
    case "@":
      return readVariable(text, at);
    default:
      // A name may begin with a digit; what does is no keyword.
      return isDigit(text.charCodeAt(at))
        ? { kind: "symbol", start: at, end: wordEnd(text, at) }
        : readCommon(text, at);
  }
}

/** `--` begins a comment in front of a blank or a control character only: `1--1` is 2. */
function isLineComment(text: string, at: number): boolean {
  return text[at + 1] === "-" && (at + 2 === text.length || text.charCodeAt(at + 2) <= 32);
}

function readComment(text: string, start: number): Token | number {
  const found = text.indexOf("*/", start + 2);
  return found === -1 ? { kind: "open", start, end: start + 2 } : found + 2;
}

/** Where the content of a comment begins that servers run; undefined for another comment. */
function conditionalStart(text: string, start: number): number | undefined {
  let at = start + 2;
  // Only MariaDB runs it.
  if (text[at] === "M") at++;
  if (text[at] !== "!") return undefined;
  do at++; while (isDigit(text.charCodeAt(at)));
  return at;
}

/** `@name` is a symbol, and `@@` in front of the name of a system variable. */
function readVariable(text: string, at: number): Token {
  if (text[at + 1] === "@") return { kind: "symbol", start: at, end: at + 2 };
  let end = at + 1;
  while (text[end] === "." || wordEnd(text, end) > end) end = Math.max(end + 1, wordEnd(text, end));
  return { kind: "symbol", start: at, end };
}
