/** How large values may become: constants may hold each other, so that each line can double them. */
import { Call } from "./tree.ts";

/** The most characters and items of one value. */
export const MAX_VALUE: number = 16 * 2 ** 20;
/** The most lists and objects inside each other. */
export const MAX_NESTING = 200;
/** The most characters and items of all values together, intermediate results included. */
const MAX_ALL = 64 * 2 ** 20;

/** How large a value is. */
export interface Extent {
  /** Its characters and items, each counted where it occurs. */
  readonly size: number;
  /** How many lists and objects are inside each other. */
  readonly nesting: number;
}

/** Of lists and objects: they do not change, and many others may hold the same one. */
const extents = new WeakMap<object, Extent>();

/** How large a value is. What is inside it has been measured before it. */
export function extentOf(value: unknown): Extent {
  if (typeof value === "string") return { size: value.length + 1, nesting: 0 };
  if (typeof value !== "object" || value === null) return { size: 1, nesting: 0 };
  const known = extents.get(value);
  if (known !== undefined) return known;
  let [size, nesting] = [1, 0];
  for (const item of itemsOf(value)) {
    const inner = extentOf(item);
    size += inner.size + 1;
    nesting = Math.max(nesting, inner.nesting);
  }
  const extent = { size, nesting: nesting + 1 };
  extents.set(value, extent);
  return extent;
}

/** What a value holds. The span of a call refers to its whole file, so it does not count. */
function itemsOf(value: object): readonly unknown[] {
  return value instanceof Call ? [value.name, value.arguments] : Object.values(value);
}

/** What the values of a configuration may still take. */
export class Budget {
  #left: number = MAX_ALL;

  /** Takes `size`; false the first time that not enough is left, undefined from then on. */
  take(size: number): boolean | undefined {
    if (this.#left < 0) return undefined;
    this.#left -= size;
    return this.#left >= 0;
  }
}
