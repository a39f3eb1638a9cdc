/** Reads the `type` blocks of a configuration. */
import type { DataType } from "../type/mod.ts";
import { compileTypes } from "../type/compile.ts";
import type { Definition, Kind, Part } from "../type/description.ts";
import { endlessFields } from "../type/endless.ts";
import { flag } from "../contract/value-schema.ts";
import { type Block, Call, itemPlaceOf, type Report } from "../hcl/tree.ts";
import { TypeNames } from "./type-names.ts";
import { DISCRIMINATOR, UnionReader } from "./type-unions.ts";
import {
  compareEnum,
  compareLimits,
  isOptions,
  lengths,
  optionPlace,
  OPTIONS,
  type Place,
  readOptions,
  takeArguments,
} from "./type-options.ts";

/** The surroundings of the `type` blocks. */
export interface ReadTypesOptions {
  /** Whether a type may be in a file that cannot be read. */
  mayExist(type: string): boolean;
  readonly report: Report;
}

/** Reads all types, by name; reports every mistake and never throws. */
export function readTypes(
  blocks: readonly (readonly [name: string, block: Block])[],
  options: ReadTypesOptions,
): ReadonlyMap<string, DataType> {
  const reader = new TypeReader(blocks.map(([name]) => name), options);
  const definitions = new Map(blocks.map(([name, block]) => [name, reader.type(name, block)]));
  reader.unions.check(definitions);
  for (const { type, field } of endlessFields(definitions)) {
    const definition = definitions.get(type);
    const part = definition?.kind === "object" && field !== undefined
      ? definition.shape.fields.get(field)
      : definition;
    const place = reader.places.get(part);
    place?.report({
      code: "endless-type",
      span: place.span,
      message: `${place.subject}: no value can satisfy "${type}": ` +
        "each one would contain another",
      hint: field === undefined ? "one of its types must end" : "required = false lets it end",
    });
  }
  return compileTypes(definitions, (part, { path, message }) => {
    const place = reader.defaults.get(part);
    const where = path === "" ? "default" : `default is wrong, ${path}:`;
    place?.report({
      code: "invalid-default",
      span: place.span,
      message: `${place.subject}: ${where} ${message}`,
    });
  });
}

/** The part for a type whose problem has been reported. It allows any value. */
const ANYTHING: Part = { kind: { kind: "unknown" }, required: false };

/** The type whose problem has been reported. It allows any object. */
const ANY_OBJECT: Definition = {
  kind: "object",
  shape: { fields: new Map(), additional: true },
};

class TypeReader {
  /** The place of each part, and of each type that is a union. */
  readonly places = new Map<Part | Definition | undefined, Place>();
  /** The place of its default. */
  readonly defaults = new Map<Part, Place>();
  readonly unions: UnionReader;
  readonly #names: TypeNames;
  readonly #report: Report;

  constructor(names: readonly string[], { mayExist, report }: ReadTypesOptions) {
    this.#names = new TypeNames(names, mayExist);
    this.#report = report;
    this.unions = new UnionReader(this.#names);
  }

  type(name: string, block: Block): Definition {
    const { headerSpan, labels, body } = block;
    const report = this.#report;
    const subject = `type "${name}"`;
    if (this.#names.isKind(name)) {
      const span = labels[0]?.span ?? headerSpan;
      const message = `${subject} has the name of a kind`;
      report({ code: "reserved-name", span, message, hint: "choose another" });
    }
    for (const { type, headerSpan } of body.blocks) {
      const message = `${subject} has no block "${type}"`;
      const hint = `write it as ${type} = object({ … })`;
      report({ code: "unknown-block", span: headerSpan, message, hint });
    }
    const union = body.attributes.find(({ name, value }) =>
      name === "one_of" && !(value instanceof Call)
    );
    if (union !== undefined) {
      const place = { subject, span: union.valueSpan, report };
      const kind = this.unions.readType(block, union, place) ?? ANY_OBJECT;
      this.places.set(kind, place);
      return kind;
    }
    const fields = new Map<string, Part>();
    let additional = false;
    for (const { name: field, value, valueSpan: span, failed } of body.attributes) {
      if (field === "additional" && !failed && !(value instanceof Call)) {
        additional = readAdditional(value, { subject, span, report });
      } else {
        const place = { subject: `${subject}, field "${field}"`, span, report };
        fields.set(field, failed ? ANYTHING : this.#part(value, place));
      }
    }
    if (fields.size === 0 && !additional && body.blocks.length === 0) {
      const message = `${subject} has no fields`;
      const hint = "with additional = true it takes any object";
      report({ code: "empty-block", span: headerSpan, message, hint });
      // What a flow reads of it need not be missed as well.
      additional = true;
    }
    return { kind: "object", shape: { fields, additional } };
  }

  /** What a field or the items of an array must be. */
  #part(value: unknown, outer: Place): Part {
    if (!(value instanceof Call)) {
      outer.report({
        code: "invalid-type",
        span: outer.span,
        message: `${outer.subject} must be a type`,
        hint: this.#names.hint(value),
      });
      return ANYTHING;
    }
    const place = { ...outer, span: value.span };
    const part = this.#call(value, place);
    this.places.set(part, place);
    return part;
  }

  #call(call: Call, place: Place): Part {
    switch (call.name) {
      case "string": {
        const [written] = takeArguments(call, 1, place);
        const options = readOptions(OPTIONS.string, "string", written, place);
        const { trim, lower, format, pattern, enum: values } = options;
        const kind: Kind = {
          kind: "string",
          trim,
          lower,
          format,
          pattern,
          enum: values,
          ...lengths(options),
        };
        compareEnum(options, written, place);
        compareLimits("min_length", "max_length", options, written, place);
        return this.#made(kind, options, written, place);
      }
      case "number":
      case "integer": {
        const [written] = takeArguments(call, 1, place);
        const options = readOptions(OPTIONS[call.name], call.name, written, place);
        const { min, max, enum: values } = options;
        compareLimits("min", "max", options, written, place);
        return this.#made({ kind: call.name, min, max, enum: values }, options, written, place);
      }
      case "boolean":
      case "id": {
        const [written] = takeArguments(call, 1, place);
        const options = readOptions(OPTIONS[call.name], call.name, written, place);
        return this.#made({ kind: call.name }, options, written, place);
      }
      case "array":
        return this.#array(call, place);
      case "object":
        return this.#object(call, place);
      case "one_of":
        return this.#union(call, place);
      default:
        return this.#reference(call, place);
    }
  }

