/** What a type lets through, as far as it is known before any value. */
import type { KnownValue } from "../base/known-value.ts";
import type { Definition, Kind, Part } from "./description.ts";

/** The values that each field of an object can have; without those that may be anything. */
export function knownFields(
  fields: ReadonlyMap<string, Part>,
  definitions: ReadonlyMap<string, Definition>,
): ReadonlyMap<string, readonly KnownValue[]> {
  return new Map([...fields].flatMap(([name, { kind, required, default: filled }]) => {
    const values = valuesOf(kind, definitions);
    if (values === undefined) return [];
    const isThere = required || filled !== undefined;
    return [[name, isThere ? values : [...values, { kind: "null" } as const]] as const];
  }));
}

function valuesOf(
  kind: Kind,
  definitions: ReadonlyMap<string, Definition>,
): readonly KnownValue[] | undefined {
  switch (kind.kind) {
    case "string":
      if (kind.enum !== undefined) return kind.enum.map((value) => ({ value }));
      if (kind.format === "datetime") return [{ kind: "time" }];
      // A phone number may be digits alone.
      return [{
        kind: kind.format === undefined || kind.format === "phone" ? "text" : kind.format,
      }];
    case "number":
    case "integer":
      return kind.enum?.map((value) => ({ value })) ?? [{ kind: kind.kind }];
    case "boolean":
      return [{ kind: "boolean" }];
    case "id":
      return [{ kind: "text" }, { kind: "integer" }];
    case "array":
      return [{ kind: "list" }];
    case "object":
    case "union":
      return [{ kind: "object" }];
    case "reference":
      return definitions.has(kind.name) ? [{ kind: "object" }] : undefined;
    case "unknown":
      return undefined;
  }
}
