/** The topics that one instance listens to: counted, subscribed together, and kept a second longer. */
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/shown.ts";
import { Burst } from "./burst.ts";
import { type Backplane, BackplaneError } from "../contract/backplane.ts";

/** How many topics are subscribed to with one call at most. */
export const CHUNK = 500;
/** How many calls are under way at most. */
const MAX_UNDER_WAY = 4;
/** Milliseconds in which a subscription has to be in force, counted from its first `listen`. */
const TIME_IN_ALL = 10_000;
/** Milliseconds that a topic is kept after the last `unlisten`. */
const LINGER = 1_000;

/** What an interest is made with. */
export interface InterestOptions {
  readonly backplane: Backplane;
  readonly clock: Clock;
  /**
   * Resolves when every subscription that the broker has confirmed is in force for all instances.
   *
   * @throws {BackplaneError} It is not known to be.
   */
  probe(): Promise<void>;
  /** Topics have been unsubscribed from. */
  ended(topics: readonly string[]): void;
}

/** A topic that somebody listens to, or did within the last second. */
interface Topic {
  count: number;
  /** Settles when it is in force; undefined once it is. */
  pending: PromiseWithResolvers<void> | undefined;
}

/** Topics that are subscribed to with one call. */
interface Chunk {
  readonly topics: readonly string[];
  /** Stops the time in which it has to be sent. */
  readonly cancel: () => void;
}

/** Listens to topics. */
export class Interest {
  readonly #options: InterestOptions;
  readonly #topics = new Map<string, Topic>();
  readonly #burst = new Burst(() => this.#flush());
  /** Asked for in this burst. */
  #asked: string[] = [];
  /** Not sent yet. */
  readonly #waiting = new Set<Chunk>();
  #underWay = 0;
  /** When each topic without a listener ends, on the clock's `elapsed`, the first one first. */
  readonly #lingering = new Map<string, number>();
  #cancelLinger: (() => void) | undefined;
  #closed = false;

  constructor(options: InterestOptions) {
    this.#options = options;
  }

  /** How many topics it is subscribed to, or is about to be. */
  get size(): number {
    return this.#topics.size;
  }

  /** Whether a topic is in force. */
  hears(topic: string): boolean {
    const found = this.#topics.get(topic);
    return found !== undefined && found.pending === undefined;
  }

  /** As `Instances.listen`. */
  listen(topic: string): Promise<void> | undefined {
    if (this.#closed) return Promise.reject(new BackplaneError("this instance leaves the others"));
    const found = this.#topics.get(topic);
    if (found !== undefined) {
      found.count += 1;
      this.#lingering.delete(topic);
      return found.pending?.promise;
    }
    const pending = Promise.withResolvers<void>();
    // Whoever listens gets the failure.
    pending.promise.catch(() => {});
    this.#topics.set(topic, { count: 1, pending });
    this.#asked.push(topic);
    this.#burst.add();
    return pending.promise;
  }

  /** As `Instances.unlisten`. */
  unlisten(topic: string): void {
    const found = this.#topics.get(topic);
    if (found === undefined || found.count === 0) return;
    found.count -= 1;
    if (found.count === 0 && found.pending === undefined) this.#linger(topic);
  }

  /** Listens to nothing more. Whatever is not in force yet fails. */
  close(): void {
    this.#closed = true;
    this.#cancelLinger?.();
    for (const { cancel } of this.#waiting) cancel();
    this.#waiting.clear();
    this.#fail([...this.#topics.keys()], new BackplaneError("this instance leaves the others"));
    this.#topics.clear();
    this.#lingering.clear();
  }

  #flush(): void {
    const asked = this.#asked;
    this.#asked = [];
    if (this.#closed) return;
    for (let start = 0; start < asked.length; start += CHUNK) {
      const cancel = this.#options.clock.after(TIME_IN_ALL, () => {
        this.#waiting.delete(chunk);
        this.#fail(chunk.topics, new BackplaneError("a subscription was not sent within 10 s"));
      });
      const chunk = { topics: asked.slice(start, start + CHUNK), cancel };
      this.#waiting.add(chunk);
    }
    this.#sendNext();
  }

  #sendNext(): void {
    for (const chunk of this.#waiting) {
      if (this.#underWay === MAX_UNDER_WAY) return;
      this.#waiting.delete(chunk);
      chunk.cancel();
      this.#underWay += 1;
      // It handles its failures.
      void this.#send(chunk.topics).finally(() => {
        this.#underWay -= 1;
        this.#sendNext();
      });
    }
  }

  async #send(topics: readonly string[]): Promise<void> {
    const { backplane, probe } = this.#options;
    let subscribed = false;
    try {
      await backplane.subscribe(topics);
      subscribed = true;
      if (backplane.capabilities.live === "probe") await probe();
    } catch (error) {
      if (subscribed) backplane.unsubscribe(topics);
      this.#fail(topics, error);
      return;
    }
    for (const topic of topics) {
      const found = this.#topics.get(topic);
      if (found === undefined) continue;
      const { pending } = found;
      found.pending = undefined;
      pending?.resolve();
      if (found.count === 0) this.#linger(topic);
    }
  }

  #fail(topics: readonly string[], error: unknown): void {
    const reason = error instanceof BackplaneError
      ? error
      : new BackplaneError(messageOf(error), { cause: error });
    for (const topic of topics) {
      const pending = this.#topics.get(topic)?.pending;
      if (pending === undefined) continue;
      this.#topics.delete(topic);
      pending.reject(reason);
    }
  }

  #linger(topic: string): void {
    this.#lingering.set(topic, this.#options.clock.elapsed() + LINGER);
    this.#cancelLinger ??= this.#options.clock.after(LINGER, () => this.#endLingering());
  }

  #endLingering(): void {
    this.#cancelLinger = undefined;
    const now = this.#options.clock.elapsed();
    const over: string[] = [];
    for (const [topic, due] of this.#lingering) {
      // A timer may fire up to a millisecond early.
      if (due > now + 1) {
        this.#cancelLinger = this.#options.clock.after(due - now, () => this.#endLingering());
        break;
      }
      over.push(topic);
    }
    if (over.length === 0) return;
    for (const topic of over) {
      this.#lingering.delete(topic);
      this.#topics.delete(topic);
    }
    this.#options.backplane.unsubscribe(over);
    this.#options.ended(over);
  }
}
