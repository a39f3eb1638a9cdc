/**
 * Reads the places of blocks, labels, attribute names and values in HCL text.
 * It knows strings, heredocs, comments and nesting, and leaves what a value means to others.
 */

import { unescape } from "./literals.ts";
import type { Attribute, Block, Body, Label, SourceFile, Span } from "./tree.ts";

/** An attribute whose value has not been evaluated. */
export type RawAttribute = Pick<Attribute, "name" | "nameSpan" | "valueSpan">;

/** A block whose values have not been evaluated. */
export interface RawBlock extends Omit<Block, "body"> {
  /** Everything between its braces. */
  readonly body: RawBody;
}

/** A body whose values have not been evaluated. */
export interface RawBody extends Pick<Body, "span"> {
  /** In the order written. */
  readonly attributes: readonly RawAttribute[];
  /** In the order written. */
  readonly blocks: readonly RawBlock[];
}

/** The text is not what the scanner takes for HCL, at an offset. */
export class StructureError extends Error {
  /** Tells it from other errors. */
  override readonly name = "StructureError";
  /** Where, in UTF-16 units from 0. */
  readonly offset: number;

  /** `message` says what was expected. */
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/**
 * The structure of a file that the HCL parser has accepted. Throws `StructureError` where the two
 * disagree.
 */
export function readStructure(file: SourceFile): RawBody {
  const scanner = new Scanner(file);
  const body = scanner.body();
  if (scanner.at < file.text.length) scanner.fail("nothing, the block is closed already");
  return body;
}

/** The headers of blocks in a file that cannot be parsed, as far as single lines show them. */
export function recoverHeaders(text: string): { type: string; labels: string[] }[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const trimmed = line.trimStart();
    const [type] = /^[\p{ID_Start}_][\p{ID_Continue}-]*/u.exec(trimmed) ?? [];
    if (type === undefined) return [];
    const rest = trimmed.slice(type.length);
    if (rest !== "" && !/^[ \t"{]/.test(rest)) return [];
    // The closing quote of a label and the brace may be the very things that are missing.
    const brace = rest.indexOf("{");
    const header = (brace < 0 ? rest : rest.slice(0, brace)).trim();
    if (header === "") return brace < 0 ? [] : [{ type, labels: [] }];
    return header.startsWith('"') ? [{ type, labels: labelsIn(header) }] : [];
  });
}

/** The text between two quotes, the second of which may be missing. */
function labelsIn(header: string): string[] {
  return header.split('"').filter((_, index) => index % 2 === 1).map((label) => label.trim());
}

const identifier = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
const heredocStart = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)[ \t]*\r?\n/uy;
const closers: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

class Scanner {
  at = 0;
  readonly #file: SourceFile;
  readonly #text: string;

  constructor(file: SourceFile) {
    this.#file = file;
    this.#text = file.text;
  }

  fail(expected: string): never {
    throw new StructureError(this.at, `expected ${expected}`);
  }

