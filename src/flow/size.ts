/** About how much memory a value takes. */

/** What an object takes beside its fields, and a field beside its value, in bytes. */
const OBJECT = 48;
const FIELD = 16;

/** About how many bytes a value takes; counted no further than beyond `limit`. */
export function sizeOf(value: unknown, limit: number): number {
  const seen = new Set<object>();
  const left: unknown[] = [value];
  let bytes = 0;
  while (left.length > 0 && bytes <= limit) {
    const item = left.pop();
    // Engines keep text in one or two bytes for each unit.
    if (typeof item === "string") bytes += 2 * item.length;
    if (typeof item !== "object" || item === null || seen.has(item)) continue;
    seen.add(item);
    if (ArrayBuffer.isView(item)) {
      bytes += OBJECT + item.byteLength;
      continue;
    }
    const values: readonly unknown[] = Array.isArray(item) ? item : Object.values(item);
    bytes += OBJECT + FIELD * values.length;
    if (values !== item) { for (const name of Object.keys(item)) bytes += 2 * name.length; }
    if (bytes <= limit) { for (const inner of values) left.push(inner); }
  }
  return bytes;
}
