/** The constants of a configuration while its files are read. */

import { didYouMean } from "../base/nearest.ts";
import type { Attribute, Span } from "./tree.ts";

/** All constants of a configuration by name. */
export class Constants {
  /** True where a file that cannot be parsed may declare more of them. */
  readonly incomplete: boolean;
  readonly #places = new Map<string, Span>();
  readonly #evaluated = new Map<string, Attribute>();

  /** Starts with none. */
  constructor(incomplete: boolean) {
    this.incomplete = incomplete;
  }

  /** Notes a name. Where it is taken, gives the place of the first one instead. */
  declare(name: string, place: Span): Span | undefined {
    const first = this.#places.get(name);
    if (first === undefined) this.#places.set(name, place);
    return first;
  }

  /** Sets what a declared constant is, or that it failed. */
  define(attribute: Attribute): void {
    this.#evaluated.set(attribute.name, attribute);
  }

  /** True for the name of any constant, evaluated or not. */
  has(name: string): boolean {
    return this.#places.has(name);
  }

  /** The constant; undefined as long as it has not been evaluated. */
  get(name: string): Attribute | undefined {
    return this.#evaluated.get(name);
  }

  /** The hint for a name that is not declared. */
  hint(name: string): string | undefined {
    return didYouMean(name, this.#places.keys());
  }

  /** The values of all that could be evaluated. */
  values(): Record<string, unknown> {
    const good = [...this.#evaluated.values()].filter((constant) => !constant.failed);
    // fromEntries defines properties, so that even "__proto__" is plain data.
    return Object.fromEntries(good.map(({ name, value }) => [name, value]));
  }
}

/** Whether a block may be one of constants whose kind is misspelled, so that it is none of `kinds`. */
export function mayHoldConstants(
  { type, labels }: { readonly type: string; readonly labels: readonly unknown[] },
  kinds: readonly string[] = [type],
): boolean {
  return !kinds.includes(type) && labels.length === 0;
}
