/** Checks the names that expressions read as `match.name`. */
import { didYouMean } from "../base/nearest.ts";
import type { Expression } from "../expression/mod.ts";
import type { Report, Span } from "../hcl/tree.ts";

/** Where the names come from. */
export interface MatchNames {
  /** All that there are; undefined where some could not be read, which has been reported. */
  readonly names: readonly string[] | undefined;
  /** Says that there is no such name. */
  lacking(name: string): string;
}

/** Reports a `match.name` that there is not. */
export function checkMatch(
  { paths }: Expression,
  span: Span,
  from: MatchNames,
  report: Report,
): void {
  const { names } = from;
  if (names === undefined) return;
  for (const path of paths) {
    const [variable, name] = path.split(".");
    if (variable !== "match" || name === undefined || names.includes(name)) continue;
    report({
      code: "unknown-match",
      span: placeOf(`match.${name}`, span),
      message: from.lacking(name),
      hint: didYouMean(name, names) ?? `it has ${names.join(", ")}`,
    });
  }
}

/** Where an expression has this text as a whole word; all of it where it is written otherwise. */
function placeOf(text: string, span: Span): Span {
  const written = span.file.text.slice(span.start, span.end);
  let at = written.indexOf(text);
  while (at >= 0 && /\w/.test(written.charAt(at + text.length))) at = written.indexOf(text, at + 1);
  if (at < 0) return span;
  return { ...span, start: span.start + at, end: span.start + at + text.length };
}
