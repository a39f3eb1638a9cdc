/** Decides about a request before its body is read: by the page that sends it, its token, its rate. */
import { networkOf } from "../../access/addresses.ts";
import type { Authenticated, Authenticator } from "../../access/auth/authenticator.ts";
import { readsCookie } from "../../access/auth/fields.ts";
import { ANONYMOUS, type ClientIdentity } from "../../access/auth/identity.ts";
import { isAllowed } from "../../access/origins.ts";
import { Rates } from "../../access/rates.ts";
import type { Clock } from "../../base/clock.ts";
import type { HandshakeRefusal, VouchedClient } from "../../transport/socket.ts";
import type { RequestHead } from "./client.ts";
import { pagesOf, type RestOptions } from "./options.ts";
import { errorResponse } from "./response.ts";

/** A request that may be served. */
export interface Admitted {
  /** Its user and claims. */
  readonly identity: ClientIdentity;
  /** Without the token: all that flows may see. */
  readonly head: RequestHead;
  /** False if a token is required and the request has none: only public flows may serve it. */
  readonly entitled: boolean;
}

/** What a browser says of a request that no page of another origin has caused. */
const OWN: ReadonlySet<string | undefined> = new Set([undefined, "same-origin", "none"]);

/** Decides about the requests of one connector. */
export class Gate {
  readonly #pages: ReturnType<typeof pagesOf>;
  readonly #authenticator: Authenticator | undefined;
  readonly #required: boolean;
  readonly #readsCookie: boolean;
  readonly #users: Rates | undefined;
  readonly #addresses: Rates | undefined;

  /** Pass an `authenticator` where the options have `auth`. */
  constructor(options: RestOptions, clock: Clock, authenticator: Authenticator | undefined) {
    const { auth, rate_limit } = options;
    this.#pages = pagesOf(options);
    this.#authenticator = authenticator;
    this.#required = auth?.required === true;
    this.#readsCookie = auth !== undefined && readsCookie(auth);
    // Whoever has many addresses makes the connector forget none of its users.
    this.#users = rate_limit && new Rates(rate_limit, clock);
    this.#addresses = rate_limit && new Rates(rate_limit, clock);
  }

  /**
   * Admits a request, or returns the response that refuses it. `isPublic` is true if a flow of its
   * route needs no token; `vouched` replaces a token. Returns a promise only where a token must be
   * verified. Never throws or rejects.
   */
  admit(
    head: RequestHead,
    isPublic: boolean,
    vouched: VouchedClient | undefined,
  ): Admitted | Response | Promise<Admitted | Response> {
    const { origin } = head.headers;
    if (this.#pages !== undefined && !isAllowed(origin, this.#pages)) {
      return errorResponse("rejected", "pages of this origin may not send requests");
    }
    if (this.#authenticator === undefined) {
      return this.#count(head, null) ?? { identity: ANONYMOUS, head, entitled: true };
    }
    const required = this.#required && !isPublic;
    const isForeign = this.#isForeign(head);
    const found = this.#authenticator.authenticate(
      head,
      [],
      isForeign ? { required, readsCookies: false } : { required, vouched },
    );
    const decide = (found: Authenticated | HandshakeRefusal) => this.#decide(head, found);
    if (typeof found === "function") return found().then(decide);
    if (isForeign && !found.accepted) {
      return errorResponse("rejected", "the cookie is not for pages of another origin");
    }
    return decide(found);
  }

  #decide(head: RequestHead, found: Authenticated | HandshakeRefusal): Admitted | Response {
    if (found.accepted) {
      const { identity, request } = found;
      const entitled = identity !== ANONYMOUS || !this.#required;
      return this.#count(head, identity.userId) ?? { identity, head: request, entitled };
    }
    const { status, message, headers } = found;
    // Keys that cannot be fetched are no fault of the client.
    if (status !== 401) return errorResponse("unavailable", message, { headers });
    return this.#count(head, null) ?? errorResponse("unauthorized", message, { headers });
  }

  /**
   * Whether a page of another origin has made a browser send its visitor's cookie. Such a page may
   * only have written the address, as that of a link or an image, so its request is a stranger's.
   */
  #isForeign({ headers }: RequestHead): boolean {
    return this.#readsCookie && headers["cookie"] !== undefined &&
      // With an Origin, the list of pages decides.
      headers["origin"] === undefined && !OWN.has(headers["sec-fetch-site"]?.toLowerCase());
  }

  /** Counts a request by its user, or by its address; returns the response if there are too many. */
  #count(head: RequestHead, user: string | null): Response | undefined {
    if (this.#users === undefined || this.#addresses === undefined) return undefined;
    const wait = user === null
      // Requests without a known address count as those of one client.
      ? this.#addresses.take(networkOf(head.remoteAddress ?? ""))
      : this.#users.take(user);
    if (wait === 0) return undefined;
    const message = `too many requests; the next one is served in ${wait} ms`;
    const headers = { "retry-after": String(Math.ceil(wait / 1000)) };
    return errorResponse("rate_limited", message, { retryAfter: wait, headers });
  }
}
