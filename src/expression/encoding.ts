/** Functions on bytes, and on texts that encode other data. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesOf, countOf, stringOf, textOf } from "./arguments.ts";
import { parseJson } from "../base/json.ts";
import { toHex } from "../base/text.ts";
import { fromBase64, toBase64 } from "./bytes.ts";
import { toText } from "./conversions.ts";
import { Failure } from "./failure.ts";
import type { Meter } from "./meter.ts";
import { define, type Functions } from "./scope.ts";

/** Steps of each character of JSON: "[]," is a list. */
const JSON_CHARACTER = 4;

/** Steps of each byte of a hash, and of a hash of no bytes. */
const HASHED_BYTE = 8;
const HASH = 1_000;

/** Bytes, or the UTF-8 of a text or number. */
function toBytes(meter: Meter, name: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const text = textOf(name, value);
  // A character may have three bytes.
  meter.make(BUFFER + 3 * text.length);
  return new TextEncoder().encode(text);
}

/** The size of an empty buffer. */
const BUFFER = 400;

function base64(meter: Meter, name: string, value: unknown): string {
  const bytes = toBytes(meter, name, value);
  meter.make(BUFFER + 4 * bytes.length);
  return toBase64(bytes);
}

function bytesOfBase64(meter: Meter, text: string): Uint8Array {
  meter.make(BUFFER + 4 * text.length);
  try {
    return fromBase64(text);
  } catch {
    throw new Failure("base64.decode() cannot parse its argument");
  }
}

function json(meter: Meter, text: string): unknown {
  meter.spend(FAILED_JSON + JSON_CHARACTER * text.length);
  try {
    return parseJson(text);
  } catch {
    throw new Failure("json() cannot parse its argument");
  }
}

/** Steps of the parser's own error. */
const FAILED_JSON = 800;

function hash(meter: Meter, value: unknown): string {
  const bytes = toBytes(meter, "hash_sha256", value);
  meter.spend(HASH + HASHED_BYTE * bytes.length);
  return toHex(sha256(bytes));
}

function hexadecimal(meter: Meter, value: unknown): string {
  const bytes = bytesOf("hex", value);
  meter.make(BUFFER + 4 * bytes.length);
  return toHex(bytes);
}

function byteAt(bytes: Uint8Array, position: number): bigint {
  if (position < bytes.length) return BigInt(bytes[position]);
  throw new Failure(`at() has no byte ${position} of ${bytes.length}`);
}

/** The functions of this file. */
export const ENCODING_FUNCTIONS: Functions = {
  hash_sha256: define(1, 1, hash),
  bytes: define(1, 1, (meter, value) => toBytes(meter, "bytes", value)),
  hex: define(1, 1, hexadecimal),
  at: define(
    2,
    2,
    (_meter, value, position) => byteAt(bytesOf("at", value), countOf("at", position)),
  ),
  json: define(1, 1, (meter, value) => json(meter, toText(meter, "json", value))),
  base64: define(1, 1, (meter, value) => base64(meter, "base64", value)),
  "base64.encode": define(1, 1, (meter, value) => base64(meter, "base64.encode", value)),
  "base64.decode": define(
    1,
    1,
    (meter, value) => bytesOfBase64(meter, stringOf("base64.decode", value)),
  ),
};
