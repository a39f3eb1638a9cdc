/** Opens the file of a database, and says why one cannot be opened. */
import { accessSync, constants, existsSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConnectorError } from "../../../../base/errors.ts";
import type { DatabaseOptions } from "../../options.ts";
import { explain, resultCode, SQLITE } from "./errors.ts";

/** Milliseconds for which SQLite itself waits for a lock, while everything else waits, too. */
const BUSY_TIMEOUT = 5;

/** The message of an error that has no code on Deno. */
const CANNOT_OPEN = /unable to open database file/;
/** The system's errors for a path that stays wrong until somebody changes something. */
const WRONG_PATH = ["EACCES", "EPERM", "ELOOP", "ENAMETOOLONG", "ENOTDIR"];
const CHECK_PATH = "check the path, and that its disk can be written to";

/** The path of the file, or `:memory:`. The checks of the configuration require it. */
export function pathOf({ database }: DatabaseOptions): string {
  if (database === undefined) throw new TypeError("an SQLite database needs a path");
  return database;
}

/**
 * Opens a file or `:memory:`.
 *
 * @throws {ConnectorError} Permanent, since a wrong path stays wrong, unless the disk fails at the moment.
 */
export function openFile(connector: string, path: string): DatabaseSync {
  refuseOtherKinds(connector, path);
  try {
    return new DatabaseSync(path, {
      // Migrations come first.
      enableForeignKeyConstraints: false,
      enableDoubleQuotedStringLiterals: false,
    });
  } catch (cause) {
    // Deno's error has no code here, and repeats the path.
    const message = (cause as Error).message.replace(`: ${path}`, "");
    const reason = `${message}; ${adviceFor(path) ?? CHECK_PATH}`;
    throw failure(connector, path, reason, { cause, permanent: true });
  }
}

/**
 * The error where a file cannot be opened, read or migrated. It is permanent unless the reason can
 * pass by itself: a lock, or a disk that is full or fails at the moment.
 */
export function openError(connector: string, path: string, cause: unknown): ConnectorError {
  const { reason, permanent } = explain(cause);
  // The error of Deno's constructor has no code.
  switch (resultCode(cause) ?? (CANNOT_OPEN.test(reason) ? SQLITE.CANTOPEN : undefined)) {
    case SQLITE.READONLY:
    case SQLITE.CANTOPEN:
    case SQLITE.PERM:
      return failure(connector, path, `${reason}; ${adviceFor(path) ?? CHECK_PATH}`, {
        cause,
        permanent: true,
      });
    case SQLITE.NOTADB:
      return failure(connector, path, `${reason}; name another file, or move this one away`, {
        cause,
        permanent: true,
      });
    default:
      return failure(connector, path, reason, { cause, permanent });
  }
}

/** The error where the system cannot say what is at a path. It is permanent if the path is wrong. */
export function pathError(connector: string, path: string, cause: unknown): ConnectorError {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  const [reason] = message.split(", stat ");
  return failure(connector, path, `${reason}; ${adviceFor(path) ?? CHECK_PATH}`, {
    cause,
    permanent: WRONG_PATH.includes(code),
  });
}

/**
 * Refuses folders, pipes and devices, whose errors in SQLite do not say what they are.
 *
 * @throws {ConnectorError} Permanent, unless the disk fails at the moment.
 */
export function refuseOtherKinds(connector: string, path: string): void {
  if (path === ":memory:") return;
  const found = statOf(connector, path);
  if (found === undefined || found.isFile()) return;
  const kind = found.isDirectory() ? "a folder" : "a pipe or a device";
  const reason = `it is ${kind}; "database" must name a file`;
  throw failure(connector, path, reason, { permanent: true });
}

/**
 * Refuses a file that SQLite could not create or write to.
 *
 * @throws {ConnectorError} Permanent.
 */
export function refuseUnwritable(connector: string, path: string): void {
  const advice = adviceFor(path);
  if (advice === undefined) return;
  throw failure(connector, path, `it cannot be written to; ${advice}`, { permanent: true });
}

function statOf(connector: string, path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw pathError(connector, path, cause);
  }
}

function failure(
  connector: string,
  path: string,
  reason: string,
  options: { readonly cause?: unknown; readonly permanent: boolean },
): ConnectorError {
  return new ConnectorError(connector, `cannot open "${path}": ${reason}`, options);
}

/** What to do about a file that this process may not write to; undefined if it seems that it may. */
function adviceFor(path: string): string | undefined {
  const { R_OK, W_OK, X_OK } = constants;
  let folder = dirname(path);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  // SQLite creates files beside the database.
  for (const [what, mode] of [[folder, R_OK | W_OK | X_OK], [path, R_OK | W_OK]] as const) {
    try {
      accessSync(what, mode);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EROFS") return `the disk of "${what}" is read-only; use another one`;
      if (code === "EACCES" || code === "EPERM") {
        return `let the user that runs Weir read and write "${what}"`;
      }
    }
  }
  return undefined;
}

/** How a database was opened. */
export interface Configured {
  /** Other connections can read while this one writes. */
  readonly shared: boolean;
  /** It has a write-ahead log beside it. */
  readonly hasLog: boolean;
  /** Nothing can be written. */
  readonly readOnly: boolean;
}

/** Prepares a connection for the way in which Weir uses it. */
export function configure(database: DatabaseSync): Configured {
  database.prepare(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`).run();
  const { hasLog, readOnly } = setLog(database);
  // A commit is on the disk when it returns.
  database.prepare("PRAGMA synchronous = FULL").run();
  return { shared: hasLog || readOnly, hasLog, readOnly };
}

function setLog(database: DatabaseSync): Pick<Configured, "hasLog" | "readOnly"> {
  try {
    const found = database.prepare("PRAGMA journal_mode = WAL").get();
    // The log of a new database is made when something is read.
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return { hasLog: found?.journal_mode === "wal", readOnly: false };
  } catch (error) {
    // A file that may only be read can be served as it is.
    if (resultCode(error) !== SQLITE.READONLY) throw error;
    return { hasLog: false, readOnly: true };
  }
}
