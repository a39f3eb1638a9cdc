/**
 * The schema of an object. Valibot's own object schemas take inherited names such as `constructor`
 * for fields, lose such fields of the data, and copy every object.
 */
import * as v from "valibot";
import { isObject } from "../base/json.ts";
import { didYouMean } from "../base/nearest.ts";
import { checkPart, type CompiledPart, Issues } from "./part.ts";
import type { Schema } from "./schema.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Any object. */
export const anyObject = v.custom<Fields>(isObject, "must be an object");

/** An object with these fields; others are let through where it is `additional`. */
export function objectSchema(
  fields: ReadonlyMap<string, CompiledPart>,
  additional: boolean,
): Schema {
  const parts = [...fields];
  return v.pipe(
    anyObject,
    v.rawTransform<Fields, Fields>(({ dataset: { value: input }, addIssue }) => {
      const issues = new Issues(addIssue);
      const filled: [string, unknown][] = [];
      let known = 0;
      for (const [name, part] of parts) {
        const own = Object.hasOwn(input, name);
        if (own) known++;
        const value = own ? input[name] : undefined;
        const used = checkPart(part, value, name, issues);
        if (used !== value) filled.push([name, used]);
      }
      // A comparison of numbers is all that an object without unknown fields costs.
      if (!additional && Object.keys(input).length !== known) refuseUnknown(input, fields, issues);
      // Spreads and fromEntries define properties, so that "__proto__" is a field like any other.
      return filled.length === 0 ? input : { ...input, ...Object.fromEntries(filled) };
    }),
  );
}

function refuseUnknown(
  input: Fields,
  fields: ReadonlyMap<string, CompiledPart>,
  issues: Issues,
): void {
  for (const name of Object.keys(input)) {
    if (issues.full) return;
    if (fields.has(name)) continue;
    const hint = didYouMean(name, fields.keys());
    issues.add(name, hint === undefined ? "unknown field" : `unknown field, ${hint}`);
  }
}
