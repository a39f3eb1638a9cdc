/** Identifiers, which are random but in tests. */

import { toHex } from "./text.ts";

/** Makes a UUID. */
export function randomId(): string {
  return crypto.randomUUID();
}

/** Makes a UUID of version 4 from bytes. `crypto.randomUUID` is faster, but has no other source. */
export function uuidFrom(randomBytes: (bytes: Uint8Array<ArrayBuffer>) => void): string {
  const bytes = new Uint8Array(16);
  randomBytes(bytes);
  bytes[6] = bytes[6] & 0x0f | 0x40;
  bytes[8] = bytes[8] & 0x3f | 0x80;
  const digits = toHex(bytes);
  const ends = [8, 12, 16, 20, 32];
  return ends.map((end, i) => digits.slice(ends[i - 1] ?? 0, end)).join("-");
}

/** A reference that connects the response to a client with a line of the log. */
export function newRef(newId: () => string = randomId): string {
  return newId().slice(0, 8);
}
