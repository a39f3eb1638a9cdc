/** Stands for an object of which some members are others. */

/** The same object but for these members; whatever else is asked of it goes to the object itself. */
export function amend<T extends object>(target: T, members: Partial<T>): T {
  // Not made of the target: what is frozen there could not be another here.
  return new Proxy({} as T, {
    get(_nothing, name) {
      const owner = Object.hasOwn(members, name) ? members : target;
      const value: unknown = Reflect.get(owner, name, owner);
      // A private field is there for the object itself alone.
      return typeof value === "function" ? value.bind(owner) : value;
    },
    has: (_nothing, name) => Object.hasOwn(members, name) || Reflect.has(target, name),
  });
}
