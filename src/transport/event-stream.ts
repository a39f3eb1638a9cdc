/**
 * Streams of server-sent events (SSE): the interface between the core and the adapters of the
 * runtimes, and how frames become events. No I/O.
 */
import { concat } from "../base/bytes.ts";
import type { Frame } from "./frame.ts";
import type {
  Batch,
  HandshakeRequest,
  SocketFeatures,
  SocketSession,
  VouchedClient,
} from "./socket.ts";

/** A path that answers with a stream of events, as adapters see it. */
export interface StreamEndpoint {
  /** Such as `/events`; relative to the mount path if embedded. */
  readonly path: string;
  /** In milliseconds. A client that takes nothing for this time, although it should, is dropped. */
  readonly stallTimeout: number;
  /** Answers a request, synchronously if possible. Adapters do not pass `vouched`. Never rejects. */
  answer(
    request: HandshakeRequest,
    vouched?: VouchedClient,
  ): StreamAnswer | Promise<StreamAnswer>;
}

/** The answer to a request: a stream, or a response that is complete. */
export type StreamAnswer = {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
} & (StreamAcceptance | StreamRefusal);

/** A stream begins. */
export interface StreamAcceptance {
  /** True for a stream. */
  readonly accepted: true;
  /** Receives the events of the connection: `open` or `abandon`, then `close`. */
  readonly session: SocketSession;
  /** The event that ends the stream, for a close code and its reason. */
  lastEvent(code: number, reason: string): string;
}

/** A response without a stream. */
export interface StreamRefusal {
  /** False for a response that is complete. */
  readonly accepted: false;
  /** The HTTP status. */
  readonly status: number;
  /** Null for none. */
  readonly body: string | null;
}

/** What every stream can do. */
export const STREAM_FEATURES: SocketFeatures = {
  ping: true,
  terminate: true,
  pause: false,
  frameLimits: true,
  closeCodes: true,
  handshakeChecks: true,
};

/** The code of a connection that ended without the server's doing. */
export const NO_CLOSE_EVENT = 1006;

/** A comment, which clients ignore. It opens a stream, and shows that it is alive. */
export const COMMENT = ":\n\n";

/** A frame as an event. JSON has no line breaks, so one line is enough. */
export function eventOf({ text, eventId }: Frame): string {
  return eventId === undefined ? `data: ${text}\n\n` : `id: ${eventId}\ndata: ${text}\n\n`;
}

const encoder = new TextEncoder();

/** The bytes of a text. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Encodes batches as events, once for all recipients of a batch. */
export class EventEncoder {
  /** A frame may be in the batches of many recipients. */
  readonly #frames = new WeakMap<Frame, Uint8Array<ArrayBuffer>>();
  /** The batch that was encoded last: most recipients of a batch follow each other. */
  #batch: Batch | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  /** Whether a batch is the one that was asked for last. */
  knows(batch: Batch): boolean {
    return batch === this.#batch;
  }

  /** All events of a batch as text, for its first recipient: most batches have no other one. */
  text(batch: Batch): string {
    this.#batch = batch;
    this.#bytes = undefined;
    const { frames } = batch;
    if (frames.length === 1) return eventOf(frames[0]);
    return frames.map(eventOf).join("");
  }

  /** All events of a batch. */
  bytes(batch: Batch): Uint8Array<ArrayBuffer> {
    if (this.#bytes !== undefined && batch === this.#batch) return this.#bytes;
    this.#batch = batch;
    return this.#bytes = this.#encode(batch);
  }

  #encode({ frames }: Batch): Uint8Array<ArrayBuffer> {
    if (frames.length === 1) return this.#of(frames[0]);
    return concat(frames.map((frame) => this.#of(frame)));
  }

  #of(frame: Frame): Uint8Array<ArrayBuffer> {
    let bytes = this.#frames.get(frame);
    if (bytes === undefined) {
      bytes = encodeText(eventOf(frame));
      this.#frames.set(frame, bytes);
    }
    return bytes;
  }
}
