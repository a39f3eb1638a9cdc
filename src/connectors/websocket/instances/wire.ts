/**
 * What crosses between the instances, as bytes: a version, a kind, the length of a head, the head as
 * JSON (absent where it says nothing), and the text of a frame. What comes in is not trusted.
 */
import { isObject } from "../../../base/json.ts";
import { fromUtf8 } from "../../../expression/bytes.ts";
import { type ControlOperation, isControl } from "../control.ts";
import { roomProblem } from "../protocol.ts";
import { readValue, writeValue } from "./values.ts";

/** The version of the format. Messages of another one are ignored. */
const VERSION = 1;
/** The version, the kind, and the length of the head in 32 bits. */
const PREFIX = 6;

const KINDS = ["message", "order", "reached", "filter", "presence"] as const;

/**
 * A message to clients or an order for connections; or a question: how many connections a message or
 * an order has reached, or the text of a filter. The text of `presence` is read in `presence/`.
 */
export type Kind = typeof KINDS[number];

/** What is said beside the text of a message. */
export interface Head {
  /** Numbers what the sender sends, where it asks about it later. */
  readonly number?: number;
  /** True where the sender asks all instances; otherwise it only looks at its own result. */
  readonly asked?: boolean;
  /** The `id` of the client that a message is for, or of the one that is left out. */
  readonly client?: string;
  readonly except?: string;
  /** For a message that is kept: the user of the one that is left out, and the instance that asks. */
  readonly user?: string;
  readonly from?: string;
  /** The key that `coalesce` uses. */
  readonly key?: string;
  /** The hash of the filter's text, and the values that the filter reads beside `client`. */
  readonly filter?: string;
  readonly values?: Readonly<Record<string, unknown>>;
  /** What an order is. */
  readonly operation?: ControlOperation;
  readonly room?: string;
  /** For `join_room`: with the history of the room. */
  readonly history?: boolean;
  /** The trace that it is part of, where that is recorded. */
  readonly traceparent?: string;
}

/** One message or question. */
export interface Envelope {
  readonly kind: Kind;
  readonly head: Head;
  /** The text of a frame, or what a feature of rooms says; otherwise empty. */
  readonly text: string;
}

/** What another instance has sent makes no sense here. */
export class Nonsense extends Error {
  override readonly name = "Nonsense";
}

const encoder = new TextEncoder();
const NOTHING: Head = {};

/** Encodes a message or a question. */
export function encode(kind: Kind, head: Head, text = ""): Uint8Array {
  const headBytes = isEmpty(head) ? undefined : encoder.encode(writeValue(head));
  const body = encoder.encode(text);
  const length = headBytes?.length ?? 0;
  const bytes = new Uint8Array(PREFIX + length + body.length);
  bytes[0] = VERSION;
  bytes[1] = KINDS.indexOf(kind);
  new DataView(bytes.buffer).setUint32(2, length);
  if (headBytes !== undefined) bytes.set(headBytes, PREFIX);
  bytes.set(body, PREFIX + length);
  return bytes;
}

/**
 * Decodes a message or a question.
 *
 * @throws {Nonsense} It is none.
 */
export function decode(bytes: Uint8Array): Envelope {
  if (bytes.length < PREFIX) throw new Nonsense("it is too short");
  if (bytes[0] !== VERSION) throw new Nonsense(`its format ${bytes[0]} is unknown here`);
  if (bytes[1] >= KINDS.length) throw new Nonsense(`its kind ${bytes[1]} is unknown here`);
  const kind = KINDS[bytes[1]];
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(2);
  const start = PREFIX + length;
  if (start > bytes.length) throw new Nonsense("it is cut off");
  const head = length === 0 ? NOTHING : readHead(textOf(bytes.subarray(PREFIX, start)));
  const text = textOf(bytes.subarray(start));
  // Clients get the text as it is. Reading it as JSON would cost more than to deliver it.
  if (kind === "message" && !(text.startsWith("{") && text.endsWith("}"))) {
    throw new Nonsense("its text is no frame");
  }
  return { kind, head, text };
}

function isEmpty(head: Head): boolean {
  for (const name in head) if (head[name as keyof Head] !== undefined) return false;
  return true;
}

function textOf(bytes: Uint8Array): string {
  const text = fromUtf8(bytes);
  if (text === undefined) throw new Nonsense("its text is not UTF-8");
  return text;
}

const HASH = /^[0-9a-f]{64}$/;

const CHECKS: Readonly<Record<keyof Head, (value: unknown) => boolean>> = {
  number: (value) => Number.isSafeInteger(value),
  asked: (value) => typeof value === "boolean",
  client: isText,
  except: isText,
  user: isText,
  from: isText,
  key: isText,
  filter: (value) => typeof value === "string" && HASH.test(value),
  values: isObject,
  operation: (value) => typeof value === "string" && isControl(value),
  room: (value) => roomProblem(value) === undefined,
  history: (value) => typeof value === "boolean",
  traceparent: isText,
};

function readHead(text: string): Head {
  let head: unknown;
  try {
    head = readValue(text);
  } catch (cause) {
    throw new Nonsense("its head is not JSON", { cause });
  }
  if (!isObject(head)) throw new Nonsense("its head is no object");
  for (const name of Object.keys(CHECKS) as (keyof Head)[]) {
    if (head[name] !== undefined && !CHECKS[name](head[name])) {
      throw new Nonsense(`its ${name} is malformed`);
    }
  }
  return head;
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
