/**
 * What several copies of this package have in common. A connector of a plugin may import another
 * copy than the one that runs, such as the one in its own `node_modules`.
 */

/**
 * Makes `instanceof` true for the instances of the same class in any copy of this package. `name`
 * stays the same in all versions.
 */
export function recognizeCopies(type: { readonly prototype: object }, name: string): void {
  const mark = symbolOf(name);
  Object.defineProperty(type.prototype, mark, { value: true });
  Object.defineProperty(type, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      // A subclass has the mark of its parent.
      if (this !== type) return Function.prototype[Symbol.hasInstance].call(this, value);
      return typeof value === "object" && value !== null && mark in value;
    },
  });
}

/** A `WeakMap` that all copies of this package use. Its values are plain data. */
export function sharedWeakMap<K extends object, V>(name: string): WeakMap<K, V> {
  const all = globalThis as { [shared: symbol]: unknown };
  return (all[symbolOf(name)] ??= new WeakMap<K, V>()) as WeakMap<K, V>;
}

function symbolOf(name: string): symbol {
  return Symbol.for(`@weir/runtime ${name}`);
}
