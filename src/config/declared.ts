/** What a configuration may hold beside what could be read of it: one mistake is reported once. */
import type { Block, Body } from "./tree.ts";

/** The kinds of blocks at the top level. */
export const BLOCKS: readonly string[] = [
  "connector",
  "constants",
  "flow",
  "service",
  "test",
  "transform",
  "type",
];

/** A block's header, whether the block could be read or not. */
export interface Header {
  readonly type: string;
  readonly labels: readonly string[];
}

/** Every block that a configuration declares. */
export class Declared {
  readonly #headers: readonly Header[];
  readonly #opaque: boolean;

  /**
   * `recovered` stands in files that cannot be parsed; `opaque` is true where nobody knows what a
   * file holds.
   */
  constructor({ blocks }: Body, recovered: readonly Header[], opaque: boolean) {
    this.#headers = [...blocks.map(headerOf), ...recovered];
    this.#opaque = opaque;
  }

  /** Whether a block of this kind and name may be there, although nobody could read it. */
  mayExist(kind: string, name: string): boolean {
    return this.#opaque || this.#headers.some(({ type, labels: [label] }) =>
      // A kind with a misspelled name may be any, and a block that lost its name may have had any.
      (type === kind && (label === name || isNameless(label))) ||
      (!BLOCKS.includes(type) && label === name)
    );
  }

  /** Whether there may be more blocks of this kind than so many. */
  mayExceed(kind: string, known: number): boolean {
    const possible = this.#headers.filter(({ type, labels }) =>
      type === kind || (!BLOCKS.includes(type) && labels.length > 0)
    );
    return this.#opaque || possible.length > known;
  }
}

/** Whether a block may be one of constants whose kind is misspelled, so that it is none of `kinds`. */
export function mayHoldConstants(
  { type, labels }: { readonly type: string; readonly labels: readonly unknown[] },
  kinds: readonly string[] = [type],
): boolean {
  return !kinds.includes(type) && labels.length === 0;
}

function headerOf({ type, labels }: Block): Header {
  return { type, labels: labels.map(({ text }) => text) };
}

function isNameless(label: string | undefined): boolean {
  return label === undefined || label === "";
}
