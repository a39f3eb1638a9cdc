/** What is changed in queries and in the INSERTs of migrations: locks, and rows that exist already. */
import type { Syntax } from "../../../driver.ts";
import { closing, find, listOf } from "./create-table.ts";
import type { Piece } from "./pieces.ts";

/** How a SELECT locks its rows. */
const LOCKS: Readonly<Record<Syntax, readonly (readonly string[])[]>> = {
  sqlite: [],
  postgres: [["FOR", "UPDATE"], ["FOR", "NO", "KEY", "UPDATE"], ["FOR", "SHARE"], [
    "FOR",
    "KEY",
    "SHARE",
  ]],
  mysql: [["FOR", "UPDATE"], ["FOR", "SHARE"], ["LOCK", "IN", "SHARE", "MODE"]],
};

/** Words beside which PostgreSQL allows no lock. */
const NO_LOCKS =
  /(?:^| )(?:DISTINCT|GROUP BY|HAVING|WINDOW|UNION|INTERSECT|EXCEPT|(?:COUNT|SUM|MIN|MAX|AVG) \()/;

/** Leaves out the locks of a SELECT: there is one connection. */
export function withoutLocks(statement: readonly Piece[], syntax: Syntax): void {
  const words = statement.map(({ upper }) => upper);
  if (!/^(?:SELECT|WITH|\()$/.test(words[0])) return;
  if (syntax === "postgres" && NO_LOCKS.test(words.join(" "))) return;
  for (let at = 1; at < words.length; at++) {
    const lock = LOCKS[syntax].find((lock) => lock.every((word, i) => words[at + i] === word));
    const end = lock && lockEnd(statement, at, at + lock.length);
    if (end === undefined) continue;
    for (const piece of statement.slice(at, end)) piece.drop();
    at = end - 1;
  }
}

/** The index behind a lock that begins at `start`; undefined where something else follows. */
function lockEnd(statement: readonly Piece[], start: number, end: number): number | undefined {
  const word = () => statement[end]?.upper ?? "";
  if (word() === "OF") {
    do {
      end++;
      const table = word();
      // The server refuses the name of a table that is not there.
      if (!statement.slice(0, start).some(({ upper }) => upper === table)) return undefined;
      end++;
    } while (word() === ",");
  }
  if (word() === "NOWAIT") end++;
  else if (word() === "SKIP" && statement[end + 1]?.upper === "LOCKED") end += 2;
  return ["", ")", "FOR", "LIMIT", "OFFSET"].includes(word()) ? end : undefined;
}

/**
 * `INSERT IGNORE … VALUES …` leaves out the rows whose keys exist. What else MySQL would pass over, such
 * as a missing value, SQLite refuses. In a migration, `ON DUPLICATE KEY UPDATE n = VALUES(n)` is said as
 * `ON CONFLICT`; a query would count its changes in another way.
 */
export function existingRows(statement: readonly Piece[], isMigration: boolean): void {
  const words = statement.map(({ upper }) => upper);
  if (words[0] !== "INSERT" || !words.some((word) => /^VALUES?$/.test(word))) return;
  const duplicate = find(words, ["ON", "DUPLICATE", "KEY", "UPDATE"]);
  if (words.includes("SELECT")) return;
  if (words[1] === "IGNORE" && duplicate === undefined) {
    statement[1].drop();
    const returning = statement.find(({ upper, kind }) => upper === "RETURNING" && kind === "word");
    if (returning === undefined) statement[statement.length - 1].after(" ON CONFLICT DO NOTHING");
    else returning.before("ON CONFLICT DO NOTHING ");
    return;
  }
  if (duplicate === undefined || words[1] === "IGNORE") return;
  if (!isMigration) {
    throw new SyntaxError(
      'a row that ON DUPLICATE KEY UPDATE changes counts twice in MySQL; operation = "UPSERT" does the same',
    );
  }
  const [start, end] = duplicate;
  const { parts } = listOf(statement.slice(end));
  if (!parts.every(isNewValue)) return;
  for (const piece of statement.slice(start, end)) piece.drop();
  statement[start].before("ON CONFLICT DO UPDATE SET");
  for (const [, , values, open, , close] of parts) {
    values.replace("excluded");
    open.replace(".");
    close.drop();
  }
}

/** Whether a part of an assignment is `column = VALUES(column)`. */
function isNewValue(part: readonly Piece[]): boolean {
  const [, equal, values, open] = part;
  return equal?.text === "=" && values?.upper === "VALUES" && open?.text === "(" &&
    part.length === 6 && closing(part, 3) === 5;
}
