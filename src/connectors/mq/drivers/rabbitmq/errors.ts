/** What errors of the broker and of connections to it mean. */
import { AMQPError } from "rabbitmq-client";
import { shownWords } from "../../../../base/shown.ts";
import { isWrongCertificate, tlsReason } from "../../../../contract/tls-files.ts";

/** Errors that waiting does not repair: credentials, permissions, other properties than declared. */
const PERMANENT = ["ACCESS_REFUSED", "NOT_ALLOWED", "PRECONDITION_FAILED"];

/** NOT_ALLOWED as well, but other connections may end: those of the former instances, perhaps. */
const LIMIT = /connection limit \(\d+\) is reached/;

/** Whether another attempt cannot succeed until the configuration of one side has changed. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof AMQPError) {
    return PERMANENT.includes(error.code) && !LIMIT.test(error.message);
  }
  return error instanceof Error && isWrongCertificate(error);
}

/** An error in words; some of Node's have a code and no message. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return shownWords(String(error));
  const code = "code" in error ? String(error.code) : error.name;
  if (error.message === "") return code;
  if (code === "SOCKET_TIMEOUT") return "it says nothing any more (no heartbeat)";
  // The library puts "undefined: " before some of the broker's own messages.
  const words = shownWords(error.message.replace(/^undefined: /, ""));
  if (error instanceof AMQPError) return differenceIn(words) ?? words;
  const tls = tlsReason(error);
  return tls === undefined ? words : `it ${tls}`;
}

/** The broker's words about a message that is larger than its limit. */
const TOO_LARGE = /PRECONDITION_FAILED - message size \d+ is larger than configured max size (\d+)/;

/** The limit in bytes that the broker names where it refuses a message for its size. */
export function limitIn(error: unknown): number | undefined {
  const limit = error instanceof AMQPError ? TOO_LARGE.exec(error.message)?.[1] : undefined;
  return limit === undefined ? undefined : Number(limit);
}

/** What to do about a queue or an exchange that is there with other properties. */
const HINTS: Readonly<Record<string, string>> = {
  "x-queue-type":
    "a queue cannot change its type: write the type that it has, name another queue, " +
    "or move its messages and delete it",
  "x-delivery-limit":
    "with a limit the broker drops messages: move them and delete the queue, and it is declared " +
    "without one",
};

const OTHER = "write in the configuration what it is, name another one, or delete it";

/** The broker's words for what is there with other properties, as a sentence; undefined for others. */
function differenceIn(words: string): string | undefined {
  const found = /PRECONDITION_FAILED - inequivalent arg '([^']+)' for (\w+) '([^']*)'/.exec(words);
  const [wanted, current] = words.split(": received ").at(-1)!.split(" but current is ");
  if (found === null || current === undefined) return undefined;
  const [, property, kind, name] = found;
  return `PRECONDITION_FAILED: the ${kind} "${name}" is there with another ${property}: it is ` +
    `${valueIn(current)}, and ${valueIn(wanted)} is asked for; ${HINTS[property] ?? OTHER}`;
}

/** `'quorum'`, `none` or `the value '20' of type 'byte'`, without what nobody wants to know. */
function valueIn(words: string): string {
  return /'([^']*)'/.exec(words)?.[1] ?? words;
}
