/** What the server says, and what is only noticed of its connection. */
import pg from "pg";
import { messageOf, shownWords } from "../../../../base/shown.ts";

/** The connection ended before the server answered. */
export class LostConnectionError extends Error {
  override readonly name = "LostConnectionError";

  /** `cause` is what was noticed of it. */
  constructor(cause: unknown) {
    super(`lost the connection: ${shownWords(messageOf(cause))}`, { cause });
  }
}

/** An error that the server has answered with. */
export interface Answer extends Error {
  /** The SQLSTATE, such as `23505`. */
  readonly code: string;
  /** The function of the server that it comes from. */
  readonly routine?: string | undefined;
}

/** Whether the server said this: everything else is about the connection. */
export function isAnswer(error: unknown): error is Answer {
  return error instanceof pg.DatabaseError && error.code !== undefined;
}

/**
 * Whether a statement must be parsed again: its columns have other types since, or the server has
 * forgotten it. In an open transaction, all of it must be repeated.
 */
export function isStale(error: unknown): boolean {
  // 0A000 says of much else that it is not supported.
  return isAnswer(error) && (error.code === "26000" ||
    (error.code === "0A000" && error.routine === "RevalidateCachedQuery"));
}

/**
 * Errors of values that the types of parameters explain, which ALTER TABLE may have changed: wrong
 * text, too long, out of range, wrong date, wrong type.
 */
const VALUE_CODES = new Set(["22P02", "22P03", "22001", "22003", "22007", "22008", "42804"]);

/** Whether the server refused a value for its type. */
export function isValueRefusal(error: unknown): boolean {
  return isAnswer(error) && VALUE_CODES.has(error.code);
}
