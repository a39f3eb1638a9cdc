/** Collects the frames to one connection until the end of the tick, and sends them in one write. */
import type { Frame } from "../../transport/frame.ts";
import { PendingBatch } from "./batch.ts";
import { ONE_TICK, type Patience } from "./patience.ts";
import type { OutboxListener, Sink } from "./sink.ts";
import type { Traffic } from "./traffic.ts";

/** From this many recipients on, a flush may wait for more frames, which then share its writes. */
const MANY = 64;

/** A member of a group. Its outbox has the member itself as listener. */
export interface Recipient extends OutboxListener {
  /** Undefined where it is closed. */
  readonly outbox: Outbox | undefined;
}

/** Frames that wait for all members of a group, none of which has a frame of its own. */
interface Broadcast {
  readonly group: ReadonlySet<Recipient>;
  batch: PendingBatch;
  /** The outboxes of members that have frames of their own, and so the batch as well. */
  readonly apart: Set<Outbox>;
}

/**
 * Flushes all outboxes that have frames, once a tick. Frames for a large group wait here instead of in
 * each outbox, so that its members are visited once a flush and not once a frame: in a large group
 * each visit misses the processor's cache.
 */
export class Flusher {
  readonly #schedule: (flush: () => void) => void;
  readonly #patience: Patience;
  readonly #traffic: Traffic | undefined;
  #scheduled = false;
  #flushing = false;
  #dirty: Outbox[] = [];
  #broadcast: Broadcast | undefined;
  /** The outboxes of the group that was last sent to. */
  #outboxes: readonly Outbox[] = [];
  #group: ReadonlySet<Recipient> | undefined;
  #root = new PendingBatch();
  /** Ticks that it has waited, those of them without a new frame, and what was there last. */
  #waited = 0;
  #quiet = 0;
  #seen: PendingBatch | undefined;
  #count = 0;

  /** `schedule` runs a function at the end of the tick. */
  constructor(
    schedule: (flush: () => void) => void,
    patience: Patience = ONE_TICK,
    traffic?: Traffic,
  ) {
    this.#schedule = schedule;
    this.#patience = patience;
    this.#traffic = traffic;
  }

  /** The empty batch: the start of every path of this tick. */
  get root(): PendingBatch {
    return this.#root;
  }

  /** Adds an outbox that is no longer empty. */
  add(outbox: Outbox): void {
    this.#dirty.push(outbox);
    this.#start();
  }

  /**
   * Queues a frame for all members of a group at once, whose outboxes have this limit. Returns false
   * if it must be pushed to each of them instead: the group is small, or frames wait in outboxes, as
   * they do in the middle of a flush.
   */
  broadcast(frame: Frame, group: ReadonlySet<Recipient>, limit: number): boolean {
    const current = this.#broadcast;
    if (current === undefined) {
      if (this.#flushing || this.#dirty.length > 0) return false;
      if (group.size < MANY || frame.size > limit) return false;
      this.#broadcast = { group, batch: this.#root.with(frame), apart: new Set() };
      this.#start();
      return true;
    }
    if (current.group !== group || current.batch.size + frame.size > limit) {
      this.split();
      return false;
    }
    current.batch = current.batch.with(frame);
    for (const outbox of current.apart) outbox.push(frame);
    return true;
  }

  /** Puts what waits for a group into each outbox. Call it before the group's members change. */
  split(group: ReadonlySet<Recipient> | undefined = this.#broadcast?.group): void {
    const current = this.#broadcast;
    if (current !== undefined && current.group === group) {
      this.#broadcast = undefined;
      for (const outbox of this.#outboxesOf(current.group)) {
        if (!current.apart.has(outbox)) outbox.take(current.batch);
      }
    }
    if (group !== this.#group) return;
    this.#group = undefined;
    this.#outboxes = [];
  }

  /** The batch that waits for an outbox and its group. From now on the outbox has it itself. */
  takeShared(outbox: Outbox, member: OutboxListener): PendingBatch | undefined {
    const current = this.#broadcast;
    if (current === undefined || current.apart.has(outbox)) return undefined;
    const group: ReadonlySet<unknown> = current.group;
    if (!group.has(member)) return undefined;
    current.apart.add(outbox);
    return current.batch;
  }

  /**
   * The outboxes of a group, collected before the first write: between writes, which fill the cache,
   * each step from a member to its outbox would wait for memory.
   */
  #outboxesOf(group: ReadonlySet<Recipient>): readonly Outbox[] {
    if (group !== this.#group) {
      this.#outboxes = Array.from(group, ({ outbox }) => outbox).filter((one) => one !== undefined);
      this.#group = group;
    }
    return this.#outboxes;
  }

  #start(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(this.#flush);
  }

