/** Checks a token, and reads from it who the client is. */
import { errors, type JWTPayload, jwtVerify } from "jose";
import type { Clock } from "../../../base/clock.ts";
import type { Logger } from "../../../contract/connector.ts";
import { ExpressionError } from "../../../base/errors.ts";
import type { Scope } from "../../../expression/mod.ts";
import { nameProblem } from "../protocol.ts";
import type { VouchedClient } from "../../../transport/socket.ts";
import type { JwtOptions } from "./fields.ts";
import { KeysUnavailable } from "./jwks.ts";
import type { Keys } from "./keys.ts";

/** Who a client is. */
export interface Identity {
  /** Null for a client without a token. */
  readonly userId: string | null;
  /** What the token says; null for a client without one. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** When it ends, the leeway counted, in milliseconds since the epoch; undefined for never. */
  readonly expiresAt: number | undefined;
}

/** Why a token gives no identity. */
export interface Rejection {
  /** `unavailable`: whether it is good cannot be known at the moment, which is not its fault. */
  readonly reason: "invalid" | "unavailable";
  /** For the client. */
  readonly message: string;
}

/** What checking needs of the connector. */
export interface VerifierContext {
  /** The connector's name. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The variables that `user` may read beside `claims`. */
  readonly scope: Scope;
}

/** Longer than any header may be, in characters; what an `auth` frame brings is not read further. */
const MAX_TOKEN_LENGTH = 16 * 1024;

/** Three parts of base64url; jose itself would pass over white space and padding. */
const FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const EXPIRED = "the token has expired";
const UNAVAILABLE: Rejection = {
  reason: "unavailable",
  message: "the token cannot be checked at the moment",
};

/** Checks the tokens of one connector. */
export class Verifier {
  readonly #options: JwtOptions;
  readonly #keys: Keys;
  readonly #context: VerifierContext;

  constructor(options: JwtOptions, keys: Keys, context: VerifierContext) {
    this.#options = options;
    this.#keys = keys;
    this.#context = context;
  }

  /** The identity that a token gives. Never throws; what it logs has nothing of the token. */
  async verify(token: string): Promise<Identity | Rejection> {
    const { issuer, audience, leeway } = this.#options;
    if (token.length > MAX_TOKEN_LENGTH) return this.#invalid("it is too long");
    if (!FORM.test(token)) return this.#invalid("it has another form");
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
      return this.#rejection(error);
    }
  }

  /** The identity that somebody else answers for. What it says about time must hold. */
  vouch({ userId, claims }: VouchedClient): Identity | Rejection {
    try {
      const found = this.#identify(claims ?? { sub: userId }, userId ?? undefined);
      const { expiresAt = Infinity } = "reason" in found ? {} : found;
      if (expiresAt > this.#context.clock.now()) return found;
      return this.#invalid("it has expired", EXPIRED);
    } catch (error) {
      return this.#rejection(error);
    }
  }

  /** `known` where the claims need not say who it is. */
  #identify(claims: JWTPayload, known?: string): Identity | Rejection {
    const { user, leeway } = this.#options;
    const found = known ?? user.evaluate({ ...this.#context.scope, claims });
    const userId = typeof found === "number" ? String(found) : found;
    if (typeof userId !== "string" || userId === "") {
      return this.#invalid("its user is no text", "the token names no user");
    }
    const problem = nameProblem("the user of the token", userId);
    if (problem !== undefined) return this.#invalid(problem, problem);
    const expiresAt = claims.exp === undefined ? undefined : claims.exp * 1000 + leeway;
    return { userId, claims, expiresAt };
  }

  #rejection(error: unknown): Rejection {
    if (error instanceof KeysUnavailable) return UNAVAILABLE;
    if (error instanceof errors.JOSEError) return this.#invalid(error.message, tellTime(error));
    if (error instanceof ExpressionError) {
      return this.#invalid(error.message, "the token names no user");
    }
    // None of the token's doing, so it is not called bad.
    this.#context.logger.error("a token could not be checked: {error}", { error });
    return UNAVAILABLE;
  }

  #invalid(cause: string, message = "the token is not valid"): Rejection {
    this.#context.logger.debug("a token is refused: {cause}", { cause });
    return { reason: "invalid", message };
  }
}

/** What a client can do about a good token whose time is wrong. */
function tellTime(error: errors.JOSEError): string | undefined {
  if (error instanceof errors.JWTExpired) return EXPIRED;
  const early = error instanceof errors.JWTClaimValidationFailed && error.claim === "nbf" &&
    error.reason === "check_failed";
  return early ? "the token is not valid yet" : undefined;
}
