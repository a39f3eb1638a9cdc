/** The HCL parser, and its errors as problems. */
import type { Problem } from "../base/problem.ts";
import { toHex } from "../base/text.ts";
import type { Node, TextCache } from "./scope.ts";
import { problemAt, type SourceFile, startOfLine } from "./tree.ts";

/** The part of hcl2json that is used here. */
export interface Hcl2Json {
  /** Rejects with what is wrong with the text. */
  parse(filename: string, text: string): Promise<unknown>;
  /** The syntax tree of an expression. */
  getExpressionAst(filename: string, text: string): Promise<Node | null>;
}

/** The version whose output is cached, since another version may differ. */
const VERSION = "hcl2json 0.21";

/** A longer answer is not kept: the cache is there for configurations that are read every day. */
const LONGEST_KEPT = 4 * 2 ** 20;

/** How often to check that hcl2json is still running, in milliseconds. */
const LOOK = 500;

/**
 * hcl2json has ended in the middle of a text. It is a program of Go in WebAssembly, which is loaded
 * once: where its stack or memory is exhausted, it ends for good, or its state is not to be trusted.
 */
export class ParserEnded extends Error {
  /** `ParserEnded`. */
  override readonly name = "ParserEnded";
}

/** Those that have ended. */
const ended = new WeakSet<Hcl2Json>();

/** hcl2json, which is loaded only where a text is new. What it refuses is never kept. */
export class HclParser implements Hcl2Json {
  readonly #load: () => Promise<Hcl2Json>;
  readonly #cache: TextCache | undefined;

  /** Without a cache every text is new. */
  constructor(load: () => Promise<Hcl2Json>, cache: TextCache | undefined) {
    this.#load = load;
    this.#cache = cache;
  }

  /** @throws {ParserEnded} The parser does not survive the text, or has not survived one before. */
  async parse(filename: string, text: string): Promise<void> {
    // What the text means is read elsewhere; only whether it can be parsed counts.
    await this.#remembered("parse", text, async (parser) => {
      await parser.parse(filename, text);
      return null;
    });
  }

  /** @throws {ParserEnded} The parser does not survive the text, or has not survived one before. */
  async getExpressionAst(filename: string, text: string): Promise<Node | null> {
    return await this.#remembered("tree", text, async (parser) => {
      return await parser.getExpressionAst(filename, text);
    });
  }

  async #remembered<T>(
    question: string,
    text: string,
    ask: (parser: Hcl2Json) => Promise<T>,
  ): Promise<T> {
    const cache = this.#cache;
    if (cache === undefined) return await askSafely(await this.#load(), ask);
    const key = await digest(`${VERSION}\n${question}\n${text}`);
    const known = await cache.read(key);
    if (known !== undefined) return JSON.parse(known) as T;
    const answer = await askSafely(await this.#load(), ask);
    const kept = JSON.stringify(answer);
    if (kept.length <= LONGEST_KEPT) await cache.write(key, kept);
    return answer;
  }
}

/** The answer, or `ParserEnded`: a program of Go that has ended leaves its calls pending. */
async function askSafely<T>(parser: Hcl2Json, ask: (parser: Hcl2Json) => Promise<T>): Promise<T> {
  if (ended.has(parser)) throw new ParserEnded();
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    parser.parse("", "").catch(reject);
  }, LOOK);
  try {
    return await Promise.race([ask(parser), silence]);
  } catch (cause) {
    if (!isEnd(cause)) throw cause;
    ended.add(parser);
    throw new ParserEnded("", { cause });
  } finally {
    clearInterval(timer);
  }
}

function isEnd(error: unknown): boolean {
  return error instanceof RangeError || error instanceof WebAssembly.RuntimeError ||
    (error instanceof Error && error.message === "Go program has already exited");
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return toHex(new Uint8Array(bytes));
}

/** The name under which texts are parsed, so that places in the parser's errors can be told. */
export const parsedName = "<config>";

const place = /<config>:(\d+),(\d+)-(?:(\d+),)?(\d+)/;

/** Errors of the parser that read better in other words: pattern, message, hint. */
const KNOWN: readonly (readonly [RegExp, string, string])[] = [
  [
    /^Invalid single-argument block definition/,
    "a block on one line holds one argument",
    "write each argument on a line of its own",
  ],
  [
    /^Invalid expression; Expected the start of an expression/,
    "there is no value here",
    "write text in quotes, a list in [ ], an object in { }",
  ],
];

/** One problem for each line that has an error: what follows on a line has the same cause. */
export function syntaxProblems(file: SourceFile, message: string): Problem[] {
  // Splitting at a pattern with groups returns the groups between the pieces.
  const [, ...pieces] = message.replace(/\]$/, "").split(new RegExp(`${place.source}: `));
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (let index = 0; index < pieces.length; index += 5) {
    const [line, column, endLine = line, endColumn, text] = pieces.slice(index, index + 5);
    if (seen.has(line)) continue;
    seen.add(line);
    const start = offsetOf(file, Number(line), Number(column));
    if (text.startsWith("Invalid multi-line string")) {
      // It swallows the text that follows, so the errors there are of its making.
      return [...problems, unclosedString(file, start)];
    }
    const end = offsetOf(file, Number(endLine), Number(endColumn));
    const span = { file, start, end };
    const [, words, hint] = KNOWN.find(([pattern]) => pattern.test(text)) ?? [];
    const message = words === undefined ? sentence(file, text) : `syntax error: ${words}`;
    problems.push(problemAt({ code: "syntax-error", span, message, hint }));
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
