/** The access rules of the admin port, which apply before a request is routed. */
import type { Context, MiddlewareHandler } from "hono";
import { createHash, timingSafeEqual } from "node:crypto";

/** The hosts by which this machine reaches itself, with any port: a tunnel may change it. */
const OWN_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;
const BEARER = /^Bearer +(\S+) *$/i;

/** Why a request is refused. */
interface Refusal {
  readonly status: 401 | 403 | 421;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const WRONG_HOST: Refusal = {
  status: 421,
  code: "wrong_host",
  message: "without admin_token, ask localhost, 127.0.0.1 or [::1]",
};
const NO_TOKEN: Refusal = {
  status: 401,
  code: "unauthorized",
  message: "send the admin_token as Authorization: Bearer TOKEN",
  headers: { "www-authenticate": 'Bearer realm="weir"' },
};
const WRONG_TOKEN: Refusal = {
  status: 401,
  code: "unauthorized",
  message: "this is not the admin_token",
  headers: { "www-authenticate": 'Bearer realm="weir", error="invalid_token"' },
};
const FOREIGN_PAGE: Refusal = {
  status: 403,
  code: "forbidden",
  message: "a page of another origin may not do this",
};

/**
 * Refuses whoever may not ask: those without the token, or without a token those whose `Host` is not
 * this machine, as after DNS rebinding; and pages of other origins, except for a GET, of which they see
 * nothing.
 */
export function guardAdmin(token: string | undefined): MiddlewareHandler {
  const isToken = token === undefined ? undefined : comparerOf(token);
  return async (c, next) => {
    const refusal = findRefusal(c, isToken);
    if (refusal === undefined) return await next();
    const { status, code, message, headers } = refusal;
    return c.json({ error: { code, message } }, status, { ...headers });
  };
}

function findRefusal(
  c: Context,
  isToken: ((text: string) => boolean) | undefined,
): Refusal | undefined {
  const host = c.req.header("host") ?? "";
  if (isToken === undefined) {
    if (!OWN_HOST.test(host)) return WRONG_HOST;
  } else {
    const [, given] = BEARER.exec(c.req.header("authorization") ?? "") ?? [];
    if (given === undefined) return NO_TOKEN;
    if (!isToken(given)) return WRONG_TOKEN;
  }
  if (isPlainRead(c)) return undefined;
  const origin = c.req.header("origin");
  if (origin !== undefined) return isSame(origin, host) ? undefined : FOREIGN_PAGE;
  // Browsers name the origin of most requests, and mark all of them with Sec-Fetch-Site.
  const isProgram = isToken !== undefined || c.req.header("sec-fetch-site") === undefined;
  return isProgram ? undefined : FOREIGN_PAGE;
}

/** Whether a request changes nothing and its answer ends. */
function isPlainRead(c: Context): boolean {
  const { method } = c.req;
  if (method !== "GET" && method !== "HEAD") return false;
  const asksStream = c.req.header("accept")?.toLowerCase().includes("text/event-stream") === true;
  return !asksStream && c.req.header("upgrade") === undefined;
}

/** Whether an origin is that of the host, of either scheme: a proxy may add TLS. */
function isSame(origin: string, host: string): boolean {
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== origin) return false;
  // Leaves out the port where it is the default one of the scheme.
  return URL.parse(`${url.protocol}//${host}`)?.origin === origin;
}

/** Compares in a time that says nothing of the token, not even its length. */
function comparerOf(token: string): (text: string) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(token);
  return (text) => timingSafeEqual(digest(text), expected);
}
