/** Counts what a text holds, token by token and without recursion. It does not fail on any text. */

import { closersOf, type Kind, type Level, level } from "./level.ts";

/** What the parser says of a part of a value beside the part's own text, in characters. */
const NODE = 180;

const IDENTIFIER = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
const NUMBER = /\d[\d.]*(?:[eE][+-]?\d+)?/y;
const HEREDOC = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)[ \t]*\r?\n/uy;
const DIRECTIVE = /%\{~?[ \t]*(if|for|endif|endfor)\b/y;
const OPERATORS = "!-+*/%?<>&|.";
const CLOSERS: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** One way through a text. */
export class Scan {
  /** Blocks so far. */
  blocks = 0;
  /** Attributes so far. */
  attributes = 0;
  /** Words, signs and line breaks so far. */
  tokens = 0;
  /** What the parser will say of the values so far, in characters. */
  answer = 0;
  /** What the parser will take for putting texts together, in about half a nanosecond. */
  joining = 0;
  /** The length of the last number. */
  digits = 0;
  /** Items of bodies so far that are neither an attribute nor a block. */
  mistakes = 0;
  /** Where the last token began. */
  offset = 0;
  /** Where a comment begins that nothing closes. */
  unclosed: number | undefined;
  readonly #text: string;
  readonly #levels: Level[];
  #at = 0;
  /** The operators and directives of all levels. */
  #operators = 0;
  /** Whether the last thing seen wants another operand. */
  #isOpen = false;

  /** Begins at the start of `text`. */
  constructor(text: string) {
    this.#text = text;
    this.#levels = [level("body", "", 0)];
  }

  /** How much is inside each other where the scan is. */
  get depth(): number {
    return this.#levels.length - 1 + this.#operators;
  }

  /** What would close all that is open where the scan is. */
  get closing(): string {
    return closersOf(this.#levels.slice(1));
  }

  /** Reads one more token; false where the text has ended. */
  next(): boolean {
    if (this.#at >= this.#text.length) return false;
    this.offset = this.#at;
    if (this.#top.kind === "text") this.#readText();
    else this.#readCode();
    if (this.#at < this.#text.length || this.unclosed !== undefined) return true;
    // What is not closed has ended as well.
    while (this.#levels.length > 1) this.#pop();
    this.#endItem();
    return true;
  }

  get #top(): Level {
    return this.#levels[this.#levels.length - 1];
  }

  #readCode(): void {
    const text = this.#text;
    const char = text[this.#at];
    const next = text[this.#at + 1];
    if (char === " " || char === "\t" || char === "\r") {
      this.#at++;
      return;
    }
    this.tokens++;
    if (char === "\n") this.#endLine();
    else if (char === "#" || (char === "/" && next === "/")) {
      this.#at = endOf(text, "\n", this.#at);
    } else if (char === "/" && next === "*") this.#skipComment();
    else if (char === "<" && this.#beginHeredoc()) this.#isOpen = false;
    else {
      const isEqual = char === "=" && next === "=";
      this.#isOpen = isEqual || OPERATORS.includes(char);
      if (this.#isOpen) {
        this.#at += isEqual ? 2 : 1;
        this.#operate();
      } else this.#readOperand(char);
    }
  }

  #readOperand(char: string): void {
    const top = this.#top;
    if (char === '"') {
      this.#at++;
      this.#countHeader();
      this.#push("text", '"');
    } else if (char in CLOSERS) {
      const isBlock = char === "{" && top.kind === "body" && !top.isAttribute;
      if (isBlock) {
        this.blocks++;
        top.hasBlock = true;
      }
      this.#at++;
      top.isComposed = true;
      this.#push(isBlock ? "body" : "items", CLOSERS[char]);
    } else if (char === top.closer) {
      this.#at++;
      this.#pop();
    } else if (char === ",") {
      this.#at++;
      this.#endItem();
    } else if (char === "=" && top.kind === "body" && !top.isAttribute) {
      this.#at++;
      this.attributes++;
      top.isAttribute = true;
      this.#operators -= top.operators;
      top.operators = 0;
      top.isComposed = false;
      top.start = this.#at;
    } else if ((char === "=" || char === ":") && top.closer === "}") {
      this.#at++;
      this.answer += NODE;
    } else if (this.#take(IDENTIFIER)) this.#countHeader();
    else if (this.#take(NUMBER)) this.digits = this.#at - this.offset;
    else this.#at++;
  }

  #skipComment(): void {
    const end = this.#text.indexOf("*/", this.#at + 2);
    if (end < 0) this.unclosed = this.#at;
    this.#at = end < 0 ? this.#text.length : end + 2;
  }

  /** The parser has each label of a block below the one before it. */
  #countHeader(): void {
    const top = this.#top;
    if (top.kind === "body" && !top.isAttribute && ++top.count > 2) this.#operate();
  }

  /** Within brackets an item goes on in the next line, but hardly without an operator there. */
  #endLine(): void {
    const { kind, closer } = this.#top;
    this.#at++;
    let goesOn = kind === "insertion" || (kind === "items" && closer !== "}");
    if (goesOn && !this.#isOpen) {
      for (; this.#isAtBlank(); this.#at++) if (this.#text[this.#at] === "\n") this.tokens++;
      goesOn = this.#at < this.#text.length && OPERATORS.includes(this.#text[this.#at]);
    }
    if (!goesOn) this.#endItem();
  }

  #isAtBlank(): boolean {
    return this.#at < this.#text.length && " \t\r\n".includes(this.#text[this.#at]);
  }

  /** Reads a part of a text, up to something that means more than itself. */
  #readText(): void {
    const text = this.#text;
    const top = this.#top;
    const char = text[this.#at];
    const next = text[this.#at + 1];
    const isSign = char === "$" || char === "%";
    if (isSign && next === "{") {
      this.#readDirective();
      this.#at += 2;
      this.tokens++;
      this.#mark();
      this.answer += NODE;
      this.#push("insertion", "}");
    } else if (isSign) {
      top.count++;
      this.#at += next === char && text[this.#at + 2] === "{" ? 3 : 1;
    } else if (top.closer === '"') {
      // A string ends with its line, where its quote is missing.
      if (char === '"' || char === "\n") this.#pop();
      this.#at += char === "\\" ? 2 : char === "\n" ? 0 : 1;
    } else {
      this.#at++;
      if (char === "\n") this.#endHeredocLine(top);
    }
  }

  /** A line with nothing but the closing word ends a heredoc. */
  #endHeredocLine(top: Level): void {
    this.tokens++;
    top.count++;
    const start = skipBlanks(this.#text, this.#at);
    if (!this.#text.startsWith(top.closer, start)) return;
    const end = start + top.closer.length;
    if (!["", "\n", "\r"].includes(this.#text.charAt(skipBlanks(this.#text, end)))) return;
    this.#at = end;
    this.#pop();
  }

  /** `%{ if … }` and `%{ for … }` have what follows below them, up to their ends. */
  #readDirective(): void {
    DIRECTIVE.lastIndex = this.#at;
    const [, word] = DIRECTIVE.exec(this.#text) ?? [];
    if (word === undefined) return;
    const top = this.#top;
    const step = word.startsWith("end") ? -Math.min(1, top.directives) : 1;
    top.directives += step;
    this.#operators += step;
  }

  #beginHeredoc(): boolean {
    HEREDOC.lastIndex = this.#at;
    const found = HEREDOC.exec(this.#text);
    if (found === null) return false;
    // Up to the line break: the closing word may follow at once.
    this.#at += found[0].length - 1;
    this.#top.isComposed = true;
    this.#push("text", found[1]);
    this.#top.isComposed = true;
    return true;
  }

  #push(kind: Kind, closer: string): void {
    this.#levels.push(level(kind, closer, this.#at));
  }

  #pop(): void {
    const ended = this.#top;
    if (ended.kind === "text") this.#endText(ended);
    else this.#endItem();
    this.#operators -= ended.operators + ended.directives;
    this.#levels.pop();
    // What follows a bracket, as in a[1][2], has it below.
    if (ended.kind === "items" && this.#top.kind !== "text") this.#operate();
  }

  /** The parser adds each line of a heredoc, each `$` and each `%` to all that is before it. */
  #endText({ isComposed, start, count }: Level): void {
    const length = this.#at - start;
    if (isComposed) this.answer += length;
    this.joining += count * (60 * count + length);
  }

  /** The texts around are more than literals. */
  #mark(): void {
    for (let index = this.#levels.length - 1; index >= 0; index--) {
      if (this.#levels[index].isComposed) return;
      this.#levels[index].isComposed = true;
    }
  }

  #operate(): void {
    this.#top.operators++;
    this.#top.isComposed = true;
    this.#operators++;
  }

  /** What the parser says of the item that ends: the text of each of its parts, and more. */
  #endItem(): void {
    const top = this.#top;
    const { kind, isAttribute, hasBlock, count, operators } = top;
    if (kind === "body" && !isAttribute && !hasBlock && count + operators > 0) this.mistakes++;
    if (kind !== "body" || (isAttribute && top.isComposed)) {
      this.answer += (operators + 1) * (this.#at - top.start + NODE);
    }
    this.#operators -= operators;
    top.operators = 0;
    top.start = this.#at;
    top.isAttribute = false;
    top.hasBlock = false;
    top.isComposed = false;
    top.count = 0;
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return false;
    this.#at += found[0].length;
    return true;
  }
}

function skipBlanks(text: string, from: number): number {
  for (let at = from;; at++) if (text[at] !== " " && text[at] !== "\t") return at;
}

/** The offset of the first `end` from an offset on, or the end of the text. */
export function endOf(text: string, end: string, from: number): number {
  const found = text.indexOf(end, from);
  return found < 0 ? text.length : found;
}
