/** What SQLite's errors mean. */
import { shownWords } from "../../../../base/shown.ts";
import { ConnectorError } from "../../../../base/errors.ts";

/** The result codes that code here asks for; see SQLite's documentation for the others. */
export const SQLITE = { BUSY: 5, READONLY: 8, CONSTRAINT: 19 } as const;

// BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL, SCHEMA.
const PASSING = new Set([5, 6, 7, 8, 9, 10, 13, 14, 15, 17]);

/** The primary result code of an error; undefined where SQLite did not make it. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

/** The error of a connector for what SQLite threw. Permanent unless the database may recover. */
export function toConnectorError(
  connector: string,
  what: string,
  cause: unknown,
  hint?: string,
): ConnectorError {
  const message = shownWords(cause instanceof Error ? cause.message : String(cause));
  const reason = hint === undefined ? message : `${message}; ${hint}`;
  const permanent = !PASSING.has(resultCode(cause) ?? 0);
  return new ConnectorError(connector, `${what}: ${reason}`, { cause, permanent });
}
