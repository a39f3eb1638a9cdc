/** Lengths in bytes. */

const encoder = new TextEncoder();

/** Whether a text has more than `limit` bytes of UTF-8. */
export function isLongerThan(text: string, limit: number): boolean {
  // One UTF-16 unit is 1 to 3 bytes, so most texts need no encoding to be measured.
  if (text.length > limit) return true;
  return text.length * 3 > limit && encoder.encode(text).length > limit;
}
