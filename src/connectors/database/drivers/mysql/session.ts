/** Transactions of several statements, on a connection of their own. */
import type { Session } from "../../driver.ts";
import { CancelledError, UnknownWriteError } from "../../pending-write.ts";
import { type Execute, TransactionSession } from "../../transaction-session.ts";
import { undo } from "./batch.ts";
import type { Connection } from "./connection.ts";
import { errnoOf, isFarewell } from "./errors.ts";

/** How a transaction ended. */
export type SessionOutcome<T> = { readonly result: T } | SessionFailure;

/** All of a transaction is undone, unless `error` says otherwise. */
export interface SessionFailure {
  /** What it fails with. */
  readonly error: unknown;
  /** Whether the work itself threw that. */
  readonly thrown: boolean;
  /** What the server said first, or `error`. */
  readonly cause: unknown;
}

/**
 * Runs `work` in a transaction. `cancelled` rejects where nobody waits for it any more; once the commit
 * has begun, that comes too late.
 */
export async function runTransaction<T>(
  connection: Connection,
  execute: Execute,
  work: (session: Session) => T | PromiseLike<T>,
  cancelled: Promise<never>,
): Promise<SessionOutcome<T>> {
  const session = new TransactionSession(execute);
  let working = false;
  let result: T;
  try {
    await Promise.race([connection.run("START TRANSACTION"), cancelled]);
    working = true;
    result = await Promise.race([workIn(session, work), cancelled]);
    working = false;
    await session.end();
    if (session.refusal !== undefined) throw session.refusal.error;
    // Without a COMMIT nothing is written.
    if (connection.ended !== undefined) throw connection.ended;
  } catch (error) {
    const isCancelled = error instanceof CancelledError;
    // A statement that runs must not be waited for.
    if (isCancelled) connection.destroy(error);
    await session.end();
    await undo(connection);
    const thrown = working && !isCancelled;
    return { error, thrown, cause: session.refusal?.error ?? error };
  }
  try {
    await connection.run("COMMIT");
    return { result };
  } catch (cause) {
    const answered = errnoOf(cause) !== undefined && !isFarewell(cause);
    await undo(connection);
    return { error: answered ? cause : new UnknownWriteError(cause), thrown: false, cause };
  }
}

/** A work that throws at once rejects as one that does it later. */
async function workIn<T>(
  session: Session,
  work: (session: Session) => T | PromiseLike<T>,
): Promise<T> {
  return await work(session);
}
