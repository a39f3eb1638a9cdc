/** The patterns of `room` blocks: which rooms they mean, and which of several is the most specific. */
import { roomProblem } from "../protocol.ts";

const STAR = "*";

/** One pattern. `*` stands for any characters, `:` included, or for none; all else for itself. */
export class RoomPattern {
  readonly text: string;
  /** What stands between the stars, in order; one part where there is no star. */
  readonly #parts: readonly string[];

  /** Any text is a pattern. */
  constructor(text: string) {
    this.text = text;
    this.#parts = text.split(STAR);
  }

  /** Whether it means one room alone. */
  get literal(): boolean {
    return this.#parts.length === 1;
  }

  /** Why no room can match it; undefined where one can. */
  get problem(): string | undefined {
    const rest = this.#parts.join("");
    return rest === "" && !this.literal ? undefined : roomProblem(rest);
  }

  /** Whether it means this room. Takes time in proportion to the name, whatever the pattern. */
  matches(room: string): boolean {
    const [first, ...others] = this.#parts;
    const last = others.pop();
    if (last === undefined) return room === first;
    const end = room.length - last.length;
    if (end < first.length || !room.startsWith(first) || !room.endsWith(last)) return false;
    let at = first.length;
    for (const part of others) {
      // The earliest place leaves the most to what follows.
      const found = room.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  }

  /**
   * Below 0 where this one is more specific than another: the one without a star, then the one with
   * more characters before its first star, then the one with more characters in all; 0 where they
   * are alike.
   */
  compare(other: RoomPattern): number {
    return Number(other.literal) - Number(this.literal) ||
      other.#parts[0].length - this.#parts[0].length ||
      other.#parts.join("").length - this.#parts.join("").length;
  }
}
