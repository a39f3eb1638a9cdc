/** Splits the text of an expression into tokens. */

import { Uint } from "./kinds.ts";
import type { Source } from "./source.ts";

/**
 * What a token is. An operator or a bracket is its own kind, and `name` is an identifier. `quoted`
 * is a field name in backticks, `end` the end of the text.
 */
export type TokenKind =
  | "name"
  | "quoted"
  | "literal"
  | "end"
  | "in"
  | "=="
  | "!="
  | "<="
  | ">="
  | "&&"
  | "||"
  | "<"
  | ">"
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "!"
  | "?"
  | ":"
  | "."
  | ","
  | "("
  | ")"
  | "["
  | "]"
  | "{"
  | "}";

/** One token and its place in the text. */
export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  /** The name, or the value of a literal. */
  readonly value?: unknown;
  /** The words for it in an error message. */
  readonly label: string;
}

/** White space and comments, which separate tokens. */
const SPACE = /[ \t\n\r\f]+|\/\/[^\n]*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED_NAME = /`([A-Za-z0-9_./ -]+)`/y;
const OPERATOR = /[=!<>]=|&&|\|\||[<>+\-*/%!?:.,()[\]{}]/y;
const HEXADECIMAL = /0[xX]([0-9a-fA-F]*)([uU]?)/y;
const DECIMAL = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d*)?/y;
const STARTS_STRING = /["'rRbB]/;
const OPENING = /([rR]?[bB]?|[bB][rR])("""|'''|"|')/y;

const SLASH = 47;
const DOT = 46;

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13 && code !== 11);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Words that are literals. */
const WORDS: ReadonlyMap<string, { value: boolean | null; label: string }> = new Map([
  ["true", { value: true, label: "true or false" }],
  ["false", { value: false, label: "true or false" }],
  ["null", { value: null, label: "null" }],
]);

/** The most digits that a 64-bit integer has. Longer ones take long to read. */
const LONGEST_INTEGER = 20;

/** Reads the tokens of one text, from the first to the last. */
export class Lexer {
  readonly #source: Source;
  readonly #text: string;
  #at = 0;

  /** Mistakes in the text of `source` become its errors. */
  constructor(source: Source) {
    this.#source = source;
    this.#text = source.text;
  }

  /** The next token. Throws an ExpressionError where the text holds none. */
  next(): Token {
    const text = this.#text;
    let code = text.charCodeAt(this.#at);
    while (isSpace(code) || (code === SLASH && text.charCodeAt(this.#at + 1) === SLASH)) {
      this.#match(SPACE);
      code = text.charCodeAt(this.#at);
    }
    const start = this.#at;
    if (start >= text.length) return { kind: "end", start, end: start, label: "the end" };
    if (isDigit(code) || (code === DOT && isDigit(text.charCodeAt(start + 1)))) {
      return this.#number(start);
    }
    if (STARTS_STRING.test(text[start])) {
      const opening = this.#match(OPENING);
      if (opening !== undefined) return this.#string(start, opening[1].toLowerCase(), opening[2]);
    }
    const operator = this.#match(OPERATOR)?.[0];
    if (operator !== undefined) return this.#token(operator as TokenKind, start, `"${operator}"`);
    const name = this.#match(NAME)?.[0];
    if (name !== undefined) return this.#name(start, name);
    const quoted = this.#match(QUOTED_NAME)?.[1];
    if (quoted !== undefined) return this.#token("quoted", start, "a quoted name", quoted);
    const [character] = text.slice(start, start + 2);
    throw this.#problem(start, start + character.length, `unexpected character: ${character}`);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  #token(kind: TokenKind, start: number, label: string, value?: unknown): Token {
    return { kind, start, end: this.#at, label, value };
  }

  #problem(start: number, end: number, message: string): Error {
    return this.#source.syntaxError({ start, end }, message);
  }

  #name(start: number, name: string): Token {
    const word = WORDS.get(name);
    if (word !== undefined) return this.#token("literal", start, word.label, word.value);
    if (name === "in") return this.#token("in", start, '"in"');
    return this.#token("name", start, `"${name}"`, name);
  }

  #number(start: number): Token {
    const hexadecimal = this.#match(HEXADECIMAL);
    if (hexadecimal !== undefined) {
      const [, digits, suffix] = hexadecimal;
      if (digits === "") throw this.#problem(start, this.#at, "the number has no digits");
      return this.#integer(start, digits.length > LONGEST_INTEGER ? "" : `0x${digits}`, suffix);
    }
    const digits = this.#match(DECIMAL)?.[0] ?? "";
    if (/[.eE]/.test(digits)) {
      const value = Number(digits);
      if (Number.isFinite(value)) return this.#token("literal", start, "a number", value);
      const fault = /\d$/.test(digits) ? "the number is too large" : "the exponent has no digits";
      throw this.#problem(start, this.#at, fault);
    }
    const suffix = this.#match(/[uU]/y)?.[0] ?? "";
    const significant = digits.replace(/^0+(?=\d)/, "");
    return this.#integer(start, significant.length > LONGEST_INTEGER ? "" : significant, suffix);
  }

  /** Empty `digits` are too many. The parser checks the range of an int, since `-` is a part of it. */
  #integer(start: number, digits: string, suffix: string): Token {
    const value = digits === "" ? 2n ** 64n : BigInt(digits);
    if (suffix === "") return this.#token("literal", start, "a number", value);
    if (!Uint.holds(value)) {
      throw this.#problem(start, this.#at, "the unsigned integer is beyond 64 bits");
    }
    return this.#token("literal", start, "a number", new Uint(value));
  }

  /** `prefix` is made of "r" for a raw string and "b" for bytes; `quote` has opened the string. */
  #string(start: number, prefix: string, quote: string): Token {
    const isRaw = prefix.includes("r");
    const isBytes = prefix.includes("b");
    const from = this.#at;
    const end = this.#closing(start, quote, isRaw);
    this.#at = end + quote.length;
    const text = this.#text.slice(from, end);
    const parts = isRaw || !text.includes("\\") ? [text] : this.#unescaped(from, text, isBytes);
    if (!isBytes) {
      const characters = parts.map((part) =>
        typeof part === "string" ? part : String.fromCodePoint(part)
      );
      return this.#token("literal", start, "a string", characters.join(""));
    }
    const encoder = new TextEncoder();
    const bytes = parts.flatMap((part) =>
      typeof part === "string" ? [...encoder.encode(part)] : [part]
    );
    return this.#token("literal", start, "bytes", Uint8Array.from(bytes));
  }

  /** The position of the quote that ends the string. */
  #closing(start: number, quote: string, isRaw: boolean): number {
    const text = this.#text;
    for (let at = this.#at; at < text.length; at++) {
      if (text.startsWith(quote, at)) return at;
      if (quote.length === 1 && (text[at] === "\n" || text[at] === "\r")) {
        throw this.#problem(at, at + 1, "a line break ends the string; write \\n instead");
      }
      if (text[at] === "\\" && !isRaw) at++;
    }
    throw this.#problem(start, text.length, "unterminated string");
  }

  /** The pieces of a string that starts at `from`: text, and the numbers of numeric escapes. */
  #unescaped(from: number, text: string, isBytes: boolean): (string | number)[] {
    const parts: (string | number)[] = [];
    let at = 0;
    for (const { 0: written, 1: simple, 2: unicode, 3: byte, index } of text.matchAll(ESCAPE)) {
      parts.push(text.slice(at, index));
      at = index + written.length;
      if (simple !== undefined) {
        parts.push(SIMPLE_ESCAPES.get(simple) ?? simple);
        continue;
      }
      const code = byte === undefined
        ? Number.parseInt((unicode ?? "").slice(1), 16)
        : /^[xX]/.test(byte)
        ? Number.parseInt(byte.slice(1), 16)
        : Number.parseInt(byte, 8);
      const fault = Number.isNaN(code)
        ? "invalid escape sequence"
        : isBytes && unicode !== undefined
        ? "bytes have no Unicode escapes"
        : byte !== undefined && code > 0xff
        ? "the octal escape is beyond \\377"
        : code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)
        ? "the escape is not a Unicode character"
        : undefined;
      if (fault !== undefined) {
        const start = from + index;
        throw this.#problem(start, start + written.length, `${fault}: ${written}`);
      }
      parts.push(code);
    }
    parts.push(text.slice(at));
    return parts;
  }
}

/** An escape: of a character, of its code point, of a byte; all else is a mistake. */
const ESCAPE =
  /\\(?:([abfnrtv\\?"'`])|(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|([xX][0-9a-fA-F]{2}|[0-7]{3})|[\s\S]|$)/g;

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);
