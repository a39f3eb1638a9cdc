/** The names and places of a block's fields, beside the values that were read from it. */
import { nearest } from "../base/nearest.ts";
import type { Attribute, Block, Body, Span } from "../hcl/tree.ts";

/** The places of one block. `Name` is the names of its fields. */
export class Places<Name extends string = string> {
  /** The header of the block. */
  readonly header: Span;
  /** The fields that the block has under a wrong name; those have been reported. */
  readonly misspelled: ReadonlySet<string>;
  readonly #body: Body;

  /** `header` is the place of a field that the block does not have. */
  constructor(body: Body, header: Span, misspelled: ReadonlySet<string> = new Set()) {
    this.header = header;
    this.misspelled = misspelled;
    this.#body = body;
  }

  /** Whether the block has nothing in it. */
  get isEmpty(): boolean {
    return this.#body.attributes.length + this.#body.blocks.length === 0;
  }

  /** Whether the block has an attribute of this name. */
  has(name: Name): boolean {
    return this.attribute(name) !== undefined;
  }

  /**
   * The value of an attribute, or the header of an inner block; the header of the block if there is
   * neither. `label` selects one of several inner blocks. A name such as `consumer.dlq` is that of
   * something in an inner block; without it, the place is that of the innermost block that is there.
   */
  of(name: Name, label?: string): Span {
    const [outer, ...rest] = name.split(".");
    const inner = rest.length === 0 ? undefined : this.block(outer as Name, label);
    if (inner !== undefined) return new Places(inner.body, inner.headerSpan).of(rest.join("."));
    return this.attribute(name)?.valueSpan ?? this.block(name, label)?.headerSpan ?? this.header;
  }

  /** The name of an attribute; the header of the block if it has none. */
  nameOf(name: Name): Span {
    return this.attribute(name)?.nameSpan ?? this.header;
  }

  /** The names of all attributes, as written. */
  get attributes(): readonly string[] {
    return this.#body.attributes.map(({ name }) => name);
  }

  /** The attribute of this name, before the fields are read. */
  attribute(name: Name): Attribute | undefined {
    return this.#body.attributes.find((attribute) => attribute.name === name);
  }

  /** The first inner block of this type, before the fields are read. */
  block(type: Name, label?: string): Block | undefined {
    return this.#body.blocks.find((block) =>
      block.type === type && (label === undefined || block.labels[0]?.text === label)
    );
  }
}

/** Places by values: the values stay plain data. */
const kept = new WeakMap<object, Places>();

/** Notes the places of a block's values. */
export function keepPlaces(values: object, places: Places): void {
  kept.set(values, places);
}

/** The places of values that `readFields` has returned. */
export function placesOf<V extends object>(values: V): Places<keyof V & string> {
  const places = kept.get(values);
  if (places === undefined) throw new TypeError("the values have not been read from a block");
  return places;
}

/** What this module needs to know of a block's fields. */
type Fields = Readonly<
  Record<string, { readonly kind: "attribute" | "block" | "either" }>
>;

/** A name in a block that none of its fields has. */
export interface Stranger {
  /** As written. */
  readonly name: string;
  /** How it is written. */
  readonly kind: "attribute" | "block";
  /** The place of the name. */
  readonly span: Span;
}

/** The attributes and blocks of a body that are not among its fields, or have another form. */
export function strangersOf({ attributes, blocks }: Body, fields: Fields): readonly Stranger[] {
  return [
    ...attributes.map(({ name, nameSpan: span }) => ({ name, kind: "attribute", span } as const)),
    ...blocks.map(({ type: name, typeSpan: span }) => ({ name, kind: "block", span } as const)),
  ].filter(({ name, kind }) =>
    !Object.hasOwn(fields, name) || ![kind, "either"].includes(fields[name].kind)
  );
}

/** The name that was meant: a close one, or the only one that ends with the word. */
export function meantBy(name: string, names: readonly string[]): string | undefined {
  const longer = names.filter((one) => one.endsWith(`_${name}`));
  return nearest(name, names) ?? (longer.length === 1 ? longer[0] : undefined);
}

/** The fields that a block has in a wrong form or under a name that is close to theirs. */
export function misspelledOf(body: Body, fields: Fields): ReadonlySet<string> {
  const names = Object.keys(fields);
  return new Set(
    strangersOf(body, fields).flatMap(({ name }) => {
      const meant = Object.hasOwn(fields, name) ? name : meantBy(name, names);
      return meant === undefined ? [] : [meant];
    }),
  );
}
