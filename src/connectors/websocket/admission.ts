/** Decides about a valid handshake: identifies the client, and asks the flows whether to let it in. */
import { withTimeout } from "../../base/timeout.ts";
import type { Clock } from "../../base/clock.ts";
import type { FlowError } from "../../base/errors.ts";
import { newRef } from "../../base/ids.ts";
import type { FlowHandler, Logger } from "../../contract/connector.ts";
import { accept, admit } from "../../contract/dispatch.ts";
import { refuse } from "../../transport/handshake.ts";
import type { HandshakeRefusal, HandshakeRequest, VouchedClient } from "../../transport/socket.ts";
import type { Authenticated, Authenticator } from "../../access/auth/authenticator.ts";
import { ANONYMOUS } from "../../access/auth/identity.ts";
import { ClientState, connectEvent, type SocketEvent, type StateSources } from "./client.ts";
import { handshakeRefusal, tooLate } from "./closing.ts";
import type { Counter } from "./counters.ts";
import { isAllowed } from "../../access/origins.ts";
import { nameProblem } from "../../access/names.ts";
import type { Shared } from "./parts.ts";
import { HandshakeSlot, TOO_MANY } from "./slots.ts";

/** How long the decision about a handshake may take, in milliseconds. */
const DECISION_TIMEOUT = 10_000;

const NO_FLOWS: readonly FlowHandler[] = [];

/** A handshake that is refused, and what counts it. */
export interface CountedRefusal {
  readonly accepted: false;
  readonly refusal: HandshakeRefusal;
  readonly counter: Counter;
}

/** A client that is let in, or its refusal. */
export type Decision = PendingConnection | CountedRefusal;

/** What the decision about a stream has in place of that about a WebSocket, or beside it. */
export interface DecisionSteps {
  /** The client's identity, a refusal, or a function that checks the token. */
  identify(): ReturnType<Authenticator["authenticate"]>;
  /** Decides last about a client that the flows on `connect` let in, and before it keeps a slot. */
  enter(pending: PendingConnection, slot: HandshakeSlot): Decision | Promise<Decision>;
}

const FULL = counted("refused_full", TOO_MANY);

/** A client that is let in, from the decision about its handshake until its socket is open. */
export class PendingConnection {
  /** Distinguishes it from a refusal. It has acquired a slot. */
  readonly accepted = true;
  /** What is known of the client. */
  readonly state: ClientState;
  /** The subprotocol to answer with; undefined for none. */
  readonly protocol: string | undefined;
  #event: SocketEvent | undefined = undefined;
  #flows = NO_FLOWS;
  readonly #newId: () => string;

  /** `newId` makes the references of errors. */
  constructor(
    { request, identity, protocol }: Authenticated,
    sources: StateSources,
    newId: () => string,
  ) {
    this.state = new ClientState(request, identity, sources);
    this.#newId = newId;
    this.protocol = protocol;
  }

  /** The event on `connect`: the same for the decision and for the flows that run afterwards. */
  get event(): SocketEvent {
    return this.#event ??= connectEvent(this.state.facts);
  }

  /** The flows that take the event; none before `ask`. */
  get flows(): readonly FlowHandler[] {
    return this.#flows;
  }

