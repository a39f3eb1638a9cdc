/** Reads the `type` blocks of a configuration. */
import { didYouMean } from "../base/nearest.ts";
import type { DataType } from "../type/mod.ts";
import { compileTypes } from "../type/compile.ts";
import type { Kind, Part, Shape } from "../type/description.ts";
import { endlessFields } from "../type/endless.ts";
import { flag } from "../contract/value-schema.ts";
import { type Block, Call, itemPlaceOf, type Report } from "../hcl/tree.ts";
import { compareEnum, optionPlace, OPTIONS, type Place, readOptions } from "./type-options.ts";

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
  const shapes = new Map(blocks.map(([name, block]) => [name, reader.type(name, block)]));
  for (const { type, field } of endlessFields(shapes)) {
    const place = reader.places.get(shapes.get(type)?.fields.get(field));
    place?.report({
      code: "endless-type",
      span: place.span,
      message: `${place.subject}: no value can satisfy "${type}": ` +
        "each one would contain another",
      hint: "required = false lets it end",
    });
  }
  return compileTypes(shapes, (part, { path, message }) => {
    const place = reader.defaults.get(part);
    const where = path === "" ? "default" : `default is wrong, ${path}:`;
    place?.report({
      code: "invalid-default",
      span: place.span,
      message: `${place.subject}: ${where} ${message}`,
    });
  });
}

const KINDS: readonly string[] = ["string", "number", "boolean", "object", "array", "id"];

/** What other languages call them. */
const FOREIGN: Readonly<Record<string, string>> = {
  bool: "boolean",
  float: "number",
  int: "number",
  integer: "number",
  list: "array",
  map: "object",
  text: "string",
};

/** The part for a type whose problem has been reported. It allows any value. */
const ANYTHING: Part = { kind: { kind: "unknown" }, required: false };

class TypeReader {
  /** The place of each part. */
  readonly places = new Map<Part | undefined, Place>();
  /** The place of its default. */
  readonly defaults = new Map<Part, Place>();
  readonly #names: readonly string[];
  readonly #options: ReadTypesOptions;

  constructor(names: readonly string[], options: ReadTypesOptions) {
    this.#names = names;
    this.#options = options;
  }

  type(name: string, { headerSpan, labels, body }: Block): Shape {
    const { report } = this.#options;
    const subject = `type "${name}"`;
    if (KINDS.includes(name)) {
      const span = labels[0]?.span ?? headerSpan;
      const message = `${subject} has the name of a kind`;
      report({ code: "reserved-name", span, message, hint: "choose another" });
    }
    for (const { type, headerSpan } of body.blocks) {
      const message = `${subject} has no block "${type}"`;
      const hint = `write it as ${type} = object({ … })`;
      report({ code: "unknown-block", span: headerSpan, message, hint });
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
    return { fields, additional };
  }

  /** What a field or the items of an array must be. */
  #part(value: unknown, outer: Place): Part {
    if (!(value instanceof Call)) {
      outer.report({
        code: "invalid-type",
        span: outer.span,
        message: `${outer.subject} must be a type`,
        hint: this.#typeHint(value),
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
      case "number": {
        const [written] = takeArguments(call, 1, place);
        const options = readOptions(OPTIONS.number, "number", written, place);
        const { min, max, enum: values } = options;
        compareLimits("min", "max", options, written, place);
        return this.#made({ kind: "number", min, max, enum: values }, options, written, place);
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
      default:
        return this.#reference(call, place);
    }
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
    const hasFields = isObject(first) &&
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
    const { name, span } = call;
    const known = this.#names.includes(name);
    if (!known && !this.#options.mayExist(name)) {
      const foreign = Object.hasOwn(FOREIGN, name) ? FOREIGN[name] : undefined;
      const hint = didYouMean(name, [...KINDS, ...this.#names]) ??
        (foreign && `did you mean "${foreign}"?`);
      const message = `${place.subject}: there is no type "${name}"`;
      place.report({ code: "unknown-type", span, message, hint });
      return ANYTHING;
    }
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

  #typeHint(value: unknown): string {
    if (isObject(value)) return "write it as object({ … })";
    const isName = typeof value === "string" && [...KINDS, ...this.#names].includes(value);
    return isName ? `write it without quotes: ${value}` : "such as string or array(number)";
  }
}

function readAdditional(value: unknown, { subject, span, report }: Place): boolean {
  const result = flag().parse(value);
  if ("value" in result) return result.value;
  report({ code: "invalid-value", span, message: `${subject}: additional ${result.problem}` });
  return false;
}

function takeArguments(call: Call, most: number, place: Place): readonly unknown[] {
  if (call.arguments.length > most) {
    const hint = most === 1 ? `write it as ${call.name}({ … })` : "the options come last";
    const message = `${place.subject}: ${call.name} has too many arguments`;
    place.report({ code: "wrong-arguments", span: call.span, message, hint });
  }
  return call.arguments.slice(0, most);
}

function lengths(options: { readonly min_length?: number; readonly max_length?: number }) {
  return { minLength: options.min_length, maxLength: options.max_length };
}

function compareLimits<K extends string>(
  low: K,
  high: K,
  options: { readonly [name in K]?: number },
  written: unknown,
  place: Place,
): void {
  const [least, most] = [options[low], options[high]];
  if (least === undefined || most === undefined || least <= most) return;
  const message = `${place.subject}: ${low} must not be greater than ${high}`;
  place.report({ code: "invalid-limits", span: optionPlace(written, low, place), message });
}

/** The subject of what is inside a field. */
function inner(subject: string, step: string): string {
  return `${subject.slice(0, -1)}${step}"`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Call);
}
