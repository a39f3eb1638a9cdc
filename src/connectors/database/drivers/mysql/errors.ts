/** What errors of MySQL and MariaDB mean. */
import { messageOf, shownWords } from "../../../../base/shown.ts";
import { ConnectorError } from "../../../../base/errors.ts";
import { CancelledError, UnknownWriteError } from "../../pending-write.ts";
import type { Explanation, UnknownName } from "../../driver.ts";
import { NoConnectionError } from "../connection-pool.ts";

/** The numbers of errors that code here asks for; see the documentation of MySQL for the others. */
export const ERRNO = {
  cannotRead: 1020,
  tooManyConnections: 1040,
  accessDeniedToDatabase: 1044,
  accessDenied: 1045,
  unknownDatabase: 1049,
  unknownColumn: 1054,
  duplicate: 1062,
  noSuchTable: 1146,
  lockTimeout: 1205,
  deadlock: 1213,
  wrongTime: 1292,
  wrongTimeInComparison: 1525,
} as const;

// What another attempt may find gone, by number.
const PASSING = new Set([
  // Files of the server, its temporary tables among them: it cannot make, read, write, close, remove,
  // rename, lock or find one, has no memory or no disk for it.
  ...[1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 20, 21, 23, 27, 29],
  // The disk: an error of the operating system, full, cannot read or write.
  ...[1016, 1020, 1021, 1023, 1024, 1026, 1030, 1114],
  // Connections and memory: too many, out of memory, the server stops, the connection is killed.
  ...[1037, 1038, 1040, 1041, 1042, 1053, 1077, 1079, 1080, 1129, 1135, 1203, 1226, 1927],
  // What passes between both: bad, late or missing packets.
  ...[1047, 1152, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 2006, 2013, 4031],
  // Locks, what others changed meanwhile, what was given up.
  ...[1099, 1100, 1180, 1205, 1213, 1223, 1317, 1412, 1615, 1637, 1969, 3024, 3058, 3572],
  // Only read at the moment: a replica, or a server that is being moved.
  ...[1290, 1792, 1836, 3100, 3101],
]);

/** Another attempt cannot succeed: the value cannot be stored, or the request itself is wrong. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/** The connection is gone: whether the statement took effect is unknown. */
export class LostConnectionError extends Error {
  override readonly name = "LostConnectionError";

  /** Keeps the cause's words. */
  constructor(cause: unknown) {
    super(`the connection was lost: ${wordsOf(cause)}`, { cause });
  }
}

/** The server has taken too long. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** The database is closed, or a connection of it. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";
}

const PASSING_ERRORS = [
  LostConnectionError,
  DeadlineError,
  ClosedError,
  NoConnectionError,
  CancelledError,
  UnknownWriteError,
];

/** The server's number of an error; undefined where the server did not make it. */
export function errnoOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errno" in error) || !("sqlState" in error)) return undefined;
  return typeof error.errno === "number" ? error.errno : undefined;
}

/** Whether all that a transaction did was undone, and it may be repeated at once. */
export function isConflict(error: unknown): boolean {
  const errno = errnoOf(error);
  // 1020 is what MariaDB says of a row that somebody has changed since the transaction began.
  return errno === ERRNO.deadlock || errno === ERRNO.cannotRead;
}

/** Whether the server ended the connection with its answer, so that nobody knows what it did. */
export function isFarewell(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 1053 || errno === 1927 || errno === 1152 || errno === 4031;
}

/** The names that the server knows, by the error that says that it does not know one. */
const knownNames = new WeakMap<Error, readonly string[]>();

/** Looks the names up that an error is about, for `explain`. Returns the error. */
export async function withKnownNames(
  error: unknown,
  namesOf: (kind: UnknownName["kind"]) => Promise<readonly string[]>,
): Promise<unknown> {
  const unknown = explain(error).unknown;
  if (unknown !== undefined && error instanceof Error) {
    const known = await namesOf(unknown.kind).catch(() => undefined);
    if (known !== undefined) knownNames.set(error, known);
  }
  return error;
}

/** What an error means. It is permanent unless the server may recover. */
export function explain(error: unknown): Explanation {
  const errno = errnoOf(error);
  if (errno === undefined) {
    const ours = error instanceof Error && !("code" in error);
    return { reason: ours ? messageOf(error) : wordsOf(error), permanent: !isPassing(error) };
  }
  const reason = reasonOf(messageOf(error));
  const unknown = unknownOf(errno, messageOf(error));
  const known = knownNames.get(error as Error);
  return {
    reason,
    permanent: !PASSING.has(errno),
    unknown: unknown === undefined || known === undefined ? unknown : { ...unknown, known },
  };
}

/** Whether it is about a connection; all else is about what was asked for. */
function isPassing(error: unknown): boolean {
  return PASSING_ERRORS.some((type) => error instanceof type) ||
    (error instanceof Error && "code" in error && !(error instanceof ConnectorError));
}

/** The words of an error: a network error may have none but a code. */
export function wordsOf(error: unknown): string {
  if (typeof error === "string") return error;
  const message = messageOf(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // Of several addresses that were tried.
  const first = error instanceof AggregateError ? messageOf(error.errors[0]) : "";
  return shownWords(message || first || code || "no reason was given");
}

/** Several rows are one statement at the server, so the number of a row is none that its sender knows. */
function reasonOf(message: string): string {
  return shownWords(message.replace(/ at row \d+$/, ""));
}

function unknownOf(errno: number, message: string): UnknownName | undefined {
  if (errno === ERRNO.noSuchTable) {
    const [, name] = /^Table '(?:[^']*\.)?([^'.]+)' doesn't exist/.exec(message) ?? [];
    return name === undefined ? undefined : { kind: "table", name };
  }
  if (errno === ERRNO.unknownColumn) {
    const [, name] = /^Unknown column '(?:[^']*\.)?([^'.]+)'/.exec(message) ?? [];
    return name === undefined ? undefined : { kind: "column", name };
  }
  return undefined;
}
