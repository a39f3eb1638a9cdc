/** Types as data: what a `type` block says, before it is compiled. */
import type { Meter } from "../expression/mod.ts";
import type { Format } from "./formats.ts";

/** What a `type` block says: the fields of an object, or the types of which a value has one. */
export type Definition = { readonly kind: "object"; readonly shape: Shape } | UnionKind;

/** The fields of a type, or of an object inside one. */
export interface Shape {
  /** By name, in the order written. */
  readonly fields: ReadonlyMap<string, Part>;
  /** True where fields of other names are let through. */
  readonly additional: boolean;
}

/** A field of an object, or the items of an array. */
export interface Part {
  /** What it must be where it is there. */
  readonly kind: Kind;
  /** True where it must be there, if it has no default. Null counts as absent. */
  readonly required: boolean;
  /** What is filled in where it is absent; undefined for nothing. */
  readonly default?: unknown;
}

/** What a value can have to be. */
export type Kind =
  | StringKind
  | NumberKind
  | ArrayKind
  | UnionKind
  | { readonly kind: "boolean" }
  | { readonly kind: "id" }
  /** Any object, or one of this shape. */
  | { readonly kind: "object"; readonly shape?: Shape }
  /** A type by its name. */
  | { readonly kind: "reference"; readonly name: string }
  /** The kind of a mistake in the configuration: anything. */
  | { readonly kind: "unknown" };

/** A string. */
export interface StringKind {
  readonly kind: "string";
  /** White space at both ends is removed before anything is checked. */
  readonly trim?: boolean;
  /** It is put in lower case before anything is checked. */
  readonly lower?: boolean;
  readonly format?: Format;
  /** In characters. */
  readonly minLength?: number;
  /** In characters. */
  readonly maxLength?: number;
  /** Matches anywhere in the string. */
  readonly pattern?: Pattern;
  readonly enum?: readonly string[];
}

/** A number. An integer is a whole one that is exact. */
export interface NumberKind {
  readonly kind: "number" | "integer";
  readonly min?: number;
  readonly max?: number;
  readonly enum?: readonly number[];
}

/** An array. */
export interface ArrayKind {
  readonly kind: "array";
  readonly items: Part;
  /** In items. */
  readonly minLength?: number;
  /** In items. */
  readonly maxLength?: number;
}

/** An object of one of several types. */
export interface UnionKind {
  readonly kind: "union";
  /** The field that says which. */
  readonly by: string;
  /** Their names. */
  readonly types: readonly string[];
}

/** A compiled pattern, which takes time that grows with the length of the text alone. */
export interface Pattern {
  /** As written. */
  readonly source: string;
  /** Whether it matches anywhere in the text. Throws where the meter has no steps left for that. */
  test(meter: Meter, text: string): boolean;
}
