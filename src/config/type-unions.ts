/** Reads unions: `one_of(circle, square)` for a field, and `one_of = [circle, square]` for a type. */
import type { Definition, UnionKind } from "../type/description.ts";
import { valuesOf } from "../type/union.ts";
import { type Attribute, type Block, Call, itemPlaceOf } from "../hcl/tree.ts";
import type { TypeNames } from "./type-names.ts";
import { OPTIONS, type Place } from "./type-options.ts";

/** The field that says which type it is, if `by` names no other one. */
export const DISCRIMINATOR = "kind";

/** A union, and the place of each of its types. */
interface FoundUnion {
  readonly union: UnionKind;
  readonly places: readonly Place[];
}

/** Reads the unions of a configuration, and checks them when all types have been read. */
export class UnionReader {
  readonly #found: FoundUnion[] = [];
  readonly #names: TypeNames;

  constructor(names: TypeNames) {
    this.#names = names;
  }

  /** The union of these types; undefined if none of them is one. */
  read(
    written: readonly unknown[],
    by: string,
    place: Place,
    spanOf: (index: number) => Place["span"] = () => place.span,
  ): UnionKind | undefined {
    const calls = written.flatMap((value, index) => {
      const call = this.#type(value, { by, place: { ...place, span: spanOf(index) } });
      return call === undefined ? [] : [call];
    });
    if (written.length === 0) {
      const message = `${place.subject}: one_of needs types`;
      const hint = "such as one_of(circle, square)";
      place.report({ code: "invalid-type", span: place.span, message, hint });
    }
    if (calls.length === 0) return undefined;
    const union: UnionKind = { kind: "union", by, types: calls.map(({ name }) => name) };
    this.#found.push({ union, places: calls.map(({ span }) => ({ ...place, span })) });
    return union;
  }

  /** The union that a whole `type` block is, if it has `one_of`; undefined if it is a mistake. */
  readType({ body }: Block, attribute: Attribute, place: Place): UnionKind | undefined {
    const { subject, report } = place;
    let by = DISCRIMINATOR;
    for (const { name, nameSpan, value, valueSpan: span, failed } of body.attributes) {
      if (name === attribute.name || failed) continue;
      if (name !== "by" || value instanceof Call) {
        const message = `${subject} has one_of, so it cannot have "${name}"`;
        const hint = name === "by" && value instanceof Call
          ? `write it in quotes: by = "${value.name}"`
          : "put it into each of its types";
        report({ code: "invalid-union", span: nameSpan, message, hint });
        continue;
      }
      const result = OPTIONS.union.by.parse(value);
      if ("value" in result) by = result.value;
      else report({ code: "invalid-value", span, message: `${subject}: by ${result.problem}` });
    }
    const { value, valueSpan: span } = attribute;
    if (Array.isArray(value)) {
      const spanOf = (index: number) => itemPlaceOf(value, String(index))?.valueSpan ?? span;
      return this.read(value, by, { ...place, span }, spanOf);
    }
    if (attribute.failed) return undefined;
    const message = `${subject}: one_of must be a list of types`;
    const hint = "such as one_of = [created, deleted]";
    report({ code: "invalid-type", span, message, hint });
    return undefined;
  }

  /** Reports unions whose types cannot be told apart. */
  check(definitions: ReadonlyMap<string, Definition>): void {
    for (const found of this.#found) checkUnion(found, definitions);
  }

  /** A type of a union, which is a name alone. */
  #type(
    value: unknown,
    { by, place }: { readonly by: string; readonly place: Place },
  ): Call | undefined {
    const { subject, report } = place;
    if (!(value instanceof Call)) {
      const message = `${subject}: one_of takes types by name`;
      const hint = typeof value === "string"
        ? `write it without quotes: ${value}`
        : "such as one_of(circle, square)";
      report({ code: "invalid-type", span: place.span, message, hint });
      return undefined;
    }
    const { name, span } = value;
    if (this.#names.isKind(name)) {
      const message = `${subject}: one_of takes types by name, and "${name}" is a kind`;
      const hint = `make a type of each, with a field "${by}" that says which it is`;
      report({ code: "invalid-union", span, message, hint });
      return undefined;
    }
    if (!this.#names.exists(value, { ...place, span })) return undefined;
    if (value.arguments.length > 0) {
      const message = `${subject}: "${name}" has no options inside one_of`;
      const hint = `the options come last: one_of(${name}, { required = false })`;
      report({ code: "wrong-arguments", span, message, hint });
    }
    return value;
  }
}

function checkUnion(
  { union: { by, types }, places }: FoundUnion,
  definitions: ReadonlyMap<string, Definition>,
): void {
  const seen = new Map<string, string>();
  for (const [index, name] of types.entries()) {
    const { subject, span, report } = places[index];
    const refuse = (message: string, hint: string) =>
      report({ code: "invalid-union", span, message: `${subject}: ${message}`, hint });
    const definition = definitions.get(name);
    // It may be in a file that cannot be read, and a mistake in its field has been reported.
    if (definition === undefined || isMistake(definition, by)) continue;
    const values = valuesOf(definition, by);
    if (definition.kind === "union") {
      refuse(`type "${name}" has one_of itself`, "name its types here");
    } else if (values === undefined) {
      const other = otherField(types, definitions);
      refuse(
        `type "${name}" needs a field "${by}" that says which type it is`,
        other === undefined
          ? fieldHint(definition, name, by)
          : `or name the field that says so: by = "${other}"`,
      );
    }
    for (const value of values ?? []) {
      const first = seen.get(value);
      if (first === undefined) seen.set(value, name);
      else if (first === name) refuse(`type "${name}" is there twice`, "remove one");
      else {
        const message = `types "${first}" and "${name}" both have the ${by} ${
          JSON.stringify(value)
        }`;
        refuse(message, "each type needs values of its own");
      }
    }
  }
}

/** How a type is to write its field `by`. */
function fieldHint({ shape }: Definition & { kind: "object" }, name: string, by: string): string {
  const written = shape.fields.get(by)?.kind;
  return written?.kind === "string" && written.enum !== undefined
    ? "it must be required, without default, trim and lower"
    : `write it as ${by} = string({ enum = [${JSON.stringify(name)}] })`;
}

function isMistake(definition: Definition, by: string): boolean {
  return definition.kind === "object" &&
    definition.shape.fields.get(by)?.kind.kind === "unknown";
}

/** A field by which all of the types could be told apart. */
function otherField(
  types: readonly string[],
  definitions: ReadonlyMap<string, Definition>,
): string | undefined {
  const first = definitions.get(types[0]);
  if (first?.kind !== "object") return undefined;
  return [...first.shape.fields.keys()].find((field) =>
    types.every((name) => valuesOf(definitions.get(name), field) !== undefined)
  );
}
