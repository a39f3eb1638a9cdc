/** Streams of events as the body of a standard `Response`, which the runtime pulls. */
import { concat } from "../base/bytes.ts";
import {
  COMMENT,
  encodeText,
  EventEncoder,
  NO_CLOSE_EVENT,
  STREAM_FEATURES,
  type StreamAcceptance,
  type StreamAnswer,
  type StreamEndpoint,
} from "./event-stream.ts";
import type { Batch, HandshakeRequest, Peer } from "./socket.ts";
import { type Progress, Stall } from "./stall.ts";

/** Answers requests with streams that the runtime pulls. */
export class PullStreams {
  readonly #encoder = new EventEncoder();
  readonly #direct: boolean;

  /** With `direct` where the runtime has such streams: Bun's others hide 4 MB that are not sent. */
  constructor(direct = false) {
    this.#direct = direct;
  }

  /**
   * The response to a request. `signal` tells of the end of its client, `opened` is called when a
   * stream begins.
   */
  answer(
    endpoint: StreamEndpoint,
    request: HandshakeRequest,
    signal: AbortSignal,
    opened: () => void,
  ): Response | Promise<Response> {
    const respond = (answer: StreamAnswer): Response => {
      const { headers } = answer;
      if (!answer.accepted) return new Response(answer.body, { status: answer.status, headers });
      if (signal.aborted) {
        answer.session.abandon();
        return new Response(null, { status: 499 });
      }
      try {
        opened();
      } catch (error) {
        answer.session.abandon();
        throw error;
      }
      const peer = new PullStreamPeer(this.#encoder, endpoint.stallTimeout, answer);
      return new Response(peer.open(signal, this.#direct), { headers });
    };
    const answer = endpoint.answer(request);
    return answer instanceof Promise ? answer.then(respond) : respond(answer);
  }
}

const PING = encodeText(COMMENT);
/** The runtime gets at most this many bytes at a time, so that it is seen what a slow client takes. */
const PIECE = 64 * 1024;

const CUT_OFF = "weir: a stream is cut off, since its client takes nothing";

/** The controller of a direct stream. */
interface DirectController {
  write(bytes: Uint8Array): unknown;
  /** Resolves when the kernel has taken what was written. */
  flush(wait: boolean): unknown;
  close(error?: unknown): void;
}

/**
 * A stream from which the runtime takes a piece whenever it wants one. What it does not take waits
 * here, where it is counted.
 */
class PullStreamPeer implements Peer {
  readonly #encoder: EventEncoder;
  readonly #acceptance: StreamAcceptance;
  readonly #stall: Stall;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  #sink: DirectController | undefined;
  /** Resolves the `pull` that waits for something. */
  #pulled: (() => void) | undefined;
  #queue: Uint8Array<ArrayBuffer>[] = [];
  #waiting = 0;
  #taken = 0;
  #ending: { readonly code: number; readonly reason: string } | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #gone = false;

  constructor(encoder: EventEncoder, stallTimeout: number, acceptance: StreamAcceptance) {
    this.#encoder = encoder;
    this.#acceptance = acceptance;
    this.#stall = new Stall(stallTimeout, () => this.#progress(), () => this.terminate());
  }

  /** Opens the connection; returns the body of the response. */
  open(signal: AbortSignal, direct: boolean): ReadableStream<Uint8Array<ArrayBuffer>> {
    const left = (): void => this.#end();
    const stream = direct ? this.#directStream(left) : new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => void (this.#controller = controller),
      pull: () => this.#pull(),
      cancel: left,
      // With the default mark the stream would pull before the runtime wants something.
    }, { highWaterMark: 0 });
    // Not every runtime cancels the stream of a client that has left.
    signal.addEventListener("abort", left, { once: true });
    this.#push(PING);
    this.#acceptance.session.open(this, STREAM_FEATURES);
    return stream;
  }

  get bufferedAmount(): number {
    return this.#waiting;
  }

  send(batch: Batch): number {
    if (this.#gone || this.#ending !== undefined) return -1;
    this.#push(this.#encoder.bytes(batch));
    return this.#waiting;
  }

  close(code: number, reason: string, patience: number): void {
    if (this.#gone || this.#ending !== undefined) return;
    this.#ending = { code, reason };
    this.#stall.stop();
    this.#push(encodeText(this.#acceptance.lastEvent(code, reason)));
    if (this.#waiting > 0) this.#awaitEnd(patience, this.#taken);
    // The connection is not told of its end while it makes this call.
    else queueMicrotask(() => this.#finish());
  }

  ping(): void {
    if (this.#gone || this.#ending !== undefined) return;
    // What waits is a sign of life itself, as soon as the client takes it.
    if (this.#waiting === 0) this.#push(PING);
    // The client cannot answer. What it does not take is noticed in another way.
    this.#acceptance.session.pong();
  }

  terminate(): void {
    if (this.#gone) return;
    // Only an error makes a runtime cut a connection off. Runtimes print it, and of a text not more.
    this.#sink?.close(CUT_OFF);
    this.#controller?.error(CUT_OFF);
    this.#end();
  }

  #directStream(cancel: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
    const pull = (sink: unknown) => this.#pump(sink as DirectController);
    const source: unknown = { type: "direct", pull, cancel };
    return new ReadableStream(source as UnderlyingDefaultSource<Uint8Array<ArrayBuffer>>);
  }

  /** Writes piece by piece, each when the one before has been sent. */
  async #pump(sink: DirectController): Promise<void> {
    this.#sink = sink;
    while (!this.#gone) {
      if (this.#queue.length > 0) {
        const piece = this.#takePiece();
        sink.write(piece);
        await sink.flush(true);
        if (this.#gone) return;
        this.#waiting -= piece.length;
        this.#taken += piece.length;
      } else if (this.#ending !== undefined) {
        return this.#finish();
      } else {
        await new Promise<void>((resolve) => this.#pulled = resolve);
      }
    }
  }

  #push(bytes: Uint8Array<ArrayBuffer>): void {
    const pulled = this.#pulled;
    if (this.#sink !== undefined) {
      this.#queue.push(bytes);
      this.#waiting += bytes.length;
      this.#pulled = undefined;
      pulled?.();
      this.#stall.watch();
    } else if (pulled === undefined) {
      this.#queue.push(bytes);
      this.#waiting += bytes.length;
      this.#stall.watch();
    } else {
      this.#pulled = undefined;
      this.#taken += bytes.length;
      this.#controller?.enqueue(bytes);
      pulled();
    }
  }

  #pull(): Promise<void> | undefined {
    if (this.#queue.length === 0) {
      if (this.#gone) return undefined;
      return new Promise((resolve) => this.#pulled = resolve);
    }
    const piece = this.#takePiece();
    this.#waiting -= piece.length;
    this.#taken += piece.length;
    this.#controller?.enqueue(piece);
    if (this.#ending !== undefined && this.#waiting === 0) this.#finish();
    return undefined;
  }

  #takePiece(): Uint8Array<ArrayBuffer> {
    const queue = this.#queue;
    if (queue[0].length > PIECE) {
      const piece = queue[0].subarray(0, PIECE);
      queue[0] = queue[0].subarray(PIECE);
      return piece;
    }
    let [count, size] = [0, 0];
    while (count < queue.length && size + queue[count].length <= PIECE) {
      size += queue[count++].length;
    }
    const parts = queue.splice(0, count);
    return parts.length === 1 ? parts[0] : concat(parts);
  }

  /** All is taken, and nothing follows. */
  #finish(): void {
    if (this.#gone) return;
    this.#controller?.close();
    this.#sink?.close();
    this.#end();
  }

  #awaitEnd(patience: number, before: number): void {
    this.#patience = setTimeout(() => {
      if (this.#taken === before) this.terminate();
      else this.#awaitEnd(patience, this.#taken);
    }, patience);
  }

  #progress(): Progress {
    return { waiting: this.#waiting, taken: this.#taken };
  }

  #end(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#stall.stop();
    clearTimeout(this.#patience);
    this.#pulled?.();
    this.#pulled = undefined;
    this.#queue = [];
    this.#waiting = 0;
    const { code, reason } = this.#ending ?? { code: NO_CLOSE_EVENT, reason: "" };
    this.#acceptance.session.close(code, reason);
  }
}
