/** One transaction of `transact`: what its work runs statements with, and how it ends. */
import type { Session } from "../../driver.ts";
import type { Activity } from "../../activity.ts";
import { CancelledError, UnknownWriteError } from "../../pending-write.ts";
import { TransactionSession } from "../../transaction-session.ts";
import { isStale } from "./answers.ts";
import { ask, destroy } from "./connecting.ts";
import type { Connection } from "./connections.ts";
import { explain, isRefusal, mayRepeat } from "./errors.ts";
import type { PostgresStatement } from "./statement.ts";
import { delay, type Turns } from "../../turns.ts";

/** Milliseconds for BEGIN, and for ROLLBACK of a server that is there. */
const QUICK = 5000;
/** How often a transaction is repeated, and the longest delay before the first time, in milliseconds. */
const REPETITIONS = 5;
const REPETITION_DELAY = 20;

/** What a transaction is run with. */
export interface TransactionOptions {
  /** Lends a connection. */
  acquire(signal: AbortSignal): Promise<Connection>;
  /** Of the transactions that are repeated. */
  readonly turns: Turns;
  /** Takes it back. */
  release(connection: Connection): void;
  /** Looks up what `explain` has to know of an error. */
  lookUp(cause: unknown): Promise<void>;
  /** Undoes everything when it is aborted. */
  readonly signal: AbortSignal;
  /** Notes the statements that run. */
  readonly activity: Activity;
  /** Milliseconds after which a statement's connection is destroyed. */
  readonly timeout: number;
}

/** A failure of the work itself, which is passed on as it is. */
export class WorkError extends Error {
  override readonly name = "WorkError";

  /** `cause` is what the work threw. */
  constructor(cause: unknown) {
    super("the work of the transaction failed", { cause });
  }
}

/** The connection had ended while it was idle, or the server ends it now: another one may do. */
class NotBegunError extends Error {
  override readonly name = "NotBegunError";

  constructor(cause: unknown) {
    super("the transaction has not begun", { cause });
  }
}

/**
 * Runs `work` between BEGIN and COMMIT, again after a deadlock or a serialisation failure.
 *
 * @throws {WorkError} The work failed; all of it is undone.
 * @throws {UnknownWriteError} The connection was lost at the COMMIT.
 * @throws {Error} A statement was refused, or the commit; all of it is undone.
 */
export async function runTransaction<T>(
  work: (session: Session) => T | PromiseLike<T>,
  options: TransactionOptions,
): Promise<T> {
  for (let repetitions = 0;; repetitions++) {
    // Those that are repeated run one after the other: they would lock each other again.
    const leave = repetitions === 0 ? undefined : await options.turns.take(options.signal);
    const connection = await options.acquire(options.signal).catch((error) => {
      leave?.();
      throw error;
    });
    const session = sessionOn(connection, options);
    try {
      return await attempt(work, session, connection, options);
    } catch (error) {
      const cause = session.refusal?.error ?? error;
      const again = mayRepeat(cause) || isStale(cause) || error instanceof NotBegunError;
      if (!again || repetitions >= REPETITIONS || options.signal.aborted) {
        throw error instanceof NotBegunError ? error.cause : error;
      }
    } finally {
      options.release(connection);
      leave?.();
    }
    await delay(REPETITION_DELAY * 2 ** repetitions);
  }
}

async function attempt<T>(
  work: (session: Session) => T | PromiseLike<T>,
  session: TransactionSession,
  { client }: Connection,
  { signal, timeout }: TransactionOptions,
): Promise<T> {
  await ask(client, "BEGIN", QUICK).catch((cause) => {
    throw new NotBegunError(cause);
  });
  let result: T;
  try {
    result = await runWork(work, session, signal);
  } catch (error) {
    await session.end();
    await ask(client, "ROLLBACK", QUICK).catch((cause) => {
      destroy(client, `the transaction could not be undone: ${cause.message}`);
    });
    throw error;
  }
  if (signal.aborted) {
    await ask(client, "ROLLBACK", QUICK);
    throw new CancelledError("was cancelled");
  }
  try {
    await ask(client, "COMMIT", timeout);
  } catch (cause) {
    // A server that refuses the commit has undone everything.
    if (isRefusal(cause)) throw cause;
    throw new UnknownWriteError(new Error(explain(cause).reason, { cause }));
  }
  return result;
}

function sessionOn({ statements }: Connection, options: TransactionOptions): TransactionSession {
  const { signal, timeout, lookUp, activity } = options;
  return new TransactionSession(async (statement, values) => {
    if (signal.aborted) throw new CancelledError("the transaction has ended");
    try {
      return await activity.during(
        statements.query(statement as PostgresStatement, values, { signal, timeout }),
      );
    } catch (error) {
      await lookUp(error);
      throw error;
    }
  });
}

/**
 * Calls the work.
 *
 * @throws {WorkError} It failed.
 * @throws {unknown} A statement failed and the work went on, or it was cancelled.
 */
async function runWork<T>(
  work: (session: Session) => T | PromiseLike<T>,
  session: TransactionSession,
  signal: AbortSignal,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new CancelledError("was cancelled"));
  signal.addEventListener("abort", abort);
  try {
    const result = await Promise.race([callWork(work, session), aborted]);
    await session.end();
    if (session.refusal !== undefined) throw session.refusal.error;
    return result;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function callWork<T>(
  work: (session: Session) => T | PromiseLike<T>,
  session: Session,
): Promise<T> {
  try {
    return await work(session);
  } catch (error) {
    throw new WorkError(error);
  }
}
