/** SQL of a played database in pieces, which can be changed one by one. */
import type { Syntax } from "../../../driver.ts";
import { SYNTAXES } from "../../../sql/syntaxes.ts";
import { tokensOf } from "../../../sql/token.ts";

type Kind = "word" | "string" | "name" | "parameter" | "other";

/** A token, and what is written in its place. */
export class Piece {
  readonly kind: Kind;
  /** As it was. */
  readonly text: string;
  /** In upper case. */
  readonly upper: string;
  readonly #gap: string;
  #before = "";
  #written: string;
  #after = "";

  /** `gap` is what is in front of it: blanks and comments. */
  constructor(kind: Kind, text: string, gap: string) {
    this.kind = kind;
    this.text = text;
    this.upper = text.toUpperCase();
    // SQLite has other comments.
    this.#gap = gap.trim() === "" ? gap : " ";
    this.#written = text;
  }

  /** Whether it is a string or a parameter. */
  get isValue(): boolean {
    return this.kind === "string" || this.kind === "parameter";
  }

  /** With what is in front of it. */
  get written(): string {
    return this.#gap + this.#before + this.#written + this.#after;
  }

  /** Writes something in front of it. */
  before(text: string): void {
    this.#before = text + this.#before;
  }

  /** Writes something behind it. */
  after(text: string): void {
    this.#after += text;
  }

  /** Writes something in its place. */
  replace(text: string): void {
    this.#written = text;
  }

  /** Leaves it out, but for what was written around it. */
  drop(): void {
    this.#written = "";
  }

  /** Writes a string with backslashes, or one between `$$`, as SQLite does. Others stay. */
  unescape(syntax: Syntax): void {
    if (this.kind !== "string") return;
    const plain = syntax === "mysql" ? withoutBackslashes(this.text) : withoutDollars(this.text);
    if (plain !== undefined) this.#written = `'${plain.replaceAll("'", "''")}'`;
  }
}

/** What a string of MySQL says; undefined for one that SQLite reads alike, and for one in `"`. */
function withoutBackslashes(text: string): string | undefined {
  if (!text.startsWith("'") || !text.includes("\\")) return undefined;
  return text.slice(1, -1).replaceAll(
    /\\([^])|''/g,
    (both, character) => both === "''" ? "'" : ESCAPES[character] ?? character,
  );
}

function withoutDollars(text: string): string | undefined {
  if (!text.startsWith("$")) return undefined;
  const length = text.indexOf("$", 1) + 1;
  return text.slice(length, -length);
}

/** The characters that have another meaning behind a backslash in MySQL. */
const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  b: "\b",
  n: "\n",
  r: "\r",
  t: "\t",
  Z: "\x1a",
  // In a pattern of LIKE they are meant for it.
  "%": "\\%",
  _: "\\_",
};

/** A placeholder, which no syntax but SQLite's knows. */
const PLACEHOLDER = /\?\d+/y;

/** Splits SQL whose parameters are SQLite's, such as `?1`. What a quotation leaves open is one piece. */
export function pieces(sql: string, syntax: Syntax): readonly Piece[] {
  const found: Piece[] = [];
  let last = 0;
  for (const { kind, start, end } of tokensOf(sql, SYNTAXES[syntax].reader())) {
    // A part of the piece before.
    if (start < last) continue;
    PLACEHOLDER.lastIndex = start;
    const placeholder = PLACEHOLDER.exec(sql)?.[0];
    const text = placeholder ??
      (sql.startsWith("||", start)
        ? "||"
        : kind === "open"
        ? sql.slice(start)
        : sql.slice(start, end));
    const type = placeholder !== undefined
      ? "parameter"
      : kind === "quoted"
      ? isName(text, syntax) ? "name" : "string"
      : kind === "word"
      ? kind
      : "other";
    found.push(new Piece(type, text, sql.slice(last, start)));
    last = start + text.length;
  }
  return found;
}

function isName(text: string, syntax: Syntax): boolean {
  return text.startsWith("`") || syntax === "postgres" && text.startsWith('"');
}
