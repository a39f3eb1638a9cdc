/** Answers requests for streams of events that come through `fetch`. */
import type { StreamEndpoint } from "../transport/event-stream.ts";
import type { ReceivedHandshake, Upgrader } from "../transport/handshake.ts";
import type { PullStreams } from "../transport/pull-stream.ts";

/** The streams of one site. Their code is loaded with the first request. */
export class Streams {
  readonly #upgrader: Upgrader | undefined;
  #loaded: Promise<PullStreams> | undefined;

  constructor(upgrader: Upgrader | undefined) {
    this.#upgrader = upgrader;
  }

  /** The response to a request; `received` is what it asks for. */
  async answer(
    endpoint: StreamEndpoint,
    request: Request,
    env: unknown,
    received: ReceivedHandshake,
  ): Promise<Response> {
    const streams = await (this.#loaded ??= load(this.#upgrader?.directStreams === true));
    const opened = (): void => {
      this.#upgrader?.keepOpen?.(request, env);
      // Bun knows it only until the response has begun.
      void received.remoteAddress;
    };
    return await streams.answer(endpoint, received, request.signal, opened);
  }
}

async function load(direct: boolean): Promise<PullStreams> {
  const { PullStreams } = await import("../transport/pull-stream.ts");
  return new PullStreams(direct);
}
