/** The text of an expression in pieces, whether it is an expression or not. */

/** A text in quotes, a word, a number, blanks, or any other sign. */
export interface Piece {
  /** What it is. */
  readonly kind: "text" | "word" | "number" | "blank" | "sign";
  /** As written. */
  readonly text: string;
}

const QUOTED = /[rR]?(?:"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*')/y;
const WORD = /[A-Za-z_]\w*/y;
const NUMBER = /\d[\w.]*/y;
const BLANK = /\s+/y;
const SIGN = /===|!==|=>|==|!=|<=|>=|<>|->|&&|\|\||\?\?|\?\.|\+\+|\.\.\.|[^]/y;

const KINDS = [
  ["text", QUOTED],
  ["word", WORD],
  ["number", NUMBER],
  ["blank", BLANK],
  ["sign", SIGN],
] as const;

const CLOSERS: ReadonlyMap<string, string> = new Map([["(", ")"], ["[", "]"], ["{", "}"]]);
const OPENERS: ReadonlyMap<string, string> = new Map([[")", "("], ["]", "["], ["}", "{"]]);

const ENDS_CLAUSE = /^(?:&&|\|\||and|or|[?:,)\]}])$/i;

/** The pieces of a text, which together are the text again. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < text.length;) {
    for (const [kind, pattern] of KINDS) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found === null) continue;
      pieces.push({ kind, text: found[0] });
      at += found[0].length;
      break;
    }
  }
  return pieces;
}

/** A text that is being corrected, piece by piece. Positions are numbers of pieces. */
export class Draft {
  readonly #pieces: Piece[];

  /** Starts with the text as it is. */
  constructor(text: string) {
    this.#pieces = piecesOf(text);
  }

  /** How many pieces there are. */
  get length(): number {
    return this.#pieces.length;
  }

  /** The text of the pieces from one position to another, exclusive; all of it by default. */
  text(from = 0, to: number = this.length): string {
    return this.#pieces.slice(from, to).map(({ text }) => text).join("");
  }

  /** The text of one piece; empty beyond the ends. */
  at(position: number): string {
    return this.#pieces[position]?.text ?? "";
  }

  /** The kind of one piece; undefined beyond the ends. */
  kind(position: number): Piece["kind"] | undefined {
    return this.#pieces[position]?.kind;
  }

  /** Whether the piece is a word that is neither a field nor a method. */
  isFree(position: number): boolean {
    return this.kind(position) === "word" && this.at(this.before(position)) !== ".";
  }

  /** Puts a text in the place of pieces, and returns the position behind it. */
  replace(from: number, to: number, text: string): number {
    const pieces = piecesOf(text);
    this.#pieces.splice(from, to - from, ...pieces);
    return from + pieces.length;
  }

  /** The position of the next piece that is no blank. */
  after(position: number): number {
    return this.kind(position + 1) === "blank" ? position + 2 : position + 1;
  }

  /** The position of the piece before that is no blank. */
  before(position: number): number {
    return this.kind(position - 1) === "blank" ? position - 2 : position - 1;
  }

  /** The position of the bracket that closes the one at a position; undefined if none does. */
  closing(position: number): number | undefined {
    return this.#partner(position, CLOSERS.get(this.at(position)), 1);
  }

  /** Where the operand that ends before a position begins; undefined if there is none. */
  operandBefore(position: number): number | undefined {
    let at = this.before(position);
    for (;;) {
      const opener = OPENERS.get(this.at(at));
      if (opener !== undefined) {
        const start = this.#partner(at, opener, -1);
        if (start === undefined) return undefined;
        if (this.kind(start - 1) !== "word" && !OPENERS.has(this.at(start - 1))) return start;
        at = start - 1;
      } else if (this.#isValue(at)) {
        if (this.at(at - 1) !== ".") return at;
        at -= 2;
      } else return undefined;
    }
  }

  /** The position behind the operand that begins after a position; undefined if there is none. */
  operandAfter(position: number): number | undefined {
    let at = this.after(position);
    if (this.at(at) === "!" || this.at(at) === "-") at = this.after(at);
    if (CLOSERS.has(this.at(at))) at = this.closing(at) ?? this.length;
    else if (!this.#isValue(at)) return undefined;
    for (;;) {
      const next = this.at(at + 1);
      if (next === "." && this.kind(at + 2) === "word") at += 2;
      else if (next === "(" || next === "[") at = this.closing(at + 1) ?? this.length;
      else return Math.min(at + 1, this.length);
    }
  }

  /** The position behind all that `&&`, `||`, `?`, `:`, a comma or a bracket does not separate from it. */
  clauseFrom(position: number): number {
    let at = position;
    while (at < this.length && !ENDS_CLAUSE.test(this.at(at))) {
      at = (CLOSERS.has(this.at(at)) ? this.closing(at) ?? this.length : at) + 1;
    }
    return this.kind(at - 1) === "blank" ? at - 1 : Math.min(at, this.length);
  }

  /** The texts between the commas in the brackets that open at a position; undefined if not closed. */
  items(position: number): readonly string[] | undefined {
    const end = this.closing(position);
    if (end === undefined) return undefined;
    const items: string[] = [];
    let start = position + 1;
    for (let at = start; at <= end; at++) {
      if (at < end && CLOSERS.has(this.at(at))) at = this.closing(at) ?? end;
      if (at < end && this.at(at) !== ",") continue;
      items.push(this.text(start, at).trim());
      start = at + 1;
    }
    return items;
  }

  /** The opening brackets that nothing closes, by their positions. */
  get unclosed(): readonly number[] {
    const open: number[] = [];
    for (let at = 0; at < this.length; at++) {
      if (CLOSERS.has(this.at(at))) open.push(at);
      else if (open.length > 0 && this.at(open[open.length - 1]) === OPENERS.get(this.at(at))) {
        open.pop();
      }
    }
    return open;
  }

  #isValue(position: number): boolean {
    return ["word", "number", "text"].includes(this.kind(position) ?? "");
  }

  /** The bracket that belongs to the one at a position, in one of the two directions. */
  #partner(position: number, partner: string | undefined, step: 1 | -1): number | undefined {
    const own = this.at(position);
    let depth = 0;
    for (let at = position; at >= 0 && at < this.length; at += step) {
      if (this.at(at) === own) depth++;
      else if (this.at(at) === partner && --depth === 0) return at;
    }
    return undefined;
  }
}
