/** The patterns of `room` blocks: which rooms they match, and which pattern is more specific. */
import { roomProblem } from "../protocol.ts";

const STAR = "*";

/** One pattern. `*` matches any characters, including `:`, or none; other characters match themselves. */
export class RoomPattern {
  readonly text: string;
  /** The parts between the stars, in order; one part where there is no star. */
  readonly #parts: readonly string[];

  /** Accepts any text. */
  constructor(text: string) {
    this.text = text;
    this.#parts = text.split(STAR);
  }

  /** Whether it matches exactly one room. */
  get literal(): boolean {
    return this.#parts.length === 1;
  }

  /** Why no room can match it; undefined where one can. */
  get problem(): string | undefined {
    const rest = this.#parts.join("");
    return rest === "" && !this.literal ? undefined : roomProblem(rest);
  }

  /** Whether it matches a room, in time proportional to the length of the name. */
  matches(room: string): boolean {
    const [first, ...others] = this.#parts;
    const last = others.pop();
    if (last === undefined) return room === first;
    const end = room.length - last.length;
    if (end < first.length || !room.startsWith(first) || !room.endsWith(last)) return false;
    let at = first.length;
    for (const part of others) {
      // The earliest match leaves the most text for the parts that follow.
      const found = room.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  }

  /**
   * Returns a number below 0 where this pattern is more specific than another: the one without a star,
   * then the one with more characters before its first star, then the one with more characters in
   * all. Returns 0 where they are equal.
   */
  compare(other: RoomPattern): number {
    return Number(other.literal) - Number(this.literal) ||
      other.#parts[0].length - this.#parts[0].length ||
      other.#parts.join("").length - this.#parts.join("").length;
  }
}
