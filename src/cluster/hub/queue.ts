/** What waits to be sent over a link. No I/O. */

/** One direction of a connection. */
export interface Pipe {
  /** Resolves when the operating system has taken the bytes. Rejects only where the pipe is closed. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes it, after what was written before. May be called again. */
  close(): void;
}

/** At most this many bytes are one write: what has been written cannot be left out any more. */
const MAX_WRITE = 256 * 1024;

/** Frames in their order. Those of one callback are one write, and so are those that come during a write. */
export class SendQueue {
  readonly #pipe: Pipe;
  readonly #onWritten: () => void;
  #frames: Entry[] = [];
  #running = false;
  #bytes = 0;

  /** `onWritten` is called after each write. */
  constructor(pipe: Pipe, onWritten: () => void = () => {}) {
    this.#pipe = pipe;
    this.#onWritten = onWritten;
  }

  /** The bytes that wait, with those of the write in flight. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a frame. One that is `optional` can be dropped. */
  push(frame: Uint8Array, optional = false): void {
    this.#frames.push({ frame, optional });
    this.#bytes += frame.length;
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  /** Leaves out the optional frames that wait. Returns how many these were. */
  drop(): number {
    const kept = this.#frames.filter(({ optional }) => !optional);
    const dropped = this.#frames.filter(({ optional }) => optional);
    this.#frames = kept;
    this.#bytes -= sizeOf(dropped);
    return dropped.length;
  }

  async #run(): Promise<void> {
    // The frames that this callback still adds.
    await Promise.resolve();
    while (this.#frames.length > 0) {
      const bytes = this.#take();
      try {
        await this.#pipe.write(bytes);
      } catch {
        // The pipe is closed, which its owner is told elsewhere.
        this.#frames = [];
        this.#bytes = 0;
        break;
      }
      this.#bytes -= bytes.length;
      this.#onWritten();
    }
    this.#running = false;
  }

  /** The next frames, as one. */
  #take(): Uint8Array {
    let [count, size] = [0, 0];
    for (const { frame } of this.#frames) {
      if (count > 0 && size + frame.length > MAX_WRITE) break;
      count++;
      size += frame.length;
    }
    const taken = this.#frames.splice(0, count);
    if (count === 1) return taken[0].frame;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const { frame } of taken) {
      bytes.set(frame, at);
      at += frame.length;
    }
    return bytes;
  }
}

interface Entry {
  readonly frame: Uint8Array;
  readonly optional: boolean;
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { frame }) => sum + frame.length, 0);
}
