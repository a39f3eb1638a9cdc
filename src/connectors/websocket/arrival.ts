/** A client that asks to be let in: what its handshake says, and what the flows on `connect` say. */
import type { Clock } from "../../base/clock.ts";
import type { Client, FlowHandler, Logger } from "../../contract/connector.ts";
import { accept, admit } from "../../contract/dispatch.ts";
import { type FlowError, newRef } from "../../base/errors.ts";
import { refuse } from "../../transport/handshake.ts";
import type { HandshakeRefusal, HandshakeRequest } from "../../transport/socket.ts";
import { Credentials } from "./auth/credentials.ts";
import type { Identity } from "./auth/verifier.ts";
import { describeClient, type SeenHandshake, SocketEvent } from "./event.ts";
import { handshakeRefusal } from "./refusal.ts";

/** Why the client stays out; undefined where it is let in. */
type Verdict = HandshakeRefusal | undefined;

const NO_ROOMS: ReadonlySet<string> = new Set();
const NO_FLOWS: readonly FlowHandler[] = [];

/**
 * A client between its handshake and its connection, and who it is from then on. Most connections do
 * nothing most of the time, so what only flows ask for is made when they do.
 */
export class Arrival {
  /** What `client` shows of who it is. */
  readonly credentials: Credentials;
  /** Until the client is made. */
  #seen: SeenHandshake | undefined;
  /** Milliseconds since the epoch. */
  readonly #connectedAt: number;
  #rooms: Set<string> | undefined = undefined;
  #client: Client | undefined = undefined;
  #event: SocketEvent | undefined = undefined;
  #admitted = NO_FLOWS;

  /** Expressions see all of `request`. */
  constructor(request: HandshakeRequest, identity: Identity, clock: Clock) {
    this.credentials = new Credentials(identity);
    this.#seen = request;
    this.#connectedAt = clock.now();
  }

  /** What expressions see of the client, made once. */
  get client(): Client {
    return this.#client ??= this.#describe();
  }

  /** The client's id; undefined where nobody has asked for it, so that nobody can know it. */
  get id(): string | undefined {
    return this.#client?.id;
  }

  /** What `client.rooms` shows. */
  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? NO_ROOMS;
  }

  /** What only a living connection can tell is found out now: flows may ask for it after its end. */
  remember(): void {
    void this.#seen?.remoteAddress;
  }

  /** Adds a room. */
  enter(room: string): void {
    (this.#rooms ??= new Set()).add(room);
  }

  /** Takes a room away. */
  leave(room: string): void {
    this.#rooms?.delete(room);
  }

  /** Takes all rooms away. */
  leaveAll(): void {
    this.#rooms?.clear();
  }

  /** The same for the decision and for the flows that run once the connection is open. */
  get event(): SocketEvent {
    if (this.#event === undefined) {
      const { params, remote_addr } = this.client;
      this.#event = new SocketEvent("connect", params, this.client, undefined, { remote_addr });
    }
    return this.#event;
  }

  /** The flows that take the event: known when they have been asked. */
  get admitted(): readonly FlowHandler[] {
    return this.#admitted;
  }

  /** The connection is open, and its flows have what they need. */
  settle(): void {
    this.#event = undefined;
    this.#admitted = NO_FLOWS;
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
      this.#admitted = admit(handlers, this.event);
      const answer = accept(this.#admitted, this.event);
      return answer instanceof Promise ? answer.then(told).catch(broken) : told(answer);
    } catch (bug) {
      return broken(bug);
    }
  }

  #describe(): Client {
    // They see the rooms of the moment, so it must be the set that changes.
    this.#rooms ??= new Set();
    const client = describeClient(this.#seen!, this.credentials, this.#rooms, this.#connectedAt);
    this.#seen = undefined;
    return client;
  }
}
