/** The tokens of SQLite. */
import {
  isDigit,
  lineEnd,
  parameterEnd,
  readCommon,
  type Reader,
  readQuoted,
  type Token,
} from "./token.ts";

/** Reads SQL as SQLite does. */
export function sqliteReader(): Reader {
  return read;
}

function read(text: string, at: number): Token | number | undefined {
  const next = text[at + 1];
  switch (text[at]) {
    case "-":
      return next === "-" ? lineEnd(text, at) : undefined;
    case "/":
      return next === "*" ? commentEnd(text, at) : undefined;
    case "'":
    case '"':
    case "`":
      return readQuoted(text, at);
    case "[": {
      const end = text.indexOf("]", at);
      if (end === -1) return { kind: "open", start: at, end: at + 1 };
      return { kind: "quoted", start: at, end: end + 1 };
    }
    case "?": {
      let end = at + 1;
      while (isDigit(text.charCodeAt(end))) end++;
      return { kind: "foreign", start: at, end };
    }
    case "@":
    case "$": {
      const end = foreignEnd(text, at + 1);
      return end === at + 1 ? undefined : { kind: "foreign", start: at, end };
    }
    default:
      return readCommon(text, at);
  }
}

/** SQLite takes a comment that is not closed. */
function commentEnd(text: string, at: number): number {
  const found = text.indexOf("*/", at + 2);
  return found === -1 ? text.length : found + 2;
}

/** A foreign parameter's name may begin with a digit. */
function foreignEnd(text: string, start: number): number {
  let end = start;
  while (isDigit(text.charCodeAt(end))) end++;
  return parameterEnd(text, end);
}
