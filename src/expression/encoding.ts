/** Functions on bytes, and on texts that carry other data. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesOf, countOf, stringOf, textOf } from "./arguments.ts";
import { toBase64, toHex } from "./bytes.ts";
import { toText } from "./conversions.ts";
import { Failure } from "./failure.ts";
import { define, type Functions } from "./scope.ts";

/** Bytes as they are, a text or number as UTF-8. */
function toBytes(name: string, value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new TextEncoder().encode(textOf(name, value));
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
  } catch {
    throw new Failure("base64.decode() cannot read what it is given");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own error shows a part of the text.
    throw new Failure("json() cannot read what it is given");
  }
}

function byteAt(bytes: Uint8Array, position: number): bigint {
  if (position < bytes.length) return BigInt(bytes[position]);
  throw new Failure(`at() has no byte ${position} of ${bytes.length}`);
}

/** All functions of this file. */
export const ENCODING_FUNCTIONS: Functions = {
  hash_sha256: define(1, 1, (value) => toHex(sha256(toBytes("hash_sha256", value)))),
  bytes: define(1, 1, (value) => toBytes("bytes", value)),
  hex: define(1, 1, (value) => toHex(bytesOf("hex", value))),
  at: define(2, 2, (value, position) => byteAt(bytesOf("at", value), countOf("at", position))),
  json: define(1, 1, (value) => parseJson(toText("json", value))),
  base64: define(1, 1, (value) => toBase64(toBytes("base64", value))),
  "base64.encode": define(1, 1, (value) => toBase64(toBytes("base64.encode", value))),
  "base64.decode": define(1, 1, (value) => fromBase64(stringOf("base64.decode", value))),
};
