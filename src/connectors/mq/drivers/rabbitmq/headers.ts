/**
 * Headers and properties of a message. What the client library cannot write closes its channel, and
 * all that is on its way there fails: so everything is checked before. What does not fit into a header
 * is packed in front of the body, on its way into the retry queue and back: nothing of it is lost.
 */
import { Buffer } from "node:buffer";
import type { Envelope } from "rabbitmq-client";
import { isDeeperThan, isObject, MAX_DEPTH } from "../../../../base/json.ts";
import { shown } from "../../../../base/shown.ts";

/** The largest frame that the library sends, in bytes. A header must fit into one. */
export const FRAME_MAX = 8192;

/** The frame's own part of it. */
const FRAME = 14;

/** The longest text of a property other than a header, in bytes. */
const LONGEST_TEXT = 255;

/** The properties that are such texts. */
const TEXTS = [
  ...["contentType", "contentEncoding", "correlationId", "replyTo", "expiration", "messageId"],
  ...["type", "userId", "appId"],
] as const;

/** Properties of a message as the library takes them. */
export type Properties = Partial<Pick<Envelope, typeof TEXTS[number] | "priority" | "timestamp">>;

/** The fields that are properties, with values of the right type. */
export function propertiesIn(fields: Readonly<Record<string, unknown>>): Properties {
  const texts = TEXTS.filter((name) => typeof fields[name] === "string");
  const numbers = (["priority", "timestamp"] as const)
    .filter((name) => typeof fields[name] === "number");
  return Object.fromEntries([...texts, ...numbers].map((name) => [name, fields[name]]));
}

/** Headers of a message. */
export type Headers = Readonly<Record<string, unknown>>;

/** Why a message with this header cannot be sent; undefined where it can. */
export function headerProblem({ headers = {}, ...properties }: Envelope): string | undefined {
  const bad = badProperties(properties)[0];
  if (bad !== undefined) return `its ${bad} cannot be written`;
  let size = FRAME + sizeOfProperties(properties);
  for (const [name, value] of Object.entries(headers)) {
    const bytes = sizeOfHeader(name, value);
    if (bytes === undefined) return `its header ${shown(name)} cannot be written`;
    size += bytes;
  }
  if (size <= FRAME_MAX) return undefined;
  return `its headers take ${size} bytes, and ${FRAME_MAX} fit`;
}

/** The properties that cannot be written. */
export function badProperties(properties: Properties): (keyof Properties)[] {
  const bad: (keyof Properties)[] = TEXTS.filter((name) => {
    const value = properties[name];
    // Bytes that are not UTF-8 may become longer when they are read.
    return value !== undefined && Buffer.byteLength(value) > LONGEST_TEXT;
  });
  const { timestamp } = properties;
  const good = timestamp === undefined || (Number.isSafeInteger(timestamp) && timestamp >= 0);
  return good ? bad : [...bad, "timestamp"];
}

/** The headers that fit beside `own`, the smallest first, and the names of the others. */
export function fittingHeaders(
  headers: Headers,
  own: Headers,
  properties: Properties,
): { readonly kept: Headers; readonly left: readonly string[] } {
  let room = FRAME_MAX - FRAME - sizeOfProperties(properties);
  for (const [name, value] of Object.entries(own)) room -= sizeOfHeader(name, value) ?? 0;
  const sizes = Object.entries(headers).map(([name, value]) => ({
    name,
    value,
    size: sizeOfHeader(name, value) ?? Infinity,
  }));
  const kept: [string, unknown][] = [];
  const left: string[] = [];
  for (const { name, value, size } of sizes.sort((a, b) => a.size - b.size)) {
    if (size > room) left.push(name);
    else {
      room -= size;
      kept.push([name, value]);
    }
  }
  return { kept: Object.fromEntries(kept), left };
}

function sizeOfProperties(properties: Properties): number {
  const texts = TEXTS.map((name) => properties[name] ?? "");
  // The length of the headers, the priority, the mode of delivery and the time.
  return texts.reduce((sum, text) => sum + 1 + Buffer.byteLength(text), 4 + 1 + 1 + 8);
}

/** An upper bound of its size in bytes; undefined where it cannot be written. */
function sizeOfHeader(name: string, value: unknown): number | undefined {
  if (value === undefined) return 0;
  const length = Buffer.byteLength(name);
  const size = length > LONGEST_TEXT ? undefined : sizeOfValue(value, 0);
  return size === undefined ? undefined : 1 + length + size;
}

/** Deeper headers are not written: the library calls itself for each level. */
const DEEPEST = 100;

function sizeOfValue(value: unknown, depth: number): number | undefined {
  switch (typeof value) {
    case "string":
      return 5 + Buffer.byteLength(value);
    case "boolean":
      return 2;
    case "number":
      // The library writes these as whole numbers of 64 bits.
      return Number.isNaN(value) || value < -(2 ** 63) ? undefined : 9;
    case "object":
      break;
    default:
      return undefined;
  }
  if (value === null) return 1;
  // The library would write bytes as a table of their numbers.
  if (value instanceof Uint8Array || depth >= DEEPEST) return undefined;
  let sum = 5;
  for (const [name, item] of Object.entries(value)) {
    const length = Array.isArray(value) ? 0 : 1 + Buffer.byteLength(name);
    if (length > 1 + LONGEST_TEXT) return undefined;
    const size = sizeOfValue(item, depth + 1);
    if (size === undefined) return undefined;
    sum += length + size;
  }
  return sum;
}

/** How deep packed headers nest: each table takes two levels, and so does what is around them. */
const DEEPEST_PACKED = 2 * MAX_DEPTH + 2;

/** Bytes in front of which something is packed. */
export interface Packed {
  readonly body: Buffer;
  /** How many bytes are in front of it. */
  readonly length: number;
}

/** Puts a value in front of a body. */
export function pack(value: unknown, body: Uint8Array): Packed {
  const front = Buffer.from(JSON.stringify(toJson(value)));
  return { body: Buffer.concat([front, body]), length: front.length };
}

/** The value and the body; undefined where they cannot be read. */
export function unpack(
  body: Uint8Array,
  length: number,
): { readonly value: unknown; readonly body: Buffer } | undefined {
  if (!Number.isInteger(length) || length < 0 || length > body.length) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  try {
    const front = bytes.toString("utf8", 0, length);
    if (isDeeperThan(front, DEEPEST_PACKED)) return undefined;
    const value = fromJson(JSON.parse(front));
    return { value, body: bytes.subarray(length) };
  } catch {
    return undefined;
  }
}

/** JSON has no bytes, NaN or -0, so each list begins with the kind of its value. */
function toJson(value: unknown): unknown {
  if (Object.is(value, -0)) return ["number", "-0"];
  if (typeof value === "number" && !Number.isFinite(value)) return ["number", String(value)];
  if (value instanceof Uint8Array) return ["bytes", Buffer.from(value).toString("base64")];
  if (Array.isArray(value)) return ["list", ...value.map(toJson)];
  if (!isObject(value)) return value;
  const fields = Object.entries(value).filter(([, item]) => item !== undefined);
  return ["map", ...fields.map(([name, item]) => [name, toJson(item)])];
}

function fromJson(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const [kind, ...items] = value;
  switch (kind) {
    case "number":
      return Number(items[0]);
    case "bytes":
      return Buffer.from(String(items[0]), "base64");
    case "list":
      return items.map(fromJson);
    case "map":
      return Object.fromEntries(items.map(([name, item]) => [String(name), fromJson(item)]));
    default:
      throw new TypeError(`unknown kind of value: ${kind}`);
  }
}
