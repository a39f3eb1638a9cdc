/** Patterns of RE2. Their time grows linearly with the length of the text. */

import { RE2JS } from "re2js";
import { Failure } from "./failure.ts";
import type { Meter } from "./meter.ts";

/** The largest weight of a pattern in the configuration. */
const LARGEST = 200_000;

/** The greatest length and weight of a pattern that comes with an event. */
const LONGEST_OF_EVENT = 1_000;
const LARGEST_OF_EVENT = 20_000;

/** Steps of compiling, and of each unit of weight. */
const COMPILING = 5_000;
const COMPILING_UNIT = 30;

/** Steps of a match of the shortest text. */
const TEST = 40;

/** The most memory for the states of one pattern, in the library's own units. */
const STATES = 2 ** 20;

/** Steps of making a state, and of each instruction of the pattern in it. */
const STATE = 50;
const STATE_PART = 20;

/** How many characters of a pattern are compared in one step for each character of the text. */
const LITERAL = 32;

/**
 * A compiled pattern. It has no look-around and no back-references, so that no text can make it
 * slow; how much it does for a text is counted all the same.
 */
export class TextPattern {
  /** As written. */
  readonly source: string;
  readonly #compiled: RE2JS;
  readonly #stepsPerCharacter: number;
  /** Counts what the library does at the moment. */
  #meter: Meter | undefined;

  /** Throws a `Failure` where the pattern is too large, the library's error where it is not a pattern. */
  constructor(source: string, largest: number = LARGEST) {
    if (weightOf(source) > largest) throw new Failure("the pattern is too large");
    this.source = source;
    this.#compiled = RE2JS.compile(source);
    // A literal in it may be looked for with the runtime's own search.
    this.#stepsPerCharacter = 1 + source.length / LITERAL;
    this.#count();
  }

  /** Whether it matches anywhere in the text. */
  test(meter: Meter, text: string): boolean {
    meter.spend(TEST + Math.ceil(this.#stepsPerCharacter * text.length));
    this.#meter = meter;
    try {
      return this.#compiled.test(text);
    } finally {
      this.#meter = undefined;
    }
  }

  /**
   * The library matches most texts with a table of states, which grows as needed. Making a state
   * takes longer than a look-up, and so does matching without the table where it grows too fast.
   * The library calls these methods for both, and does not report them in another way.
   */
  #count(): void {
    const size = this.#compiled.programSize();
    const engine = this.#compiled.re2();
    const { dfa } = engine;
    dfa.stateBudget = Math.min(dfa.stateBudget, STATES);
    dfa.memBudget = dfa.stateBudget;
    const makeState = dfa.makeState.bind(dfa);
    dfa.makeState = (...state) => {
      const made = makeState(...state);
      this.#meter?.spend(STATE + STATE_PART * (made?.nfaStates.length ?? size));
      return made;
    };
    const matchSlowly = engine.doExecuteNFA.bind(engine);
    engine.doExecuteNFA = (input, ...rest) => {
      this.#meter?.spend(input.endPos() * size);
      return matchSlowly(input, ...rest);
    };
  }
}

/** A pattern that comes with an event. Throws a `Failure` where it is too long or too large. */
export function patternOfEvent(meter: Meter, source: string): TextPattern {
  if (source.length > LONGEST_OF_EVENT) {
    throw new Failure(
      `matches() takes at most ${LONGEST_OF_EVENT} characters of a pattern that is not written out`,
    );
  }
  meter.spend(COMPILING + COMPILING_UNIT * Math.min(weightOf(source), LARGEST_OF_EVENT));
  return readable(source, LARGEST_OF_EVENT);
}

/** A pattern in the configuration. Throws a `Failure` where it is not a pattern. */
export function patternOfConfiguration(source: string): TextPattern {
  return readable(source);
}

function readable(source: string, largest?: number): TextPattern {
  try {
    return new TextPattern(source, largest);
  } catch (error) {
    if (error instanceof Failure) throw new Failure(`matches(): ${error.message}`);
    // The library's own error contains the pattern, which may come from a client.
    throw new Failure("matches() cannot parse its pattern");
  }
}

/** The most ranges of characters in a class of Unicode such as `\pL`. */
const UNICODE_CLASS = 700;

/** The ranges in any other class. */
const CLASS = 4;

/** The library walks a range that ignores case character by character. */
const FOLDED_RANGE = 5_000;

/** One group of a pattern, as far as it has been read. */
interface Group {
  /** The weight of its parts. */
  weight: number;
  /** The weight of the last part, which a repetition repeats. */
  last: number;
}

/**
 * The size of the compiled pattern, found in its text alone: at least the number of its
 * instructions. Repetitions multiply, and classes count their ranges. Text that is not a pattern
 * has a weight, too.
 */
export function weightOf(pattern: string): number {
  const groups: Group[] = [{ weight: 0, last: 0 }];
  const folds = pattern.includes("(?");
  let at = 0;
  const add = (weight: number) => {
    const group = groups[groups.length - 1];
    group.weight += weight;
    group.last = weight;
  };
  while (at < pattern.length) {
    const token = tokenAt(pattern, at);
    at += token.length;
    const group = groups[groups.length - 1];
    if (token.startsWith("{") && token.length > 1) {
      const [least, most = least] = token.slice(1, -1).split(",").map(Number);
      const times = Math.max(least, most, 1);
      group.weight += group.last * times;
      group.last *= times + 1;
    } else if (token === "(") groups.push({ weight: 2, last: 0 });
    else if (token === ")" && groups.length > 1) {
      groups.pop();
      add(group.weight);
    } else add(tokenWeight(token, folds));
  }
  return groups.reduce((sum, { weight }) => sum + weight, 0);
}

const REPETITION = /\{\d+(?:,\d*)?\}/y;
const UNICODE = /\\[pP](?:\{[^}]*\}|[^{])/uy;
const FLAGS = /\(\?[^:>)]*[:>)]/y;

