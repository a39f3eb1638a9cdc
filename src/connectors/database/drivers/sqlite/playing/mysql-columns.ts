/** What MySQL says of a column, in SQLite's words. */
import { find, type Item } from "./create-table.ts";
import type { Piece } from "./pieces.ts";

/** The attributes with a value that change nothing that a statement returns. */
const ATTRIBUTES: readonly (readonly string[])[] = [
  ["COMMENT"],
  ["COLLATE"],
  ["CHARSET"],
  ["CHARACTER", "SET"],
];

/**
 * Changes a column of MySQL. `counts` says whether it counts by itself.
 *
 * @throws {SyntaxError} SQLite would take it for something else.
 */
export function changeMysqlColumn(item: Item, counts: boolean): void {
  const { pieces, type } = item;
  const words = pieces.map(({ upper }) => upper);
  if (type[0].upper === "SERIAL") {
    throw new SyntaxError("SQLite does not know MySQL's SERIAL; write BIGINT AUTO_INCREMENT");
  }
  for (let at = 1; at < pieces.length; at++) {
    for (const attribute of ATTRIBUTES) withoutAttribute(pieces, at, attribute);
    if (words[at] !== "KEY" || words[at - 1] === "PRIMARY") continue;
    if (words[at - 1] === "UNIQUE") pieces[at].drop();
    else throw new SyntaxError(`write PRIMARY KEY in place of KEY for column "${item.name}"`);
  }
  if (type[0].upper === "ENUM") enumeration(item);
  else if (!counts) unsigned(item);
}

function withoutAttribute(
  pieces: readonly Piece[],
  at: number,
  attribute: readonly string[],
): void {
  if (!attribute.every((word, i) => pieces[at + i]?.upper === word)) return;
  const value = pieces[at + attribute.length];
  // A text of bytes is no text any more.
  const isPlain = value?.kind === "word" || value?.kind === "string";
  if (!isPlain || attribute[0].startsWith("CHAR") && value.upper === "BINARY") return;
  for (const piece of pieces.slice(at, at + attribute.length + 1)) piece.drop();
}

/** `ENUM('a', 'b')` becomes a text with a CHECK. */
function enumeration({ pieces, type }: Item): void {
  const words = pieces.map(({ upper }) => upper);
  const [first, ...list] = type;
  const values = list.map(({ written }) => written).join("");
  const start = list[1]?.written ?? "";
  first.replace("TEXT");
  for (const piece of list) piece.drop();
  const end = pieces[pieces.length - 1];
  // MySQL has this default even where a column of another type would have none.
  if (find(words, ["NOT", "NULL"]) && !words.includes("DEFAULT")) {
    end.after(` DEFAULT ${start}`);
  }
  end.after(` CHECK (${pieces[0].text} IN ${values})`);
}

/** `INT UNSIGNED` becomes `INT` with a CHECK. */
function unsigned({ pieces, type }: Item): void {
  const word = type.find(({ upper }) => upper === "UNSIGNED");
  if (word === undefined) return;
  word.drop();
  pieces[pieces.length - 1].after(` CHECK (${pieces[0].text} >= 0)`);
}
