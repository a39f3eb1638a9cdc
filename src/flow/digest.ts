/** Keys of a bounded length: what is kept by key takes as much memory as it has keys, however long. */
import { sha256 } from "@noble/hashes/sha2.js";
import { isLongerThan, toHex } from "../base/text.ts";

/** A longer text is hashed, in bytes of UTF-8. */
const LONGEST = 64;

const encoder = new TextEncoder();

/**
 * A JSON text as a key: the text itself, or `sha256:` and its hash where it has more than 64 bytes.
 * No JSON text begins with an "s", so none is taken for a hash.
 */
export function digest(json: string): string {
  return isLongerThan(json, LONGEST) ? `sha256:${toHex(sha256(encoder.encode(json)))}` : json;
}
