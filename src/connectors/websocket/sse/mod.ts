/**
 * Streams of server-sent events (SSE): connections that only listen. Loaded where a connector has
 * `sse`.
 *
 * A request goes through `request.ts` (its form), `pages.ts` (pages of other origins, cookies),
 * `admission.ts` (its rooms, beside what every handshake is asked) to a `session.ts`, which opens the
 * same `Connection` as a WebSocket. `answers.ts` makes the responses.
 */
import type { StreamAnswer, StreamEndpoint } from "../../../transport/event-stream.ts";
import type {
  HandshakeRefusal,
  HandshakeRequest,
  VouchedClient,
} from "../../../transport/socket.ts";
import { decide, type PendingConnection } from "../admission.ts";
import type { Connection } from "../connection.ts";
import type { Counter } from "../counters.ts";
import type { Shared } from "../parts.ts";
import { Entry } from "./admission.ts";
import { acceptance, ended, preflight, refused } from "./answers.ts";
import { Pages } from "./pages.ts";
import { checkRequest, isEnded, roomsOf, wishesOf } from "./request.ts";
import { StreamSession } from "./session.ts";

/** What the hub does for streams. */
export interface Door {
  /** The shutdown has begun. */
  readonly stopped: boolean;
  /** The refusal from then on. */
  readonly refusal: HandshakeRefusal;
  /** The shutdown waits for a decision. */
  wait<T>(decision: Promise<T>): Promise<T>;
  /** The connection of a client that is let in. It has a slot. */
  connect(pending: PendingConnection): Connection;
}

/** Makes the endpoint of a connector whose options have `sse`. */
export type CreateStreams = (shared: Shared, door: Door) => StreamEndpoint;

/** Makes the endpoint of a connector. */
export const createStreams: CreateStreams = (shared, door) => new Streams(shared, door);

class Streams implements StreamEndpoint {
  readonly path: string;
  readonly stallTimeout: number;
  readonly #shared: Shared;
  readonly #door: Door;
  readonly #pages: Pages;

  constructor(shared: Shared, door: Door) {
    const { sse = "", ping_interval, pong_timeout } = shared.options;
    this.path = sse;
    this.stallTimeout = ping_interval + pong_timeout;
    this.#shared = shared;
    this.#door = door;
    this.#pages = new Pages(shared.options);
  }

  answer(
    request: HandshakeRequest,
    vouched?: VouchedClient,
  ): StreamAnswer | Promise<StreamAnswer> {
    const { headers } = request;
    const cors = this.#pages.headersFor(headers["origin"]);
    if (request.method === "OPTIONS") return preflight(headers, cors);
    const malformed = checkRequest(request);
    if (malformed !== undefined) return this.#refuse("refused_request", malformed, cors);
    if (isEnded(headers)) return ended(cors);
    if (this.#door.stopped) return this.#refuse("refused_shutdown", this.#door.refusal, cors);
    const { proxies } = this.#shared;
    const seen = proxies === undefined ? request : proxies.handshake(request);
    const entry = new Entry(this.#shared, roomsOf(seen), wishesOf(seen));
    const decision = decide(this.#shared, seen, [], vouched, {
      identify: () => this.#pages.identify(this.#shared.authenticator, seen, vouched),
      enter: (pending, slot) => entry.enter(pending, slot),
    });
    const answer = (one: PendingConnection | HandshakeRefusal) => this.#answer(one, entry, cors);
    return decision instanceof Promise ? this.#door.wait(decision.then(answer)) : answer(decision);
  }

  #answer(
    decision: PendingConnection | HandshakeRefusal,
    entry: Entry,
    cors: Readonly<Record<string, string>>,
  ): StreamAnswer {
    if (!decision.accepted) {
      entry.release();
      return refused(decision, cors);
    }
    // The shutdown began while the flows were asked.
    if (this.#door.stopped) {
      entry.release();
      this.#shared.slots.release();
      return this.#refuse("refused_shutdown", this.#door.refusal, cors);
    }
    const connection = this.#door.connect(decision);
    return acceptance(new StreamSession(this.#shared, connection, entry), cors);
  }

  #refuse(
    counter: Counter,
    refusal: HandshakeRefusal,
    cors: Readonly<Record<string, string>>,
  ): StreamAnswer {
    this.#shared.counters.add(counter);
    return refused(refusal, cors);
  }
}
