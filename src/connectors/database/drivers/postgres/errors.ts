/** What errors of PostgreSQL and of connections to it mean. */
import { ConnectorError, TimeoutError } from "../../../../base/errors.ts";
import { messageOf, shownWords } from "../../../../base/shown.ts";
import { CERTIFICATE_HINT, isWrongCertificate } from "../../../../contract/tls-files.ts";
import { type Explanation, MigrationError } from "../../driver.ts";
import { migrationFailure } from "../../migrations.ts";
import { CancelledError, UnknownWriteError } from "../../pending-write.ts";
import { NoConnectionError } from "../connection-pool.ts";
import { isAnswer, isStale, LostConnectionError } from "./answers.ts";
import { type Server, serverName } from "./server.ts";

/** This process has ended the connection, for the reason that the message says. */
export class DestroyedError extends Error {
  override readonly name = "DestroyedError";
}

const PASSING_ERRORS = [
  LostConnectionError,
  UnknownWriteError,
  CancelledError,
  DestroyedError,
  NoConnectionError,
  TimeoutError,
];

/** Classes of codes that the server may recover from: connections, conflicts, resources, shutdown, the system, bugs. */
const PASSING_CLASSES = new Set(["08", "40", "53", "57", "58", "XX"]);

/** Further codes of this kind. */
const PASSING_CODES = new Set([
  "25006", // read-only: a standby may become the primary
  "25P03", // idle in a transaction for too long
  "26000", // a prepared statement is gone
  "55P03", // a lock is not available
  "55006", // an object is in use
]);

/** Codes with which the server ends the session, so that nothing is known of what ran. */
const ENDS_SESSION = new Set(["57P01", "57P02", "57P03", "57P04", "57P05", "25P03"]);

/** Codes that another attempt to connect cannot change. */
const CANNOT_CONNECT = new Set(["28000", "28P01", "3D000", "42501", "42704"]);

/** What is added to the server's words. */
const HINTS: Readonly<Record<string, string>> = {
  "42P10": "its key must be the primary key or unique",
  "42501": "GRANT the connector's user what it needs",
  "26000": "a pooler before the server must keep prepared statements, as PgBouncer does with " +
    "max_prepared_statements",
  "25006": "the server takes no writes: it is a standby, or set to read-only",
};

/** Errors of the library itself when a connection is gone. They have no code. */
const GONE =
  /^(?:Connection terminated(?: unexpectedly)?|Client (?:has encountered a connection error|was closed) and is not queryable)$/;

/** Codes of sockets and names, such as ECONNRESET and EAI_AGAIN; others beginning so are mistakes in code. */
const SYSTEM = /^E(?!RR_)|^ERR_(?:SOCKET|STREAM|SSL)/;

/** What the library says where the server wants a password and there is none. */
const NO_PASSWORD = /client password must be a (?:non-empty )?string/;

/** The server's five characters for an error; undefined where the server did not make it. */
export function sqlState(error: unknown): string | undefined {
  return isAnswer(error) ? error.code : undefined;
}

/** Whether the server has refused a statement and goes on: it has surely not taken effect. */
export function isRefusal(error: unknown): boolean {
  const code = sqlState(error);
  return code !== undefined && !code.startsWith("08") && !ENDS_SESSION.has(code);
}

/** Whether all of a transaction may be tried again: a deadlock or a serialisation failure. */
export function mayRepeat(error: unknown): boolean {
  const code = sqlState(error);
  return code === "40001" || code === "40P01";
}

/** Whether the server cannot take another connection at the moment, or is starting or stopping. */
export function isBusy(error: unknown): boolean {
  const code = sqlState(error);
  return code !== undefined && (code.startsWith("53") || code.startsWith("57P"));
}

/** What an error means. It is permanent unless another attempt may succeed. */
export function explain(error: unknown): Explanation {
  const code = sqlState(error);
  if (code !== undefined) return explainRefusal(error as ServerError, code);
  const permanent = !isPassing(error);
  return { reason: shownWords(wordsOf(error)), permanent };
}

/** The fields of `DatabaseError` that are used here. */
interface ServerError extends Error {
  readonly table?: string;
  readonly constraint?: string;
}

function explainRefusal(error: ServerError, code: string): Explanation {
  const { message, table } = error;
  const repeats = PASSING_CLASSES.has(code.slice(0, 2)) || PASSING_CODES.has(code) ||
    isStale(error);
  // Only some of the server's messages name the table.
  const place = code.startsWith("23") && table !== undefined && !message.includes(`"${table}"`)
    ? ` of table "${table}"`
    : "";
  const hint = HINTS[code] === undefined ? "" : `; ${HINTS[code]}`;
  return {
    reason: UNTYPED.has(code) ? untyped(error) : shownWords(message + place) + hint,
    permanent: !repeats,
    unknown: unknownName(error, code),
  };
}