  readonly #flush = (): void => {
    if (this.#size() >= MANY && this.#waits()) return this.#schedule(this.#flush);
    this.#scheduled = false;
    this.#waited = 0;
    this.#quiet = 0;
    this.#seen = undefined;
    const dirty = this.#dirty;
    const broadcast = this.#broadcast;
    this.#dirty = [];
    this.#broadcast = undefined;
    this.#root = new PendingBatch();
    this.#flushing = true;
    if (broadcast !== undefined) {
      const sent = sendToAll(this.#outboxesOf(broadcast.group), broadcast);
      this.#traffic?.add(broadcast.batch, sent);
    }
    for (const outbox of dirty) outbox.flush();
    this.#flushing = false;
  };

  #size(): number {
    return this.#dirty.length + (this.#broadcast?.group.size ?? 0);
  }

  /** A new frame for many is also one for the first outbox, or adds outboxes. */
  #waits(): boolean {
    const waiting = this.#broadcast?.batch ?? this.#dirty[0].pending;
    const size = this.#size();
    const grows = waiting !== this.#seen || size !== this.#count;
    this.#seen = waiting;
    this.#count = size;
    this.#quiet = grows ? 0 : this.#quiet + 1;
    return this.#quiet < this.#patience.quiet && this.#waited++ < this.#patience.max;
  }
}

/** Returns how many got the batch. What follows a failed write may queue frames: it waits until then. */
function sendToAll(outboxes: readonly Outbox[], { batch, apart }: Broadcast): number {
  const failures: (() => void)[] = [];
  for (const outbox of outboxes) {
    if (apart.size > 0 && apart.has(outbox)) continue;
    const failure = outbox.write(batch);
    if (failure !== undefined) failures.push(failure);
  }
  for (const failure of failures) failure();
  return outboxes.length - apart.size;
}

/** The frames that wait for one connection. */
export class Outbox {
  readonly #flusher: Flusher;
  readonly #sink: Sink;
  readonly #limit: number;
  readonly #listener: OutboxListener;
  readonly #onLost: (frames: number) => void;
  readonly #traffic: Traffic | undefined;
  #pending: PendingBatch | undefined;
  #closed = false;

  /**
   * Calls `onLost` with the number of frames that were queued and that the sink did not take.
   * `traffic` counts those that it takes; a sink that holds frames back counts by itself.
   */
  constructor(
    flusher: Flusher,
    sink: Sink,
    limit: number,
    listener: OutboxListener,
    onLost: (frames: number) => void = () => {},
    traffic?: Traffic,
  ) {
    this.#flusher = flusher;
    this.#sink = sink;
    this.#limit = limit;
    this.#listener = listener;
    this.#onLost = onLost;
    this.#traffic = traffic;
  }

  /** The frames that wait; undefined where there are none. */
  get pending(): PendingBatch | undefined {
    return this.#pending;
  }

  /** Queues a frame. Returns false where the outbox is closed. */
  push(frame: Frame): boolean {
    if (this.#closed) return false;
    this.#takeShared();
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

  /** Takes a batch that has waited for a whole group. Call it only where nothing waits here. */
  take(batch: PendingBatch): void {
    if (this.#closed) return;
    this.#pending = batch;
    this.#flusher.add(this);
  }

  /** Sends what waits. Never throws, because others are flushed after this one. */
  flush(): void {
    this.#takeShared();
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    this.#traffic?.add(pending, 1);
    this.write(pending)?.();
  }

  /** Sends a batch that was counted. Returns what must follow where that failed. Never throws. */
  write(batch: PendingBatch): (() => void) | undefined {
    if (this.#closed) return void this.#traffic?.add(batch, -1);
    let unsent: number;
    try {
      unsent = this.#sink.send(batch);
    } catch (error) {
      this.#traffic?.add(batch, -1);
      return () => {
        this.#onLost(batch.frames.length);
        this.discard();
        this.#listener.failed(error);
      };
    }
    if (unsent < 0) {
      this.#traffic?.add(batch, -1);
      this.#onLost(batch.frames.length);
    } else if (unsent > 0) this.#traffic?.waits(this.#sink);
    if (unsent <= this.#limit) return undefined;
    return () => {
      this.discard();
      this.#listener.slow();
    };
  }

  /** Sends what waits, then accepts nothing more. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  /** Drops what waits, and accepts nothing more. */
  discard(): void {
    if (!this.#closed) this.#takeShared();
    const lost = this.#pending?.frames.length ?? 0;
    this.#pending = undefined;
    this.#closed = true;
    this.#traffic?.forget(this.#sink);
    if (lost > 0) this.#onLost(lost);
  }

  #takeShared(): void {
    const batch = this.#flusher.takeShared(this, this.#listener);
    if (batch !== undefined) this.take(batch);
  }
}
