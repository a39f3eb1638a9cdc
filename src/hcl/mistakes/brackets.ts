/** Finds the bracket that somebody forgot to close, by how the lines are indented. */

import { endOf } from "../scan.ts";
import type { SourceFile } from "../tree.ts";

/** A bracket that nothing closes. */
export interface Unclosed {
  /** Its offset. */
  readonly offset: number;
  /** The bracket itself. */
  readonly bracket: string;
  /** The number of the first line that is not inside of it; undefined for the end of the file. */
  readonly line?: number;
}

interface Opened {
  readonly offset: number;
  readonly bracket: string;
  /** How far the line is indented in which it was opened. */
  readonly indent: number;
  /** How far the first line inside of it is indented. */
  inner?: number;
}

const PARTNERS: Readonly<Record<string, string>> = { "}": "{", "]": "[", ")": "(" };
const HEREDOC = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)[ \t]*\r?\n/uy;
const ITEM = /[\p{ID_Start}_][\p{ID_Continue}-]*[ \t]*(?:=(?!=)|\{|"[^"\n]*"[ \t]*\{)/uy;

/** Finding it takes a way through the whole file, and each of its mistakes asks. */
const known = new WeakMap<SourceFile, Unclosed | "none">();

/** The bracket of a file that lacks its partner; undefined where all have one. */
export function unclosedBracket(file: SourceFile): Unclosed | undefined {
  const found = known.get(file) ?? search(file.text) ?? "none";
  known.set(file, found);
  return found === "none" ? undefined : found;
}

function search(text: string): Unclosed | undefined {
  const open: Opened[] = [];
  // Of the line at work: its number, its indentation, and whether there were only blanks so far.
  let [line, lineStart, indent, isFirst] = [1, 0, 0, true];
  let guess: Unclosed | undefined;
  let isMissing = false;
  for (let at = 0; at < text.length;) {
    const char = text[at];
    const top = open.at(-1);
    if (isFirst && !isBlank(char)) {
      indent = at - lineStart;
      if (top !== undefined && guess === undefined && endsBefore(text, at, top, indent)) {
        guess = { offset: top.offset, bracket: top.bracket, line };
      }
      if (top !== undefined) top.inner ??= indent;
      isFirst = false;
    }
    const end = inertAt(text, at);
    if (end === at && "{[(".includes(char)) open.push({ offset: at, bracket: char, indent });
    else if (end === at && char in PARTNERS) {
      const partner = open.findLastIndex(({ bracket }) => bracket === PARTNERS[char]);
      isMissing ||= partner >= 0 && partner < open.length - 1;
      if (partner >= 0) open.length = partner;
    }
    const next = Math.max(end, at + 1);
    for (; at < next; at++) {
      if (text[at] !== "\n") continue;
      line++;
      lineStart = at + 1;
      isFirst = true;
    }
  }
  const last = open.at(-1);
  // Where each bracket has its partner, the indentation tells nothing.
  if (!isMissing && last === undefined) return undefined;
  return guess ?? (last && { offset: last.offset, bracket: last.bracket });
}

/** Whether what begins a line shows that a bracket above should have been closed. */
function endsBefore(text: string, at: number, top: Opened, indent: number): boolean {
  const char = text[at];
  if (char in PARTNERS) {
    // The partner of an outer bracket, or one that is less indented than what it would close.
    return PARTNERS[char] !== top.bracket || indent < top.indent;
  }
  ITEM.lastIndex = at;
  if (!ITEM.test(text)) return false;
  // In a file without indentation nothing can be told by it.
  return top.bracket !== "{" || (indent <= top.indent && (top.inner ?? 0) > top.indent);
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t" || char === "\r" || char === "\n";
}

/** The end of a text, comment or heredoc that begins at an offset; the offset if none does. */
function inertAt(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at + 1);
  if (text[at] === "#" || text.startsWith("//", at)) return endOf(text, "\n", at);
  if (text.startsWith("/*", at)) return Math.min(endOf(text, "*/", at + 2) + 2, text.length);
  HEREDOC.lastIndex = at;
  const heredoc = HEREDOC.exec(text);
  if (heredoc === null) return at;
  // Line by line: the rest of the file may be long.
  for (let start = at + heredoc[0].length; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    if (text.slice(start, end).trim() === heredoc[1]) return end;
    start = end + 1;
  }
  return text.length;
}

/** A string ends with its line, where its quote is missing. */
function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') return at + 1;
    if (text[at] === "\n") return at;
    if (text[at] === "\\" && text[at + 1] !== "\n") at++;
  }
  return text.length;
}
