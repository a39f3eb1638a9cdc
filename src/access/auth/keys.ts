/** The key of a `jwt` block, and the algorithms that go with its kind. */
import { errors, exportJWK, importSPKI, type JWTVerifyGetKey } from "jose";
import { ConnectorError } from "../../base/errors.ts";
import type { JwtOptions } from "./fields.ts";
import { type JwksContext, type JwksTiming, remoteKeys } from "./jwks.ts";
import { ASYMMETRIC_ALGORITHMS, type PublicKey } from "./public-key.ts";

/** The keys that verify signatures. */
export interface Keys {
  /** The only ones that a token may use: never HMAC with a public key, and never `none`. */
  readonly algorithms: readonly string[];
  /** Returns the key of a token. */
  readonly get: JWTVerifyGetKey;
}

/** Only a block in `weir test` has no key, and no token is valid there. */
const NO_KEYS: Keys = {
  algorithms: [],
  get() {
    throw new errors.JWKSNoMatchingKey();
  },
};

/**
 * The keys of a `jwt` block.
 *
 * @throws {ConnectorError} The public key cannot be imported.
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
    // An imported key is bound to one algorithm; a JWK works with all algorithms of its kind.
    const key = await exportJWK(imported);
    return { algorithms, get: () => key };
  } catch (cause) {
    const message = "the public_key of the jwt block cannot be imported";
    throw new ConnectorError(name, message, { cause, permanent: true });
  }
}
