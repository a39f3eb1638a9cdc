/** Entries of streams: as flows see them, as they are published, and as dead letters. */
import type { Buffer } from "node:buffer";
import { isTraceHeader } from "../../../../../base/trace-context.ts";
import type { DeliveryFailure } from "../../../../../contract/subscriptions.ts";
import {
  deadLetterHeaders,
  type GivenUp,
  type Message,
  readBody,
} from "../../../../../messaging/mod.ts";
import { headerText } from "../routing.ts";

/** What the name of a field begins with that is a header. */
const HEADER = "h.";
const BODY = "body";

/** An entry as the server sends it: its id, then names and values of its fields. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]];

/**
 * Reads an entry: `body` is JSON; without it, the other fields are an object of texts. Other programs
 * write a trace as fields of its own, which are headers as well.
 */
export function readEntry(
  stream: string,
  id: string,
  fields: readonly Buffer[],
): Message | DeliveryFailure {
  const { headers, others } = sorted(fields);
  const isOurs = others.length === 1 && others[0][0] === BODY;
  const content = isOurs
    ? readBody(others[0][1])
    : { body: Object.fromEntries(others.map(([name, value]) => [name, value.toString()])) };
  if ("reason" in content) return content;
  return { key: stream, body: content.body, metadata: { _stream: stream, _id: id, headers } };
}

function sorted(fields: readonly Buffer[]): {
  readonly headers: Readonly<Record<string, string>>;
  readonly others: readonly (readonly [name: string, value: Buffer])[];
} {
  const headers: [string, string][] = [];
  const others: [string, Buffer][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at].toString();
    if (name.startsWith(HEADER)) headers.push([name.slice(2), fields[at + 1].toString()]);
    else if (isTraceHeader(name)) headers.push([name, fields[at + 1].toString()]);
    else others.push([name, fields[at + 1]]);
  }
  // Unlike an assignment, this makes "__proto__" a key like any other.
  return { headers: headers.length === 0 ? NO_HEADERS : Object.fromEntries(headers), others };
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** The fields of headers: texts as they are, anything else as JSON. */
export function fieldsOf(headers: Readonly<Record<string, unknown>>): string[] {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    fields.push(HEADER + name, headerText(value));
  }
  return fields;
}

/** The fields of a dead letter: those of the entry, and where it came from and why. */
export function deadLetterFields(
  stream: string,
  fields: readonly Buffer[],
  why: GivenUp,
): (string | Buffer)[] {
  const own = fieldsOf(deadLetterHeaders({ routingKey: stream }, why));
  const written = new Set(own.filter((_, at) => at % 2 === 0));
  const kept: (string | Buffer)[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    // Those of an earlier time among the dead letters.
    if (!written.has(fields[at].toString())) kept.push(fields[at], fields[at + 1]);
  }
  return [...kept, ...own];
}
