/** The newest messages of named topics, each with an offset. In memory, and without I/O. */
import type { Clock } from "./clock.ts";

/** How much of a topic is kept. */
export interface Keep {
  /** The number of messages. */
  readonly size: number;
  /** Milliseconds after the newest message in which all of them are kept. */
  readonly ttl: number;
}

/** A place among the messages of a topic: behind the message with this offset. */
export interface Position {
  /** Changes when offsets begin anew. */
  readonly epoch: string;
  /** A whole number. */
  readonly offset: number;
}

/** One topic. */
interface Topic<Message> {
  /** The message with the offset `n` is at `n % size`. */
  ring: Message[];
  size: number;
  /** The offsets of the oldest and the newest message; the oldest is one more where there is none. */
  first: number;
  last: number;
  /** When the messages are over, on the clock's `elapsed`. */
  expiresAt: number;
  /** The offsets of messages with an id, and the other way round; undefined where none has one. */
  ids: Map<string, number> | undefined;
  named: Map<number, string> | undefined;
}

/** No pause between two sweeps is shorter than this, in milliseconds. */
const SHORTEST_PAUSE = 1_000;
/** How long a topic without messages that is used is left alone, in milliseconds. */
const USED_PAUSE = 60_000;

/** Keeps the newest messages of topics. */
export class KeptMessages<Message> {
  /** One for the whole life of this object, in which no offset of a topic is used twice. */
  readonly epoch: string;
  readonly #clock: Clock;
  readonly #isUsed: (topic: string) => boolean;
  readonly #topics = new Map<string, Topic<Message>>();
  /** The highest offset of all topics that were forgotten: a topic that is new begins after it. */
  #floor = 0;
  #count = 0;
  #cancelSweep: (() => void) | undefined;

  /** Nothing else may have the same `epoch`. A topic that `isUsed` keeps its offset for that time. */
  constructor(clock: Clock, epoch: string, isUsed: (topic: string) => boolean = () => false) {
    this.#clock = clock;
    this.epoch = epoch;
    this.#isUsed = isUsed;
  }

  /** The number of topics with messages, or with an offset that is still needed. */
  get topics(): number {
    return this.#topics.size;
  }

  /** The number of messages. */
  get messages(): number {
    return this.#count;
  }

  /**
   * Adds a message, and returns its offset. Undefined where a message with this id is there already:
   * then nothing is added.
   */
  append(name: string, message: Message, { size, ttl }: Keep, id?: string): number | undefined {
    const topic = this.#current(name) ?? this.#begin(name, size);
    if (topic.size !== size) resize(topic, size, (offset) => this.#drop(topic, offset));
    if (id !== undefined && topic.ids?.has(id)) return undefined;
    const offset = ++topic.last;
    if (offset - topic.first >= size) this.#drop(topic, topic.first++);
    topic.ring[offset % size] = message;
    this.#count++;
    if (id !== undefined) {
      (topic.ids ??= new Map()).set(id, offset);
      (topic.named ??= new Map()).set(offset, id);
    }
    topic.expiresAt = this.#clock.elapsed() + ttl;
    this.#cancelSweep ??= this.#clock.after(Math.max(ttl, SHORTEST_PAUSE), this.#sweep);
    return offset;
  }

  /** The offset of the newest message of a topic, or the one after which the next one comes. */
  offset(name: string): number {
    return this.#current(name)?.last ?? this.#floor;
  }

  /** The messages after a position, oldest first; undefined where some of them are gone. */
  after(name: string, { epoch, offset }: Position): readonly Message[] | undefined {
    if (epoch !== this.epoch) return undefined;
    const topic = this.#current(name);
    if (topic === undefined) return offset === this.#floor ? [] : undefined;
    const { first, last } = topic;
    return offset > last || offset < first - 1 ? undefined : messagesOf(topic, offset + 1);
  }

  /** The newest messages of a topic, at most `limit`, oldest first. */
  newest(name: string, limit: number): readonly Message[] {
    const topic = this.#current(name);
    if (topic === undefined) return [];
    return messagesOf(topic, Math.max(topic.first, topic.last - limit + 1));
  }

  /** Keeps nothing more, and sets no timer. */
  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    this.#topics.clear();
    this.#count = 0;
  }

  /** A topic, without messages that are over. */
  #current(name: string): Topic<Message> | undefined {
    const topic = this.#topics.get(name);
    if (topic !== undefined && topic.expiresAt <= this.#clock.elapsed()) this.#clear(topic);
    return topic;
  }

  #begin(name: string, size: number): Topic<Message> {
    const topic: Topic<Message> = {
      ring: [],
      size,
      first: this.#floor + 1,
      last: this.#floor,
      expiresAt: Infinity,
      ids: undefined,
      named: undefined,
    };
    this.#topics.set(name, topic);
    return topic;
  }

  #drop(topic: Topic<Message>, offset: number): void {
    this.#count--;
    const id = topic.named?.get(offset);
    if (id === undefined) return;
    topic.named?.delete(offset);
    topic.ids?.delete(id);
  }

  #clear(topic: Topic<Message>): void {
    this.#count -= topic.last - topic.first + 1;
    topic.ring = [];
    topic.first = topic.last + 1;
    topic.ids = undefined;
    topic.named = undefined;
    topic.expiresAt = Infinity;
  }

  /** Forgets what is over, and looks again when the next one may be. */
  readonly #sweep = (): void => {
    this.#cancelSweep = undefined;
    const now = this.#clock.elapsed();
    let next = Infinity;
    for (const [name, topic] of this.#topics) {
      if (topic.expiresAt <= now) this.#clear(topic);
      if (topic.first <= topic.last) next = Math.min(next, topic.expiresAt);
      else if (!this.#isUsed(name)) {
        this.#topics.delete(name);
        this.#floor = Math.max(this.#floor, topic.last);
      } else next = Math.min(next, now + USED_PAUSE);
    }
    if (next === Infinity) return;
    this.#cancelSweep = this.#clock.after(Math.max(next - now, SHORTEST_PAUSE), this.#sweep);
  };
}

/** The messages of a topic from an offset on. */
function messagesOf<Message>({ ring, size, last }: Topic<Message>, from: number): Message[] {
  const found: Message[] = [];
  for (let offset = from; offset <= last; offset++) found.push(ring[offset % size]);
  return found;
}

/** Gives a topic another size. Calls `drop` for each message that it has no place for. */
function resize<Message>(
  topic: Topic<Message>,
  size: number,
  drop: (offset: number) => void,
): void {
  const kept = messagesOf(topic, topic.first);
  while (topic.last - topic.first + 1 > size) {
    drop(topic.first++);
    kept.shift();
  }
  topic.size = size;
  topic.ring = [];
  kept.forEach((message, index) => topic.ring[(topic.first + index) % size] = message);
}
