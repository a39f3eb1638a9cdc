/**
 * The `type` blocks: the shape of data, compiled once into a check that returns every violation.
 *
 * May import base/ and expression/.
 */

import type { KnownValue } from "../base/known-value.ts";

/** One thing that is wrong with a value. */
export interface Violation {
  /** Where, such as `items[0].name`; empty for the value itself. */
  readonly path: string;
  /** What is wrong there, for people, such as `must have at least 3 characters`. */
  readonly message: string;
}

/**
 * The result of checking a value: the value as it is used, or what is wrong with it, at most 100
 * violations. `value` is the very object that was checked, unless something in it had to change.
 */
export type Checked =
  | { readonly value: unknown }
  | { readonly violations: readonly Violation[] };

/** A type of the configuration, compiled. */
export interface DataType {
  /** Its name in the configuration. */
  readonly name: string;
  /** The names of its fields. */
  readonly fields: ReadonlySet<string>;
  /**
   * What each field can be in a value that was checked, null where it may be absent; without those of
   * which nothing is known.
   */
  readonly known: ReadonlyMap<string, readonly KnownValue[]>;
  /** True where fields of other names are let through. */
  readonly additional: boolean;
  /**
   * Checks a value. It throws for no JSON value and changes none. The fields in `text` are text
   * because their source has nothing else: they become numbers and booleans where the type wants
   * some.
   */
  check(value: unknown, text?: ReadonlySet<string>): Checked;
}
