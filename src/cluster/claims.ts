/** Locks and keys for `dedupe`, on keys that all instances share. */
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/shown.ts";
import type { SharedKeys } from "../contract/backplane.ts";
import type { DedupeStore, Lock } from "../contract/cluster.ts";
import type { Logger } from "../contract/logger.ts";
import type { SharedDedupe } from "../contract/instances.ts";

/** Milliseconds after which the claim of an instance that does not renew it is free. */
const CLAIM = 10_000;
/** Milliseconds between two renewals. */
const RENEWAL = 3_000;
/** Milliseconds between two looks at the claim of another one: the first, and the longest. */
const FIRST_WAIT = 20;
const LONGEST_WAIT = 200;

/** What the claims need. */
export interface ClaimsOptions {
  /** The id of this instance. */
  readonly id: string;
  readonly keys: SharedKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether an instance is known to have ended. */
  isDead(instance: string): boolean;
}

/** Makes what the instances share. */
export function sharedDedupe(options: ClaimsOptions): SharedDedupe {
  let number = 0;
  return {
    lock: (name) => new Claim(`lock ${name}`, `${options.id} ${++number}`, options),
    store: sharedStore(options.keys),
  };
}

/** A claim: a key with the name of the instance that holds it. Its time is the broker's. */
class Claim implements Lock {
  readonly held: Promise<void>;
  readonly #key: string;
  readonly #value: string;
  readonly #options: ClaimsOptions;
  #released = false;
  #isHeld = false;
  #cancel: (() => void) | undefined;
  /** The latest renewal. It never rejects. */
  #renewed: Promise<void> = Promise.resolve();
  /** Ends a wait. */
  #wake: (() => void) | undefined;

  constructor(key: string, value: string, options: ClaimsOptions) {
    this.#key = key;
    this.#value = value;
    this.#options = options;
    this.held = this.#acquire().catch((error) => {
      // Without keys nobody claims anything: a flow that has a store of its own goes on.
      if (options.keys.missing !== true) throw error;
    });
    // The callers that wait for it get the failure.
    this.held.catch(() => {});
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#cancel?.();
    this.#wake?.();
    // A renewal that is under way would set the key again.
    if (this.#isHeld) void this.#renewed.then(() => this.#remove());
  }

  async #acquire(): Promise<void> {
    const { keys, isDead } = this.#options;
    for (let wait = FIRST_WAIT; !this.#released; wait = Math.min(wait * 1.5, LONGEST_WAIT)) {
      const other = await this.#add();
      if (other === undefined || other === this.#value) return this.#hold();
      const [owner] = other.split(" ");
      if (isDead(owner) && await keys.replace(this.#key, other, this.#value, CLAIM)) {
        return this.#hold();
      }
      await this.#pause(wait);
    }
  }

  async #add(): Promise<string | undefined> {
    try {
      return await this.#options.keys.add(this.#key, this.#value, CLAIM);
    } catch (error) {
      // It may be there all the same, and would keep others waiting.
      if (this.#options.keys.missing !== true) this.#remove();
      throw error;
    }
  }

  #hold(): void {
    // It was withdrawn meanwhile.
    if (this.#released) return this.#remove();
    this.#isHeld = true;
    this.#renewLater();
  }

  #renewLater(): void {
    this.#cancel = this.#options.clock.after(RENEWAL, () => {
      this.#renewed = this.#renew();
    });
  }

  async #renew(): Promise<void> {
    const { keys, logger } = this.#options;
    try {
      if (!await keys.replace(this.#key, this.#value, this.#value, CLAIM) && !this.#released) {
        // The key is not in the log: it is what a client has sent.
        logger.warn("another instance has taken over the key of a dedupe that runs here");
        return;
      }
    } catch (error) {
      const reason = messageOf(error);
      logger.warn("could not renew the lock of a dedupe: {reason}", { reason });
    }
    if (!this.#released) this.#renewLater();
  }

  #remove(): void {
    const { keys, logger } = this.#options;
    keys.remove(this.#key, this.#value).catch((error) =>
      logger.warn("could not release the lock of a dedupe, which ends by itself: {reason}", {
        reason: messageOf(error),
      })
    );
  }

  #pause(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#cancel = this.#options.clock.after(milliseconds, resolve);
    this.#wake = resolve;
    return promise;
  }
}

/** The keys that have been handled. An answer has a mark before it, so that none is not an empty one. */
function sharedStore(keys: SharedKeys): DedupeStore {
  const keyOf = (flow: string, key: string) => `done ${flow} ${key}`;
  return {
    has: async (flow, key) => await keys.get(keyOf(flow, key)) !== undefined,
    async add(flow, key, now, until, answer) {
      const name = keyOf(flow, key);
      const value = answer === undefined ? "-" : `=${answer}`;
      const ttl = Math.max(1, until - now);
      const old = await keys.add(name, value, ttl);
      if (old !== undefined) await keys.replace(name, old, value, ttl);
    },
    async answer(flow, key) {
      const value = await keys.get(keyOf(flow, key));
      return value?.startsWith("=") ? value.slice(1) : undefined;
    },
  };
}
