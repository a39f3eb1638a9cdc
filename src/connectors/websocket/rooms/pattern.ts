/** The patterns of `room` blocks: which rooms they match, and which pattern is more specific. */
import { roomProblem } from "../protocol.ts";
import { partsOf, type PatternProblem } from "./pattern-text.ts";

/** What the names of a pattern stand for in a room. */
export type Match = Readonly<Record<string, string>>;

const NO_NAMES: Match = Object.freeze({});

/** No position: the rest of the pattern does not match there. */
const NOWHERE = -1;

/**
 * One pattern. `*` matches any characters, including `:`, or none. `{name}` matches one or more
 * characters without `:`. Other characters match themselves.
 */
export class RoomPattern {
  readonly text: string;
  /** What is wrong with its braces. */
  readonly problems: readonly PatternProblem[];
  /** The texts between the wildcards, in order; one text where there is none. */
  readonly #texts: readonly string[];
  /** The name of a `{name}`; undefined for `*`. */
  readonly #wildcards: readonly (string | undefined)[];

  /** Accepts any text. */
  constructor(text: string) {
    const { texts, wildcards, problems } = partsOf(text);
    this.text = text;
    this.problems = problems;
    this.#texts = texts;
    this.#wildcards = wildcards;
  }

  /** Whether it matches exactly one room. */
  get literal(): boolean {
    return this.#wildcards.length === 0;
  }

  /** The names of its parts in braces. */
  get names(): readonly string[] {
    return this.#wildcards.filter((name) => name !== undefined);
  }

  /** Why no room can match it; undefined where one can. */
  get problem(): string | undefined {
    const rest = this.#texts.join("");
    return rest === "" && !this.literal ? undefined : roomProblem(rest);
  }

  /** Whether it matches a room. */
  matches(room: string): boolean {
    return this.valuesIn(room) !== undefined;
  }

  /**
   * The values of its names in a room that it matches; undefined for any other room. Takes time
   * proportional to the length of the room.
   */
  valuesIn(room: string): Match | undefined {
    const { length } = room;
    const [first] = this.#texts;
    const last = this.#texts[this.#texts.length - 1];
    if (this.literal) return room === first ? NO_NAMES : undefined;
    if (length < first.length + last.length) return undefined;
    if (!room.startsWith(first) || !room.endsWith(last)) return undefined;
    if (this.#wildcards.every((name) => name === undefined)) {
      return this.#starsMatch(room) ? NO_NAMES : undefined;
    }
    return this.#namesIn(room);
  }

  /** Whether a room that begins and ends right has the texts between the stars. */
  #starsMatch(room: string): boolean {
    const end = room.length - this.#texts[this.#texts.length - 1].length;
    let at = this.#texts[0].length;
    for (const text of this.#texts.slice(1, -1)) {
      // The earliest match leaves the most text for the texts that follow.
      const found = room.indexOf(text, at);
      if (found < 0 || found + text.length > end) return false;
      at = found + text.length;
    }
    return true;
  }

  /** From the left, a star takes as little as the rest of the pattern allows, a name as much. */
  #namesIn(room: string): Match | undefined {
    const ends = this.#endsIn(room);
    const values: [string, string][] = [];
    let at = 0;
    for (const [i, name] of this.#wildcards.entries()) {
      const start = at + this.#texts[i].length;
      const end = ends[i][start];
      if (end === NOWHERE) return undefined;
      if (name !== undefined) values.push([name, room.slice(start, end)]);
      at = end;
    }
    // fromEntries defines properties: a name "__proto__" is one like any other.
    return Object.fromEntries(values);
  }

  /** For each wildcard and each position where it may begin, where it ends if the rest matches. */
  #endsIn(room: string): readonly Int32Array[] {
    const { length } = room;
    const ends: Int32Array[] = [];
    const last = this.#wildcards.length;
    const isRest = (index: number, at: number): boolean => {
      const text = this.#texts[index];
      if (index === last) return at === length - text.length;
      return room.startsWith(text, at) && ends[index][at + text.length] !== NOWHERE;
    };
    for (let i = last - 1; i >= 0; i--) {
      const found = new Int32Array(length + 2).fill(NOWHERE);
      const isStar = this.#wildcards[i] === undefined;
      for (let at = length; at >= 0; at--) {
        if (isStar) found[at] = isRest(i + 1, at) ? at : found[at + 1];
        else if (at === length || room[at] === ":") found[at] = NOWHERE;
        else if (found[at + 1] !== NOWHERE) found[at] = found[at + 1];
        else if (isRest(i + 1, at + 1)) found[at] = at + 1;
      }
      ends[i] = found;
    }
    return ends;
  }

  /**
   * Returns a number below 0 where this pattern is more specific than another: the one without a
   * wildcard, then the one with more characters before its first wildcard, then the one with more
   * characters in all, then the one with a `{name}` where the other has a `*`. Returns 0 where they
   * are equal.
   */
  compare(other: RoomPattern): number {
    return Number(other.literal) - Number(this.literal) ||
      other.#texts[0].length - this.#texts[0].length ||
      other.#texts.join("").length - this.#texts.join("").length ||
      Number(other.#kinds > this.#kinds) - Number(other.#kinds < this.#kinds);
  }

  /** Its wildcards as a text. A name is greater than a star, and the end is greater than both. */
  get #kinds(): string {
    return this.#wildcards.map((name) => name === undefined ? "a" : "b").join("") + "c";
  }
}
