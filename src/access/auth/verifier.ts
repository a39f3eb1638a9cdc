/** Verifies tokens, and reads the identity of the client from them. */
import { errors, type JWTPayload, jwtVerify } from "jose";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../contract/connector.ts";
import { ExpressionError } from "../../base/errors.ts";
import type { Scope } from "../../expression/mod.ts";
import { nameProblem } from "../names.ts";
import type { VouchedClient } from "../../transport/socket.ts";
import type { ClientIdentity } from "./identity.ts";
import type { JwtOptions } from "./fields.ts";
import { KeysUnavailable } from "./jwks.ts";
import type { Keys } from "./keys.ts";

/** Why a token is refused. */
export interface TokenRefusal {
  /** `unavailable`: the token cannot be verified at the moment, and may be good. */
  readonly reason: "invalid" | "unavailable";
  /** Is sent to the client. */
  readonly message: string;
}

/** The parts of the connector that a verifier uses. */
export interface VerifierContext {
  /** The connector's name. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The variables that `user` may read beside `claims`. */
  readonly scope: Scope;
}

/** In characters, more than any header may have: a longer token of an `auth` frame is not read. */
const MAX_TOKEN_LENGTH = 16 * 1024;

/** Three parts of base64url. jose itself ignores white space and padding. */
const FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const EXPIRED = "the token has expired";
const UNAVAILABLE: TokenRefusal = {
  reason: "unavailable",
  message: "the token cannot be verified at the moment",
};

/** Verifies the tokens of one connector. */
export class Verifier {
  readonly #options: JwtOptions;
  readonly #keys: Keys;
  readonly #context: VerifierContext;

  constructor(options: JwtOptions, keys: Keys, context: VerifierContext) {
    this.#options = options;
    this.#keys = keys;
    this.#context = context;
  }

  /** Returns the identity in a token, or why it is refused. Never throws, and logs no token. */
  async verify(token: string): Promise<ClientIdentity | TokenRefusal> {
    const { issuer, audience, leeway } = this.#options;
    if (token.length > MAX_TOKEN_LENGTH) return this.#invalid("it is too long");
    if (!FORM.test(token)) return this.#invalid("it is not a JSON Web Token");
    try {
      const { payload } = await jwtVerify(token, this.#keys.get, {
        algorithms: [...this.#keys.algorithms],
        clockTolerance: leeway / 1000,
        currentDate: new Date(this.#context.clock.now()),
        ...(issuer === undefined ? {} : { issuer: [...issuer] }),
        ...(audience === undefined ? {} : { audience: [...audience] }),
      });
      return this.#identify(payload);
    } catch (error) {
      return this.#refusal(error);
    }
  }

  /** Returns the identity that the caller vouches for. Its claims must not have expired. */
  vouch({ userId, claims }: VouchedClient): ClientIdentity | TokenRefusal {
    try {
      const found = this.#identify(claims ?? { sub: userId }, userId ?? undefined);
      const { expiresAt = Infinity } = "reason" in found ? {} : found;
      if (expiresAt > this.#context.clock.now()) return found;
      return this.#invalid("it has expired", EXPIRED);
    } catch (error) {
      return this.#refusal(error);
    }
  }

  /** `known` is the user where it is not read from the claims. */
  #identify(claims: JWTPayload, known?: string): ClientIdentity | TokenRefusal {
    const { user, leeway } = this.#options;
    const found = known ?? user.evaluate({ ...this.#context.scope, claims });
    const userId = typeof found === "number" ? String(found) : found;
    if (typeof userId !== "string" || userId === "") {
      return this.#invalid("its user is not text", "the token names no user");
    }
    const problem = nameProblem("the user of the token", userId);
    if (problem !== undefined) return this.#invalid(problem, problem);
    const expiresAt = claims.exp === undefined ? undefined : claims.exp * 1000 + leeway;
    return { userId, claims, expiresAt };
  }

  #refusal(error: unknown): TokenRefusal {
    if (error instanceof KeysUnavailable) return UNAVAILABLE;
    if (error instanceof errors.JOSEError) return this.#invalid(error.message, timeProblem(error));
    if (error instanceof ExpressionError) {
      return this.#invalid(error.message, "the token names no user");
    }
    // The token did not cause this, so it is not called invalid.
    this.#context.logger.error("failed to verify a token: {error}", { error });
    return UNAVAILABLE;
  }

  #invalid(cause: string, message = "the token is not valid"): TokenRefusal {
    this.#context.logger.debug("refused a token: {cause}", { cause });
    return { reason: "invalid", message };
  }
}

/** The message for a good token outside of its time; undefined for another error. */
function timeProblem(error: errors.JOSEError): string | undefined {
  if (error instanceof errors.JWTExpired) return EXPIRED;
  const early = error instanceof errors.JWTClaimValidationFailed && error.claim === "nbf" &&
    error.reason === "check_failed";
  return early ? "the token is not valid yet" : undefined;
}
