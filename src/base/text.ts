/** Texts and their bytes. */
import { sha256 } from "@noble/hashes/sha2.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const DIGITS = encoder.encode("0123456789abcdef");

/** Whether a text has more than `limit` bytes of UTF-8. */
export function isLongerThan(text: string, limit: number): boolean {
  // A UTF-16 unit is 1 to 3 bytes, so most texts need not be encoded to be measured.
  if (text.length > limit) return true;
  return text.length * 3 > limit && encoder.encode(text).length > limit;
}

/** Whether `decodeURIComponent` can decode a text. */
export function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Node does not have it yet. */
const { toHex: nativeToHex } = Uint8Array.prototype as {
  readonly toHex?: (this: Uint8Array) => string;
};

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  if (nativeToHex !== undefined) return nativeToHex.call(bytes);
  const digits = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    digits[2 * i] = DIGITS[bytes[i] >> 4];
    digits[2 * i + 1] = DIGITS[bytes[i] & 15];
  }
  return decoder.decode(digits);
}

/** A longer key is hashed, in bytes of UTF-8. */
const LONGEST_KEY = 64;

/**
 * A JSON text as a key of bounded length: the text itself, or `sha256:` and its hash if it has more
 * than 64 bytes. JSON never begins with an "s", so no text equals a hash.
 */
export function digest(json: string): string {
  return isLongerThan(json, LONGEST_KEY) ? `sha256:${toHex(sha256(encoder.encode(json)))}` : json;
}
