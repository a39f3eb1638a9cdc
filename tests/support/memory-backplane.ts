/** A backplane in the memory of this process: the instances of one `MemoryBus` are linked by it. */
import {
  type Appended,
  type Backplane,
  type BackplaneCapabilities,
  BackplaneError,
  type BackplaneHistory,
  type BackplaneListener,
  type Position,
  type SharedKeys,
} from "../../src/contract/backplane.ts";
import type { Clock } from "../../src/base/clock.ts";
import { KeptMessages } from "../../src/base/kept-messages.ts";
import { looseClock } from "./loose-clock.ts";

/** The broker. What it delivers arrives in a later tick, in one order for all. */
export class MemoryBus {
  readonly #capabilities: BackplaneCapabilities;
  readonly #clock: Clock;
  readonly #links = new Set<MemoryBackplane>();
  readonly #keys = new Map<string, { readonly value: string; readonly until: number }>();
  /** What is kept of topics. */
  #kept: KeptMessages<Uint8Array>;
  /** How many messages it has delivered, by topic. */
  readonly delivered = new Map<string, number>();

  constructor(
    capabilities: Partial<BackplaneCapabilities> = {},
    clock: Clock = looseClock,
  ) {
    this.#capabilities = {
      ...{ echoes: true, order: "all", live: "reply", members: false },
      ...capabilities,
    };
    this.#clock = clock;
    this.#kept = this.#store();
  }

  /** It restarts, and has lost all that it kept. */
  forget(): void {
    this.#kept.close();
    this.#kept = this.#store();
  }

  /** Ends its timers. */
  end(): void {
    this.#kept.close();
  }

  #store(): KeptMessages<Uint8Array> {
    const isUsed = (topic: string) => [...this.#links].some(({ topics }) => topics.has(topic));
    return new KeptMessages(this.#clock, crypto.randomUUID(), isUsed);
  }

  get history(): BackplaneHistory {
    const places = (topic: string) => ({
      epoch: this.#kept.epoch,
      offset: this.#kept.offset(topic),
    });
    return {
      append: (topic, messages, keep) => {
        const { epoch } = this.#kept;
        const added: Uint8Array[] = [];
        const offsets = messages.map(({ message, id }) => {
          const offset = this.#kept.append(topic, message, keep, id);
          if (offset !== undefined) added.push(message);
          return offset;
        });
        const first = offsets.find((offset) => offset !== undefined);
        for (const link of this.#links) {
          if (first === undefined || !link.hears(topic)) continue;
          link.receiveKept(topic, { epoch, offset: first }, added);
        }
        return Promise.resolve<Appended>({ epoch, offsets });
      },
      read: (topic, _keep, question) =>
        Promise.resolve({
          newest: places(topic),
          messages: typeof question === "number"
            ? this.#kept.newest(topic, question)
            : this.#kept.after(topic, question),
        }),
    };
  }

  /** One instance's backplane. With the capability `members` its id is told to all. */
  connect(id: string): MemoryBackplane {
    return new MemoryBackplane(id, this, this.#capabilities);
  }

  get keys(): SharedKeys {
    const value = (key: string): string | undefined => {
      const found = this.#keys.get(key);
      return found !== undefined && found.until > this.#clock.elapsed() ? found.value : undefined;
    };
    const set = (key: string, text: string, ttl: number): void =>
      void this.#keys.set(key, { value: text, until: this.#clock.elapsed() + ttl });
    return {
      add(key, text, ttl) {
        const old = value(key);
        if (old === undefined) set(key, text, ttl);
        return Promise.resolve(old);
      },
      get: (key) => Promise.resolve(value(key)),
      replace(key, old, text, ttl) {
        const same = value(key) === old;
        if (same) set(key, text, ttl);
        return Promise.resolve(same);
      },
      remove: (key, text) => {
        if (value(key) === text) this.#keys.delete(key);
        return Promise.resolve();
      },
    };
  }

  add(link: MemoryBackplane): void {
    for (const other of this.#links) link.learn([...other.topics], other);
    this.#links.add(link);
    this.#tellMembers();
  }

  remove(link: MemoryBackplane): void {
    if (this.#links.delete(link)) this.#tellMembers();
  }

  /**
   * Milliseconds that a message and the news of a subscription take from the server of one instance
   * to that of another. Without it, all are on one server.
   */
  lag = 0;

  route(topic: string, message: Uint8Array, from: MemoryBackplane): void {
    for (const link of this.#links) {
      if (link === from && (!this.#capabilities.echoes || from.faults.has("silent"))) continue;
      if (!from.knows(link, topic)) continue;
      this.delivered.set(topic, (this.delivered.get(topic) ?? 0) + 1);
      this.#later(link, from, () => link.receive(topic, message));
    }
  }

  /** The servers of the others learn that one listens to topics. */
  learn(topics: readonly string[], of: MemoryBackplane): void {
    for (const link of this.#links) {
      this.#later(link, of, () => link.learn(topics, of));
    }
  }

  #later(link: MemoryBackplane, from: MemoryBackplane, act: () => void): void {
    if (this.lag === 0 || link === from) act();
    else this.#clock.after(this.lag, act);
  }

  #tellMembers(): void {
    if (!this.#capabilities.members) return;
    const ids = [...this.#links].map(({ id }) => id);
    for (const link of this.#links) link.tell(ids);
  }
}

/**
 * What can be wrong with a link that seems to be there: what is sent arrives and is never confirmed
 * or heard here (`silent`), nothing that is sent arrives (`mute`), nothing arrives here (`deaf`).
 */
export type LinkFault = "silent" | "mute" | "deaf";

/** One instance's link to a bus. */
export class MemoryBackplane implements Backplane {
  readonly id: string;
  readonly capabilities: BackplaneCapabilities;
  readonly keys: SharedKeys;
  readonly history: BackplaneHistory;
  readonly #bus: MemoryBus;
  /** What is wrong with it. */
  readonly faults = new Set<LinkFault>();
  /** The topics of each call of `subscribe`, and of `unsubscribe`. */
  readonly subscribed: (readonly string[])[] = [];
  readonly unsubscribed: (readonly string[])[] = [];
  /** The length of each message that was published. */
  readonly lengths: number[] = [];
  readonly #topics = new Set<string>();
  /** The topics of the others that its server has learnt of, where servers learn of them later. */
  readonly #known = new Map<MemoryBackplane, Set<string>>();
  #listener: BackplaneListener | undefined;
  #cut: string | undefined;
  #state: "new" | "open" | "closed" = "new";

  constructor(id: string, bus: MemoryBus, capabilities: BackplaneCapabilities) {
    this.id = id;
    this.capabilities = capabilities;
    this.#bus = bus;
    const { keys } = bus;
    const linked = async <T>(act: () => Promise<T>): Promise<T> => {
      this.#requireUp();
      return await act();
    };
    this.keys = {
      add: (...args) => linked(() => keys.add(...args)),
      get: (...args) => linked(() => keys.get(...args)),
      replace: (...args) => linked(() => keys.replace(...args)),
      remove: (...args) => linked(() => keys.remove(...args)),
    };
    this.history = {
      append: (...args) =>
        linked(async () => {
          const appended = await bus.history.append(...args);
          if (this.faults.has("mute")) await new Promise(() => {});
          return appended;
        }),
      read: (...args) => linked(() => bus.history.read(...args)),
    };
  }

  /** The topics that it is subscribed to. */
  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  open(listener: BackplaneListener): Promise<void> {
    this.#listener = listener;
    this.#state = "open";
    this.#bus.add(this);
    if (this.#cut === undefined) listener.up();
    return Promise.resolve();
  }

  /** Whether it is cut off. */
  get isCut(): boolean {
    return this.#cut !== undefined;
  }

  /** Cuts the link, until `mend`. */
  cut(reason = "cut"): void {
    this.#cut = reason;
    this.#listener?.down(reason);
  }

  /** Mends the link. */
  mend(): void {
    this.#cut = undefined;
    this.#listener?.up();
  }

  async publish(topic: string, message: Uint8Array): Promise<void> {
    await Promise.resolve();
    this.#requireUp();
    this.lengths.push(message.length);
    if (!this.faults.has("mute")) this.#bus.route(topic, message, this);
    if (this.faults.has("mute") || this.faults.has("silent")) await new Promise(() => {});
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    this.#requireUp();
    this.subscribed.push(topics);
    for (const topic of topics) this.#topics.add(topic);
    this.#bus.learn(topics, this);
    await Promise.resolve();
  }

  unsubscribe(topics: readonly string[]): void {
    this.unsubscribed.push(topics);
    for (const topic of topics) this.#topics.delete(topic);
  }

  /** Its server learns that another one listens to topics. */
  learn(topics: readonly string[], of: MemoryBackplane): void {
    const known = this.#known.get(of) ?? new Set();
    this.#known.set(of, known);
    for (const topic of topics) known.add(topic);
  }

  /** Whether what it publishes to a topic reaches another one, as far as its server knows. */
  knows(other: MemoryBackplane, topic: string): boolean {
    return other.hears(topic) &&
      (this.#bus.lag === 0 || this.#known.get(other)?.has(topic) === true);
  }

  health(): string | undefined {
    return this.#state === "new" ? "not open yet" : this.#cut;
  }

  close(): Promise<void> {
    this.#state = "closed";
    this.#bus.remove(this);
    this.#listener = undefined;
    return Promise.resolve();
  }

  hears(topic: string): boolean {
    return this.#cut === undefined && !this.faults.has("deaf") && this.#topics.has(topic);
  }

  receive(topic: string, message: Uint8Array): void {
    queueMicrotask(() => this.#listener?.message(topic, message));
  }

  receiveKept(topic: string, at: Position, messages: readonly Uint8Array[]): void {
    queueMicrotask(() => this.#listener?.kept?.(topic, at, messages));
  }

  tell(ids: readonly string[]): void {
    this.#listener?.members(ids);
  }

  #requireUp(): void {
    if (this.#state !== "open") throw new BackplaneError(`the link to the bus is ${this.#state}`);
    if (this.#cut !== undefined) throw new BackplaneError(`the bus is away: ${this.#cut}`);
  }
}
