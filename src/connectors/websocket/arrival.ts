/** A client that asks to be let in: what its handshake says, and what the flows on `connect` say. */
import type { Clock } from "../../clock.ts";
import type { Client, FlowHandler, Logger } from "../../connector.ts";
import { accept, admit } from "../../dispatch.ts";
import { type FlowError, newRef } from "../../errors.ts";
import { refuse } from "../../handshake.ts";
import type { HandshakeRefusal, HandshakeRequest } from "../../socket.ts";
import { Credentials } from "./auth/credentials.ts";
import type { Identity } from "./auth/verifier.ts";
import { describeClient, SocketEvent } from "./event.ts";
import { handshakeRefusal } from "./refusal.ts";

/** Why the client stays out; undefined where it is let in. */
type Verdict = HandshakeRefusal | undefined;

/** A client between its handshake and its connection. */
export class Arrival {
  readonly client: Client;
  /** What `client` shows of who it is. */
  readonly credentials: Credentials;
  /** What `client.rooms` shows. */
  readonly rooms: Set<string> = new Set();
  /** The same for the decision and for the flows that run once the connection is open. */
  readonly event: SocketEvent;
  /** The flows that take the event: known when they have been asked. */
  admitted: readonly FlowHandler[] = [];

  /** Expressions see all of `request`. */
  constructor(request: HandshakeRequest, identity: Identity, clock: Clock) {
    this.credentials = new Credentials(identity);
    this.client = describeClient(request, this.credentials, this.rooms, clock.now());
    const { params, remote_addr } = this.client;
    this.event = new SocketEvent("connect", params, this.client, undefined, { remote_addr });
  }

  /** Asks the flows on `connect`. Waits only where one of them does; never throws or rejects. */
  ask(handlers: readonly FlowHandler[], logger: Logger): Verdict | Promise<Verdict> {
    if (handlers.length === 0) return undefined;
    const told = (error: FlowError | undefined) => error && handshakeRefusal(error);
    const broken = (bug: unknown): Verdict => {
      const ref = newRef();
      logger.error("a handshake could not be decided (ref {ref}): {error}", { ref, error: bug });
      return refuse(500, `the handshake failed (ref ${ref})`);
    };
    try {
      this.admitted = admit(handlers, this.event);
      const answer = accept(this.admitted, this.event);
      return answer instanceof Promise ? answer.then(told).catch(broken) : told(answer);
    } catch (bug) {
      return broken(bug);
    }
  }
}
