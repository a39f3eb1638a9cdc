/** The frames that wait for one slow client, beside those that its socket holds. */
import type { Frame } from "../../../transport/frame.ts";
import { droppedFrame, resyncFrame } from "../protocol.ts";
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

/** Whether a client wants to be told, room by room, where messages with a history are missing. */
type Wants = (room: string) => boolean;

/** The room of a frame that must be told of where the frame is left out. */
function roomToTell(frame: Frame, wants: Wants): string | undefined {
  const room = frame instanceof MessageFrame ? frame.keptIn : undefined;
  return room !== undefined && wants(room) ? room : undefined;
}

/**
 * The policy `coalesce`: of the messages with one key only the newest waits. Where one of a room with
 * history is replaced, the client is told, once while that waits.
 */
export class CoalescingBacklog implements Backlog {
  readonly #onReplace: () => void;
  readonly #wants: Wants;
  /** In order, by the message's key, or by a number where a frame has none. */
  readonly #frames = new Map<string | number, Frame>();
  #pushed = 0;
  #size = 0;

  /** Calls `onReplace` for each message that a newer one replaces. */
  constructor(onReplace: () => void, wants: Wants = () => false) {
    this.#onReplace = onReplace;
    this.#wants = wants;
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
      const room = roomToTell(older, this.#wants);
      // No key of a message begins with a space.
      if (room !== undefined) this.#add(` ${room}`, resyncFrame(room));
    }
    // The newest goes to the end, behind everything that was sent before it.
    this.#add(key, frame);
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

  #add(key: string | number, frame: Frame): void {
    if (this.#frames.has(key)) return;
    this.#frames.set(key, frame);
    this.#size += frame.size;
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
  /** The rooms with history that messages were dropped of, for a client that wants to know them. */
  rooms: Map<string, Frame> | undefined;
  next: Entry | undefined;
  /** For a message: the entry of the next message. */
  nextMessage: Entry | undefined;
}

/** The size of a notice on the wire, for counts below a million. */
const NOTICE_SIZE = 40;

/**
 * The policy `drop_oldest`: the oldest messages are dropped, and a notice takes their place: for a
 * room with history that a client wants to know of, one about the room. The entries are linked twice:
 * all of them, and the messages among them.
 */
export class DropOldestBacklog implements Backlog {
  readonly #onDrop: () => void;
  readonly #wants: Wants;
  #head: Entry | undefined;
  #tail: Entry | undefined;
  #oldestMessage: Entry | undefined;
  #newestMessage: Entry | undefined;
  /** The newest gap, while it waits. */
  #gap: Entry | undefined;
  #size = 0;
  #count = 0;

  /** Calls `onDrop` for each message that is dropped. */
  constructor(onDrop: () => void, wants: Wants = () => false) {
    this.#onDrop = onDrop;
    this.#wants = wants;
  }

  get size(): number {
    return this.#size;
  }

  get count(): number {
    return this.#count;
  }

  get nextSize(): number {
    const head = this.#head;
    if (head === undefined) return 0;
    if (head.frame !== undefined) return head.frame.size;
    return head.dropped > 0 ? NOTICE_SIZE : firstOf(head)?.size ?? 0;
  }

  push(frame: Frame): void {
    const entry: Entry = {
      ...{ frame, dropped: 0, rooms: undefined },
      ...{ next: undefined, nextMessage: undefined },
    };
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
    if (entry === this.#gap) this.#gap = undefined;
    if (entry.frame === undefined) return this.#shiftNotice(entry);
    this.#unlinkHead(entry);
    if (entry === this.#oldestMessage) this.#unlinkOldestMessage(entry);
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

  /** One notice of a gap, which may have several. */
  #shiftNotice(gap: Entry): Frame | undefined {
    let notice: Frame | undefined;
    if (gap.dropped > 0) {
      notice = droppedFrame(gap.dropped);
      gap.dropped = 0;
      this.#size -= NOTICE_SIZE;
    } else {
      const [room] = gap.rooms?.keys() ?? [];
      notice = gap.rooms?.get(room);
      gap.rooms?.delete(room);
      this.#size -= notice?.size ?? 0;
    }
    if (firstOf(gap) === undefined) this.#unlinkHead(gap);
    return notice;
  }

  #unlinkHead(entry: Entry): void {
    this.#head = entry.next;
    if (this.#head === undefined) this.#tail = undefined;
  }

  #drop(entry: Entry): void {
    this.#unlinkOldestMessage(entry);
    const frame = entry.frame as Frame;
    this.#size -= frame.size;
    this.#count--;
    this.#onDrop();
    const gap = this.#gap;
    if (gap?.next === entry) {
      gap.next = entry.next;
      if (this.#tail === entry) this.#tail = gap;
      return this.#note(gap, frame);
    }
    entry.frame = undefined;
    this.#gap = entry;
    this.#note(entry, frame);
  }

  /** Notes in a gap that a message is missing there. */
  #note(gap: Entry, frame: Frame): void {
    const room = roomToTell(frame, this.#wants);
    if (room === undefined) {
      if (gap.dropped++ === 0) this.#size += NOTICE_SIZE;
      return;
    }
    const rooms = gap.rooms ??= new Map();
    if (rooms.has(room)) return;
    const notice = resyncFrame(room);
    rooms.set(room, notice);
    this.#size += notice.size;
  }

  #unlinkOldestMessage(entry: Entry): void {
    this.#oldestMessage = entry.nextMessage;
    entry.nextMessage = undefined;
    if (this.#oldestMessage === undefined) this.#newestMessage = undefined;
  }
}

/** The first notice of a room in a gap. */
function firstOf({ rooms }: Entry): Frame | undefined {
  const [first] = rooms?.values() ?? [];
  return first;
}
