/** Clients of a stream of events, without a network. */
import type { StreamAnswer, StreamEndpoint } from "../../src/transport/event-stream.ts";
import { STREAM_FEATURES } from "../../src/transport/event-stream.ts";
import type { Batch, HandshakeRequest, Peer, SocketSession } from "../../src/transport/socket.ts";

/** The request of a client; `query` has no question mark. */
export function streamRequest(
  query = "",
  parts: Partial<HandshakeRequest> = {},
): HandshakeRequest {
  return {
    method: "GET",
    url: new URL(`http://localhost/events?${query}`),
    headers: { accept: "text/event-stream" },
    remoteAddress: null,
    ...parts,
  };
}

/** What was answered: a status with the code of its error, or a stream. */
export type Answered = { readonly status: number; readonly code?: string } | FakeStream;

/** Asks for a stream as an adapter does. */
export async function openStream(
  endpoint: StreamEndpoint | undefined,
  query = "",
  parts: Partial<HandshakeRequest> = {},
): Promise<Answered> {
  const answer = await endpoint?.answer(streamRequest(query, parts));
  if (answer === undefined) throw new Error("the connector has no streams");
  return answered(answer);
}

/** Opens the stream of an answer. */
export function answered(answer: StreamAnswer): Answered {
  if (answer.accepted) return new FakeStream(answer.session);
  const { status, body } = answer;
  return body === null ? { status } : { status, code: JSON.parse(body).error.code };
}

/** What a client has got, with the `id` of its event where it has one. */
export interface FakeEvent {
  readonly id: string | undefined;
  readonly data: unknown;
}

/** One client. */
export class FakeStream implements Peer {
  readonly bufferedAmount = 0;
  /** How the server ended it. */
  ended: readonly [code: number, reason: string] | undefined;
  readonly #session: SocketSession;
  #heard: FakeEvent[] = [];

  constructor(session: SocketSession) {
    this.#session = session;
    session.open(this, STREAM_FEATURES);
  }

  send({ frames }: Batch): number {
    this.#heard.push(
      ...frames.map(({ text, eventId }) => ({ id: eventId, data: JSON.parse(text) })),
    );
    return 0;
  }

  close(code: number, reason: string): void {
    this.ended = [code, reason];
    this.#session.close(code, reason);
  }

  ping(): void {
    this.#session.pong();
  }

  terminate(): void {
    this.#session.close(1006, "");
  }

  /** Leaves. */
  leave(): void {
    this.#session.close(1006, "");
  }

  /** How many messages it has got since it was last asked for them. */
  get heard(): number {
    return this.#heard.length;
  }

  /** What it has got since it was last asked. */
  take(): unknown[] {
    return this.takeEvents().map(({ data }) => data);
  }

  /** The same as events. */
  takeEvents(): FakeEvent[] {
    return this.#heard.splice(0);
  }
}
