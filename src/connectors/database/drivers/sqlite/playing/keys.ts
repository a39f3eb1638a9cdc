/** Keys and indexes of a CREATE TABLE, and what MySQL wants of their columns. */
import { closing, type Item, listOf, nameOf } from "./create-table.ts";
import type { Piece } from "./pieces.ts";

/** The types of the columns of each table that the migrations have made so far, in upper case. */
export type Tables = Map<string, Map<string, string>>;

/** A key or an index as a part of a CREATE TABLE, or of an ALTER TABLE behind its ADD. */
export interface Key {
  readonly kind: "PRIMARY" | "UNIQUE" | "INDEX";
  /** The word that begins it. */
  readonly first: Piece;
  /** What is between that word and the parenthesis, such as its name. */
  readonly middle: readonly Piece[];
  /** What is in the parentheses, with them. */
  readonly list: readonly Piece[];
  /** What is behind them. */
  readonly end: readonly Piece[];
}

const KINDS: Readonly<Record<string, Key["kind"]>> = {
  PRIMARY: "PRIMARY",
  UNIQUE: "UNIQUE",
  INDEX: "INDEX",
  KEY: "INDEX",
  FULLTEXT: "INDEX",
  SPATIAL: "INDEX",
};

/** The types that have no place in a key of MySQL, where it has no length. */
const LONG = /^(?:(?:TINY|MEDIUM|LONG)?(?:TEXT|BLOB)|JSON)$/;

/** The key that a part is; undefined for another constraint and for a column. */
export function keyOf(part: readonly Piece[]): Key | undefined {
  const hasKind = (at: number) => Object.hasOwn(KINDS, part[at]?.upper ?? "");
  // The name of a constraint may be missing.
  const isNamed = part[0].upper === "CONSTRAINT";
  if (isNamed && ["FOREIGN", "CHECK"].includes(part[1]?.upper)) return undefined;
  const start = !isNamed ? 0 : hasKind(1) ? 1 : 2;
  const open = part.findIndex(({ text }, at) => at > start && text === "(");
  const close = open < 0 ? undefined : closing(part, open);
  if (!hasKind(start) || close === undefined) return undefined;
  return {
    kind: KINDS[part[start].upper],
    first: part[start],
    middle: part.slice(start + 1, open),
    list: part.slice(open, close + 1),
    end: part.slice(close + 1),
  };
}

/** The names of the columns of a list in parentheses. Expressions have none. */
export function columnNames(list: readonly Piece[]): readonly string[] {
  return listOf(list.slice(1, -1)).parts.flatMap(([first]) =>
    first.text === "(" ? [] : [nameOf(first)]
  );
}

/**
 * Looks at the columns of a key or an index of MySQL.
 *
 * @throws {SyntaxError} One does not exist, or the server wants a length for it.
 */
export function checkKey(
  { first: { upper }, list }: Pick<Key, "first" | "list">,
  table: string,
  columns: Map<string, string>,
): void {
  const takesLong = upper === "FULLTEXT" || upper === "SPATIAL";
  for (const [first, next] of listOf(list.slice(1, -1)).parts) {
    if (first.text === "(") continue;
    const type = columns.get(nameOf(first));
    if (type === undefined) {
      throw new SyntaxError(`there is no column "${nameOf(first)}" in table "${table}" for a key`);
    }
    if (next?.text !== "(") {
      if (!takesLong) refuseLong(nameOf(first), type);
    } else if (upper === "UNIQUE" || upper === "PRIMARY") {
      throw new SyntaxError(`SQLite knows no key of the first characters of "${nameOf(first)}"`);
    }
  }
}

/** @throws {SyntaxError} The column is one of those that MySQL wants a length of in a key. */
export function refuseLong(column: string, type: string): void {
  if (!LONG.test(type)) return;
  throw new SyntaxError(
    `MySQL does not know keys of a ${type} column such as "${column}" without a length; ` +
      "write VARCHAR(255) or VARBINARY(255)",
  );
}

/** The types of columns by their names. */
export function typesOf(columns: readonly Item[]): Map<string, string> {
  return new Map(columns.map(({ name, type }) => [name, type[0]?.upper ?? ""]));
}
