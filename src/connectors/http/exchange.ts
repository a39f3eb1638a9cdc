/** One request and its response, redirects included. */
import type { Clock } from "../../base/clock.ts";
import { quoted } from "../../base/shown.ts";
import { parseBody, whyNotEncoded } from "./body.ts";
import { Failure } from "./failure.ts";
import type { Outgoing } from "./request.ts";
import { retryAfterOf } from "./retry-after.ts";
import type { Stop } from "./stop.ts";
import { type Answered, type Send, TooLarge } from "./transport.ts";

/** A response that is no failure, and its parsed body. */
export interface Reply {
  readonly response: Answered;
  readonly body: unknown;
}

/** What an exchange needs beside the request. */
export interface ExchangeContext {
  readonly send: Send;
  /** The largest body, in bytes. */
  readonly limit: number;
  /** Ends the exchange. */
  readonly stop: Stop;
  /** For a `Retry-After` with a date. */
  readonly clock: Clock;
}

/** A request without what only the connector knows of it. */
export type Sent = Pick<Outgoing, "method" | "url" | "headers" | "body">;

/** The answer to a header such as `If-None-Match`. */
const NOT_MODIFIED = 304;

const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request and reads the response.
 *
 * @throws {Failure} The status is 400 or more, the body is wrong, or a redirect is not followed.
 * @throws {Error} The connection failed, or the request was ended.
 */
export async function exchange(sent: Sent, context: ExchangeContext): Promise<Reply> {
  const { send, stop, limit, clock } = context;
  let { method, url, headers, body } = sent;
  for (let redirects = 0;; redirects++) {
    const response = await send(url, { method, headers, body, limit, stop });
    const { status } = response;
    const location = REDIRECTS.has(status) ? response.header("location") : null;
    if (location === null) {
      const isResult = (status >= 200 && status < 300) || status === NOT_MODIFIED;
      if (!isResult) throw refusalOf(response, clock);
      return { response, body: bodyOf(response, limit) };
    }
    // `fetch` would send a GET without the body, and what was posted would be lost.
    if (method === "POST" && status < 303) {
      const message = `was redirected with the status ${status}, which is a GET for a POST; ` +
        "307 and 308 repeat it";
      throw final(message, status);
    }
    if (redirects === MOST_REDIRECTS) {
      throw final(`was redirected more than ${MOST_REDIRECTS} times`, status);
    }
    url = redirected(url, location, status);
    // The result of what was done is elsewhere.
    if (status === 303 && method !== "HEAD") {
      method = "GET";
      body = undefined;
      headers = withoutBody(headers);
    }
  }
}

function bodyOf(response: Answered, limit: number): unknown {
  const { status, failure, body } = response;
  if (failure instanceof TooLarge) {
    throw final(`was answered with more than ${limit} bytes (max_response_size)`, status);
  }
  if (failure !== undefined) throw failure;
  const encoding = whyNotEncoded(response.header("content-encoding"));
  if (encoding !== undefined) throw final(`was answered ${encoding}`, status);
  try {
    return parseBody(body, response.header("content-type"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw final(`was answered with a body that is ${error.message}`, status);
  }
}

/** What a status from 400 on means, or one that no HTTP client asks for. */
function refusalOf(response: Answered, clock: Clock): Failure {
  const { status, body, failure } = response;
  const passing = status === 408 || status === 429 || (status >= 500 && status < 600);
  return new Failure(`was answered with the status ${status}`, {
    passing,
    status,
    // The status says more than a body that cannot be read.
    body: failure === undefined ? readable(body, response.header("content-type")) : null,
    retryAfter: passing ? retryAfterOf(response.header("retry-after"), clock.now()) : undefined,
  });
}

/** The body of an error, which may be another thing than its type says. */
function readable(bytes: Uint8Array, contentType: string | null): unknown {
  try {
    return parseBody(bytes, contentType);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

/** The URL that a redirect leads to. */
function redirected(from: string, location: string, status: number): string {
  const { origin } = new URL(from);
  const to = URL.parse(location, from);
  if (to === null) throw final("was redirected to what is not a URL", status);
  if (to.origin !== origin) {
    const where = to.origin === "null"
      ? `the scheme ${quoted(to.protocol.slice(0, -1))}`
      : to.origin;
    const message = `was redirected to ${where}; redirects are followed within ${origin} alone`;
    throw final(message, status);
  }
  to.username = "";
  to.password = "";
  to.hash = "";
  return to.href;
}

function withoutBody(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith("content-")),
  );
}

function final(message: string, status: number): Failure {
  return new Failure(message, { passing: false, status, body: null });
}