  /**
   * Asks the flows on `connect`, and returns the refusal of the first that refuses. Returns a promise
   * only where a flow waits. Never throws or rejects.
   */
  ask(
    handlers: readonly FlowHandler[],
    logger: Logger,
  ): HandshakeRefusal | undefined | Promise<HandshakeRefusal | undefined> {
    if (handlers.length === 0) return undefined;
    const answered = (error: FlowError | undefined) => error && handshakeRefusal(error);
    const failed = (error: unknown): HandshakeRefusal => {
      const ref = newRef(this.#newId);
      logger.error("failed to decide about a handshake (ref {ref}): {error}", { ref, error });
      return refuse(500, `the handshake failed (ref ${ref})`);
    };
    try {
      this.#flows = admit(handlers, this.event);
      const answer = accept(this.#flows, this.event);
      return answer instanceof Promise ? answer.then(answered).catch(failed) : answered(answer);
    } catch (error) {
      return failed(error);
    }
  }
}

/**
 * Lets a client in or refuses it: by its origin, by its token, by the flows on `connect`, then by the
 * slots that are left. Waits only where a token must be checked, a flow waits or processes share the
 * slots, and at most ten seconds. Acquires a slot before it waits. Never rejects.
 */
export function decide(
  shared: Shared,
  request: HandshakeRequest,
  protocols: readonly string[],
  vouched: VouchedClient | undefined,
  steps?: DecisionSteps,
): PendingConnection | HandshakeRefusal | Promise<PendingConnection | HandshakeRefusal> {
  const slot = new HandshakeSlot(shared.slots);
  const answer = (decision: Decision): PendingConnection | HandshakeRefusal => {
    if (decision.accepted) return decision;
    slot.release();
    shared.counters.add(decision.counter);
    return decision.refusal;
  };
  const { origins } = shared.options;
  if (origins !== undefined && !isAllowed(request.headers["origin"], origins)) {
    return answer(counted("refused_origin", refuse(403, "pages of this origin may not connect")));
  }
  const found = steps?.identify() ?? identify(shared.authenticator, request, protocols, vouched);
  // A token is only checked for a client that has a slot.
  const decision = typeof found === "function"
    ? withSlot(slot.reserve(), () => found().then((one) => ask(shared, one, slot)))
    : ask(shared, found, slot);
  const keep = (one: Decision) => one.accepted ? withSlot(slot.keep(), () => one) : one;
  const enter = (one: Decision): Decision | Promise<Decision> => {
    if (steps === undefined || !one.accepted) return keep(one);
    const entered = steps.enter(one, slot);
    return entered instanceof Promise ? entered.then(keep) : keep(entered);
  };
  const kept = decision instanceof Promise ? decision.then(enter) : enter(decision);
  return kept instanceof Promise ? inTime(kept, shared.clock).then(answer) : answer(kept);
}

/** Goes on where there is a slot; refuses the client where there is none. */
export function withSlot(
  has: boolean | Promise<boolean>,
  next: () => Decision | Promise<Decision>,
): Decision | Promise<Decision> {
  if (has instanceof Promise) return has.then((has) => has ? next() : FULL);
  return has ? next() : FULL;
}

/** The client's identity, a refusal, or a function that checks the token. */
export function identify(
  authenticator: Authenticator | undefined,
  request: HandshakeRequest,
  protocols: readonly string[],
  vouched: VouchedClient | undefined,
): ReturnType<Authenticator["authenticate"]> {
  if (authenticator !== undefined) {
    return authenticator.authenticate(request, protocols, { vouched });
  }
  const userId = request.hasQuery === false
    ? null
    : request.url.searchParams.get("user_id") || null;
  const problem = userId === null ? undefined : nameProblem("user_id", userId);
  if (problem !== undefined) return refuse(400, problem);
  const identity = userId === null ? ANONYMOUS : { userId, claims: null, expiresAt: undefined };
  return { accepted: true, identity, protocol: protocols[0], request };
}

/** Asks the flows about a client whose identity is known. */
function ask(
  { authenticator, flows, stateSources, newId, logger }: Shared,
  found: Authenticated | HandshakeRefusal,
  slot: HandshakeSlot,
): Decision | Promise<Decision> {
  // Without tokens the only reason is a bad user_id.
  if (!found.accepted) {
    return counted(authenticator === undefined ? "refused_request" : "refused_auth", found);
  }
  const pending = new PendingConnection(found, stateSources, newId);
  const handlers = flows.of("connect") ?? NO_FLOWS;
  const answer = (refusal: HandshakeRefusal | undefined): Decision =>
    refusal === undefined ? pending : counted("refused_flow", refusal);
  const start = (): Decision | Promise<Decision> => {
    const refusal = pending.ask(handlers, logger);
    if (!(refusal instanceof Promise)) return answer(refusal);
    return withSlot(slot.reserve(), () => refusal.then(answer));
  };
  const waits = handlers.some((handler) => handler.waits);
  return waits ? withSlot(slot.reserve(), start) : start();
}

/** A refusal and what counts it. */
export function counted(counter: Counter, refusal: HandshakeRefusal): CountedRefusal {
  return { accepted: false, refusal, counter };
}

/** The decision, or a refusal where it takes too long. */
function inTime(decision: Promise<Decision>, clock: Clock): Promise<Decision> {
  const late = (): Decision => counted("refused_late", tooLate("the decision took too long"));
  return withTimeout(decision, DECISION_TIMEOUT, late, clock);
}
