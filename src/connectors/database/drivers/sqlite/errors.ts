/** What errors of SQLite mean. */
import { messageOf, shownWords } from "../../../../base/shown.ts";
import type { Explanation, UnknownName } from "../../driver.ts";

/** The result codes that code here asks for; see SQLite's documentation for the others. */
export const SQLITE = {
  PERM: 3,
  BUSY: 5,
  READONLY: 8,
  CANTOPEN: 14,
  CONSTRAINT: 19,
  NOTADB: 26,
} as const;

// BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL, SCHEMA.
const PASSING = new Set([5, 6, 7, 8, 9, 10, 13, 14, 15, 17]);

/** The primary result code of an error; undefined where SQLite did not make it. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

/** What SQLite says of an SQL text. Deno puts a part of the text behind it, which is left out. */
export function messageAbout(error: unknown, sql: string): string {
  const message = messageOf(error);
  const end = message.lastIndexOf(" at offset ");
  for (
    let at = message.indexOf(" in ");
    at >= 0 && at < end;
    at = message.indexOf(" in ", at + 1)
  ) {
    if (sql.includes(message.slice(at + 4, end))) return message.slice(0, at);
  }
  return message;
}

/** The file is not where it was opened. */
export class LostFileError extends Error {
  override readonly name = "LostFileError";
}

/** This process may not start another one, and never will. */
export class CannotStartError extends Error {
  override readonly name = "CannotStartError";
}

/** A read that SQLite did not end: its process is gone, or it was cancelled. */
export class ReadBrokenError extends Error {
  override readonly name = "ReadBrokenError";
}

/** Nobody waits for it any more. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
}

const PASSING_ERRORS = [LostFileError, ReadBrokenError, CancelledError];

/** What an error means. It is permanent unless the database may recover. */
export function explain(error: unknown): Explanation {
  const message = messageOf(error);
  if (PASSING_ERRORS.some((type) => error instanceof type)) {
    return { reason: message, permanent: false };
  }
  return {
    reason: shownWords(message) + hintFor(error, message),
    permanent: !PASSING.has(resultCode(error) ?? 0),
    unknown: unknownName(message),
  };
}

/** The name that a message says does not exist. */
export function unknownName(message: string): UnknownName | undefined {
  const [, kind, qualifier, name] =
    /^no such (table|column): (?:(\w+)\.)?"?([^\s"]+)/.exec(message) ?? [];
  if (kind === "table") return { kind, name };
  if (name !== undefined) return { kind: "column", name, ...(qualifier && { qualifier }) };
  const [, column] = /^table .+ has no column named ([^\s"]+)/.exec(message) ??
    /^unknown column "(.+)" in foreign key definition/.exec(message) ?? [];
  return column === undefined ? undefined : { kind: "column", name: column };
}

/** What to do, where SQLite does not say it. */
function hintFor(error: unknown, message: string): string {
  if (message.startsWith("ON CONFLICT clause does not match")) {
    return "; its key must be the primary key or unique";
  }
  return resultCode(error) === SQLITE.BUSY
    ? "; another program has a transaction open in the file: end it"
    : "";
}
