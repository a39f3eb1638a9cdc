/**
 * The size limits of a configuration: of its texts, which would exhaust the parser, and of its values,
 * which can double from line to line.
 */
import { Scan } from "./scan.ts";
import { Call } from "./tree.ts";

/** The most characters of a file. */
const MAX_FILE = 16 * 2 ** 20;
/** The most blocks of a configuration, and the most attributes. */
const MAX_ITEMS = 100_000;
/** The most brackets, operators and `%{ if }` inside each other. */
const MAX_DEPTH = 200;
/** The most words, symbols and line breaks of a file: the parser keeps each in memory. */
const MAX_TOKENS = 2_000_000;
/** The most digits of a number. */
const MAX_DIGITS = 1_000;
/** Of the time for putting texts together, which grows with the square of their pieces: 5000 lines. */
const MAX_JOINING = 2.5e9;
/** The most characters, about, of the parser's answers on the values of all files. */
const MAX_ANSWER = 16 * 2 ** 20;

/** The most mistakes of a file that are explained: nobody reads more. */
export const MAX_MISTAKES = 1001;

/** What is known of a text before it is parsed. */
export interface Measured {
  /** Why it must not be parsed; undefined where it may. */
  readonly excess?: Excess | undefined;
  /** What of it is parsed; undefined where all is. */
  readonly cut?: Cut | undefined;
}

/**
 * The beginning of a text that the parser is sure to refuse. The parser needs microseconds for each
 * word, and does not survive all words of a comment that nothing closes.
 */
export interface Cut {
  /** That beginning, and what closes the blocks and brackets that are open at its end. */
  readonly text: string;
  /** Where it ends in the whole text. */
  readonly end: number;
  /** Whether a comment that nothing closes begins there. */
  readonly isComment: boolean;
}

/** Why a text is not parsed. */
export interface Excess {
  /** Where the text has too much of something. */
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
  /** True where all files together have too much, so that it is said once. */
  readonly together?: true;
}

type Reason = Omit<Excess, "offset">;

/** Measures the files of one configuration. */
export class Measure {
  #blocks = 0;
  #attributes = 0;
  #joining = 0;
  #answer = 0;

  /** Looks at one more text. */
  look(text: string): Measured {
    if (text.length > MAX_FILE) {
      return { excess: { offset: 0, message: "the file has more than 16 MB" } };
    }
    const scan = new Scan(text);
    let reason: Reason | undefined;
    while (reason === undefined && scan.mistakes < MAX_MISTAKES && scan.next()) {
      reason = this.#reasonAgainst(scan);
    }
    this.#blocks += scan.blocks;
    this.#attributes += scan.attributes;
    this.#joining += scan.joining;
    this.#answer += scan.answer;
    return { excess: reason && { offset: scan.offset, ...reason }, cut: cutOf(text, scan) };
  }

  #reasonAgainst(scan: Scan): Reason | undefined {
    if (scan.depth > MAX_DEPTH) {
      const message = `more than ${MAX_DEPTH} brackets and operators inside each other`;
      return { message: `syntax error: ${message}` };
    }
    if (this.#blocks + scan.blocks > MAX_ITEMS) {
      return { message: `the configuration has more than ${MAX_ITEMS} blocks`, together: true };
    }
    if (this.#attributes + scan.attributes > MAX_ITEMS) {
      const message = `the configuration has more than ${MAX_ITEMS} attributes`;
      return { message, together: true };
    }
    if (scan.tokens > MAX_TOKENS) {
      return { message: `the file has more than ${MAX_TOKENS} words, symbols and lines` };
    }
    if (scan.digits > MAX_DIGITS) {
      return { message: `the number has more than ${MAX_DIGITS} digits` };
    }
    const hint = 'move a large text to a separate file: file("path")';
    if (this.#joining + scan.joining > MAX_JOINING) {
      return {
        message: "the texts up to this place have too many lines, $ and %",
        hint,
        together: true,
      };
    }
    if (this.#answer + scan.answer > MAX_ANSWER) {
      return { message: "the values up to this place are too large", hint, together: true };
    }
    return undefined;
  }
}

function cutOf(text: string, scan: Scan): Cut | undefined {
  const isComment = scan.unclosed !== undefined;
  if (!isComment && scan.mistakes < MAX_MISTAKES) return undefined;
  const end = scan.unclosed ?? scan.offset + 1;
  return { text: text.slice(0, end) + scan.closing, end, isComment };
}

/** The most characters and items of one value. */
export const MAX_VALUE: number = 16 * 2 ** 20;
/** The most lists and objects inside each other. */
export const MAX_NESTING = 200;
/** The most characters and items of all values together, intermediate results included. */
const MAX_ALL = 64 * 2 ** 20;

/** How large a value is. */
export interface Extent {
  /** Its characters and items, each counted where it occurs. */
  readonly size: number;
  /** How many lists and objects are inside each other. */
  readonly nesting: number;
}

/** Of lists and objects: they do not change, and many others may hold the same one. */
const extents = new WeakMap<object, Extent>();

/** How large a value is. What is inside it has been measured before it. */
export function extentOf(value: unknown): Extent {
  if (typeof value === "string") return { size: value.length + 1, nesting: 0 };
  if (typeof value !== "object" || value === null) return { size: 1, nesting: 0 };
  const known = extents.get(value);
  if (known !== undefined) return known;
  let [size, nesting] = [1, 0];
  for (const item of itemsOf(value)) {
    const inner = extentOf(item);
    size += inner.size + 1;
    nesting = Math.max(nesting, inner.nesting);
  }
  const extent = { size, nesting: nesting + 1 };
  extents.set(value, extent);
  return extent;
}

/** What a value holds. The span of a call refers to its whole file, so it does not count. */
function itemsOf(value: object): readonly unknown[] {
  return value instanceof Call ? [value.name, value.arguments] : Object.values(value);
}

/** What the values of a configuration may still take. */
export class Budget {
  #left: number = MAX_ALL;

  /** Takes `size`; false the first time that not enough is left, undefined from then on. */
  take(size: number): boolean | undefined {
    if (this.#left < 0) return undefined;
    this.#left -= size;
    return this.#left >= 0;
  }
}
