/** Text as the bytes of its UTF-8. */

const encoder = new TextEncoder();

/** Whether a text has more than `limit` bytes of UTF-8. */
export function isLongerThan(text: string, limit: number): boolean {
  // One UTF-16 unit is 1 to 3 bytes, so most texts need no encoding to be measured.
  if (text.length > limit) return true;
  return text.length * 3 > limit && encoder.encode(text).length > limit;
}

/** Whether every percent sign of a text is followed by two hex digits, and together they encode UTF-8. */
export function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
