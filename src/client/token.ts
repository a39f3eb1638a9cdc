/** When a token must be renewed. */

import { RENEW_EARLY } from "./limits.ts";

/**
 * How many milliseconds from now a JSON Web Token should be renewed; undefined where it does not say
 * when it expires. A clock that is wrong must not renew all the time: then the token's own lifetime
 * counts.
 */
export function renewalOf(token: string | null | undefined, now: number): number | undefined {
  try {
    const [, payload] = token!.split(".");
    const { exp, iat } = JSON.parse(
      atob(payload.replaceAll("-", "+").replaceAll("_", "/")),
    ) as { readonly exp?: number; readonly iat?: number };
    const left = exp! * 1000 - now;
    const time = left > 0 ? left : (exp! - iat!) * 1000;
    return time > 0 ? Math.max(1000, time / 2, time - RENEW_EARLY) : undefined;
  } catch {
    return undefined;
  }
}
