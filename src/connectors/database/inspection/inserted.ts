/** The columns to which a query writes its parameters. */
import type { Syntax } from "../driver.ts";
import { SYNTAXES } from "../sql/syntaxes.ts";
import { tokensOf } from "../sql/token.ts";

/** A parameter that is all that a column gets. */
export interface Inserted {
  readonly parameter: string;
  readonly column: string;
}

/** The table of an INSERT with one row, and the parameters that are values of it. */
export interface Insertion {
  readonly table: string;
  readonly values: readonly Inserted[];
}

/**
 * Reads `INSERT INTO table (columns) VALUES (values)`; undefined for any other beginning of a query. A
 * parameter that occurs twice is left out: where its type is known first is not looked at.
 */
export function insertionOf(query: string, syntax: Syntax): Insertion | undefined {
  const tokens = [...tokensOf(query, SYNTAXES[syntax].reader())];
  const words = tokens.map(({ start, end }) => query.slice(start, end));
  const is = (at: number, text: string) => words[at]?.toUpperCase() === text;
  const name = (at: number) => /^["`]/.test(words[at] ?? "") ? words[at].slice(1, -1) : words[at];
  if (!is(0, "INSERT") || !is(1, "INTO") || !is(3, "(")) return undefined;
  const columns = partsOf(words, 3);
  const open = columns.end + 2;
  if (!is(columns.end + 1, "VALUES") || !is(open, "(")) return undefined;
  const row = partsOf(words, open);
  if (is(row.end + 1, ",") || row.parts.length !== columns.parts.length) return undefined;
  const parameters = tokens.flatMap(({ kind }, at) => kind === "parameter" ? [words[at]] : []);
  const values = row.parts.flatMap(([first, ...more], at): readonly Inserted[] => {
    const [column, ...others] = columns.parts[at];
    const isAlone = tokens[first]?.kind === "parameter" && more.length + others.length === 0 &&
      parameters.filter((one) => one === words[first]).length === 1;
    return isAlone ? [{ parameter: words[first].slice(1), column: name(column) }] : [];
  });
  return { table: name(2), values };
}

/** The parts of the list that begins at `open`, as indexes of words, and where it ends. */
function partsOf(
  words: readonly string[],
  open: number,
): { readonly parts: readonly (readonly number[])[]; readonly end: number } {
  const parts: number[][] = [[]];
  let depth = 1;
  let at = open + 1;
  for (; at < words.length; at++) {
    if (words[at] === "(") depth++;
    else if (words[at] === ")" && --depth === 0) break;
    if (words[at] === "," && depth === 1) parts.push([]);
    else parts[parts.length - 1].push(at);
  }
  return { parts, end: at };
}
