/** Finds types that no value can satisfy, because each value would contain another one. */
import type { Definition, Kind, Part, Shape } from "./description.ts";

/** A field that makes its type endless. */
export interface EndlessField {
  /** The name of the type. */
  readonly type: string;
  /** The name of its field; undefined for a union, whose types are endless. */
  readonly field: string | undefined;
}

/** One field of each circle of types that always hold each other. */
export function endlessFields(definitions: ReadonlyMap<string, Definition>): EndlessField[] {
  const endless = endlessTypes(definitions);
  const seen = new Set<string>();
  const found: EndlessField[] = [];
  for (const start of endless.keys()) {
    const path: EndlessField[] = [];
    let type = start;
    for (let next; !seen.has(type) && (next = endless.get(type)) !== undefined; type = next.inner) {
      seen.add(type);
      path.push({ type, field: next.field });
    }
    // A path into a circle that an earlier one has found has no result.
    found.push(...path.filter((step) => step.type === type));
  }
  return found;
}

/** A field that always holds a value of the type `inner`. */
interface Forced {
  readonly field: string | undefined;
  readonly inner: string;
}

/** What remains when those that can end are taken away, again and again. */
function endlessTypes(
  definitions: ReadonlyMap<string, Definition>,
): ReadonlyMap<string, Forced> {
  let endless = new Map<string, Forced>();
  let candidates: ReadonlySet<string> = new Set(definitions.keys());
  do {
    const among = candidates;
    endless = new Map([...definitions].flatMap(([type, definition]): [string, Forced][] => {
      const forced = among.has(type) ? forcedOf(definition, among) : undefined;
      return forced === undefined ? [] : [[type, forced]];
    }));
    candidates = new Set(endless.keys());
    if (candidates.size === among.size) return endless;
  } while (candidates.size > 0);
  return endless;
}

function forcedOf(definition: Definition, types: ReadonlySet<string>): Forced | undefined {
  if (definition.kind === "object") return forcedIn(definition.shape, types);
  const inner = held(definition, types);
  return inner === undefined ? undefined : { field: undefined, inner };
}

/** A field of the shape that always holds one of the types. */
function forcedIn({ fields }: Shape, types: ReadonlySet<string>): Forced | undefined {
  for (const [field, part] of fields) {
    const inner = forcedBy(part, types);
    if (inner !== undefined) return { field, inner };
  }
  return undefined;
}

/** One of the types that the part always holds. A default is checked when it is completed. */
function forcedBy(part: Part, types: ReadonlySet<string>): string | undefined {
  return part.required && part.default === undefined ? held(part.kind, types) : undefined;
}

function held(kind: Kind, types: ReadonlySet<string>): string | undefined {
  switch (kind.kind) {
    case "reference":
      return types.has(kind.name) ? kind.name : undefined;
    case "object":
      return kind.shape && forcedIn(kind.shape, types)?.inner;
    case "union":
      // One that ends is enough.
      return kind.types.every((name) => types.has(name)) ? kind.types[0] : undefined;
    case "array":
      return (kind.minLength ?? 0) > 0 ? forcedBy(kind.items, types) : undefined;
    default:
      return undefined;
  }
}
