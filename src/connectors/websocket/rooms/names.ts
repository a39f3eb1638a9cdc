/** The names in the pattern of a `room` block, which its expressions read as `match.name`. */
import { didYouMean } from "../../../base/nearest.ts";
import type { ReadContext } from "../../../contract/fields.ts";
import type { Expression } from "../../../expression/mod.ts";
import type { RoomPattern } from "./pattern.ts";

type Report = ReadContext["report"];
type Span = Parameters<NonNullable<ReadContext["onExpression"]>>[1];

/** What a look-up without `params` sends beside the names. */
export const SENT: readonly string[] = ["room", "user_id"];

/** Reports what is wrong with the names of a pattern. `label` is its place, quotes included. */
export function checkPattern(
  { text, problems, names }: RoomPattern,
  label: Span,
  subject: string,
  report: Report,
): void {
  for (const { message, start, end } of problems) {
    report({
      code: "invalid-pattern",
      span: inside(label, text, start, end),
      message: `${subject}: ${message}`,
      hint: "{name} matches a part without colons; * also matches a brace",
    });
  }
  for (const name of names.filter((name) => SENT.includes(name))) {
    const start = text.indexOf(`{${name}}`);
    report({
      code: "invalid-pattern",
      span: inside(label, text, start, start + name.length + 2),
      message: `${subject}: the name "${name}" is taken: steps send ${SENT.join(" and ")}`,
      hint: "use another name",
    });
  }
}

/** Reports a `match.name` that the pattern does not have. */
export function checkMatch(
  { paths }: Expression,
  span: Span,
  { names, problems }: RoomPattern,
  subject: string,
  report: Report,
): void {
  // Names that could not be read have been reported.
  if (problems.length > 0) return;
  for (const path of paths) {
    const [variable, name] = path.split(".");
    if (variable !== "match" || name === undefined || names.includes(name)) continue;
    report({
      code: "unknown-match",
      span: placeOf(`match.${name}`, span),
      message: `${subject}: the pattern has no name "${name}"`,
      hint: didYouMean(name, names) ?? `it has ${names.join(", ")}`,
    });
  }
}

/** A part of a label; all of it where it is written with escapes. */
function inside(label: Span, text: string, start: number, end: number): Span {
  if (label.end - label.start !== text.length + 2) return label;
  return { ...label, start: label.start + 1 + start, end: label.start + 1 + end };
}

/** Where an expression has this text as a whole word; all of it where it is written otherwise. */
function placeOf(text: string, span: Span): Span {
  const written = span.file.text.slice(span.start, span.end);
  let at = written.indexOf(text);
  while (at >= 0 && /\w/.test(written.charAt(at + text.length))) at = written.indexOf(text, at + 1);
  if (at < 0) return span;
  return { ...span, start: span.start + at, end: span.start + at + text.length };
}