/** What is known of the database's names after an error of an unknown one. */
const lookedUp = new WeakMap<object, readonly string[]>();

/** Keeps the names among which the one is that is meant, for `explain`. */
export function addKnownNames(error: unknown, known: readonly string[]): void {
  if (error instanceof Error) lookedUp.set(error, known);
}

/** The codes of a parameter whose type the server does not find, or finds twice. */
const UNTYPED = new Set(["42P18", "42P08"]);

/** What the parameters of a query are called that the server has refused. */
const parameters = new WeakMap<object, readonly string[]>();

/** Keeps what the user calls the parameters, which the server numbers, for `explain`. */
export function addParameterNames(error: Error, names: readonly string[]): void {
  parameters.set(error, names);
}

/** The server's words with the parameter's name, and what to write. */
function untyped(error: ServerError): string {
  const [number, position] = /\$(\d+)/.exec(error.message) ?? [];
  const name = parameters.get(error)?.[Number(position) - 1];
  if (number === undefined || name === undefined) return shownWords(error.message);
  const words = shownWords(error.message.replace(number, () => `":${name}"`));
  return `${words}; write CAST(:${name} AS text), or another type`;
}

/** A name in the quotes of the server's language. */
const QUOTED = /["«„“]([^"«»„“”]{1,63})["»“”]/;

/** The name that is unknown. Servers may speak other languages, but quote names alike. */
function unknownName(error: ServerError, code: string): Explanation["unknown"] {
  if (code !== "42P01" && code !== "42703") return undefined;
  const [, inQuotes] = QUOTED.exec(error.message) ?? [];
  const [, plain] = /column (\S+) does/.exec(error.message) ?? [];
  const name = inQuotes ?? plain?.split(".").at(-1);
  if (name === undefined) return undefined;
  const known = lookedUp.get(error);
  return { kind: code === "42P01" ? "table" : "column", name, known };
}

function isPassing(error: unknown): boolean {
  if (PASSING_ERRORS.some((type) => error instanceof type)) return true;
  if (!(error instanceof Error)) return false;
  // The system's codes, such as ECONNRESET; a certificate does not become right by itself.
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (isWrongCertificate(error)) return false;
  return GONE.test(error.message) || SYSTEM.test(code) || error.name === "AggregateError";
}

/** Plain words. Node's error for a name with several addresses has them inside. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return [...new Set(error.errors.map(messageOf))].join(", ");
  }
  const words = messageOf(error);
  if (GONE.test(words)) return "lost the connection";
  // What runtimes say of the same differs.
  const { code } = error as { readonly code?: unknown };
  return code === "ECONNRESET" || code === "EPIPE" ? `lost the connection: ${words}` : words;
}

/**
 * The error where a server cannot be reached or refuses the connection. It is permanent where the user,
 * the password, the database or the certificate is wrong.
 */
export function openError(server: Server, cause: unknown): ConnectorError {
  const { reason, permanent } = explainOpening(server, cause);
  const message = `cannot open ${serverName(server)}: ${reason}`;
  return new ConnectorError(server.connector, message, { cause, permanent });
}

/** The error of a start or a look at the database, whatever was thrown. */
export function openFailure(server: Server, cause: unknown): ConnectorError {
  if (cause instanceof MigrationError) return migrationFailure(server.connector, cause);
  return cause instanceof ConnectorError ? cause : openError(server, cause);
}

/** What an error means where the server cannot be reached or refuses the connection. */
export function explainOpening(
  { user, tls }: Server,
  cause: unknown,
): Pick<Explanation, "reason" | "permanent"> {
  const code = sqlState(cause);
  const { reason, permanent } = explain(cause);
  if (code === "28P01" || code === "28000") {
    return { reason: `${reason}; check the user "${user}" and the password`, permanent: true };
  }
  if (code === "3D000") return { reason: `${reason}; make it, or name another`, permanent: true };
  if (code !== undefined) return { reason, permanent: CANNOT_CONNECT.has(code) };
  if (NO_PASSWORD.test(reason)) {
    return { reason: `the server asks for the password of "${user}"`, permanent: true };
  }
  if (tls !== undefined && reason.includes("does not support SSL")) {
    return { reason: "the server has no TLS; turn it on there, or leave tls out", permanent: true };
  }
  if (tls !== undefined && cause instanceof Error && isWrongCertificate(cause)) {
    const words = `the server's certificate is refused: ${reason}; ${CERTIFICATE_HINT}`;
    return { reason: words, permanent: true };
  }
  return { reason, permanent };
}
