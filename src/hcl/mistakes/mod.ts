/**
 * What is wrong with a text that is not HCL, and the line as it should be: the parser names what it
 * expected, which helps nobody who came from another language.
 */
import { positionOf, type SourceFile, type Span, startOfLine } from "../tree.ts";
import { unclosedBracket } from "./brackets.ts";
import { correctLine } from "./lines.ts";

/** A mistake in words for people. */
export interface Explanation {
  /** What is wrong. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The place, where it is another one than the parser's. */
  readonly span?: Span;
  /** Whether what follows in the file has the same cause. */
  readonly isLast?: boolean;
}

/** A longer line is hard to read in a hint. */
const LONGEST = 200;

/** The hint for a file in another language. */
const BLOCKS = 'a configuration has blocks, such as connector "ws" { … }';

/** Explains what the parser says of a place; undefined where its own words are the best there are. */
export function explain(span: Span, summary: string): Explanation | undefined {
  const { file } = span;
  const { line } = positionOf(span);
  return ofFile(file, span) ?? ofBracket(span, summary, line) ?? ofPair(span, summary, line) ??
    ofLine(span, summary, line) ?? ofSummary(summary);
}

/** JSON, YAML and programs. */
function ofFile(file: SourceFile, span: Span): Explanation | undefined {
  const start = file.text.search(/\S/);
  const text = file.text.slice(Math.max(0, start));
  const isFirst = positionOf(span).line === positionOf({ file, start, end: start }).line;
  const language = /^(?:export |module\.exports|import |package |function )/.test(text)
    ? "a program"
    : !isFirst
    ? undefined
    : /^[{[]/.test(text)
    ? "JSON"
    : /^(?:---\s|[\w-]+:[ \t]*\r?\n)/.test(text)
    ? "YAML"
    : undefined;
  if (language === undefined) return undefined;
  const [line] = text.split(/\r?\n/, 1);
  return {
    message: `this is ${language}, and a configuration is HCL`,
    hint: BLOCKS,
    span: { file, start, end: start + line.length },
    isLast: true,
  };
}

/** A bracket that nothing closes, or one too many. */
function ofBracket(span: Span, summary: string, line: number): Explanation | undefined {
  const { file, start } = span;
  if (file.text[start] === "}") {
    return {
      message: 'this "}" closes nothing',
      hint: "leave it out, or look for a block above that is closed too early",
      isLast: true,
    };
  }
  const open = unclosedBracket(file);
  if (open === undefined) return undefined;
  const { offset, bracket, line: end = Infinity } = open;
  const opened = { file, start: offset, end: offset + 1 };
  // Another mistake may come before.
  const isLater = positionOf(opened).line > line && !summary.startsWith("Unclosed");
  if (isLater || (bracket !== "{" && end > line && end < Infinity)) {
    return undefined;
  }
  const closer = bracket === "{" ? "}" : bracket === "[" ? "]" : ")";
  const where = end === Infinity ? "at its end" : `before line ${end}`;
  const hint = `write "${closer}" ${where}`;
  return { message: `nothing closes this "${bracket}"`, hint, span: opened, isLast: true };
}

/** A mistake that two lines share. */
function ofPair(span: Span, summary: string, line: number): Explanation | undefined {
  const { file } = span;
  const own = lineAt(file, line).trim();
  const next = lineAt(file, line + 1).trim();
  if (/^Invalid block definition/.test(summary) && next.startsWith("{")) {
    return {
      message: 'the "{" of a block must be on the line of its name',
      hint: `write ${own} {`,
    };
  }
  if (own.endsWith("=") && next.startsWith("-")) {
    const items: string[] = [];
    for (let at = line + 1; lineAt(file, at).trim().startsWith("-"); at++) {
      items.push(lineAt(file, at).trim().slice(1).trim());
    }
    return {
      message: "a list is in brackets, with commas",
      hint: `write ${own} [${items.join(", ")}]`,
      isLast: true,
    };
  }
  if (/^Missing (?:item|attribute) separator/.test(summary)) {
    const text = lineAt(file, line);
    const column = span.start - startOfLine(file, line);
    const before = text.slice(0, column).trim();
    const hint = before === ""
      ? "write a comma at the end of the line above"
      : `write ${before}, ${text.slice(column).trim()}`;
    return { message: "a comma is missing before this", hint };
  }
  return undefined;
}

/** A mistake within one line. */
function ofLine(span: Span, summary: string, line: number): Explanation | undefined {
  const known = /^(?:Argument or block|Invalid|Missing newline|Unexpected comma|Unsupported)/;
  const correct = known.test(summary) ? correctLine(lineAt(span.file, line)) : undefined;
  return correct && { message: correct.reason, hint: `write ${correct.text}` };
}

/** Errors of the parser that read better in other words: pattern, message, hint. */
const KNOWN: readonly (readonly [RegExp, string, string | undefined])[] = [
  [
    /^Invalid single-argument block definition/,
    "a block on one line holds one argument",
    "write each argument on a line of its own, without commas",
  ],
  [
    /^Invalid expression; Expected the start of an expression/,
    "there is no value here",
    "write text in quotes, a list in [ ], an object in { }",
  ],
  [
    /^Argument or block definition required/,
    "this is neither an attribute nor a block",
    'write NAME = VALUE, or NAME { … }, or a comment after "#"',
  ],
  [
    /^Missing newline after argument/,
    "the line goes on behind its value",
    "a text needs double quotes, and each attribute a line of its own",
  ],
];

function ofSummary(summary: string): Explanation | undefined {
  const twice = /^Attribute redefined; The argument "([^"]*)" was already set at [^:]*:(\d+)/
    .exec(summary);
  if (twice !== null) {
    const [, name, line] = twice;
    return { message: `"${name}" is here twice`, hint: `keep this one, or that of line ${line}` };
  }
  const [, message, hint] = KNOWN.find(([pattern]) => pattern.test(summary)) ?? [];
  return message === undefined ? undefined : { message, ...(hint && { hint }) };
}

/** A line as far as a hint can show it. */
function lineAt(file: SourceFile, line: number): string {
  const start = startOfLine(file, line);
  const end = startOfLine(file, line + 1);
  return end - start > LONGEST ? "" : file.text.slice(start, end).trimEnd();
}
