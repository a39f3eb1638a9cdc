/** Descriptions → functions: builds the schemas of all types of a configuration. */
import * as v from "valibot";
import type { DataType, Violation } from "./mod.ts";
import {
  anyObject,
  arraySchema,
  idSchema,
  objectSchema,
  oneOf,
  Steps,
  stringSchema,
} from "./kinds.ts";
import type { Definition, Kind, NumberKind, Part, Shape, UnionKind } from "./description.ts";
import { knownFields } from "./known.ts";
import { TextConverter } from "./text.ts";
import { Unions, unionSchema } from "./union.ts";
import { type CompiledPart, Fallback, run, type Schema, violationsOf } from "./schema.ts";

/**
 * The types by name. They may refer to each other and to themselves; a reference to none of them
 * takes any value. `refuseDefault` takes each part whose default does not fit it.
 */
export function compileTypes(
  definitions: ReadonlyMap<string, Definition>,
  refuseDefault: (part: Part, violation: Violation) => void,
): ReadonlyMap<string, DataType> {
  const compiler = new Compiler(definitions);
  const types = new Map<string, DataType>();
  for (const [name, definition] of definitions) types.set(name, compiler.type(name, definition));
  for (const [part, fallback] of compiler.fallbacks) {
    for (const violation of fallback.complete()) refuseDefault(part, violation);
  }
  return types;
}

class Compiler {
  readonly fallbacks = new Map<Part, Fallback>();
  readonly #steps = new Steps();
  readonly #schemas = new Map<string, Schema>();
  readonly #definitions: ReadonlyMap<string, Definition>;
  readonly #unions: Unions;
  readonly #converter: TextConverter;

  constructor(definitions: ReadonlyMap<string, Definition>) {
    this.#definitions = definitions;
    this.#unions = new Unions(definitions);
    this.#converter = new TextConverter(definitions, this.#unions);
  }

  type(name: string, definition: Definition): DataType {
    const schema = this.#kind(definition);
    this.#schemas.set(name, schema);
    const shapes = this.#shapesOf(definition);
    return {
      name,
      fields: new Set(shapes.flatMap(({ fields }) => [...fields.keys()])),
      known: shapes.length === 1
        ? knownFields(shapes[0].fields, this.#definitions)
        : new Map<string, never>(),
      additional: shapes.some(({ additional }) => additional),
      check: (value, text) => {
        this.#steps.renew();
        const result = run(
          schema,
          text === undefined ? value : this.#converter.convert(definition, value, text),
        );
        return result.success
          ? { value: result.output }
          : { violations: violationsOf(result.issues) };
      },
    };
  }

  /** The shapes of which a value has one. A type that is not there may have any field. */
  #shapesOf(definition: Definition): readonly Shape[] {
    if (definition.kind === "object") return [definition.shape];
    return definition.types.map((name) => {
      const variant = this.#definitions.get(name);
      return variant?.kind === "object" ? variant.shape : { fields: new Map(), additional: true };
    });
  }

  #object({ fields, additional }: Shape): Schema {
    const parts = [...fields].map(([name, part]) => [name, this.#part(part)] as const);
    return objectSchema(new Map(parts), additional);
  }

  #part(part: Part): CompiledPart {
    const { kind, required, default: written } = part;
    const schema = this.#kind(kind);
    const fallback = written === undefined ? undefined : new Fallback(schema, written);
    if (fallback !== undefined) this.fallbacks.set(part, fallback);
    return { schema, required, fallback };
  }

  #kind(kind: Kind): Schema {
    switch (kind.kind) {
      case "string":
        return stringSchema(kind, this.#steps);
      case "number":
      case "integer":
        return numberSchema(kind);
      case "boolean":
        return v.boolean("must be true or false");
      case "id":
        return idSchema;
      case "array":
        return arraySchema(this.#part(kind.items), kind);
      case "object":
        return kind.shape === undefined ? anyObject : this.#object(kind.shape);
      case "union":
        return this.#union(kind);
      case "reference":
        // It may be declared below. All types exist before the first value is checked.
        return v.lazy(() => this.#named(kind.name));
      case "unknown":
        return v.unknown();
    }
  }

  #union(union: UnionKind): Schema {
    const variants = [...this.#unions.variantsOf(union)];
    // All of its types are mistakes, which have been reported.
    if (variants.length === 0) return v.unknown();
    return unionSchema(
      union.by,
      new Map(variants.map(([value, name]) => [value, () => this.#named(name)])),
    );
  }

  #named(name: string): Schema {
    return this.#schemas.get(name) ?? v.unknown();
  }
}

/** Any number. Infinity is none: JSON cannot hold it. */
const anyNumber = v.custom<number>(Number.isFinite, "must be a number");

const { MIN_SAFE_INTEGER, MAX_SAFE_INTEGER } = Number;

/** A whole number that is exact: beyond that, a neighbour may be what the sender meant. */
const anyInteger = v.custom<number>(
  Number.isSafeInteger,
  ({ input }) =>
    Number.isInteger(input)
      ? `must be from ${MIN_SAFE_INTEGER} to ${MAX_SAFE_INTEGER}`
      : "must be a whole number",
);

/** A number as its options say. */
function numberSchema({ kind, min, max, enum: values }: NumberKind): Schema {
  const checks: v.PipeAction<number, number, v.BaseIssue<unknown>>[] = [];
  if (min !== undefined) checks.push(v.minValue(min, `must be at least ${min}`));
  if (max !== undefined) checks.push(v.maxValue(max, `must be at most ${max}`));
  if (values !== undefined) checks.push(oneOf(values));
  return v.pipe(kind === "integer" ? anyInteger : anyNumber, ...checks);
}
