/** Random values that are the same in every run of a test. */
import { uuidFrom } from "../base/ids.ts";

/** Several sequences of pseudorandom bytes, each with a name. One does not depend on the others. */
export class Randomness {
  readonly #states = new Map<string, number>();
  #seed = 0;

  /** Fills bytes with the next ones of a sequence. */
  fill(sequence: string, bytes: Uint8Array): void {
    let state = this.#states.get(sequence) ?? hash(sequence) ^ this.#seed;
    for (let at = 0; at < bytes.length; at++) {
      state = state + 0x6d2b79f5 | 0;
      bytes[at] = mix(state) & 0xff;
    }
    this.#states.set(sequence, state);
  }

  /** Makes UUIDs of a sequence. */
  ids(sequence: string): () => string {
    return () => uuidFrom((bytes) => this.fill(sequence, bytes));
  }

  /** What expressions use, as `loadConfig` takes it. */
  readonly expressions = (bytes: Uint8Array): void => this.fill("expressions", bytes);

  /** Begins every sequence anew; other sequences with another seed, which is an integer of 32 bits. */
  reset(seed = 0): void {
    this.#states.clear();
    this.#seed = seed;
  }
}

/** One step of mulberry32. */
function mix(state: number): number {
  let value = Math.imul(state ^ state >>> 15, state | 1);
  value ^= value + Math.imul(value ^ value >>> 7, value | 61);
  return (value ^ value >>> 14) >>> 0;
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return value;
}
