/**
 * Headers and properties in front of a message's body: the way into the waiting room and back for a
 * message whose header cannot be sent as it is. Nothing of it is lost, and its attempts are counted.
 */
import { Buffer } from "node:buffer";
import { isDeeperThan, isObject, MAX_DEPTH } from "../../../../base/json.ts";

/** How deep headers nest when they are packed: a table takes two levels, and so does what is around. */
const DEEPEST = 2 * MAX_DEPTH + 2;

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
    if (isDeeperThan(front, DEEPEST)) return undefined;
    const value = fromJson(JSON.parse(front));
    return { value, body: bytes.subarray(length) };
  } catch {
    return undefined;
  }
}

/** JSON has no word for bytes and some numbers, so every list begins with the kind of what it is. */
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
      throw new TypeError(`nothing of the kind ${kind}`);
  }
}
