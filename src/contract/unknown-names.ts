/** Names in a block that none of its fields has, and what was probably meant by them. */
import type { Body, Span } from "../hcl/tree.ts";
import { nearest } from "../base/nearest.ts";

/** The fields of a block, as far as they count here. */
type Fields = Readonly<
  Record<string, { readonly kind: "attribute" | "block" | "either" }>
>;

/** A name in a block that none of its fields has. */
export interface Stranger {
  /** As written. */
  readonly name: string;
  /** How it is written. */
  readonly kind: "attribute" | "block";
  /** Where the name stands. */
  readonly span: Span;
}

/** The attributes and blocks of a body that are none of its fields, or have another form. */
export function strangersOf({ attributes, blocks }: Body, fields: Fields): readonly Stranger[] {
  return [
    ...attributes.map(({ name, nameSpan: span }) => ({ name, kind: "attribute", span } as const)),
    ...blocks.map(({ type: name, typeSpan: span }) => ({ name, kind: "block", span } as const)),
  ].filter(({ name, kind }) =>
    !Object.hasOwn(fields, name) || ![kind, "either"].includes(fields[name].kind)
  );
}

/** The fields that a block has under a wrong name or in a wrong form, as far as one can tell. */
export function misspelledOf(body: Body, fields: Fields): ReadonlySet<string> {
  const names = Object.keys(fields);
  return new Set(
    strangersOf(body, fields).flatMap(({ name }) => {
      const meant = Object.hasOwn(fields, name) ? name : nearest(name, names);
      return meant === undefined ? [] : [meant];
    }),
  );
}
