/** The heartbeats of one instance, and the seconds in which it has to hear those of others. */
import type { Clock } from "../base/clock.ts";
import type { Members } from "./members.ts";

/** Milliseconds between two heartbeats. */
const INTERVAL = 1_000;
/** Others are not blamed in a second when the own heartbeats did not get through for this long. */
const MAX_DEAF = 3_000;
/** An instance that was not heard of for so long may have been declared dead. */
const MAX_UNHEARD = 6_000;

/** What the heartbeats need. */
export interface HeartbeatsOptions {
  readonly clock: Clock;
  readonly members: Members;
  /** Whether the instance has joined the others and is connected to them. */
  isJoined(): boolean;
  /** Tells all others the own age. Resolves when it is confirmed. */
  send(age: number): Promise<void>;
  /** The others may have declared this instance dead. */
  lost(): void;
}

/** Sends a heartbeat a second. The seconds are counted: a process that was blocked has missed one. */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  #cancel: (() => void) | undefined;
  /** When the last confirmed heartbeat was sent, on the clock's `elapsed`. */
  #confirmed = -Infinity;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  /** How many milliseconds ago the last confirmed heartbeat was sent. */
  get unheard(): number {
    return this.#options.clock.elapsed() - this.#confirmed;
  }

  /** Whether the others may have declared this instance dead. */
  get isLost(): boolean {
    return this.unheard > MAX_UNHEARD;
  }

  /** Begins. */
  start(): void {
    this.#cancel = this.#options.clock.after(INTERVAL, () => this.#tick());
  }

  /** Sends one. */
  async beat(): Promise<void> {
    const { clock, members: { age }, send } = this.#options;
    if (age === undefined) return;
    const now = clock.elapsed();
    await send(age);
    this.#confirmed = Math.max(this.#confirmed, now);
  }

  /** Ends. */
  stop(): void {
    this.#cancel?.();
  }

  #tick(): void {
    const { members, isJoined, lost } = this.#options;
    this.start();
    if (!isJoined()) return;
    if (this.isLost) return lost();
    if (this.unheard < MAX_DEAF) members.tick();
    // The next one is due in a second.
    this.beat().catch(() => {});
  }
}
