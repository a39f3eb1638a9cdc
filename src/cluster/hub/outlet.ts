/** What goes from the supervisor to one worker, and what becomes of it where the worker does not read. No I/O. */
import type { Clock } from "../../base/clock.ts";
import { encodeList, Kind } from "./frames.ts";
import { type Pipe, SendQueue } from "./queue.ts";

/** Above this many bytes that wait for a worker, those that send to it wait. */
const MAX_WAITING = 4 * 1024 * 1024;
/** A worker for which more waits for this long, in milliseconds, loses what waits. A publish has two seconds. */
const MAX_BEHIND = 1_500;
/** So does, at once, one for which this many bytes wait: some sender does not wait for it. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Sends to one worker, without ever holding more for it than `MAX_BYTES`. */
export class Outlet {
  readonly #clock: Clock;
  readonly #queue: SendQueue;
  readonly #onLost: () => void;
  readonly #onReady: () => void;
  /** Cancels the timer that runs while too much waits. */
  #cancel: (() => void) | undefined;
  /** Messages that were left out since the worker last read everything. */
  #lost = 0;
  #losing = false;

  /** `onLost` is called when it begins to leave messages out, `onReady` when nobody must wait any more. */
  constructor(pipe: Pipe, clock: Clock, onLost: () => void, onReady: () => void) {
    this.#clock = clock;
    this.#onLost = onLost;
    this.#onReady = onReady;
    this.#queue = new SendQueue(pipe, () => this.#written());
  }

  /** Whether those that send messages to this worker should wait. */
  get behind(): boolean {
    return this.#cancel !== undefined;
  }

  /** Sends a message, or counts it as lost. */
  message(frame: Uint8Array): void {
    if (this.#losing) {
      this.#lost++;
      return;
    }
    this.#queue.push(frame, true);
    if (this.#queue.bytes > MAX_BYTES) this.#lose();
    else if (this.#queue.bytes > MAX_WAITING) {
      this.#cancel ??= this.#clock.after(MAX_BEHIND, () => this.#lose());
    }
  }

  /** Sends what must never be left out. */
  control(frame: Uint8Array): void {
    this.#queue.push(frame);
  }

  /** The worker has ended: nobody waits for it. */
  end(): void {
    this.#release();
  }

  #written(): void {
    if (this.#losing && this.#queue.bytes === 0) {
      this.control(encodeList(Kind.gap, this.#lost));
      this.#losing = false;
      this.#lost = 0;
    }
    if (this.behind && this.#queue.bytes <= MAX_WAITING) this.#release();
  }

  #lose(): void {
    this.#losing = true;
    this.#lost = this.#queue.drop();
    this.#onLost();
    this.#release();
  }

  #release(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#onReady();
  }
}
