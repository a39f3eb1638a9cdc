/** What the parser has said of a configuration's texts, which every worker reads again. */
import type { TextCache } from "../runtime/load.ts";

/** A cache that can be sent to another process. */
export class Texts implements TextCache {
  readonly #known: Map<string, string>;
  readonly #beneath: TextCache | undefined;

  /** Holds what is known, and asks `beneath` for the rest. */
  constructor(known: readonly KnownText[] = [], beneath?: TextCache) {
    this.#known = new Map(known);
    this.#beneath = beneath;
  }

  /** What has been read or written. */
  get known(): readonly KnownText[] {
    return [...this.#known];
  }

  async read(key: string): Promise<string | undefined> {
    const text = this.#known.get(key) ?? await this.#beneath?.read(key);
    if (text !== undefined) this.#known.set(key, text);
    return text;
  }

  async write(key: string, text: string): Promise<void> {
    this.#known.set(key, text);
    await this.#beneath?.write(key, text);
  }
}

/** A key of a cache and its text. */
export type KnownText = readonly [key: string, text: string];
