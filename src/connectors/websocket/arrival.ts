/** A client that asks to be let in: what its handshake says, and what the flows on `connect` say. */
import type { Clock } from "../../clock.ts";
import type { Client, FlowHandler, Logger } from "../../connector.ts";
import { accept, admit } from "../../dispatch.ts";
import { type FlowError, newRef } from "../../errors.ts";
import { refuse } from "../../handshake.ts";
import type { HandshakeRefusal, HandshakeRequest } from "../../socket.ts";
import { describeClient, SocketEvent } from "./event.ts";
import { handshakeRefusal, tooLate } from "./refusal.ts";

/** How long the decision about a handshake may take, in milliseconds. */
const DECISION_TIMEOUT = 10_000;

/** Why the client stays out; undefined where it is let in. */
type Verdict = HandshakeRefusal | undefined;

/** What deciding needs of the connector. */
export interface ArrivalContext {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A client between its handshake and its connection. */
export class Arrival {
  readonly client: Client;
  /** What `client.rooms` shows. */
  readonly rooms: Set<string> = new Set();
  /** The same for the decision and for the flows that run once the connection is open. */
  readonly event: SocketEvent;
  /** The flows that take the event: known when they have been asked. */
  admitted: readonly FlowHandler[] = [];

  /** Who the client is has been read from the handshake. */
  constructor(request: HandshakeRequest, userId: string | null) {
    this.client = describeClient(request, userId, this.rooms);
    const { params, remote_addr } = this.client;
    this.event = new SocketEvent("connect", params, this.client, undefined, { remote_addr });
  }

  /** Asks the flows on `connect`. Waits only where one of them does; never throws or rejects. */
  ask(handlers: readonly FlowHandler[], context: ArrivalContext): Verdict | Promise<Verdict> {
    if (handlers.length === 0) return undefined;
    const told = (error: FlowError | undefined) => error && handshakeRefusal(error);
    const broken = (bug: unknown): Verdict => {
      const ref = newRef();
      context.logger.error("a handshake could not be decided (ref {ref}): {error}", {
        ref,
        error: bug,
      });
      return refuse(500, `the handshake failed (ref ${ref})`);
    };
    try {
      this.admitted = admit(handlers, this.event);
      const answer = accept(this.admitted, this.event);
      if (!(answer instanceof Promise)) return told(answer);
      return inTime(answer.then(told).catch(broken), context.clock);
    } catch (bug) {
      return broken(bug);
    }
  }
}

/** The verdict, or a refusal where it does not come in time. */
function inTime(verdict: Promise<Verdict>, clock: Clock): Promise<Verdict> {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  const late = tooLate("the decision took too long");
  const cancel = clock.after(DECISION_TIMEOUT, () => resolve(late));
  verdict.then((found) => {
    cancel();
    resolve(found);
  });
  return promise;
}
