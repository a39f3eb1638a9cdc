/** The tree that a configuration's text becomes: blocks and attributes in the order written. */

import { sharedWeakMap } from "../base/copies.ts";
import type { Problem, ProblemCode } from "../base/problem.ts";

/** One file of a configuration. */
export interface SourceFile {
  /** As shown to people. */
  readonly path: string;
  /** The whole text. */
  readonly text: string;
  /** What relative paths inside the file are relative to. */
  readonly folder: string;
  /** Why the file cannot be read, as the end of a sentence; its text is empty then. */
  readonly unreadable?: string;
}

/** A range of one file's text: offsets in UTF-16 units from 0, end exclusive. */
export interface Span {
  /** The file whose text it is. */
  readonly file: SourceFile;
  /** The offset of its first unit. */
  readonly start: number;
  /** The offset behind its last unit. */
  readonly end: number;
}

/** `name = value`. */
export interface Attribute {
  /** The name as written. */
  readonly name: string;
  /** The place of the name. */
  readonly nameSpan: Span;
  /** The evaluated plain value; undefined where the evaluation failed. */
  readonly value: unknown;
  /** The place of the value, including quotes and brackets. */
  readonly valueSpan: Span;
  /**
   * True where the value is one quoted string without escapes or templates, so that offset n of
   * the value is at `valueSpan.start + 1 + n`.
   */
  readonly verbatim: boolean;
  /** The evaluation failed, and the problem has been reported where there is one to report. */
  readonly failed?: true;
}

/** One label of a block, such as `"ws"` in `connector "ws" {`. */
export interface Label {
  /** What it says, without quotes and escapes. */
  readonly text: string;
  /** Its place, including quotes. */
  readonly span: Span;
}

/** `type "label" { … }`. */
export interface Block {
  /** The first word, such as `connector`. */
  readonly type: string;
  /** The place of that word. */
  readonly typeSpan: Span;
  /** In the order written; often one, the name. */
  readonly labels: readonly Label[];
  /** Type and labels, without the brace. */
  readonly headerSpan: Span;
  /** Everything between its braces. */
  readonly body: Body;
}

/** Everything between the braces of a block, or in a whole file. */
export interface Body {
  /** In the order written. */
  readonly attributes: readonly Attribute[];
  /** In the order written. */
  readonly blocks: readonly Block[];
  /** All of it, without the braces; the first file where several were merged. */
  readonly span: Span;
}

/** Whether some value of it could not be evaluated, which has been reported. */
export function hasFailed({ attributes, blocks }: Body): boolean {
  return attributes.some(({ failed }) => failed) || blocks.some(({ body }) => hasFailed(body));
}

/**
 * A call in a `type` block, such as `string({ min = 1 })`. A bare word there, such as `string`, is
 * a call without arguments. It is not evaluated: the reader of types builds the shape from it.
 */
export class Call {
  /** The name of what is called. */
  readonly name: string;
  /** The place of the name. */
  readonly span: Span;
  /** The evaluated arguments, which may hold calls again. */
  readonly arguments: readonly unknown[];

  /** The call of `name` at `span`. */
  constructor(name: string, span: Span, args: readonly unknown[]) {
    this.name = name;
    this.span = span;
    this.arguments = args;
  }
}

/** The place of an item of a list or a field of an object, like the place of an attribute's value. */
export type ItemPlace = Pick<Attribute, "valueSpan" | "verbatim">;

/** Places by collection and name: beside the values, which stay plain data. */
const itemPlaces = sharedWeakMap<object, ReadonlyMap<string, ItemPlace>>("places of items");

/** Keeps the places of the items of a list or object, by index or name. */
export function keepItemPlaces(collection: object, places: ReadonlyMap<string, ItemPlace>): void {
  itemPlaces.set(collection, places);
}

/**
 * The place of an item of an evaluated list or object; undefined for a collection that no
 * configuration holds.
 */
export function itemPlaceOf(collection: object, name: string): ItemPlace | undefined {
  return itemPlaces.get(collection)?.get(name);
}

/** A longer message or hint contains a name that is too long to read. */
const LONG = 1_000;

/** A problem and the text that it is about. */
export interface SourceProblem {
  /** One of Weir's codes. */
  readonly code: ProblemCode;
  /** What to underline. */
  readonly span: Span;
  /** One sentence that names the block and what is wrong with it. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** An error by default. */
  readonly severity?: "error" | "warning" | undefined;
}

/** Takes a problem. */
export type Report = (problem: SourceProblem) => void;

/** The line and column at which a span starts. */
export function positionOf(span: Span): Pick<Problem, "file" | "line" | "column"> {
  const { text, path } = span.file;
  const line = lineOf(span);
  const column = characters(text, startOfLine(span.file, line), span.start) + 1;
  return { file: path, line, column };
}

/** The problem with the line of its span and what `Problem` shows of it. */
export function problemAt(
  { code, span, message, hint, severity = "error" }: SourceProblem,
): Problem {
  const { text } = span.file;
  const { file, line, column } = positionOf(span);
  const start = startOfLine(span.file, line);
  const newline = text.indexOf("\n", span.start);
  const source = text.slice(start, newline < 0 ? text.length : newline).replace(/\r$/, "");
  const lineEnd = start + source.length;
  return {
    code,
    severity,
    message: cut(message),
    file,
    line,
    column,
    length: Math.max(1, characters(text, span.start, Math.min(span.end, lineEnd))),
    source,
    ...(hint === undefined ? {} : { hint: cut(hint) }),
  };
}

function cut(words: string): string {
  return words.length > LONG ? `${words.slice(0, LONG)}…` : words;
}

/**
 * The problems by file, line and column. Files come in the order of `paths`, those that it does not
 * name after them in the order of their first problem.
 */
export function sortProblems(
  problems: readonly Problem[],
  paths: readonly string[] = [],
): Problem[] {
  const order = [...new Set([...paths, ...problems.map((problem) => problem.file)])];
  const rank = new Map(order.map((path, index) => [path, index]));
  return [...problems].sort((a, b) =>
    (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) || a.line - b.line || a.column - b.column
  );
}

/** Where the lines of each file begin: asked for again and again, where a file has many problems. */
const lineStartsOf = new WeakMap<SourceFile, readonly number[]>();

/** The number of the line in which a span starts, from 1. */
export function lineOf({ file, start }: Span): number {
  const starts = startsOf(file);
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (starts[middle] <= start) low = middle;
    else high = middle;
  }
  return low + 1;
}

/** Where a line begins, from 1; the end of the text where there is none. */
export function startOfLine(file: SourceFile, line: number): number {
  return startsOf(file)[line - 1] ?? file.text.length;
}

function startsOf(file: SourceFile): readonly number[] {
  const starts = lineStartsOf.get(file) ?? lineStarts(file.text);
  lineStartsOf.set(file, starts);
  return starts;
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** How many characters (code points) a part of a text has. */
function characters(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; count++) at += (text.codePointAt(at) ?? 0) > 0xFFFF ? 2 : 1;
  return count;
}

/** A block's header, whether the block could be read or not. */
export interface Header {
  readonly type: string;
  readonly labels: readonly string[];
}
