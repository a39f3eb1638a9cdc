/** `weir check --connect`: asks whether the API answers, and takes the credentials. */
import { ConnectorError } from "../../base/errors.ts";
import { messageOf } from "../../base/shown.ts";
import { Failure } from "./failure.ts";
import { reasonOf } from "./reasons.ts";
import { endAttempt, type Stop } from "./stop.ts";
import type { Tokens } from "./tokens.ts";
import type { Transport } from "./transport.ts";

/** What is asked, and how. */
export interface ProbeContext {
  /** The connector's name. */
  readonly name: string;
  readonly base: URL;
  /** The headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether requests are authorized. */
  readonly hasAuth: boolean;
  readonly tokens: Tokens | undefined;
  readonly transport: Transport;
  /** The limit, in milliseconds. */
  readonly timeout: number;
}

/** As much of a body as is read: nobody looks at it. */
const LIMIT = 64 * 1024;

/**
 * Asks for `base_url`, with a token where there is one. Any answer but a refusal of the credentials
 * says that the API is there. Returns what it found, in a few words.
 *
 * @throws {ConnectorError} The API does not answer, or there is no token, or it is refused.
 */
export async function probeApi(
  { name, base, headers, hasAuth, tokens, transport, timeout }: ProbeContext,
): Promise<string> {
  const stop: Stop = { reason: undefined, onStop: undefined };
  const late = () => endAttempt(stop, new Error(`took longer than ${timeout} ms`));
  const timer = setTimeout(late, timeout);
  const fail = (message: string, permanent: boolean): never => {
    throw new ConnectorError(name, `a request to ${base.origin} ${message}`, { permanent });
  };
  try {
    const token = await tokens?.get(stop);
    const authorization = token && { authorization: `Bearer ${token}` };
    const { status } = await transport.sendOnce(base.origin + base.pathname, {
      method: "GET",
      // Nothing is left open.
      headers: { ...headers, ...authorization, connection: "close" },
      body: undefined,
      limit: LIMIT,
      stop,
    });
    if (status === 401 && hasAuth) return fail("was answered with 401: the auth is refused", true);
    const issued = token === undefined ? "" : ", with a token";
    return `${base.origin} answers with the status ${status}${issued}`;
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    if (error instanceof Failure) return fail(error.message, !error.details.passing);
    return fail(stop.reason ? messageOf(stop.reason) : `failed: ${reasonOf(error)}`, false);
  } finally {
    clearTimeout(timer);
  }
}
