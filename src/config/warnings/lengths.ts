/** Warns of `.length`, which is a field here. */
import { type PlacedFlow, placeOfPath, type Surroundings } from "./flow.ts";

/** Warns of each `input.text.length`. `input.box["length"]` reads a field of that name. */
export function warnOfLengths(
  { model: { name }, expressions }: PlacedFlow,
  { report }: Pick<Surroundings, "report">,
): void {
  const told = new Set<number>();
  for (const { expression: { paths, source }, span } of expressions) {
    for (const path of paths) {
      const parts = path.split(".");
      const isDotted = parts.length > 2 && parts.at(-1) === "length" && source.includes(path);
      // A field of that name has been looked for, so there may be one.
      if (!isDotted || source.includes(`has(${path})`) || told.has(span.start)) continue;
      told.add(span.start);
      const owner = parts.slice(0, -1).join(".");
      report({
        code: "length-field",
        span: placeOfPath(span, parts),
        message: `flow "${name}": ${path} is a field, and texts and lists have none`,
        hint: `write size(${owner}), or ${owner}['length'] for a field of that name`,
        severity: "warning",
      });
    }
  }
}
