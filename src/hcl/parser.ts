/** The HCL parser. */
import { toHex } from "../base/text.ts";
import type { Node, TextCache } from "./scope.ts";

/** The part of hcl2json that is used here. */
export interface Hcl2Json {
  /** Rejects with what is wrong with the text. */
  parse(filename: string, text: string): Promise<unknown>;
  /** The syntax tree of an expression. */
  getExpressionAst(filename: string, text: string): Promise<Node | null>;
}

/** The version whose output is cached, since another version may differ. */
const VERSION = "hcl2json 0.21";

/** A longer answer is not kept: the cache is there for configurations that are read every day. */
const LONGEST_KEPT = 4 * 2 ** 20;

/** How often to check that hcl2json is still running, in milliseconds. */
const LOOK = 500;

/**
 * hcl2json has ended in the middle of a text. It is a program of Go in WebAssembly, which is loaded
 * once: where its stack or memory is exhausted, it ends for good, or its state is not to be trusted.
 */
export class ParserEnded extends Error {
  /** `ParserEnded`. */
  override readonly name = "ParserEnded";
}

/** Those that have ended. */
const ended = new WeakSet<Hcl2Json>();

/** hcl2json, which is loaded only where a text is new. What it refuses is never kept. */
export class HclParser implements Hcl2Json {
  readonly #load: () => Promise<Hcl2Json>;
  readonly #cache: TextCache | undefined;

  /** Without a cache every text is new. */
  constructor(load: () => Promise<Hcl2Json>, cache: TextCache | undefined) {
    this.#load = load;
    this.#cache = cache;
  }

  /** @throws {ParserEnded} The parser does not survive the text, or has not survived one before. */
  async parse(filename: string, text: string): Promise<void> {
    // What the text means is read elsewhere; only whether it can be parsed counts.
    await this.#remembered("parse", text, async (parser) => {
      await parser.parse(filename, text);
      return null;
    });
  }

  /** @throws {ParserEnded} The parser does not survive the text, or has not survived one before. */
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
    if (cache === undefined) return await askSafely(await this.#load(), ask);
    const key = await digest(`${VERSION}\n${question}\n${text}`);
    const known = await cache.read(key);
    if (known !== undefined) return JSON.parse(known) as T;
    const answer = await askSafely(await this.#load(), ask);
    const kept = JSON.stringify(answer);
    if (kept.length <= LONGEST_KEPT) await cache.write(key, kept);
    return answer;
  }
}

/** The answer, or `ParserEnded`: a program of Go that has ended leaves its calls pending. */
async function askSafely<T>(parser: Hcl2Json, ask: (parser: Hcl2Json) => Promise<T>): Promise<T> {
  if (ended.has(parser)) throw new ParserEnded();
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    parser.parse("", "").catch(reject);
  }, LOOK);
  try {
    return await Promise.race([ask(parser), silence]);
  } catch (cause) {
    if (!isEnd(cause)) throw cause;
    ended.add(parser);
    throw new ParserEnded("", { cause });
  } finally {
    clearInterval(timer);
  }
}

function isEnd(error: unknown): boolean {
  return error instanceof RangeError || error instanceof WebAssembly.RuntimeError ||
    (error instanceof Error && error.message === "Go program has already exited");
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return toHex(new Uint8Array(bytes));
}

/** The name under which texts are parsed, so that places in the parser's errors can be told. */
export const parsedName = "<config>";
