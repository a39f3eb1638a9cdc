/** What waits for one slow client beside what its socket holds. */
import type { Frame } from "../../../transport/frame.ts";

/** A queue that can make room for itself. Sizes are bytes on the wire. */
export interface Backlog {
  /** What waits. */
  readonly size: number;
  /** How many frames wait, those not counted that tell of others. */
  readonly count: number;
  /** The size of the oldest frame; 0 where there is none. */
  readonly nextSize: number;
  /** Adds a frame at the end. */
  push(frame: Frame): void;
  /** Takes the oldest frame; undefined where there is none. */
  shift(): Frame | undefined;
  /** Leaves out what may be left out until at most so much waits; false where that is not enough. */
  fit(size: number): boolean;
}

/** Takes the oldest frames until they have `enough` bytes, and never more than `most`. */
export function takeChunk(backlog: Backlog, enough: number, most: number): readonly Frame[] {
  const frames: Frame[] = [];
  let taken = 0;
  while (taken < enough && taken + backlog.nextSize <= most) {
    const frame = backlog.shift();
    if (frame === undefined) break;
    frames.push(frame);
    taken += frame.size;
  }
  return frames;
}
