/** Problems of a configuration: counted for people, and as plain data for editors. */
import type { Problem } from "../base/problem.ts";

/** A place as the Language Server Protocol counts: lines and UTF-16 units, from 0. */
export interface EditorPosition {
  readonly line: number;
  readonly character: number;
}

/** A problem as `weir check --json` prints it. */
export interface ReportedProblem extends Omit<Problem, "source"> {
  /** The characters that the caret underlines, for editors; `end` is exclusive. */
  readonly range: { readonly start: EditorPosition; readonly end: EditorPosition };
}

/** Such as `2 problems, 1 warning`; what there is none of is left out. */
export function countProblems(problems: readonly Problem[]): string {
  const warnings = problems.filter(({ severity }) => severity === "warning").length;
  const errors = problems.length - warnings;
  return [
    ...(errors > 0 ? [count(errors, "problem")] : []),
    ...(warnings > 0 ? [count(warnings, "warning")] : []),
  ].join(", ");
}

/** Such as `1 flow` or `2 flows`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${amount === 1 ? noun : `${noun}s`}`;
}

/** A problem as plain data. */
export function toReported({ source, ...problem }: Problem): ReportedProblem {
  const line = Math.max(0, problem.line - 1);
  const before = Math.max(0, problem.column - 1);
  const start = { line, character: unitsOf(source, before) };
  const end = { line, character: unitsOf(source, before + problem.length) };
  return { ...problem, range: { start, end } };
}

/** How many UTF-16 units the first characters of a text have. */
function unitsOf(text: string, characters: number): number {
  return [...text].slice(0, characters).join("").length;
}
