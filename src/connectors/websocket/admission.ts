/** Decides about a handshake whose form is right: who the client is, and whether flows let it in. */
import type { Clock } from "../../base/clock.ts";
import type { FlowHandler, Logger } from "../../contract/connector.ts";
import { refuse } from "../../transport/handshake.ts";
import { nameProblem } from "./protocol.ts";
import type { HandshakeRefusal, HandshakeRequest, VouchedClient } from "../../transport/socket.ts";
import { Arrival } from "./arrival.ts";
import type { Authenticated, Authenticator } from "./auth/authenticator.ts";
import { ANONYMOUS } from "./auth/credentials.ts";
import type { Counter, Counters } from "./counters.ts";
import { isAllowed, type Origins } from "./origins.ts";
import { Place, type Places, TOO_MANY } from "./places.ts";
import { tooLate } from "./refusal.ts";

/** How long the decision about a handshake may take, in milliseconds. */
const DECISION_TIMEOUT = 10_000;

/** A client that is let in. */
export interface Admitted {
  /** Tells it from a refusal. It has taken one of the host's `places`. */
  readonly accepted: true;
  readonly arrival: Arrival;
  /** The subprotocol to answer with; undefined for none. */
  readonly protocol: string | undefined;
}

/** What deciding needs of the connector. */
export interface AdmissionHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly places: Places;
  readonly options: { readonly origins?: Origins | undefined };
  /** Undefined where clients need no token. */
  readonly authenticator: Authenticator | undefined;
  /** The flows on one operation, in file order; undefined where no client can cause it. */
  handlers(operation: string): readonly FlowHandler[] | undefined;
}

/** A client that stays out, and what counts it. */
interface Denied {
  readonly accepted: false;
  readonly refusal: HandshakeRefusal;
  readonly counter: Counter;
}

type Decision = Admitted | Denied;

const FULL = deny("refused_full", TOO_MANY);

/**
 * Lets a client in or refuses it: by its origin, by its token, then by the flows on `connect`, then
 * by the places that are left. Waits only where a token must be checked, a flow waits or processes
 * share the places, and not longer than ten seconds. A place is taken before it waits. Never rejects.
 */
export function decide(
  host: AdmissionHost,
  request: HandshakeRequest,
  protocols: readonly string[],
  vouched: VouchedClient | undefined,
): Admitted | HandshakeRefusal | Promise<Admitted | HandshakeRefusal> {
  const place = new Place(host.places);
  const told = (decision: Decision): Admitted | HandshakeRefusal => {
    if (decision.accepted) return decision;
    place.giveBack();
    host.counters.add(decision.counter);
    return decision.refusal;
  };
  const { origins } = host.options;
  if (origins !== undefined && !isAllowed(request.headers["origin"], origins)) {
    return told(deny("refused_origin", refuse(403, "pages of this origin may not connect")));
  }
  const found = identify(host, request, protocols, vouched);
  // A token is only checked for a client that has a place.
  const decision = typeof found === "function"
    ? withPlace(place.wait(), () => found().then((one) => ask(host, one, place)))
    : ask(host, found, place);
  const keep = (one: Decision) => one.accepted ? withPlace(place.keep(), () => one) : one;
  const kept = decision instanceof Promise ? decision.then(keep) : keep(decision);
  return kept instanceof Promise ? inTime(kept, host.clock).then(told) : told(kept);
}

/** Goes on where there is a place; refuses the client where there is none. */
function withPlace(
  place: boolean | Promise<boolean>,
  go: () => Decision | Promise<Decision>,
): Decision | Promise<Decision> {
  if (place instanceof Promise) return place.then((has) => has ? go() : FULL);
  return place ? go() : FULL;
}

/** The client's identity, a refusal, or a function that checks the token. */
function identify(
  { authenticator }: AdmissionHost,
  request: HandshakeRequest,
  protocols: readonly string[],
  vouched: VouchedClient | undefined,
): ReturnType<Authenticator["authenticate"]> {
  if (authenticator !== undefined) {
    return authenticator.authenticate(request, protocols, vouched);
  }
  const userId = request.hasQuery === false
    ? null
    : request.url.searchParams.get("user_id") || null;
  const problem = userId === null ? undefined : nameProblem("user_id", userId);
  if (problem !== undefined) return refuse(400, problem);
  const identity = userId === null ? ANONYMOUS : { userId, claims: null, expiresAt: undefined };
  return { accepted: true, identity, protocol: protocols[0], request };
}

function ask(
  host: AdmissionHost,
  found: Authenticated | HandshakeRefusal,
  place: Place,
): Decision | Promise<Decision> {
  // Without tokens there is only a name that is none.
  if (!found.accepted) {
    return deny(host.authenticator === undefined ? "refused_request" : "refused_auth", found);
  }
  const { protocol } = found;
  const arrival = new Arrival(found.request, found.identity, host.clock);
  const handlers = host.handlers("connect") ?? [];
  const answer = (refusal: HandshakeRefusal | undefined): Decision =>
    refusal === undefined ? { accepted: true, arrival, protocol } : deny("refused_flow", refusal);
  const decide = (): Decision | Promise<Decision> => {
    const verdict = arrival.ask(handlers, host.logger);
    if (!(verdict instanceof Promise)) return answer(verdict);
    return withPlace(place.wait(), () => verdict.then(answer));
  };
  const waits = handlers.some((handler) => handler.waits);
  return waits ? withPlace(place.wait(), decide) : decide();
}

function deny(counter: Counter, refusal: HandshakeRefusal): Denied {
  return { accepted: false, refusal, counter };
}

/** The decision, or a refusal where it does not come in time. */
function inTime(decision: Promise<Decision>, clock: Clock): Promise<Decision> {
  const { promise, resolve } = Promise.withResolvers<Decision>();
  const late = deny("refused_late", tooLate("the decision took too long"));
  const cancel = clock.after(DECISION_TIMEOUT, () => resolve(late));
  decision.then((found) => {
    cancel();
    resolve(found);
  });
  return promise;
}
