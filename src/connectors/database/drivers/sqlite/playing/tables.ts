/** What is changed in the definition of a table: keys, and what MySQL says of it beside its columns. */
import type { Syntax } from "../../../driver.ts";
import { arrayLiteral } from "./array-text.ts";
import { closing, columnOf, find, type Item, type List, listOf, nameOf } from "./create-table.ts";
import { checkKey, columnNames, keyOf, refuseLong, type Tables, typesOf } from "./keys.ts";
import { changeMysqlColumn } from "./mysql-columns.ts";
import type { Piece } from "./pieces.ts";
import { refuseColumn, refuseTableOptions } from "./sqlite-dialect.ts";

/** The attributes of a table in MySQL that change nothing that a statement returns. */
const TABLE_OPTIONS: readonly (readonly string[])[] = [
  ["ENGINE"],
  ["CHARSET"],
  ["CHARACTER", "SET"],
  ["COLLATE"],
  ["COMMENT"],
  ["ROW_FORMAT"],
];

/**
 * Changes a CREATE TABLE, and takes note of its columns.
 *
 * @throws {SyntaxError} The real database would refuse it.
 */
export function createTable(statement: readonly Piece[], syntax: Syntax, tables: Tables): void {
  const open = listStart(statement);
  const close = open === undefined ? undefined : closing(statement, open);
  if (open === undefined || close === undefined) return;
  const name = nameOf(statement[open - 1]);
  const options = statement.slice(close + 1);
  refuseTableOptions(options, syntax);
  const { parts, commas } = listOf(statement.slice(open + 1, close));
  const columns = parts.flatMap((part) => columnOf(part, syntax) ?? []);
  const keys = parts.flatMap((part) => columnOf(part, syntax) ? [] : keyOf(part) ?? []);
  const types = typesOf(columns);
  tables.set(name, types);
  const primary = new Set(
    keys.flatMap(({ kind, list }) => kind === "PRIMARY" ? columnNames(list) : []),
  );
  for (const column of columns) changeColumn(column, syntax, primary.has(column.name));
  if (syntax !== "mysql") return;
  for (const key of keys) checkKey(key, name, types);
  mysqlKeys(parts, commas);
  if (!areTableOptions(options)) return;
  for (const piece of options) piece.drop();
}

/** Where the list of a CREATE TABLE begins; undefined where something else makes its columns. */
function listStart(statement: readonly Piece[]): number | undefined {
  let at = statement.findIndex(({ upper }) => upper === "TABLE") + 1;
  if (statement[at]?.upper === "IF") at += 3;
  if (statement[at + 1]?.text === ".") at += 2;
  return statement[at + 1]?.text === "(" ? at + 1 : undefined;
}

/** Leaves out the indexes in a CREATE TABLE, and the names of unique keys. */
function mysqlKeys(parts: List["parts"], commas: List["commas"]): void {
  let hasKept = false;
  for (const [at, part] of parts.entries()) {
    const key = columnOf(part, "mysql") ? undefined : keyOf(part);
    const isLeftOut = key?.kind === "INDEX";
    if (isLeftOut || !hasKept) commas[at - 1]?.drop();
    if (isLeftOut) { for (const piece of part) piece.drop(); }
    else hasKept = true;
    if (key?.kind === "UNIQUE") {
      for (const piece of key.middle) piece.drop();
      if (key.end[0]?.upper === "USING") { for (const piece of key.end.slice(0, 2)) piece.drop(); }
    }
  }
}

/** A CREATE INDEX of MySQL is checked, and the lengths in it are left out, unless they matter. */
export function createIndex(statement: readonly Piece[], tables: Tables): void {
  const on = statement.findIndex(({ upper }) => upper === "ON");
  const open = statement.findIndex(({ text }, at) => at > on && text === "(");
  const close = open < 0 ? undefined : closing(statement, open);
  if (on < 0 || close === undefined) return;
  const table = nameOf(statement[on + 1]);
  const columns = tables.get(table);
  const list = statement.slice(open, close + 1);
  if (columns !== undefined) checkKey({ first: statement[1], list }, table, columns);
  if (statement[1].upper === "UNIQUE") return;
  for (const [, start, length, end] of listOf(list.slice(1, -1)).parts) {
    if (start?.text !== "(" || end?.text !== ")" || !/^\d+$/.test(length.text)) continue;
    for (const piece of [start, length, end]) piece.drop();
  }
}

