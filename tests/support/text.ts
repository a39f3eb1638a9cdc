/** Text of all characters, for properties. */

import fc from "fast-check";

const CHARACTERS = fc.oneof(
  fc.integer({ min: 0, max: 0x7F }),
  fc.integer({ min: 0, max: 0xD7FF }),
  fc.integer({ min: 0xE000, max: 0x10FFFF }),
).map((code) => String.fromCodePoint(code));

/** Any Unicode text. The library's own `"binary"` computes for two seconds first. */
export function anyText(constraints: { readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.string({ unit: CHARACTERS, ...constraints });
}
