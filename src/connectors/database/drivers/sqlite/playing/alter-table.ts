/** An ALTER TABLE that adds columns and keys, in SQLite's words. */
import type { Syntax } from "../../../driver.ts";
import { columnOf, listOf, nameOf } from "./create-table.ts";
import { checkKey, type Key, keyOf, type Tables } from "./keys.ts";
import type { Piece } from "./pieces.ts";
import { changeColumn } from "./tables.ts";

/** The table that a statement changes. */
interface Altered {
  readonly name: string;
  /** With its quotes. */
  readonly text: string;
  /** The types of its columns; undefined where the migrations before do not tell. */
  readonly columns: Map<string, string> | undefined;
}

/**
 * Splits an ALTER TABLE that adds several columns and keys. All else stays, so that SQLite refuses what
 * it does not know.
 *
 * @throws {SyntaxError} The real database would refuse it.
 */
export function alterTable(statement: readonly Piece[], syntax: Syntax, tables: Tables): void {
  const at = statement[3]?.text === "." ? 4 : 2;
  const name = nameOf(statement[at]);
  const { parts, commas } = listOf(statement.slice(at + 1));
  const additions = parts.map((part) => additionOf(part, syntax));
  if (parts.length === 0 || additions.some((addition) => addition === undefined)) {
    // It has other columns from now on.
    tables.delete(name);
    return;
  }
  const table = { name, text: statement[at].text, columns: tables.get(name) };
  for (const piece of [...statement.slice(0, at + 1), ...commas]) piece.drop();
  let separator = "";
  for (const addition of additions) {
    const kept = addition?.(table);
    if (kept === undefined) continue;
    kept.piece.before(`${separator}${kept.beginning} `);
    separator = "; ";
  }
}

/** Changes what is added. Returns what is written in front of which piece; undefined for nothing. */
type Addition = (
  table: Altered,
) => { readonly piece: Piece; readonly beginning: string } | undefined;

/** What a part of an ALTER TABLE adds; undefined for a part that does something else. */
function additionOf(part: readonly Piece[], syntax: Syntax): Addition | undefined {
  const words = part.map(({ upper }) => upper);
  if (words[0] !== "ADD") return undefined;
  const key = words.length > 1 ? keyOf(part.slice(1)) : undefined;
  if (key !== undefined) {
    return syntax === "mysql" ? keyAddition(part, key) : undefined;
  }
  const start = words[1] === "COLUMN" ? 2 : 1;
  const isConditional = words.slice(start, start + 3).join(" ") === "IF NOT EXISTS";
  const first = isConditional ? start + 3 : start;
  if (first >= part.length || part[first].text === "(") return undefined;
  const column = columnOf(part.slice(first), syntax);
  if (column === undefined) return undefined;
  return ({ name, text, columns }) => {
    if (isConditional) {
      if (columns === undefined) {
        throw new SyntaxError(`no migration before tells the columns of table "${name}"`);
      }
      for (const piece of part.slice(start, first)) piece.drop();
      if (columns.has(column.name)) {
        for (const piece of part) piece.drop();
        return undefined;
      }
    }
    changeColumn(column, syntax, false);
    columns?.set(column.name, column.type[0].upper);
    return { piece: part[0], beginning: `ALTER TABLE ${text}` };
  };
}

/** An index is left out; a unique one is made. */
function keyAddition(part: readonly Piece[], key: Key): Addition | undefined {
  if (key.kind === "PRIMARY" || key.end.length > 0) return undefined;
  return ({ name, text, columns }) => {
    if (columns !== undefined) checkKey(key, name, columns);
    if (key.kind === "INDEX") {
      for (const piece of part) piece.drop();
      return undefined;
    }
    for (const piece of part.slice(0, part.indexOf(key.list[0]))) piece.drop();
    // The names of indexes are those of one table in MySQL, and of all tables in SQLite.
    const names = [name, ...key.middle.slice(-1).map(nameOf), ...key.list.map(nameOf)];
    const index = `"${names.join(" ").replaceAll('"', "")}"`;
    return { piece: key.list[0], beginning: `CREATE UNIQUE INDEX ${index} ON ${text}` };
  };
}
