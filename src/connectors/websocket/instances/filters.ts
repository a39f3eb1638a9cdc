/**
 * The filters of messages and orders, by a hash of their texts: two instances may have different
 * configurations, and what the sender's filter says counts.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { isObject } from "../../../base/json.ts";
import { messageOf } from "../../../base/shown.ts";
import { toHex } from "../../../base/text.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Logger } from "../../../contract/connector.ts";
import type { Expression, Scope } from "../../../expression/mod.ts";
import type { WebSocketDestinationOptions } from "../options.ts";
import type { Head } from "./wire.ts";

/** At most this many filters of other configurations are remembered, and instances that tell none. */
const MOST = 1_000;
/** The longest text of a filter that is compiled, in characters. */
const LONGEST = 65_536;
/** An instance that took this long and told nothing is not asked again for a while, in milliseconds. */
const SLOW = 1_000;
const PAUSE = 10_000;

/** What filters need from their connector. */
export interface FilterContext {
  readonly logger: Logger;
  readonly clock: Clock;
  /** The options of the blocks that write to the connector. */
  readonly requests: readonly unknown[];
  /** Compiles as the configuration does. */
  readonly compile: (text: string, variables: readonly string[]) => Expression;
  /** Asks an instance for the text of a filter; undefined where it does not answer. */
  readonly ask: (instance: string, hash: string) => Promise<string | undefined>;
}

/** The filters that this instance knows. */
export class Filters {
  readonly #context: FilterContext;
  readonly #own = new Map<string, Expression>();
  readonly #crossing = new WeakMap<Expression, Crossing>();
  /** Those of others; undefined for one that does not compile here. */
  readonly #learned = new Map<string, Expression | undefined>();
  /** Instances that have not told a filter, and until when they are not asked again. */
  readonly #silent = new Map<string, number>();

  constructor(context: FilterContext) {
    this.#context = context;
    for (const options of context.requests) {
      const { filter } = options as Partial<WebSocketDestinationOptions>;
      if (filter !== undefined) this.#crossingOf(filter);
    }
  }

  /** A filter as it crosses, with the values that it reads. */
  pack(filter: Expression, scope: Scope): Pick<Head, "filter" | "values"> {
    const { hash, paths } = this.#crossingOf(filter);
    return { filter: hash, values: read(paths, scope) };
  }

  /** The text of a filter that this instance has sent with; undefined for another one. */
  textOf(hash: string): string | undefined {
    return this.#own.get(hash)?.source;
  }

  /**
   * The filter with this hash. It is asked for where it is unknown here, once. Undefined where it
   * cannot be used here. Never rejects.
   */
  find(
    hash: string,
    values: Scope,
    from: string,
  ): Expression | undefined | Promise<Expression | undefined> {
    const own = this.#own.get(hash);
    if (own !== undefined) return own;
    if (this.#learned.has(hash)) return this.#learned.get(hash);
    return this.#learn(hash, ["client", ...Object.keys(values)], from);
  }

  async #learn(
    hash: string,
    variables: readonly string[],
    from: string,
  ): Promise<Expression | undefined> {
    const { compile, logger } = this.#context;
    const text = await this.#ask(hash, from);
    if (text === undefined) return undefined;
    let filter: Expression | undefined;
    try {
      filter = compile(text, variables);
    } catch (error) {
      // A name that only the sender's configuration has, such as an environment variable.
      logger.error(
        "instance {from} sends with the filter {filter}, which does not compile here: no client " +
          "of this instance receives these messages: {reason}",
        { from, filter: text, reason: messageOf(error) },
      );
    }
    this.#learned.set(hash, filter);
    if (this.#learned.size > MOST) this.#learned.delete(this.#learned.keys().next().value!);
    return filter;
  }

  /** What waits behind the message must not wait for the same instance again and again. */
  async #ask(hash: string, from: string): Promise<string | undefined> {
    const { ask, clock, logger } = this.#context;
    const began = clock.elapsed();
    const until = this.#silent.get(from);
    if (until !== undefined && began < until) return undefined;
    const text = await ask(from, hash);
    if (text !== undefined && text.length <= LONGEST && hashOf(text) === hash) {
      this.#silent.delete(from);
      return text;
    }
    const now = clock.elapsed();
    this.#silent.set(from, now - began < SLOW ? now : now + PAUSE);
    if (this.#silent.size > MOST) this.#silent.delete(this.#silent.keys().next().value!);
    if (until === undefined) {
      logger.error(
        "instance {from} sends with a filter that it does not tell: no client of this instance " +
          "receives such messages",
        { from },
      );
    }
    return undefined;
  }

  #crossingOf(filter: Expression): Crossing {
    let crossing = this.#crossing.get(filter);
    if (crossing === undefined) {
      crossing = { hash: hashOf(filter.source), paths: treeOf(filter.paths) };
      this.#crossing.set(filter, crossing);
      this.#own.set(crossing.hash, filter);
    }
    return crossing;
  }
}

/** How a filter crosses. */
interface Crossing {
  readonly hash: string;
  /** What it reads beside `client`. */
  readonly paths: Paths;
}

/** The names that a filter reads in a map, each with those below it; undefined for the whole value. */
interface Paths extends ReadonlyMap<string, Paths | undefined> {}

function hashOf(text: string): string {
  return toHex(sha256(utf8ToBytes(text)));
}

function treeOf(paths: ReadonlySet<string>): Paths {
  const tree = new Map<string, Map<string, never> | undefined>();
  for (const path of paths) {
    const names = path.split(".");
    if (names[0] !== "client") addPath(tree as Tree, names);
  }
  return tree;
}

interface Tree extends Map<string, Tree | undefined> {}

function addPath(tree: Tree, [name, ...below]: readonly string[]): void {
  if (below.length === 0) tree.set(name, undefined);
  else if (!tree.has(name)) {
    const inner: Tree = new Map();
    tree.set(name, inner);
    addPath(inner, below);
  } else {
    const inner = tree.get(name);
    if (inner !== undefined) addPath(inner, below);
  }
}

/** The parts of a map that are read. What is no plain map is read as a whole. */
function read(paths: Paths, map: Scope): Record<string, unknown> {
  const found = [...paths].map(([name, below]): [string, unknown] => {
    const value = map[name];
    return [name, below !== undefined && isPlain(value) ? readIn(below, value) : value ?? null];
  });
  return Object.fromEntries(found);
}

function readIn(paths: Paths, map: Scope): Record<string, unknown> {
  return read(new Map([...paths].filter(([name]) => Object.hasOwn(map, name))), map);
}

function isPlain(value: unknown): value is Scope {
  if (!isObject(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
