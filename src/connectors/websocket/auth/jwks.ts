/** The public keys that an issuer publishes: fetched when they are needed, kept, fetched anew. */
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from "jose";
import type { Clock } from "../../../base/clock.ts";
import type { Logger } from "../../../contract/connector.ts";
import { GZIP, keySetOf } from "./jwks-answer.ts";
import { MIN_RSA_BITS } from "./public-key.ts";

/** How long keys are kept and how often they are asked for, all in milliseconds. */
export interface JwksTiming {
  /** A key that is not among those that are known is looked for at most once in this time. */
  readonly cooldown: number;
  /** Keys that are older are fetched anew before they are used. */
  readonly maxAge: number;
  /** After a failure the issuer is left alone for so long. */
  readonly retry: number;
  /** What one fetch may take; well within the time of a handshake. */
  readonly timeout: number;
}

/** Half a minute, ten minutes, a second and five seconds. */
export const JWKS_TIMING: JwksTiming = {
  cooldown: 30_000,
  maxAge: 600_000,
  retry: 1_000,
  timeout: 5_000,
};

/** The keys cannot be fetched, so nobody knows whether a token is good. It has been logged. */
export class KeysUnavailable extends Error {
  /** `KeysUnavailable`. */
  override readonly name = "KeysUnavailable";
}

/** What fetching and logging needs. */
export interface JwksContext {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Gives the key of a token. It throws `KeysUnavailable` where the keys cannot be fetched, and
 * jose's own errors where none of them fits the token.
 */
export function remoteKeys(
  url: URL,
  context: JwksContext,
  { cooldown, maxAge, retry, timeout }: JwksTiming = JWKS_TIMING,
): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(url, {
    cooldownDuration: cooldown,
    cacheMaxAge: maxAge,
    timeoutDuration: timeout,
    [customFetch]: fetchKeys(url, context, retry),
  });
  return async (header, token) => usable(await keys(header, token).catch(unusable));
}

/** Fetches a whole set, or throws; after a failure it throws at once for a while. */
function fetchKeys(url: URL, { clock, logger }: JwksContext, retry: number): FetchImplementation {
  // A query might hold a key of its own.
  const place = url.origin + url.pathname;
  let failure: { readonly error: KeysUnavailable; readonly at: number } | undefined;
  return async (address, options) => {
    if (failure !== undefined && clock.elapsed() - failure.at < retry) throw failure.error;
    try {
      // jose follows no redirect, and its signal ends an answer that never does. Bun would inflate
      // everything that has arrived before it can be stopped; with `decompress: false` it leaves
      // that to `keySetOf`. The other runtimes ignore the option and inflate while they are read.
      const headers = new Headers([...new Headers(options.headers), ...Object.entries(GZIP)]);
      const init = { ...options, headers, decompress: false };
      const set = await keySetOf(await fetch(address, init));
      if (failure !== undefined) logger.info("the keys at {place} are back", { place });
      failure = undefined;
      return Response.json(set);
    } catch (cause) {
      const error = new KeysUnavailable(`the keys at ${place} cannot be fetched`, { cause });
      // Once for an outage, however many clients it keeps out.
      if (failure === undefined) logger.error("{error}: {cause}", { error: error.message, cause });
      failure = { error, at: clock.elapsed() };
      throw error;
    }
  };
}

/** A key that is in the set and cannot be imported is a key that is not there. */
function unusable(error: unknown): never {
  if (error instanceof KeysUnavailable || error instanceof errors.JOSEError) throw error;
  throw new errors.JWKInvalid("the key in the set cannot be used", { cause: error });
}

/** Structural: what `CryptoKey` is to the type checker depends on whose types are there. */
function usable<Key extends object>(key: Key): Key {
  const { algorithm } = key as { readonly algorithm?: { readonly modulusLength?: number } };
  const { modulusLength } = algorithm ?? {};
  if (modulusLength !== undefined && modulusLength < MIN_RSA_BITS) {
    throw new errors.JWKInvalid(`the key in the set has fewer than ${MIN_RSA_BITS} bits`);
  }
  return key;
}
