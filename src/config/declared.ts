/** What a configuration may hold beside what could be read of it: one mistake is reported once. */
import { nearest } from "../base/nearest.ts";
import type { Block, Body, Header } from "../hcl/tree.ts";

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

/** The blocks of one kind. */
interface Kind {
  readonly names: Set<string>;
  /** Those whose name is missing or empty. */
  nameless: number;
  /** All of them. */
  count: number;
}

/** Every block that a configuration declares. */
export class Declared {
  readonly #kinds = new Map<string, Kind>();
  /** The names of blocks of an unknown kind, which may be any kind, misspelled. */
  readonly #strange = new Set<string>();
  /** How many blocks those are. */
  #strangers = 0;
  /** The kinds of the blocks that could not be read, as written. */
  readonly #unread: readonly string[];
  readonly #opaque: boolean;

  /**
   * `recovered` comes from files that cannot be parsed; `opaque` is true where the contents of a
   * file are unknown.
   */
  constructor({ blocks }: Body, recovered: readonly Header[], opaque: boolean) {
    this.#opaque = opaque;
    this.#unread = [...blocks.filter(({ type }) => !BLOCKS.includes(type)), ...recovered]
      .map(({ type }) => type);
    for (const block of blocks) this.#add(headerOf(block));
    for (const header of recovered) this.#add(header);
  }

  /** Whether a block of this kind and name may exist, although it could not be read. */
  mayExist(kind: string, name: string): boolean {
    if (this.#opaque || this.#strange.has(name)) return true;
    const known = this.#kinds.get(kind);
    // A block that lost its name may have had any.
    return known !== undefined && (known.nameless > 0 || known.names.has(name));
  }

  /** Whether there may be more blocks of this kind than `known`. */
  mayExceed(kind: string, known: number): boolean {
    return this.#opaque || (this.#kinds.get(kind)?.count ?? 0) + this.#strangers > known;
  }

  /** Whether there may be a block of this kind that could not be read. */
  mayMiss(kind: string): boolean {
    return this.#opaque || this.#unread.some((type) => nearest(type, [kind]) !== undefined);
  }

  #add({ type, labels: [name] }: Header): void {
    if (!BLOCKS.includes(type)) {
      if (name === undefined) return;
      this.#strange.add(name);
      this.#strangers++;
      return;
    }
    const kind = this.#kinds.get(type) ?? { names: new Set(), nameless: 0, count: 0 };
    this.#kinds.set(type, kind);
    kind.count++;
    if (name === undefined || name === "") kind.nameless++;
    else kind.names.add(name);
  }
}

function headerOf({ type, labels }: Block): Header {
  return { type, labels: labels.map(({ text }) => text) };
}
