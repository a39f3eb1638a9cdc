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
import type { Kind, NumberKind, Part, Shape } from "./description.ts";
import { TextConverter } from "./text.ts";
import { type CompiledPart, Fallback, run, type Schema, violationsOf } from "./schema.ts";

/**
 * The types by name. They may refer to each other and to themselves; a reference to none of them
 * takes any value. `refuseDefault` takes each part whose default does not fit it.
 */
export function compileTypes(
  shapes: ReadonlyMap<string, Shape>,
  refuseDefault: (part: Part, violation: Violation) => void,
): ReadonlyMap<string, DataType> {
  const compiler = new Compiler(shapes);
  const types = new Map<string, DataType>();
  for (const [name, shape] of shapes) types.set(name, compiler.type(name, shape));
  for (const [part, fallback] of compiler.fallbacks) {
    for (const violation of fallback.complete()) refuseDefault(part, violation);
  }
  return types;
}

class Compiler {
  readonly fallbacks = new Map<Part, Fallback>();
  readonly #steps = new Steps();
  readonly #schemas = new Map<string, Schema>();
  readonly #converter: TextConverter;

  constructor(shapes: ReadonlyMap<string, Shape>) {
    this.#converter = new TextConverter(shapes);
  }

  type(name: string, shape: Shape): DataType {
    const schema = this.#object(shape);
    this.#schemas.set(name, schema);
    return {
      name,
      fields: new Set(shape.fields.keys()),
      additional: shape.additional,
      check: (value, text) => {
        this.#steps.renew();
        const result = run(
          schema,
          text === undefined ? value : this.#converter.convert(shape, value, text),
        );
        return result.success
          ? { value: result.output }
          : { violations: violationsOf(result.issues) };
      },
    };
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
        return numberSchema(kind);
      case "boolean":
        return v.boolean("must be true or false");
      case "id":
        return idSchema;
      case "array":
        return arraySchema(this.#part(kind.items), kind);
      case "object":
        return kind.shape === undefined ? anyObject : this.#object(kind.shape);
      case "reference":
        // It may be declared below. All types exist before the first value is checked.
        return v.lazy(() => this.#schemas.get(kind.name) ?? v.unknown());
      case "unknown":
        return v.unknown();
    }
  }
}

/** A number as its options say. Infinity is none: JSON cannot hold it. */
function numberSchema({ min, max, enum: values }: NumberKind): Schema {
  const checks: v.PipeAction<number, number, v.BaseIssue<unknown>>[] = [];
  if (min !== undefined) checks.push(v.minValue(min, `must be at least ${min}`));
  if (max !== undefined) checks.push(v.maxValue(max, `must be at most ${max}`));
  if (values !== undefined) checks.push(oneOf(values));
  return v.pipe(v.custom<number>(Number.isFinite, "must be a number"), ...checks);
}
