/** Frames that go out together, in a form that all recipients of the same frames share. */
import type { Frame } from "../../transport/frame.ts";
import type { Batch } from "../../transport/socket.ts";

/**
 * Frames that wait, as a path from the root of a tick. Connections that wait for the same frames share
 * the path.
 */
export class PendingBatch implements Batch {
  /** Bytes on the wire. */
  readonly size: number;
  readonly #parent: PendingBatch | undefined;
  readonly #frame: Frame | undefined;
  #next: PendingBatch | undefined;
  #frames: readonly Frame[] | undefined;
  #bytes: Uint8Array | undefined;

  /** The parent and one more frame; empty without them. */
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

function join(frames: readonly Frame[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame.bytes, at);
    at += frame.size;
  }
  return bytes;
}
