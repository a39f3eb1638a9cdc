/** Reads a block, and tells whether what is missing in it has been reported already. */
import { type Fields, type ReadContext, readFields, type Values } from "../contract/fields.ts";
import { placesOf } from "../contract/places.ts";
import { strangersOf } from "../contract/unknown-names.ts";
import { type Body, hasFailed, type Span } from "../hcl/tree.ts";

/**
 * As `readFields`. `sound` is false where the values lack something that the block has: then what
 * they lack has been reported, and need not be missed once more.
 */
export function readSoundly<F extends Fields>(
  body: Body,
  fields: F,
  owner: Span,
  context: ReadContext,
): { readonly values: Values<F>; readonly sound: boolean } {
  const strange = new Set(strangersOf(body, fields).map(({ span }) => span));
  let sound = !hasFailed(body);
  const values = readFields(body, fields, owner, {
    ...context,
    report(problem) {
      if (problem.severity !== "warning" && !strange.has(problem.span)) sound = false;
      context.report(problem);
    },
  });
  return { values, sound: sound && placesOf(values).misspelled.size === 0 };
}
