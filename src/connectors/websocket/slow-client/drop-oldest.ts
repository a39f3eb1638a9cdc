/** The policy `drop_oldest`: the oldest messages make room, and a notice takes their place. */
import type { Frame } from "../../../transport/frame.ts";
import { droppedFrame } from "../protocol.ts";
import type { Backlog } from "./backlog.ts";
import { MessageFrame } from "./message.ts";

/** A frame, or the place where messages were left out. */
interface Place {
  /** Undefined where messages were left out. */
  frame: Frame | undefined;
  /** How many were. */
  dropped: number;
  next: Place | undefined;
  /** Of a message: the place of the next one. */
  nextMessage: Place | undefined;
}

/** What a notice takes on the wire, for counts below a million. */
const NOTICE_SIZE = 40;

/** Frames in order, linked twice: all of them, and the messages among them. */
export class DropOldestBacklog implements Backlog {
  readonly #onDrop: () => void;
  #head: Place | undefined;
  #tail: Place | undefined;
  #oldestMessage: Place | undefined;
  #newestMessage: Place | undefined;
  /** The newest place where messages were left out, while it waits. */
  #gap: Place | undefined;
  #size = 0;
  #count = 0;

  /** `onDrop` hears of each message that is left out. */
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
    const place: Place = { frame, dropped: 0, next: undefined, nextMessage: undefined };
    if (this.#tail === undefined) this.#head = place;
    else this.#tail.next = place;
    this.#tail = place;
    this.#size += frame.size;
    this.#count++;
    if (!(frame instanceof MessageFrame)) return;
    if (this.#newestMessage === undefined) this.#oldestMessage = place;
    else this.#newestMessage.nextMessage = place;
    this.#newestMessage = place;
  }

  shift(): Frame | undefined {
    const place = this.#head;
    if (place === undefined) return undefined;
    this.#head = place.next;
    if (this.#head === undefined) this.#tail = undefined;
    if (place === this.#oldestMessage) this.#passMessage(place);
    if (place === this.#gap) this.#gap = undefined;
    if (place.frame === undefined) {
      this.#size -= NOTICE_SIZE;
      return droppedFrame(place.dropped);
    }
    this.#size -= place.frame.size;
    this.#count--;
    return place.frame;
  }

  fit(size: number): boolean {
    while (this.#size > size) {
      const oldest = this.#oldestMessage;
      if (oldest === undefined) return false;
      this.#drop(oldest);
    }
    return true;
  }

  #drop(place: Place): void {
    this.#passMessage(place);
    this.#size -= place.frame?.size ?? 0;
    this.#count--;
    this.#onDrop();
    const gap = this.#gap;
    if (gap?.next === place) {
      gap.dropped++;
      gap.next = place.next;
      if (this.#tail === place) this.#tail = gap;
      return;
    }
    place.frame = undefined;
    place.dropped = 1;
    this.#gap = place;
    this.#size += NOTICE_SIZE;
  }

  /** The oldest message is none any more. */
  #passMessage(place: Place): void {
    this.#oldestMessage = place.nextMessage;
    place.nextMessage = undefined;
    if (this.#oldestMessage === undefined) this.#newestMessage = undefined;
  }
}
