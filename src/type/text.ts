/** Text → numbers and booleans, for values of sources that have nothing but text. */
import { isObject, setField } from "../base/json.ts";
import type { Definition, Kind, Shape } from "./description.ts";
import type { Unions } from "./union.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A whole number with digits alone. */
const INTEGER = /^(?:0|-?[1-9]\d*)$/;
/** A number as JSON writes it. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** No finite number needs more digits, and no pattern has to look at more. */
const LONGEST = 400;

/**
 * Converts what is text to the kinds of a type. Text that a kind cannot be made of stays text, so
 * that its check refuses it.
 */
export class TextConverter {
  readonly #types: ReadonlyMap<string, Definition>;
  readonly #unions: Unions;

  /** `types` are those that references name. */
  constructor(types: ReadonlyMap<string, Definition>, unions: Unions) {
    this.#types = types;
    this.#unions = unions;
  }

  /** The value with the fields of these names converted; the value itself if nothing changes. */
  convert(definition: Definition, value: unknown, names: Iterable<string>): unknown {
    if (!isObject(value)) return value;
    const type = definition.kind === "union"
      ? this.#unions.variantOf(definition, value)
      : definition;
    return type?.kind === "object" ? this.#fields(type.shape, value, names) : value;
  }

  #fields(shape: Shape, value: Fields, names: Iterable<string>): Fields {
    let converted: Record<string, unknown> | undefined;
    for (const name of names) {
      const part = shape.fields.get(name);
      if (part === undefined || !Object.hasOwn(value, name)) continue;
      const made = this.#kind(part.kind, value[name]);
      if (made !== value[name]) setField(converted ??= { ...value }, name, made);
    }
    return converted ?? value;
  }

  #kind(kind: Kind, value: unknown): unknown {
    switch (kind.kind) {
      case "number":
        return typeof value === "string" ? numberOf(value) : value;
      case "integer":
        return typeof value === "string" ? integerOf(value) : value;
      case "boolean":
        return value === "true" ? true : value === "false" ? false : value;
      case "array":
        return this.#items(kind.items.kind, value);
      case "object":
        return kind.shape === undefined
          ? value
          : this.#object({ kind: "object", shape: kind.shape }, value);
      case "union":
        return this.#object(kind, value);
      case "reference": {
        const type = this.#types.get(kind.name);
        return type === undefined ? value : this.#object(type, value);
      }
      default:
        return value;
    }
  }

  /** A parameter that is not repeated arrives as one text, not as a list. */
  #items(kind: Kind, value: unknown): unknown {
    if (typeof value === "string") return [this.#kind(kind, value)];
    if (!Array.isArray(value)) return value;
    const items = value.map((item) => this.#kind(kind, item));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }

  #object(type: Definition, value: unknown): unknown {
    return isObject(value) ? this.convert(type, value, Object.keys(value)) : value;
  }
}

/** One that is not exact becomes a number, too: its check tells the sender why it is refused. */
function integerOf(text: string): unknown {
  return text.length <= LONGEST && INTEGER.test(text) ? Number(text) : text;
}

/** A whole number that is not exact would be another one, which an id must not become. */
function numberOf(text: string): unknown {
  if (text.length > LONGEST || !NUMBER.test(text)) return text;
  const number = Number(text);
  return Number.isFinite(number) && (Number.isSafeInteger(number) || !/^-?\d+$/.test(text))
    ? number
    : text;
}