function tokenAt(pattern: string, at: number): string {
  switch (pattern[at]) {
    case "[":
      return pattern.slice(at, endOfClass(pattern, at));
    case "{":
      return stickyAt(REPETITION, pattern, at) ?? "{";
    case "(": {
      const flags = stickyAt(FLAGS, pattern, at);
      // `(?i)` opens no group, and the flags of a group have no weight.
      return flags === undefined ? "(" : flags.endsWith(")") ? flags : "(";
    }
    case "\\": {
      if (pattern[at + 1] !== "Q") {
        return stickyAt(UNICODE, pattern, at) ?? pattern.slice(at, at + 2);
      }
      const end = pattern.indexOf("\\E", at);
      return end < 0 ? pattern.slice(at) : pattern.slice(at, end + 2);
    }
    default:
      return pattern[at];
  }
}

function stickyAt(expression: RegExp, text: string, at: number): string | undefined {
  expression.lastIndex = at;
  return expression.exec(text)?.[0];
}

/** The end of a class. A first `]` belongs to it, and so does that of `[:alpha:]`. */
function endOfClass(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern[at] === "^") at++;
  if (pattern[at] === "]") at++;
  for (; at < pattern.length && pattern[at] !== "]"; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern.startsWith("[:", at)) {
      const end = pattern.indexOf(":]", at);
      if (end >= 0) at = end + 1;
    }
  }
  return at + 1;
}

function tokenWeight(token: string, folds: boolean): number {
  if (token[0] === "[") return classWeight(token, folds);
  if (token[0] !== "\\") return folds ? 2 * CLASS : 2;
  if (token[1] === "p" || token[1] === "P") return UNICODE_CLASS;
  return CLASS * token.length;
}

function classWeight(token: string, folds: boolean): number {
  let weight = CLASS;
  for (let at = 1; at < token.length; at++) {
    weight += folds ? CLASS : 2;
    if (token[at] === "\\" && /[pP]/.test(token[at + 1])) weight += UNICODE_CLASS;
    // A range that ends beyond ASCII may have any number of characters.
    if (folds && token[at] === "-" && !/[ -[\]-~]/.test(token[at + 1])) weight += FOLDED_RANGE;
  }
  return weight;
}