/**
 * Changes a column. `isInKey` says whether a part behind the columns makes it the primary key, or a
 * part of it.
 *
 * @throws {SyntaxError} The real database would refuse it.
 */
export function changeColumn(column: Item, syntax: Syntax, isInKey: boolean): void {
  refuseColumn(column, syntax);
  const words = column.pieces.map(({ upper }) => upper);
  const isPrimary = isInKey || find(words, ["PRIMARY", "KEY"]) !== undefined;
  if (syntax === "mysql" && (isPrimary || words.includes("UNIQUE", 1))) {
    refuseLong(column.name, column.type[0].upper);
  }
  const counts = countingKey(column, syntax);
  if (!counts && isPrimary) plainKey(column);
  if (syntax === "mysql") changeMysqlColumn(column, counts);
  else defaultList(column);
}

/** `text[] DEFAULT '{a}'` becomes `DEFAULT '["a"]'`: a list is stored as JSON. */
function defaultList({ pieces, type: [type] }: Item): void {
  const at = pieces.findIndex(({ upper }) => upper === "DEFAULT");
  const isList = pieces[2]?.text === "[";
  if (isList && at > 0 && pieces[at + 1]?.kind === "string") {
    const json = arrayLiteral(pieces[at + 1].text, type.text);
    if (json !== undefined) pieces[at + 1].replace(json);
  }
}

/**
 * A primary key that does not count by itself. `INTEGER PRIMARY KEY` counts in SQLite alone, and a
 * primary key may be null there alone.
 */
function plainKey({ type: [first, ...others] }: Item): void {
  if (first.upper === "INTEGER") first.replace("INT");
  (others.at(-1) ?? first).after(" NOT NULL");
}

/** Whether these are all options that may be left out, such as `ENGINE=InnoDB DEFAULT CHARSET=utf8`. */
function areTableOptions(options: readonly Piece[]): boolean {
  const words = options.map(({ upper }) => upper);
  for (let at = 0; at < words.length;) {
    if (words[at] === ",") at++;
    if (words[at] === "DEFAULT") at++;
    const name = TABLE_OPTIONS.find((name) => name.every((word, i) => words[at + i] === word));
    if (name === undefined) return false;
    at += name.length;
    if (words[at] === "=") at++;
    const value = options[at++];
    if (value?.kind !== "word" && value?.kind !== "string") return false;
  }
  return true;
}

/**
 * A column that counts by itself becomes `INTEGER NOT NULL`, and counts where it is the primary key.
 * An INSERT without it fails where it is not. Returns whether it is one.
 */
function countingKey({ pieces, type }: Item, syntax: Syntax): boolean {
  const words = pieces.map(({ upper }) => upper);
  const marker = syntax === "mysql"
    ? find(words, ["AUTO_INCREMENT"])
    : find(words, ["GENERATED", "ALWAYS", "AS", "IDENTITY"]) ??
      find(words, ["GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"]);
  const isSerial = syntax === "postgres" && /^(SMALL|BIG)?SERIAL[248]?$/.test(type[0]?.upper ?? "");
  if (marker === undefined && !isSerial) return false;
  for (const piece of type) piece.drop();
  type[0].before("INTEGER NOT NULL ");
  // The options of a sequence stay, so that SQLite refuses them: they change the numbers.
  for (const piece of marker === undefined ? [] : pieces.slice(...marker)) piece.drop();
  const key = find(words, ["PRIMARY", "KEY"]);
  // Without it, SQLite gives the number of the last row again after it was deleted.
  if (key !== undefined) pieces[key[1] - 1].after(" AUTOINCREMENT");
  return true;
}
