/**
 * Refusals that a script can see. A browser does not show the status of a refused handshake. So a
 * client that offers the subprotocol `weir.1` is upgraded, gets an error frame (`notice.ts`) and is
 * closed (`session.ts`). It was never connected: it has no slot, runs no flow and reaches nothing.
 */
import type { Clock } from "../../../base/clock.ts";
import type { Handshake, HandshakeRefusal } from "../../../transport/socket.ts";
import { noticeOf } from "./notice.ts";
import { RefusedSession } from "./session.ts";

/** The subprotocol whose clients understand such a refusal. */
export const REFUSAL_PROTOCOL = "weir.1";

/** At most this many are upgraded at once; the next one gets the plain response. */
export const MAX_REFUSED = 1_000;

/** The refused clients of one connector in this process that were upgraded. */
export class RefusedClients {
  readonly #clock: Clock;
  /** Those whose connection has not ended. */
  readonly #sessions = new Set<RefusedSession>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer to a client that is refused and that offers these subprotocols. */
  answer(refusal: HandshakeRefusal, protocols: readonly string[]): Handshake {
    if (!protocols.includes(REFUSAL_PROTOCOL) || this.#sessions.size >= MAX_REFUSED) return refusal;
    const session = new RefusedSession(noticeOf(refusal), this.#clock, this.#sessions);
    // Not the first subprotocol offered: the client must see that this is not an open connection.
    return { accepted: true, protocol: REFUSAL_PROTOCOL, session, refusal };
  }

  /** Resolves when those that are there now have ended; after two seconds at the latest. */
  async settled(): Promise<void> {
    await Promise.all([...this.#sessions].map(({ settled }) => settled));
  }

  /** Ends those that are there, and counts them no longer. */
  close(): void {
    for (const session of this.#sessions) session.destroy();
    this.#sessions.clear();
  }
}
