/** Collects the frames to one connection until the end of the tick, and sends them in one write. */
import type { Frame } from "../../transport/frame.ts";
import type { Batch } from "../../transport/socket.ts";

/** Where an outbox sends its frames. */
export interface Sink {
  /**
   * Sends a batch. Returns the bytes that were sent and that the kernel has not taken, or a negative
   * number where nothing can be sent any more.
   */
  send(batch: Batch): number;
}

/** Is notified when an outbox can send no more. Its methods never throw. */
export interface OutboxListener {
  /** More waits than the limit, and the kernel does not take it. Called once. */
  slow(): void;
  /** The sink threw. */
  failed(error: unknown): void;
}

/**
 * Frames that wait, as a path from the root of a tick. Connections that wait for the same frames share
 * the path.
 */
class PendingBatch implements Batch {
  /** Bytes on the wire. */
  readonly size: number;
  readonly #parent: PendingBatch | undefined;
  readonly #frame: Frame | undefined;
  #next: PendingBatch | undefined;
  #frames: readonly Frame[] | undefined;
  #bytes: Uint8Array | undefined;

  constructor(parent?: PendingBatch, frame?: Frame) {
    this.#parent = parent;
    this.#frame = frame;
    this.size = parent === undefined || frame === undefined ? 0 : parent.size + frame.size;
  }

  /** This batch and one more frame. The recipients of one broadcast get the same object. */
  with(frame: Frame): PendingBatch {
    if (this.#next === undefined || this.#next.#frame !== frame) {
      this.#next = new PendingBatch(this, frame);
    }
    return this.#next;
  }

  get frames(): readonly Frame[] {
    return this.#frames ??= this.#path().reverse();
  }

  /** The frames, the newest first. */
  #path(): Frame[] {
    const frames: Frame[] = [];
    let parent = this.#parent;
    let frame = this.#frame;
    while (parent !== undefined && frame !== undefined) {
      frames.push(frame);
      frame = parent.#frame;
      parent = parent.#parent;
    }
    return frames;
  }

  bytes(): Uint8Array {
    if (this.#bytes === undefined) {
      const { frames } = this;
      this.#bytes = frames.length === 1 ? frames[0].bytes : join(frames, this.size);
    }
    return this.#bytes;
  }

  byteText(): string | undefined {
    let text = "";
    for (const { byteText } of this.frames) {
      if (byteText === undefined) return undefined;
      text += byteText;
    }
    return text;
  }
}

/** Frames as a batch of their own. */
export function batchOf(frames: readonly Frame[]): Batch {
  return frames.reduce((batch, frame) => batch.with(frame), new PendingBatch());
}

/**
 * From this many recipients on, a flush may wait for more frames. Those that arrive share the writes,
 * each of which costs more than a tick.
 */
const MANY = 64;

/** How long a flush to many recipients waits. */
export interface Patience {
  /** It ends after this many ticks in a row without a new frame. */
  readonly quiet: number;
  /** It ends after this many ticks. */
  readonly max: number;
}

const ONE_TICK: Patience = { quiet: 1, max: 1 };

/** Flushes all outboxes that have frames, once a tick. */
export class Flusher {
  readonly #schedule: (flush: () => void) => void;
  readonly #patience: Patience;
  #dirty: Outbox[] = [];
  #root = new PendingBatch();
  /** Ticks that it has waited, those of them without a new frame, and what was there last. */
  #waited = 0;
  #quiet = 0;
  #seen: PendingBatch | undefined;
  #count = 0;

  /** `schedule` runs a function at the end of the tick. */
  constructor(schedule: (flush: () => void) => void, patience: Patience = ONE_TICK) {
    this.#schedule = schedule;
    this.#patience = patience;
  }

  /** The empty batch: the start of every path of this tick. */
  get root(): PendingBatch {
    return this.#root;
  }

  /** Adds an outbox that is no longer empty. */
  add(outbox: Outbox): void {
    if (this.#dirty.push(outbox) === 1) this.#schedule(this.#flush);
  }

  readonly #flush = (): void => {
    if (this.#dirty.length >= MANY && this.#waits()) {
      this.#schedule(this.#flush);
      return;
    }
    this.#waited = 0;
    this.#quiet = 0;
    this.#seen = undefined;
    const dirty = this.#dirty;
    this.#dirty = [];
    this.#root = new PendingBatch();
    for (const outbox of dirty) outbox.flush();
  };

  /** A new frame for many is also one for the first outbox, or adds outboxes. */
  #waits(): boolean {
    const [{ pending }] = this.#dirty;
    const grows = pending !== this.#seen || this.#dirty.length !== this.#count;
    this.#seen = pending;
    this.#count = this.#dirty.length;
    this.#quiet = grows ? 0 : this.#quiet + 1;
    return this.#quiet < this.#patience.quiet && this.#waited++ < this.#patience.max;
  }
}

/** The frames that wait for one connection. */
export class Outbox {
  readonly #flusher: Flusher;
  readonly #sink: Sink;
  readonly #limit: number;
  readonly #listener: OutboxListener;
  readonly #onLost: (frames: number) => void;
  #pending: PendingBatch | undefined;
  #closed = false;

  /** Calls `onLost` with the number of frames that were queued and that the sink did not take. */
  constructor(
    flusher: Flusher,
    sink: Sink,
    limit: number,
    listener: OutboxListener,
    onLost: (frames: number) => void = () => {},
  ) {
    this.#flusher = flusher;
    this.#sink = sink;
    this.#limit = limit;
    this.#listener = listener;
    this.#onLost = onLost;
  }

  /** The frames that wait; undefined where there are none. */
  get pending(): PendingBatch | undefined {
    return this.#pending;
  }

  /** Queues a frame. Returns false where the outbox is closed. */
  push(frame: Frame): boolean {
    if (this.#closed) return false;
    if (this.#pending === undefined) {
      this.#pending = this.#flusher.root.with(frame);
      this.#flusher.add(this);
    } else {
      this.#pending = this.#pending.with(frame);
    }
    // The kernel may take them: only then is the client known to be slow.
    if (this.#pending.size > this.#limit) this.flush();
    return !this.#closed;
  }

  /** Sends what waits. Never throws, because others are flushed after this one. */
  flush(): void {
    const pending = this.#pending;
    if (pending === undefined || this.#closed) return;
    this.#pending = undefined;
    let unsent: number;
    try {
      unsent = this.#sink.send(pending);
    } catch (error) {
      this.#onLost(pending.frames.length);
      this.discard();
      return this.#listener.failed(error);
    }
    if (unsent > this.#limit) {
      this.discard();
      this.#listener.slow();
    } else if (unsent < 0) {
      this.#onLost(pending.frames.length);
    }
  }

  /** Sends what waits, then accepts nothing more. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  /** Drops what waits, and accepts nothing more. */
  discard(): void {
    const lost = this.#pending?.frames.length ?? 0;
    this.#pending = undefined;
    this.#closed = true;
    if (lost > 0) this.#onLost(lost);
  }
}

function join(frames: readonly Frame[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame.bytes, at);
    at += frame.size;
  }
  return bytes;
}
