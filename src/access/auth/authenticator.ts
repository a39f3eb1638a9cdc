/** Authenticates clients of one connector by their tokens, and renews tokens. */
import { refuse } from "../../transport/handshake.ts";
import type { HandshakeRefusal, HandshakeRequest, VouchedClient } from "../../transport/socket.ts";
import { takeVouched } from "../../transport/vouched.ts";
import { ANONYMOUS, type ClientIdentity } from "./identity.ts";
import type { AuthOptions } from "./fields.ts";
import type { JwksTiming } from "./jwks.ts";
import { keysOf } from "./keys.ts";
import { chooseProtocol, findToken, withoutToken } from "./token.ts";
import { type TokenRefusal, Verifier, type VerifierContext } from "./verifier.ts";

/** How one request differs from what the options say. */
export interface Circumstances {
  /** Replaces a token. */
  readonly vouched?: VouchedClient | undefined;
  /** Whether a token must be there; by default as the options say. */
  readonly required?: boolean;
  /** False where a token in a cookie does not count. True by default. */
  readonly readsCookies?: boolean;
}

/** A client whose token is good, or that needs none. */
export interface Authenticated {
  /** Distinguishes it from a refusal. */
  readonly accepted: true;
  /** Its user, claims and expiry. */
  readonly identity: ClientIdentity;
  /** The subprotocol to answer with, never the token; undefined for none. */
  readonly protocol: string | undefined;
  /** The handshake without the token: all that expressions may see. */
  readonly request: HandshakeRequest;
}

/** The result of a renewal. */
export type Renewal =
  | { readonly accepted: true; readonly identity: ClientIdentity }
  | {
    readonly accepted: false;
    readonly message: string;
    /** True where the token cannot be verified at the moment. */
    readonly outage?: boolean;
  };

/** Authenticates the clients of one connector. Made by `createAuthenticator`. */
export class Authenticator {
  readonly #options: AuthOptions;
  readonly #verifier: Verifier;

  constructor(options: AuthOptions, verifier: Verifier) {
    this.#options = options;
    this.#verifier = verifier;
  }

  /**
   * Authenticates a handshake that offers these subprotocols. Refuses it with 401 where its token is
   * bad, with 503 where the token cannot be verified. Where a token must be verified, returns a
   * function that does it. Neither throws or rejects.
   */
  authenticate(
    request: HandshakeRequest,
    protocols: readonly string[],
    { vouched, required = this.#options.required, readsCookies = true }: Circumstances = {},
  ): Authenticated | HandshakeRefusal | (() => Promise<Authenticated | HandshakeRefusal>) {
    const { from } = this.#options;
    const places = readsCookies ? from : from.filter(({ kind }) => kind !== "cookie");
    const token = findToken(request, protocols, places);
    const decide = (found: ClientIdentity | TokenRefusal): Authenticated | HandshakeRefusal =>
      "reason" in found ? refusalOf(found) : {
        accepted: true,
        identity: found,
        protocol: chooseProtocol(protocols),
        request: withoutToken(request, token, from),
      };
    if (vouched !== undefined) return decide(this.#verifier.vouch(vouched));
    if (token !== undefined) return () => this.#verifier.verify(token).then(decide);
    // RFC 6750: the answer to a request without credentials names no error.
    if (required) return refuse(401, "a token is required", { "www-authenticate": "Bearer" });
    return decide(ANONYMOUS);
  }

  /**
   * Verifies the token of an `auth` frame. It must have the user of the identity in force, which
   * stays in force where the token is refused. Never rejects.
   */
  async renew(token: unknown, { userId }: ClientIdentity): Promise<Renewal> {
    if (typeof token !== "string" || token === "") {
      return { accepted: false, message: "token must be a string" };
    }
    const vouched = takeVouched(token);
    const found = vouched === undefined
      ? await this.#verifier.verify(token)
      : this.#verifier.vouch(vouched);
    if ("reason" in found) {
      const { message, reason } = found;
      const outage = reason === "unavailable";
      return { accepted: false, message, ...(outage && { outage }) };
    }
    if (found.userId !== userId) {
      return { accepted: false, message: "the token belongs to another user" };
    }
    return { accepted: true, identity: found };
  }
}

/**
 * Makes the authenticator of an `auth` block. Keys at a URL are fetched when the first client needs
 * them; `timing` is `JWKS_TIMING` by default.
 *
 * @throws {ConnectorError} The public key cannot be imported.
 */
export async function createAuthenticator(
  options: AuthOptions,
  context: VerifierContext,
  timing?: JwksTiming,
): Promise<Authenticator> {
  const keys = await keysOf(options.jwt, context, timing);
  return new Authenticator(options, new Verifier(options.jwt, keys, context));
}

function refusalOf({ reason, message }: TokenRefusal): HandshakeRefusal {
  return reason === "unavailable"
    ? refuse(503, message, { "retry-after": "1" })
    : refuse(401, message, { "www-authenticate": 'Bearer error="invalid_token"' });
}
