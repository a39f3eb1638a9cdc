/** Follows the messages of one room in the order of their offsets, and reads those that did not come. No I/O. */
import type { Clock } from "../../../base/clock.ts";
import type { Keep, Position } from "../../../base/kept-messages.ts";
import type { Entries } from "../../../contract/backplane.ts";

/** How long it waits after a failure before it reads again, in milliseconds. */
const RETRY_DELAY = 1_000;
/** So many messages wait at most while it reads; what is too much is read again. */
const MAX_WAITING = 1_000;
/** Clocks of the store and of this process differ, and a message takes some time: in milliseconds. */
const TOLERANCE = 2_000;

/** What a follower is made with. */
export interface FollowerOptions {
  readonly clock: Clock;
  readonly keep: Keep;
  /** Reads the messages after a position; without one only where the room is. */
  read(from: Position | undefined): Promise<Entries>;
  /** Delivers a message. */
  deliver(message: Uint8Array, at: Position): void;
  /** Some messages are lost: the store has lost them, or has dropped them since. */
  lost(): void;
  /** So many messages have been read that did not come. */
  caughtUp(count: number): void;
}

/** A message that waits. */
interface Waiting {
  readonly message: Uint8Array;
  readonly at: Position;
}

/** Follows one room. */
export class Follower {
  readonly #options: FollowerOptions;
  /** Everything up to here was delivered, or was sent before there was a member. */
  #position: Position | undefined;
  /** False while it is where the store was: messages before it may still be on their way. */
  #isExact = false;
  #heardAt: number;
  /** What waits while it reads; undefined while it does not. */
  #waiting: Waiting[] | undefined;
  #isReading = false;
  #again = false;
  #cancelRetry: () => void = () => {};
  #ended = false;

  /** Asks where the room is. */
  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#heardAt = options.clock.elapsed();
    options.read(undefined).then(({ newest }) => this.#position ??= newest).catch(() => {
      // The first message that comes tells it as well.
    });
  }

  /** Its position, where everything up to there has been delivered here; undefined otherwise. */
  get settled(): Position | undefined {
    return this.#isExact && this.#waiting === undefined ? this.#position : undefined;
  }

  /** Takes messages that have come; the first one has the offset of `at`. */
  take({ epoch, offset }: Position, messages: readonly Uint8Array[]): void {
    for (const [index, message] of messages.entries()) {
      const one = { message, at: { epoch, offset: offset + index } };
      if (this.#waiting !== undefined) this.#wait(one);
      else if (!this.#accept(one)) {
        this.#wait(one);
        void this.#catchUp();
      }
    }
  }

  /** Reads what has not come. */
  catchUp(): void {
    this.#waiting ??= [];
    this.#again = true;
    void this.#catchUp();
  }

  /** Follows no more. */
  end(): void {
    this.#ended = true;
    this.#cancelRetry();
  }

  #wait(one: Waiting): void {
    const waiting = this.#waiting ??= [];
    waiting.push(one);
    // What is missing then is found by its offset.
    if (waiting.length > MAX_WAITING) waiting.shift();
  }

  /** Delivers a message in its turn, or knows it; returns false where messages before it are missing. */
  #accept({ message, at }: Waiting): boolean {
    const { clock, keep, deliver, lost } = this.#options;
    const position = this.#position;
    if (position?.epoch === at.epoch) {
      if (at.offset > position.offset + 1) return false;
      if (at.offset <= position.offset && this.#isExact) return true;
    } else if (position !== undefined && this.#isExact) {
      // A room that was quiet for its whole time begins anew, and nothing is lost.
      const quiet = clock.elapsed() - this.#heardAt;
      if (quiet < keep.ttl - TOLERANCE) lost();
    }
    this.#position = at;
    this.#isExact = true;
    this.#heardAt = clock.elapsed();
    deliver(message, at);
    return true;
  }

  /** Reads until nothing is missing. Never rejects. */
  async #catchUp(): Promise<void> {
    if (this.#isReading) return;
    const { read, clock } = this.#options;
    this.#cancelRetry();
    this.#isReading = true;
    try {
      do {
        this.#again = false;
        const from = this.#position;
        const entries = await read(from);
        if (this.#ended) return;
        this.#deliverRead(entries, from === undefined);
        this.#acceptWaiting();
      } while (this.#again);
      this.#waiting = undefined;
    } catch {
      if (this.#ended) return;
      this.#cancelRetry = clock.after(RETRY_DELAY, () => void this.#catchUp());
    } finally {
      this.#isReading = false;
    }
  }

  #deliverRead({ newest, messages }: Entries, isFirst: boolean): void {
    const { lost, deliver, caughtUp, clock } = this.#options;
    this.#position = newest;
    this.#isExact = true;
    this.#heardAt = clock.elapsed();
    if (isFirst || messages === undefined) return lost();
    caughtUp(messages.length);
    const first = newest.offset - messages.length + 1;
    for (const [index, message] of messages.entries()) {
      deliver(message, { epoch: newest.epoch, offset: first + index });
    }
  }

  #acceptWaiting(): void {
    const waiting = this.#waiting ?? [];
    while (waiting.length > 0) {
      if (!this.#accept(waiting[0])) {
        this.#again = true;
        return;
      }
      waiting.shift();
    }
  }
}
