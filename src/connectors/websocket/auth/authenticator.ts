/** Lets clients of one `websocket` connector in by their tokens, and renews those later. */
import { refuse } from "../../../transport/handshake.ts";
import type {
  HandshakeRefusal,
  HandshakeRequest,
  VouchedClient,
} from "../../../transport/socket.ts";
import { ANONYMOUS } from "./credentials.ts";
import type { AuthOptions } from "./fields.ts";
import type { JwksTiming } from "./jwks.ts";
import { keysOf } from "./keys.ts";
import { chooseProtocol, findToken, withoutToken } from "./token.ts";
import { type Identity, type Rejection, Verifier, type VerifierContext } from "./verifier.ts";

export type { Identity } from "./verifier.ts";

/** A client whose token is good, or that needs none. */
export interface Authenticated {
  /** Tells it from a refusal. */
  readonly accepted: true;
  /** Who it is. */
  readonly identity: Identity;
  /** The subprotocol to answer with, never the token; undefined for none. */
  readonly protocol: string | undefined;
  /** The handshake without the token: all that expressions may see. */
  readonly request: HandshakeRequest;
}

/** What became of a token that a live connection has sent. */
export type Renewal =
  | { readonly accepted: true; readonly identity: Identity }
  | {
    readonly accepted: false;
    readonly message: string;
    /** True where the token cannot be checked at the moment. */
    readonly outage?: boolean;
  };

/** Authenticates the clients of one connector. `createAuthenticator` makes it. */
export class Authenticator {
  readonly #options: AuthOptions;
  readonly #verifier: Verifier;

  constructor(options: AuthOptions, verifier: Verifier) {
    this.#options = options;
    this.#verifier = verifier;
  }

  /**
   * Decides about a handshake that offers these subprotocols: 401 where its token is bad, 503 where
   * that cannot be known. `vouched` replaces a token. Where a token must be checked, it returns a
   * function that does so. Neither throws or rejects.
   */
  authenticate(
    request: HandshakeRequest,
    protocols: readonly string[],
    vouched?: VouchedClient,
  ): Authenticated | HandshakeRefusal | (() => Promise<Authenticated | HandshakeRefusal>) {
    const { from, required } = this.#options;
    const token = findToken(request, protocols, from);
    const decide = (found: Identity | Rejection): Authenticated | HandshakeRefusal =>
      "reason" in found ? refusalOf(found) : {
        accepted: true,
        identity: found,
        protocol: chooseProtocol(protocols),
        request: withoutToken(request, token, from),
      };
    if (vouched !== undefined) return decide(this.#verifier.vouch(vouched));
    if (token !== undefined) return () => this.#verifier.verify(token).then(decide);
    // RFC 6750: a request without credentials is told no error.
    if (required) return refuse(401, "a token is needed", { "www-authenticate": "Bearer" });
    return decide(ANONYMOUS);
  }

  /**
   * Checks the token of an `auth` frame. It must be of the same user as the identity in force,
   * which stays in force where the token is refused. Never rejects.
   */
  async renew(token: unknown, { userId }: Identity): Promise<Renewal> {
    if (typeof token !== "string" || token === "") {
      return { accepted: false, message: "token must be a string" };
    }
    const found = await this.#verifier.verify(token);
    if ("reason" in found) {
      const { message, reason } = found;
      const outage = reason === "unavailable";
      return { accepted: false, message, ...(outage && { outage }) };
    }
    if (found.userId !== userId) {
      return { accepted: false, message: "the token is another user's" };
    }
    return { accepted: true, identity: found };
  }
}

/**
 * Makes the authenticator that an `auth` block describes. Keys at an address are fetched when the
 * first client needs them; `timing` says how, by default as `JWKS_TIMING`.
 *
 * @throws {ConnectorError} The public key has the right form and is no key all the same.
 */
export async function createAuthenticator(
  options: AuthOptions,
  context: VerifierContext,
  timing?: JwksTiming,
): Promise<Authenticator> {
  const keys = await keysOf(options.jwt, context, timing);
  return new Authenticator(options, new Verifier(options.jwt, keys, context));
}

function refusalOf({ reason, message }: Rejection): HandshakeRefusal {
  return reason === "unavailable"
    ? refuse(503, message, { "retry-after": "1" })
    : refuse(401, message, { "www-authenticate": 'Bearer error="invalid_token"' });
}
