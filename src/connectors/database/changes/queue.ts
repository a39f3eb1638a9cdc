/** The changes that have been read and not been delivered. */
import { Fifo } from "../../../base/fifo.ts";
import type { Change, ChangeSink, Position } from "./feed.ts";

/** How many changes, and how many bytes of them, wait at most; what one read brings comes on top. */
const MOST_WAITING = 1000;
const MOST_BYTES = 4 * 1024 * 1024;

/** A change of which not even the row can be read. */
export type Unreadable = Parameters<ChangeSink["unreadable"]>[0];

/** A change, one that cannot be read, or the end of a transaction. */
export type Waiting =
  | { readonly kind: "change"; readonly change: Change; readonly size: number }
  | { readonly kind: "unreadable"; readonly change: Unreadable; readonly reason: string }
  | { readonly kind: "end"; readonly position: Position };

/** A queue that knows its size. */
export class ChangeQueue {
  readonly #waiting = new Fifo<Waiting>();
  #bytes = 0;

  /** Whether nothing should be read before some of it has been delivered. */
  get full(): boolean {
    return this.#waiting.length >= MOST_WAITING || this.#bytes >= MOST_BYTES;
  }

  /** Whether more can be read. */
  get halfEmpty(): boolean {
    return this.#waiting.length <= MOST_WAITING / 2 && this.#bytes <= MOST_BYTES / 2;
  }

  push(next: Waiting): void {
    if (next.kind === "change") this.#bytes += next.size;
    this.#waiting.push(next);
  }

  shift(): Waiting | undefined {
    const next = this.#waiting.shift();
    if (next?.kind === "change") this.#bytes -= next.size;
    return next;
  }

  clear(): void {
    while (this.shift() !== undefined);
  }

  /** Keeps the rest of the first transaction; nothing where its end has not been read. */
  keepTransaction(): void {
    const kept: Waiting[] = [];
    let whole = false;
    for (let next = this.shift(); next !== undefined; next = this.shift()) {
      if (whole) continue;
      kept.push(next);
      whole = next.kind === "end";
    }
    if (whole) { for (const one of kept) this.push(one); }
  }
}
