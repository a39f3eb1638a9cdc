/** Replaces members of objects that may be frozen or have private fields. */

/** The same object with some members replaced; all others are those of the object itself. */
export function amend<T extends object>(target: T, members: Partial<T>): T {
  // Not a proxy of the target itself, since frozen members cannot be replaced.
  return new Proxy({} as T, {
    get(_nothing, name) {
      const owner = Object.hasOwn(members, name) ? members : target;
      const value: unknown = Reflect.get(owner, name, owner);
      // Methods need the object itself for its private fields.
      return typeof value === "function" ? value.bind(owner) : value;
    },
    has: (_nothing, name) => Object.hasOwn(members, name) || Reflect.has(target, name),
  });
}
