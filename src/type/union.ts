/** Unions: objects of several types, which the text in one of their fields tells apart. */
import { isObject } from "../base/json.ts";
import { didYouMean } from "../base/nearest.ts";
import type { Definition, UnionKind } from "./description.ts";
import { anyObject } from "./kinds.ts";
import { Issues, type Schema } from "./schema.ts";
import * as v from "valibot";

/**
 * The texts by which a union knows a type: the `enum` of its field `by`, which is required and
 * compared as it is sent. Undefined for a type that no union can know by this field.
 */
export function valuesOf(
  definition: Definition | undefined,
  by: string,
): readonly string[] | undefined {
  const part = definition?.kind === "object" ? definition.shape.fields.get(by) : undefined;
  if (!part?.required || part.default !== undefined || part.kind.kind !== "string") {
    return undefined;
  }
  const { trim, lower, enum: values } = part.kind;
  return trim || lower ? undefined : values;
}

/** The unions of a configuration. */
export class Unions {
  readonly #types: ReadonlyMap<string, Definition>;
  readonly #variants = new Map<UnionKind, ReadonlyMap<string, string>>();

  /** `types` are those that unions name. */
  constructor(types: ReadonlyMap<string, Definition>) {
    this.#types = types;
  }

  /** The names of a union's types by the texts that say them. */
  variantsOf(union: UnionKind): ReadonlyMap<string, string> {
    let variants = this.#variants.get(union);
    if (variants === undefined) {
      const { by, types } = union;
      variants = new Map(
        types.flatMap((name) =>
          (valuesOf(this.#types.get(name), by) ?? []).map((
            value,
          ): [string, string] => [value, name])
        ),
      );
      this.#variants.set(union, variants);
    }
    return variants;
  }

  /** The type of the union that the value says it has. */
  variantOf(union: UnionKind, value: Readonly<Record<string, unknown>>): Definition | undefined {
    const { by } = union;
    const said = Object.hasOwn(value, by) ? value[by] : undefined;
    const name = typeof said === "string" ? this.variantsOf(union).get(said) : undefined;
    return name === undefined ? undefined : this.#types.get(name);
  }
}

/** An object whose field `by` says which of the schemas it must satisfy. None of the others runs. */
export function unionSchema(by: string, schemas: ReadonlyMap<string, () => Schema>): Schema {
  const known = `must be one of ${
    [...schemas.keys()].map((value) => JSON.stringify(value)).join(", ")
  }`;
  return v.lazy((value) => {
    if (!isObject(value)) return anyObject;
    const said = Object.hasOwn(value, by) ? value[by] : undefined;
    if (said === undefined || said === null) return refusal(by, "is missing");
    if (typeof said !== "string") return refusal(by, "must be a string");
    const schema = schemas.get(said)?.();
    if (schema !== undefined) return schema;
    const hint = didYouMean(said, schemas.keys());
    return refusal(by, hint === undefined ? known : `${known}, ${hint}`);
  });
}

/** Refuses every object because of its field `by`. */
function refusal(by: string, message: string): Schema {
  return v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset: { value }, addIssue }) => {
      new Issues(addIssue).add(by, message);
      return value;
    }),
  );
}
