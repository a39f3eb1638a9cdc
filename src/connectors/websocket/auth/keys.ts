/** The key of a `jwt` block, and the algorithms that go with its kind. */
import { errors, exportJWK, importSPKI, type JWTVerifyGetKey } from "jose";
import { ConnectorError } from "../../../base/errors.ts";
import type { JwtOptions } from "./fields.ts";
import { type JwksContext, type JwksTiming, remoteKeys } from "./jwks.ts";
import { ASYMMETRIC_ALGORITHMS, type PublicKey } from "./public-key.ts";

/** What signatures are checked with. */
export interface Keys {
  /** No token chooses beyond them: a public key is never an HMAC secret, and `none` is never one. */
  readonly algorithms: readonly string[];
  /** Gives the key of a token. */
  readonly get: JWTVerifyGetKey;
}

/** A block without a key is one of a test, and no token is good there. */
const NO_KEYS: Keys = {
  algorithms: [],
  get() {
    throw new errors.JWKSNoMatchingKey();
  },
};

/**
 * The keys that a `jwt` block names.
 *
 * @throws {ConnectorError} The public key has the right form and is no key all the same.
 */
export async function keysOf(
  { secret, public_key, jwks_url }: JwtOptions,
  context: JwksContext & { readonly name: string },
  timing?: JwksTiming,
): Promise<Keys> {
  if (secret !== undefined) return secretKey(secret);
  if (public_key !== undefined) return await publicKeys(public_key, context.name);
  if (jwks_url === undefined) return NO_KEYS;
  return { algorithms: ASYMMETRIC_ALGORITHMS, get: remoteKeys(jwks_url, context, timing) };
}

function secretKey(secret: string): Keys {
  const key = new TextEncoder().encode(secret);
  return { algorithms: ["HS256", "HS384", "HS512"], get: () => key };
}

async function publicKeys({ pem, algorithms }: PublicKey, name: string): Promise<Keys> {
  try {
    const imported = await importSPKI(pem, algorithms[0], { extractable: true });
    // An imported key is bound to one algorithm; as a JWK it serves all of its kind.
    const key = await exportJWK(imported);
    return { algorithms, get: () => key };
  } catch (cause) {
    const message = "the public_key of its jwt block is no key";
    throw new ConnectorError(name, message, { cause, permanent: true });
  }
}
