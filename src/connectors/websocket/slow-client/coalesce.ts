/** The policy `coalesce`: of the messages with one key only the newest waits. */
import type { Frame } from "../../../transport/frame.ts";
import type { Backlog } from "./backlog.ts";
import { MessageFrame } from "./message.ts";

/** Frames in order. It makes room as frames come, and cannot make more. */
export class CoalescingBacklog implements Backlog {
  readonly #onReplace: () => void;
  /** In order, by the message's key; by a number of their own where frames have none. */
  readonly #frames = new Map<string | number, Frame>();
  #pushed = 0;
  #size = 0;

  /** `onReplace` hears of each message whose place a newer one takes. */
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
    // The newest comes at the end, behind what was sent before it.
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

  fit(size: number): boolean {
    return this.#size <= size;
  }

  #remove(key: string | number, frame: Frame): void {
    this.#frames.delete(key);
    this.#size -= frame.size;
  }
}
