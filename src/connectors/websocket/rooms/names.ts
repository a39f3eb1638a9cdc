/** The names in the pattern of a `room` block, which its expressions read as `match.name`. */
import type { ReadContext } from "../../../contract/fields.ts";
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

/** A part of a label; all of it where it is written with escapes. */
function inside(label: Span, text: string, start: number, end: number): Span {
  if (label.end - label.start !== text.length + 2) return label;
  return { ...label, start: label.start + 1 + start, end: label.start + 1 + end };
}
