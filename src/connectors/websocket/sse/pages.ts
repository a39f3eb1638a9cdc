/** What pages of other origins may do: which cookies count, and which pages may read the answers. No I/O. */
import type { Authenticator } from "../../../access/auth/authenticator.ts";
import { readsCookie } from "../../../access/auth/fields.ts";
import { isAllowed } from "../../../access/origins.ts";
import { refuse } from "../../../transport/handshake.ts";
import type { HandshakeRequest, VouchedClient } from "../../../transport/socket.ts";
import { identify } from "../admission.ts";
import type { WebSocketOptions } from "../options.ts";

/** Headers that a page may read beside those that every page may. */
const EXPOSED = "Retry-After, WWW-Authenticate";

/** The pages of one connector. */
export class Pages {
  readonly #origins: WebSocketOptions["origins"];
  readonly #readsCookie: boolean;

  constructor({ origins, auth }: Pick<WebSocketOptions, "origins" | "auth">) {
    this.#origins = origins;
    this.#readsCookie = auth !== undefined && readsCookie(auth);
  }

  /** The headers by which a browser lets the pages of an origin read the answer (CORS). */
  headersFor(origin: string | undefined): Readonly<Record<string, string>> {
    // Without a list all pages may connect, and no cookie is a token.
    if (this.#origins === undefined) {
      return { "access-control-allow-origin": "*", "access-control-expose-headers": EXPOSED };
    }
    // The answer depends on it, which caches on the way must know.
    const vary = { vary: "Origin" };
    if (origin === undefined || !isAllowed(origin, this.#origins)) return vary;
    return {
      ...vary,
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": EXPOSED,
    };
  }

  /**
   * As of every handshake, but the token in a cookie counts only where no foreign page can have sent
   * the request: browsers send an Origin or say where it comes from.
   */
  identify(
    authenticator: Authenticator | undefined,
    request: HandshakeRequest,
    vouched: VouchedClient | undefined,
  ): ReturnType<Authenticator["authenticate"]> {
    const found = identify(authenticator, request, [], vouched);
    if (authenticator === undefined || vouched !== undefined) return found;
    if (!this.#readsCookie || typeof found !== "function" || isOwn(request.headers)) return found;
    const other = authenticator.authenticate(request, [], { readsCookies: false });
    if (typeof other === "function") return other;
    const message = "the cookie counts only with an Origin or with Sec-Fetch-Site: same-origin";
    return refuse(403, message);
  }
}

/** Whether a page of the listed origins or of this one has sent a request. */
function isOwn(headers: Readonly<Record<string, string>>): boolean {
  // Origins that are not in the list have been refused before.
  return headers["origin"] !== undefined ||
    headers["sec-fetch-site"]?.toLowerCase() === "same-origin";
}