  /** `one_of(type, type)` or `one_of(type, type, { options })`. */
  #union(call: Call, place: Place): Part {
    const last = call.arguments.at(-1);
    const [types, written] = isOptions(last)
      ? [call.arguments.slice(0, -1), last]
      : [call.arguments, undefined];
    const options = readOptions(OPTIONS.union, "one_of", written, place);
    const union = this.unions.read(types, options.by ?? DISCRIMINATOR, place);
    return this.#made(union ?? ANYTHING.kind, options, written, place);
  }

  #array(call: Call, place: Place): Part {
    const [item, written] = takeArguments(call, 2, place);
    const { subject, span, report } = place;
    const options = readOptions(OPTIONS.array, "array", written, place);
    compareLimits("min_length", "max_length", options, written, place);
    let items = ANYTHING;
    if (item instanceof Call || typeof item === "string") {
      items = this.#part(item, { ...place, subject: inner(subject, "[]") });
    } else {
      const message = `${subject}: array needs the type of its items`;
      report({ code: "invalid-type", span, message, hint: "such as array(string)" });
    }
    return this.#made({ kind: "array", items, ...lengths(options) }, options, written, place);
  }

  /** `object`, `object({ options })`, `object({ fields })` or `object({ fields }, { options })`. */
  #object(call: Call, place: Place): Part {
    const [first, second] = takeArguments(call, 2, place);
    const hasFields = isOptions(first) &&
      (second !== undefined || Object.values(first).some((value) => value instanceof Call));
    if (!hasFields) {
      const options = readOptions(OPTIONS.object, "object", first, place);
      return this.#made({ kind: "object" }, options, first, place);
    }
    const options = readOptions(OPTIONS.shape, "object with fields", second, place);
    const fields = new Map(
      Object.entries(first).map(([name, value]): [string, Part] => {
        const span = itemPlaceOf(first, name)?.valueSpan ?? place.span;
        return [
          name,
          this.#part(value, { ...place, span, subject: inner(place.subject, `.${name}`) }),
        ];
      }),
    );
    const { additional = false } = options;
    if (fields.size === 0) {
      const message = `${place.subject}: object has no fields`;
      const hint = "object alone takes any";
      place.report({ code: "empty-block", span: place.span, message, hint });
    }
    return this.#made({ kind: "object", shape: { fields, additional } }, options, second, place);
  }

  #reference(call: Call, place: Place): Part {
    const { name } = call;
    if (!this.#names.exists(call, place)) return ANYTHING;
    const known = this.#names.isType(name);
    const [written] = takeArguments(call, 1, place);
    const options = readOptions(OPTIONS.reference, name, written, place);
    const kind: Kind = known ? { kind: "reference", name } : ANYTHING.kind;
    return this.#made(kind, options, written, place);
  }

  #made(
    kind: Kind,
    options: { readonly required?: boolean; readonly default?: unknown },
    written: unknown,
    place: Place,
  ): Part {
    const part = { kind, required: options.required ?? true, default: options.default };
    this.defaults.set(part, { ...place, span: optionPlace(written, "default", place) });
    return part;
  }
}

function readAdditional(value: unknown, { subject, span, report }: Place): boolean {
  const result = flag().parse(value);
  if ("value" in result) return result.value;
  report({ code: "invalid-value", span, message: `${subject}: additional ${result.problem}` });
  return false;
}

/** The subject of what is inside a field. */
function inner(subject: string, step: string): string {
  return `${subject.slice(0, -1)}${step}"`;
}
