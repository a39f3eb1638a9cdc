/** Headers as NATS carries them: ASCII texts, one or several for a name. No client library. */
import { kindName, shown } from "../../../../base/shown.ts";
import {
  deadLetterHeaders,
  type GivenUp,
  type Publication,
  UnsendableError,
} from "../../../../messaging/mod.ts";

/** The header by which a stream drops what it has already. */
export const MESSAGE_ID = "Nats-Msg-Id";

/** The id that a dead letter came with. */
const ORIGINAL_ID = "x-weir-message-id";

/** Texts by their names. */
export type Texts = readonly (readonly [name: string, values: readonly string[]])[];

/**
 * The headers of a publication.
 *
 * @throws {UnsendableError} The protocol cannot carry one.
 */
export function textsOf({ headers, messageId }: Pick<Publication, "headers" | "messageId">): Texts {
  let texts: (readonly [string, readonly string[]])[] | undefined;
  for (const name in headers) {
    const value = headers[name];
    // A field that is missing is null in expressions.
    if (value === undefined || value === null) continue;
    if (name === MESSAGE_ID && messageId !== undefined) continue;
    if (!NAME.test(name)) {
      throw new UnsendableError(`the header ${shown(name)} has a name that NATS cannot carry`);
    }
    const values = Array.isArray(value) ? value : [value];
    (texts ??= []).push([name, values.map((item) => textOf(name, item))]);
  }
  if (messageId === undefined) return texts ?? NONE;
  (texts ??= []).push([MESSAGE_ID, [textOf("message_id", messageId)]]);
  return texts;
}

const NONE: Texts = [];

/** Printable ASCII without a colon. */
const NAME = /^[!-9;-~]+$/;
/** ASCII without control characters other than tabs. */
const VALUE = /^[\t -~]*$/;

function textOf(name: string, value: unknown): string {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
    throw new UnsendableError(`the header ${shown(name)} is ${kindName(value)}; NATS carries text`);
  }
  const text = String(value);
  if (VALUE.test(text)) return text;
  const hint = "NATS carries ASCII on one line; base64_encode helps";
  throw new UnsendableError(`the header ${shown(name)} has other characters than ASCII: ${hint}`);
}

/** Headers as flows see them. One that stands several times is a list. */
export function shownHeaders(
  texts: Iterable<readonly [name: string, values: readonly string[]]>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...texts].map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
}

/**
 * The headers of a dead letter: those of the message, and why it is one. Headers that mean something to
 * a stream are left out: it would refuse or drop the copy.
 */
export function deadLetterTexts(
  headers: Iterable<readonly [name: string, values: readonly string[]]>,
  subject: string,
  why: GivenUp,
): Texts {
  const own = Object.entries(deadLetterHeaders({ routingKey: subject }, why));
  const taken = new Set([...own.map(([name]) => name), ORIGINAL_ID]);
  const kept: (readonly [string, readonly string[]])[] = [];
  for (const [name, values] of headers) {
    if (name === MESSAGE_ID) kept.push([ORIGINAL_ID, values.slice(0, 1)]);
    else if (!/^nats-/i.test(name) && !taken.has(name)) kept.push([name, values]);
  }
  return [...kept, ...own.map(([name, value]) => [name, [asciiOf(String(value))]] as const)];
}

/** The same text in ASCII, with the escapes of JSON. */
function asciiOf(text: string): string {
  return text.replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
