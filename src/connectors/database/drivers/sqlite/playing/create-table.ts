/** The list in the parentheses of a CREATE TABLE: columns and constraints. */
import type { Syntax } from "../../../driver.ts";
import type { Piece } from "./pieces.ts";

/** One column. */
export interface Item {
  /** Its name as the database compares names: without quotes, in lower case. */
  readonly name: string;
  /** All of it. */
  readonly pieces: readonly Piece[];
  /** Its type, with what is in parentheses behind it. */
  readonly type: readonly Piece[];
}

/** Words that begin what is no column. */
const CONSTRAINTS: Readonly<Record<Syntax, ReadonlySet<string>>> = {
  sqlite: new Set(["CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]),
  postgres: new Set([
    ..."CONSTRAINT PRIMARY UNIQUE FOREIGN CHECK EXCLUDE LIKE".split(" "),
  ]),
  mysql: new Set([
    ..."CONSTRAINT PRIMARY UNIQUE FOREIGN CHECK KEY INDEX FULLTEXT SPATIAL".split(" "),
  ]),
};

/** Words that belong to a type. */
const TYPE_WORDS = new Set(["UNSIGNED", "SIGNED", "ZEROFILL", "PRECISION", "VARYING"]);

/** The parts of a list, and the commas between them. */
export interface List {
  /** None is empty. */
  readonly parts: readonly (readonly Piece[])[];
  /** One in front of each part but the first. */
  readonly commas: readonly Piece[];
}

/** Splits a list at its commas. Those in parentheses are parts of a part. */
export function listOf(content: readonly Piece[]): List {
  const parts: Piece[][] = [];
  const commas: Piece[] = [];
  let depth = 0;
  let last: Piece[] = [];
  for (const piece of content) {
    if (piece.text === "(") depth++;
    if (piece.text === ")") depth--;
    if (piece.text === "," && depth === 0 && last.length > 0) {
      parts.push(last);
      commas.push(piece);
      last = [];
    } else last.push(piece);
  }
  if (last.length > 0) parts.push(last);
  return { parts, commas };
}

/** The column that a part of a CREATE TABLE is; undefined for a constraint. */
export function columnOf(pieces: readonly Piece[], syntax: Syntax): Item | undefined {
  if (CONSTRAINTS[syntax].has(pieces[0].upper)) return undefined;
  return { name: nameOf(pieces[0]), pieces, type: typeOf(pieces.slice(1)) };
}

/** A name as the database compares it: without quotes, in lower case. */
export function nameOf({ text, kind }: Piece): string {
  return (kind === "name" ? text.slice(1, -1) : text).toLowerCase();
}

function typeOf([first, ...rest]: readonly Piece[]): readonly Piece[] {
  if (first === undefined) return [];
  const type = [first];
  let depth = 0;
  for (const piece of rest) {
    if (piece.text === "(") depth++;
    if (depth === 0 && !TYPE_WORDS.has(piece.upper)) break;
    if (piece.text === ")") depth--;
    type.push(piece);
  }
  return type;
}

/** Where these words follow each other: the first, and the one behind the last. */
export function find(
  words: readonly string[],
  wanted: readonly string[],
): [number, number] | undefined {
  const at = words.findIndex((_, at) => wanted.every((word, i) => words[at + i] === word));
  return at < 0 ? undefined : [at, at + wanted.length];
}

/** The index of the parenthesis that closes the one at `open`. */
export function closing(statement: readonly Piece[], open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < statement.length; at++) {
    if (statement[at].text === "(") depth++;
    if (statement[at].text === ")" && --depth === 0) return at;
  }
  return undefined;
}
