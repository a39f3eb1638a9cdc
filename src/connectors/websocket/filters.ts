/** The filters of what is sent to the clients of one connector, as its workers name them. */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { toHex } from "../../base/text.ts";
import type { Expression } from "../../expression/mod.ts";
import type { WebSocketDestinationOptions } from "./options.ts";

/**
 * Knows filters by a hash of their texts. Blocks with the same text have the same filter: it reads
 * variables by their names, and their values are sent along with the hash.
 */
export class Filters {
  readonly #byHash = new Map<string, Expression>();
  readonly #hashes = new WeakMap<Expression, string>();

  /** `requests` are the options of all blocks that write to the connector. */
  constructor(requests: readonly unknown[]) {
    for (const options of requests) {
      const { filter } = options as Partial<WebSocketDestinationOptions>;
      if (filter !== undefined) this.#byHash.set(this.hashOf(filter), filter);
    }
  }

  /** What names a filter to other workers. */
  hashOf(filter: Expression): string {
    let hash = this.#hashes.get(filter);
    if (hash === undefined) {
      hash = toHex(sha256(utf8ToBytes(filter.source)));
      this.#hashes.set(filter, hash);
    }
    return hash;
  }

  /** The filter with this hash; undefined where no block of this worker has it. */
  find(hash: string): Expression | undefined {
    return this.#byHash.get(hash);
  }
}
