/** Patterns of RE2, which take time that grows with the length of the text alone. */

import { RE2JS } from "re2js";
import { Failure } from "./failure.ts";
import type { Meter } from "./meter.ts";
import { weightOf } from "./pattern-weight.ts";

/** How large a pattern may be that the configuration holds. */
const LARGEST = 200_000;

/** How long and how large a pattern may be that an event brings. */
const LONGEST_OF_EVENT = 1_000;
const LARGEST_OF_EVENT = 20_000;

/** What compiling takes, and more for each unit of weight. */
const COMPILING = 5_000;
const COMPILING_UNIT = 30;

/** What a match of the shortest text takes. */
const TEST = 40;

/** The most memory that the states of one pattern take, in the library's own reckoning. */
const STATES = 2 ** 20;

/** What making a state takes, and more for each instruction of the pattern that it includes. */
const STATE = 50;
const STATE_PART = 20;

/** How many characters of a pattern one step per character looks for at once. */
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
   * Most texts are matched by a table of states, which grows as it is needed. What takes longer than
   * a look into the table is making a state, and matching without the table where it grows too
   * fast. The library calls these methods for that, and reports it in no other way.
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

/** The pattern of one event: short, and of bounded size. Throws a `Failure` for any other. */
export function patternOfEvent(meter: Meter, source: string): TextPattern {
  if (source.length > LONGEST_OF_EVENT) {
    throw new Failure(
      `matches() takes at most ${LONGEST_OF_EVENT} characters of a pattern that is not written out`,
    );
  }
  meter.spend(COMPILING + COMPILING_UNIT * Math.min(weightOf(source), LARGEST_OF_EVENT));
  return readable(source, LARGEST_OF_EVENT);
}

/** The pattern of the configuration. Throws a `Failure` where it is not a pattern. */
export function patternOfConfiguration(source: string): TextPattern {
  return readable(source);
}

function readable(source: string, largest?: number): TextPattern {
  try {
    return new TextPattern(source, largest);
  } catch (error) {
    if (error instanceof Failure) throw new Failure(`matches(): ${error.message}`);
    // The library's own error shows the pattern, which may be a part of what a client sent.
    throw new Failure("matches() cannot read its pattern");
  }
}
