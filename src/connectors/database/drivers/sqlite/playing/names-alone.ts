/**
 * A query as far as its names matter. SQLite compiles it and never runs it, so that what it computes
 * may be something else. What SQLite refuses then tells nothing.
 */
import type { Syntax } from "../../../driver.ts";
import { accommodate } from "./accommodations.ts";
import { closing } from "./create-table.ts";
import { type Piece, pieces } from "./pieces.ts";

/** Words behind the first one of a type. */
const TYPE_WORDS = new Set(["PRECISION", "VARYING", "WITH", "WITHOUT", "TIME", "ZONE"]);

/** Types in front of a text, as in `interval '1 day'`. */
const TYPED_TEXTS = new Set(["INTERVAL", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"]);

/** The query without what SQLite does not know and what names nothing. */
export function namesAlone(sql: string, syntax: Syntax): string {
  const all = pieces(sql, syntax);
  for (const at of all.keys()) {
    if (syntax === "postgres") dropInPostgres(all, at);
    else dropInMysql(all, at);
  }
  const text = all.map((piece) => piece.written).join("");
  try {
    return accommodate(text, syntax);
  } catch (error) {
    // It would mean something else in SQLite.
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function dropInPostgres(all: readonly Piece[], at: number): void {
  const { text, upper } = all[at];
  const next = all[at + 1];
  if (text === "::") drop(all, at, typeEnd(all, at + 1));
  else if (upper === "ILIKE") all[at].replace("LIKE");
  else if (TYPED_TEXTS.has(upper) && next?.kind === "string") all[at].drop();
  else if (wordsAt(all, at, ["AT", "TIME", "ZONE"])) drop(all, at, at + 4);
  else if (wordsAt(all, at, ["DISTINCT", "ON", "("])) {
    drop(all, at + 1, (closing(all, at + 2) ?? at) + 1);
  } else if (text === "@" && (next?.text === ">" || all[at - 1]?.text === "<")) all[at].drop();
}

function dropInMysql(all: readonly Piece[], at: number): void {
  // INTERVAL 1 DAY
  if (all[at].upper !== "INTERVAL" || all[at + 2]?.kind !== "word") return;
  all[at].drop();
  all[at + 2].drop();
}

/** The index behind the type that begins at `start`. */
function typeEnd(all: readonly Piece[], start: number): number {
  let end = start + 1;
  while (all[end]?.text === ".") end += 2;
  while (TYPE_WORDS.has(all[end]?.upper ?? "")) end++;
  if (all[end]?.text === "(") end = (closing(all, end) ?? end) + 1;
  while (all[end]?.text === "[" && all[end + 1]?.text === "]") end += 2;
  return end;
}

function wordsAt(all: readonly Piece[], start: number, words: readonly string[]): boolean {
  return words.every((word, i) => all[start + i]?.upper === word);
}

function drop(all: readonly Piece[], start: number, end: number): void {
  for (const piece of all.slice(start, end)) piece.drop();
}