  /** Attributes and blocks up to the end of the text or a brace, which stays. */
  body(): RawBody {
    const start = this.at;
    const attributes: RawAttribute[] = [];
    const blocks: RawBlock[] = [];
    while (true) {
      this.#skip(true);
      if (this.at >= this.#text.length || this.#text[this.at] === "}") break;
      const nameStart = this.at;
      const name = this.#take(identifier);
      if (name === "") this.fail("a name");
      const nameSpan = this.#span(nameStart);
      this.#skip(false);
      if (this.#text[this.at] === "=") {
        attributes.push({ name, nameSpan, valueSpan: this.#value() });
      } else blocks.push(this.#block(name, nameSpan));
    }
    return { attributes, blocks, span: this.#span(start) };
  }

  #block(type: string, typeSpan: Span): RawBlock {
    const labels: Label[] = [];
    let headerEnd = this.at;
    for (; this.#text[this.at] !== "{"; this.#skip(false)) {
      const start = this.at;
      if (this.#text[start] === '"') this.#quoted();
      else if (this.#take(identifier) === "") this.fail('"{" or a label');
      headerEnd = this.at;
      const written = this.#text.slice(start, headerEnd);
      const text = written.startsWith('"') ? unescape(written.slice(1, -1)) : written;
      labels.push({ text, span: this.#span(start) });
    }
    if (labels.length === 0) headerEnd = typeSpan.end;
    this.at++;
    const body = this.body();
    if (this.#text[this.at] !== "}") this.fail('"}"');
    this.at++;
    const headerSpan = { file: this.#file, start: typeSpan.start, end: headerEnd };
    return { type, typeSpan, labels, headerSpan, body };
  }

  /** The extent of a value, from the equals sign on. */
  #value(): Span {
    this.at++;
    this.#skip(false);
    const start = this.at;
    const end = this.#expression(["\n", "}"]);
    if (end === start) this.fail("a value");
    return { file: this.#file, start, end };
  }

  /** Moves to the first of `stops` outside all nesting. Returns the end of the last token before it. */
  #expression(stops: readonly string[]): number {
    let end = this.at;
    while (this.at < this.#text.length) {
      const char = this.#text[this.at];
      if (stops.includes(char)) return end;
      if (this.#skip(!stops.includes("\n"))) continue;
      if (this.#comment()) continue;
      if (char === '"') this.#quoted();
      else if (char === "<" && this.#heredoc()) { /* moved behind it */ }
      else if (char in closers) this.#nested(closers[char]);
      else this.at++;
      end = this.at;
    }
    return end;
  }

  /** Moves behind what means nothing, line breaks and their comments too where `lines` says so. */
  #skip(lines: boolean): boolean {
    const start = this.at;
    for (;;) {
      const char = this.#text[this.at];
      if (char === " " || char === "\t" || char === "\r" || (lines && char === "\n")) this.at++;
      else if (char === "/" && this.#text[this.at + 1] === "*") this.#skipBehind("*/");
      else if (!lines || !this.#comment()) return this.at > start;
    }
  }

  /** A comment up to the end of its line, where one begins here. */
  #comment(): boolean {
    if (this.#text[this.at] !== "#" && !this.#text.startsWith("//", this.at)) return false;
    const end = this.#text.indexOf("\n", this.at);
    this.at = end < 0 ? this.#text.length : end;
    return true;
  }

  #skipBehind(end: string): void {
    const found = this.#text.indexOf(end, this.at + 2);
    if (found < 0) this.fail(`"${end}"`);
    this.at = found + end.length;
  }

  /** What one opening bracket begins, up to and with its closing one. */
  #nested(closer: string): void {
    this.at++;
    this.#expression([closer]);
    if (this.#text[this.at] !== closer) this.fail(`"${closer}"`);
    this.at++;
  }

  #quoted(): void {
    this.at++;
    while (this.at < this.#text.length) {
      const char = this.#text[this.at];
      if (char === "\n") break;
      if (char === "\\") this.at += 2;
      else if (!this.#template()) this.at++;
      if (char === '"') return;
    }
    this.fail("a closing quote");
  }

  /** False where no heredoc begins here. */
  #heredoc(): boolean {
    const opening = this.#match(heredocStart);
    if (opening === null) return false;
    this.at += opening[0].length;
    const closing = new RegExp(`[ \\t]*${opening[1]}(?=[ \\t]*(?:\\r?\\n|$))`, "y");
    for (let lineStart = true; this.at < this.#text.length;) {
      if (lineStart && this.#take(closing) !== "") return true;
      lineStart = this.#text[this.at] === "\n";
      if (!this.#template()) this.at++;
    }
    this.fail(opening[1]);
  }

  /** Moves behind `${ … }`, `%{ … }` or an escaped opening of one, where one begins here. */
  #template(): boolean {
    const opening = this.#take(/\$\$\{|%%\{|\$\{|%\{/y);
    if (opening.length === 2) {
      this.at--;
      this.#nested("}");
    }
    return opening !== "";
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.#text);
  }

  /** Moves over what the sticky pattern matches here; the empty text where it does not. */
  #take(pattern: RegExp): string {
    const found = this.#match(pattern)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  #span(start: number): Span {
    return { file: this.#file, start, end: this.at };
  }
}
