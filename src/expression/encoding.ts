/** Functions on bytes, and on texts that encode other data. */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesOf, countOf, stringOf, textOf } from "./arguments.ts";
import { parseJson } from "../base/json.ts";
import { toHex } from "../base/text.ts";
import { fromBase64, fromUtf8, toBase64 } from "./bytes.ts";
import { toText } from "./conversions.ts";
import { Failure } from "./failure.ts";
import type { Meter } from "./meter.ts";
import { toPlain } from "./plain.ts";
import { define, type FunctionDefinition, type Functions } from "./scope.ts";

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

/** A function that writes bytes or a text as base64. */
function base64(name: string): FunctionDefinition {
  return define(1, 1, (meter, value) => {
    const bytes = toBytes(meter, name, value);
    meter.make(BUFFER + 4 * bytes.length);
    return toBase64(bytes);
  });
}

function bytesOfBase64(meter: Meter, name: string, value: unknown): Uint8Array {
  const text = stringOf(name, value);
  meter.make(BUFFER + 4 * text.length);
  try {
    return fromBase64(text);
  } catch {
    throw new Failure(`${name}() cannot parse its argument`);
  }
}

/** `base64_decode(text)`: the text of the bytes. */
function textOfBase64(meter: Meter, value: unknown): string {
  const bytes = bytesOfBase64(meter, "base64_decode", value);
  meter.make(2 * bytes.length);
  const text = fromUtf8(bytes);
  if (text !== undefined) return text;
  throw new Failure(
    "base64_decode() needs bytes that are UTF-8; base64.decode() returns any bytes",
  );
}

/** A function that parses JSON. */
function json(name: string): FunctionDefinition {
  return define(1, 1, (meter, value) => {
    const text = toText(meter, name, value);
    meter.spend(FAILED_JSON + JSON_CHARACTER * text.length);
    try {
      return parseJson(text);
    } catch {
      throw new Failure(`${name}() cannot parse its argument`);
    }
  });
}

/** JSON takes that many times as many steps as the plain data that is written. */
const WRITTEN_JSON = 5;

function toJson(meter: Meter, value: unknown): string {
  const before = meter.left;
  const plain = toPlain(meter, value);
  meter.spend(WRITTEN_JSON * (before - meter.left));
  return JSON.stringify(plain);
}

/** Steps of the parser's own error. */
const FAILED_JSON = 800;

function hash(meter: Meter, value: unknown): string {
  const bytes = toBytes(meter, "hash_sha256", value);
  meter.spend(HASH + HASHED_BYTE * bytes.length);
  return toHex(sha256(bytes));
}

/** Hashes are made three times: of both keys that are made from the key, and of the text. */
function authenticate(meter: Meter, key: unknown, value: unknown): string {
  const [secret, message] = [key, value].map((part) => toBytes(meter, "hmac_sha256", part));
  meter.spend(4 * HASH + HASHED_BYTE * (secret.length + message.length));
  return toHex(hmac(sha256, secret, message));
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
  hmac_sha256: define(2, 2, authenticate),
  bytes: define(1, 1, (meter, value) => toBytes(meter, "bytes", value)),
  hex: define(1, 1, hexadecimal),
  at: define(
    2,
    2,
    (_meter, value, position) => byteAt(bytesOf("at", value), countOf("at", position)),
  ),
  json: json("json"),
  from_json: json("from_json"),
  to_json: define(1, 1, toJson),
  base64: base64("base64"),
  base64_encode: base64("base64_encode"),
  "base64.encode": base64("base64.encode"),
  base64_decode: define(1, 1, textOfBase64),
  "base64.decode": define(1, 1, (meter, value) => bytesOfBase64(meter, "base64.decode", value)),
};
