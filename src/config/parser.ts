/** Asks hcl2json, or remembers what it said of the same text when the configuration was last read. */
import type { Node, TextCache } from "./scope.ts";

/** The part of hcl2json that is used here. */
export interface Hcl2Json {
  /** Rejects with what is wrong with the text. */
  parse(filename: string, text: string): Promise<unknown>;
  /** The syntax tree of an expression. */
  getExpressionAst(filename: string, text: string): Promise<Node | null>;
}

/** Whose answers are kept: another version may give others. */
const VERSION = "hcl2json 0.21";

/** hcl2json, which is loaded only where a text is new. What it refuses is never kept. */
export class HclParser implements Hcl2Json {
  readonly #load: () => Promise<Hcl2Json>;
  readonly #cache: TextCache | undefined;

  /** Without a cache every text is new. */
  constructor(load: () => Promise<Hcl2Json>, cache: TextCache | undefined) {
    this.#load = load;
    this.#cache = cache;
  }

  async parse(filename: string, text: string): Promise<void> {
    // What the text means is read elsewhere; only whether it can be parsed counts.
    await this.#remembered("parse", text, async (parser) => {
      await parser.parse(filename, text);
      return null;
    });
  }

  async getExpressionAst(filename: string, text: string): Promise<Node | null> {
    return await this.#remembered("tree", text, async (parser) => {
      return await parser.getExpressionAst(filename, text);
    });
  }

  async #remembered<T>(
    question: string,
    text: string,
    ask: (parser: Hcl2Json) => Promise<T>,
  ): Promise<T> {
    const cache = this.#cache;
    if (cache === undefined) return await ask(await this.#load());
    const key = await digest(`${VERSION}\n${question}\n${text}`);
    const known = await cache.read(key);
    if (known !== undefined) return JSON.parse(known) as T;
    const answer = await ask(await this.#load());
    await cache.write(key, JSON.stringify(answer));
    return answer;
  }
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
