/** The schema of an array. Valibot's own copies every array, and collects issues without bound. */
import * as v from "valibot";
import { checkPart, type CompiledPart, Issues } from "./part.ts";
import type { Schema } from "./schema.ts";

/** How many items there may be. */
export interface ArrayLimits {
  /** 0 by default. */
  readonly minLength?: number;
  /** No limit by default. */
  readonly maxLength?: number;
}

type Items = readonly unknown[];

/** An array of such items. Those of an array that is too long are not looked at. */
export function arraySchema(items: CompiledPart, limits: ArrayLimits): Schema {
  const { minLength = 0, maxLength = Infinity } = limits;
  return v.pipe(
    v.custom<Items>(Array.isArray, "must be an array"),
    v.check(({ length }) => length >= minLength, `must have at least ${count(minLength)}`),
    v.rawTransform<Items, Items>(({ dataset: { value: input }, addIssue }) => {
      if (input.length > maxLength) {
        addIssue({ message: `must have at most ${count(maxLength)}` });
        return input;
      }
      const issues = new Issues(addIssue);
      let output: unknown[] | undefined;
      for (let index = 0; index < input.length && !issues.full; index++) {
        const used = checkPart(items, input[index], index, issues);
        if (used !== input[index]) (output ??= [...input])[index] = used;
      }
      return output ?? input;
    }),
  );
}

function count(items: number): string {
  return `${items} ${items === 1 ? "item" : "items"}`;
}
