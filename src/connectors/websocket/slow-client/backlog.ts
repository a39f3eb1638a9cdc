/** The frames that wait for one slow client, beside those that its socket holds. */
import type { Frame } from "../../../transport/frame.ts";
import { droppedFrame } from "../protocol.ts";
import { MessageFrame } from "./message.ts";

/** A queue that can make room for itself. Sizes are bytes on the wire. */
export interface Backlog {
  /** The size of everything that waits. */
  readonly size: number;
  /** How many frames wait, without notices of dropped ones. */
  readonly count: number;
  /** The size of the oldest frame; 0 where there is none. */
  readonly nextSize: number;
  /** Adds a frame at the end. */
  push(frame: Frame): void;
  /** Takes the oldest frame; undefined where there is none. */
  shift(): Frame | undefined;
  /** Drops frames until at most `size` bytes wait. Returns false where that is not possible. */
  fit(size: number): boolean;
}

/** Takes the oldest frames until they have `enough` bytes, and never more than `max`. */
export function takeChunk(backlog: Backlog, enough: number, max: number): readonly Frame[] {
  const frames: Frame[] = [];
  let taken = 0;
  while (taken < enough && taken + backlog.nextSize <= max) {
    const frame = backlog.shift();
    if (frame === undefined) break;
    frames.push(frame);
    taken += frame.size;
  }
  return frames;
}

/** The policy `coalesce`: of the messages with one key only the newest waits. */
export class CoalescingBacklog implements Backlog {
  readonly #onReplace: () => void;
  /** In order, by the message's key, or by a number where a frame has none. */
  readonly #frames = new Map<string | number, Frame>();
  #pushed = 0;
  #size = 0;

  /** Calls `onReplace` for each message that a newer one replaces. */
  constructor(onReplace: () => void) {
    this.#onReplace = onReplace;
  }

  get size(): number {
    return this.#size;
  }

  get count(): number {
    return this.#frames.size;
  }

  get nextSize(): number {
    for (const frame of this.#frames.values()) return frame.size;
    return 0;
  }

  push(frame: Frame): void {
    const key = (frame instanceof MessageFrame ? frame.key : undefined) ?? this.#pushed++;
    const older = this.#frames.get(key);
    if (older !== undefined) {
      this.#remove(key, older);
      this.#onReplace();
    }
    // The newest goes to the end, behind everything that was sent before it.
    this.#frames.set(key, frame);
    this.#size += frame.size;
  }

  shift(): Frame | undefined {
    for (const [key, frame] of this.#frames) {
      this.#remove(key, frame);
      return frame;
    }
    return undefined;
  }

  /** It makes room only when frames are pushed. */
  fit(size: number): boolean {
    return this.#size <= size;
  }

  #remove(key: string | number, frame: Frame): void {
    this.#frames.delete(key);
    this.#size -= frame.size;
  }
}

/** An entry of a queue: a frame, or a gap where messages were dropped. */
interface Entry {
  /** Undefined for a gap. */
  frame: Frame | undefined;
  /** The number of messages that were dropped here. */
  dropped: number;
  next: Entry | undefined;
  /** For a message: the entry of the next message. */
  nextMessage: Entry | undefined;
}

/** The size of a notice on the wire, for counts below a million. */
const NOTICE_SIZE = 40;

/**
 * The policy `drop_oldest`: the oldest messages are dropped, and a notice takes their place. The
 * entries are linked twice: all of them, and the messages among them.
 */
export class DropOldestBacklog implements Backlog {
  readonly #onDrop: () => void;
  #head: Entry | undefined;
  #tail: Entry | undefined;
  #oldestMessage: Entry | undefined;
  #newestMessage: Entry | undefined;
  /** The newest gap, while it waits. */
  #gap: Entry | undefined;
  #size = 0;
  #count = 0;

  /** Calls `onDrop` for each message that is dropped. */
  constructor(onDrop: () => void) {
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#size;
  }

  get count(): number {
    return this.#count;
  }

  get nextSize(): number {
    if (this.#head === undefined) return 0;
    return this.#head.frame?.size ?? NOTICE_SIZE;
  }

  push(frame: Frame): void {
    const entry: Entry = { frame, dropped: 0, next: undefined, nextMessage: undefined };
    if (this.#tail === undefined) this.#head = entry;
    else this.#tail.next = entry;
    this.#tail = entry;
    this.#size += frame.size;
    this.#count++;
    if (!(frame instanceof MessageFrame)) return;
    if (this.#newestMessage === undefined) this.#oldestMessage = entry;
    else this.#newestMessage.nextMessage = entry;
    this.#newestMessage = entry;
  }

  shift(): Frame | undefined {
    const entry = this.#head;
    if (entry === undefined) return undefined;
    this.#head = entry.next;
    if (this.#head === undefined) this.#tail = undefined;
    if (entry === this.#oldestMessage) this.#unlinkOldestMessage(entry);
    if (entry === this.#gap) this.#gap = undefined;
    if (entry.frame === undefined) {
      this.#size -= NOTICE_SIZE;
      return droppedFrame(entry.dropped);
    }
    this.#size -= entry.frame.size;
    this.#count--;
    return entry.frame;
  }

  fit(size: number): boolean {
    while (this.#size > size) {
      const oldest = this.#oldestMessage;
      if (oldest === undefined) return false;
      this.#drop(oldest);
    }
    return true;
  }

  #drop(entry: Entry): void {
    this.#unlinkOldestMessage(entry);
    this.#size -= entry.frame?.size ?? 0;
    this.#count--;
    this.#onDrop();
    const gap = this.#gap;
    if (gap?.next === entry) {
      gap.dropped++;
      gap.next = entry.next;
      if (this.#tail === entry) this.#tail = gap;
      return;
    }
    entry.frame = undefined;
    entry.dropped = 1;
    this.#gap = entry;
    this.#size += NOTICE_SIZE;
  }

  #unlinkOldestMessage(entry: Entry): void {
    this.#oldestMessage = entry.nextMessage;
    entry.nextMessage = undefined;
    if (this.#oldestMessage === undefined) this.#newestMessage = undefined;
  }
}
