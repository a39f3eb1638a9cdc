/** Bodies of requests, read within limits of size and time. */
import type { Clock } from "../../base/clock.ts";

/** A body of which nothing has come for this time is given up, in milliseconds. */
const PATIENCE = 30_000;
/** So is one that is not complete after this time, in milliseconds. */
const WHOLE_TIME = 300_000;
/** How often that is checked, in milliseconds: a timer for each body would cost more than its reading. */
const CHECK_INTERVAL = 1_000;

/** Why a body was not read to its end. */
export type BodyFailure = "too_large" | "too_slow" | "closing" | "broken";

/** A body that has been read, or why not. */
export type Body = { readonly text: string } | { readonly failure: BodyFailure };

/** Reads the bodies of one connector. */
export class BodyReader {
  readonly #clock: Clock;
  /** The bodies that are being read. */
  readonly #reading = new Set<Reading>();
  #cancelCheck: (() => void) | undefined;
  #closed = false;

  /** Time is the clock's. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reads a body of at most `maxSize` bytes of UTF-8. The rest of a larger one is left to the server. */
  async read(stream: ReadableStream<Uint8Array>, maxSize: number): Promise<Body> {
    if (this.#closed) return { failure: "closing" };
    // Something else is reading it.
    if (stream.locked) return { failure: "broken" };
    const reading = new Reading(stream, this.#clock);
    this.#reading.add(reading);
    this.#cancelCheck ??= this.#clock.after(CHECK_INTERVAL, this.#check);
    try {
      return await reading.text(maxSize);
    } finally {
      this.#reading.delete(reading);
    }
  }

  /** Stops reading all bodies that are not complete. */
  close(): void {
    this.#closed = true;
    this.#cancelCheck?.();
    for (const reading of this.#reading) reading.giveUp("closing");
  }

  readonly #check = (): void => {
    const now = this.#clock.elapsed();
    for (const reading of this.#reading) if (reading.isLate(now)) reading.giveUp("too_slow");
    this.#cancelCheck = this.#reading.size === 0
      ? undefined
      : this.#clock.after(CHECK_INTERVAL, this.#check);
  };
}

/** One body that is being read. */
class Reading {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #clock: Clock;
  readonly #begunAt: number;
  #movedAt: number;
  #failure: BodyFailure | undefined;

  constructor(stream: ReadableStream<Uint8Array>, clock: Clock) {
    this.#reader = stream.getReader();
    this.#clock = clock;
    this.#begunAt = this.#movedAt = clock.elapsed();
  }

  async text(maxSize: number): Promise<Body> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const parts: string[] = [];
    let size = 0;
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (this.#failure !== undefined) return { failure: this.#failure };
        if (done) return { text: parts.join("") + decoder.decode() };
        this.#movedAt = this.#clock.elapsed();
        size += value.length;
        if (size > maxSize) {
          this.giveUp("too_large");
          return { failure: "too_large" };
        }
        parts.push(decoder.decode(value, { stream: true }));
      }
    } catch {
      return { failure: this.#failure ?? "broken" };
    }
  }

  /** Ends the wait for more. */
  giveUp(failure: BodyFailure): void {
    this.#failure ??= failure;
    // Cancelling would close the socket under the answer on Node. This rejects what waits for bytes.
    this.#reader.releaseLock();
  }

  /** Whether its time is over. */
  isLate(now: number): boolean {
    return now >= Math.min(this.#movedAt + PATIENCE, this.#begunAt + WHOLE_TIME);
  }
}
