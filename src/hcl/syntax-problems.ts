/** What the HCL parser refuses, as problems. Loaded only for a file with such errors. */
import type { Problem } from "../base/problem.ts";
import { type Cut, MAX_MISTAKES } from "./limits.ts";
import { explain } from "./mistakes/mod.ts";
import { positionOf, problemAt, type SourceFile, startOfLine } from "./tree.ts";

/** Files are parsed under the name `<config>`. */
const place = /<config>:(\d+),(\d+)-(?:(\d+),)?(\d+)/;

/**
 * One problem for each line that has an error: what follows on a line has the same cause. `message` is
 * the parser's; undefined where it takes the part of the file that it was asked about.
 */
export function syntaxProblems(
  file: SourceFile,
  message: string | undefined,
  cut: Cut | undefined,
): Problem[] {
  if (cut === undefined || !cut.isComment) return refusals(file, message ?? "syntax error");
  const end = { file, start: cut.end, end: cut.end + 2 };
  const { line } = positionOf(end);
  const earlier = message === undefined
    ? []
    : refusals(file, message).filter((problem) => problem.line < line);
  return [
    ...earlier,
    problemAt({
      code: "syntax-error",
      span: end,
      message: "syntax error: nothing closes this comment",
      hint: 'write "*/" at its end',
    }),
  ];
}

function refusals(file: SourceFile, message: string): Problem[] {
  // Splitting at a pattern with groups returns the groups between the pieces.
  const [, ...pieces] = message.replace(/\]$/, "").split(new RegExp(`${place.source}: `));
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (let index = 0; index < pieces.length && problems.length < MAX_MISTAKES; index += 5) {
    const [line, column, endLine = line, endColumn, text] = pieces.slice(index, index + 5);
    if (seen.has(line)) continue;
    seen.add(line);
    const start = offsetOf(file, Number(line), Number(column));
    if (text.startsWith("Invalid multi-line string")) {
      // It swallows the text that follows, so the errors there are of its making.
      return [...problems, unclosedString(file, start)];
    }
    const end = offsetOf(file, Number(endLine), Number(endColumn));
    const found = { file, start, end };
    const { message: words, hint, span = found, isLast } = explain(found, text) ?? {};
    const message = words === undefined ? sentence(file, text) : `syntax error: ${words}`;
    problems.push(problemAt({ code: "syntax-error", span, message, hint }));
    if (isLast) return problems;
  }
  if (problems.length > 0) return problems;
  return [problemAt({ code: "syntax-error", span: { file, start: 0, end: 0 }, message })];
}

/** The parser blames the end of the line. */
function unclosedString(file: SourceFile, end: number): Problem {
  const start = Math.max(file.text.lastIndexOf('"', end), file.text.lastIndexOf("\n", end - 1) + 1);
  return problemAt({
    code: "syntax-error",
    span: { file, start, end },
    message: "syntax error: this string is not closed",
    hint: "end it with a quote on its line",
  });
}

/** "Summary; Detail. More detail." as one sentence. */
function sentence(file: SourceFile, text: string): string {
  const [first] = text.trim().split(/\.(?:\s|$)/);
  const lower = first.replace(/(^|; )([A-Z])(?=[a-z ])/g, (found) => found.toLowerCase());
  return `syntax error: ${lower.replace("; ", ": ")}`
    .replace(place, (_, line, column) => `${file.path}:${line}:${column}`);
}

/** The parser counts columns in grapheme clusters. */
function offsetOf(file: SourceFile, line: number, column: number): number {
  const start = startOfLine(file, line);
  const { text } = file;
  const newline = text.indexOf("\n", start);
  const rest = text.slice(start, newline < 0 ? text.length : newline);
  // Plain letters are a cluster each; a carriage return is none.
  if (/^[ -~\t]*$/.test(rest.slice(0, column))) return start + Math.min(column - 1, rest.length);
  let [offset, count] = [start, 1];
  for (const { segment } of new Intl.Segmenter("en").segment(rest)) {
    if (count++ >= column) break;
    offset += segment.length;
  }
  return offset;
}
