/** Tokens of OAuth 2.0 client credentials: asked for once by all who wait, kept, and renewed. */
import type { Clock } from "../../base/clock.ts";
import { isObject } from "../../base/json.ts";
import { messageOf } from "../../base/shown.ts";
import type { Logger } from "../../contract/context.ts";
import { basicAuth } from "./auth.ts";
import { exchange } from "./exchange.ts";
import { Failure } from "./failure.ts";
import { whyNoValue } from "./header.ts";
import type { OAuth2Options } from "./options.ts";
import { reasonOf } from "./reasons.ts";
import { endAttempt, type Stop, unlessStopped } from "./stop.ts";
import type { Transport } from "./transport.ts";

/** The largest response with a token, in bytes. */
const LIMIT = 64 * 1024;

/** A token is renewed this long before it expires, or when nine tenths of its time are over. */
const AHEAD = 60_000;

/** The time after a failed renewal in which the old token is used without another one. */
const PAUSE = 5_000;

/** The codes of RFC 6749, which have no secret in them. */
const CODES: readonly unknown[] = [
  ...["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"],
  ...["unsupported_grant_type", "invalid_scope"],
];

/** What the tokens of a connector need. */
export interface TokenContext {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The limit of one request for a token, in milliseconds. */
  readonly timeout: number;
}

interface Token {
  readonly value: string;
  /** On the monotonic clock. */
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** The token of one connector. */
export class Tokens {
  readonly #options: OAuth2Options;
  readonly #context: TokenContext;
  readonly #stops = new Set<Stop>();
  #token: Token | undefined;
  /** The request that all wait for. */
  #pending: Promise<string> | undefined;
  #notBefore = -Infinity;

  /** Asks for nothing before `get`. */
  constructor(options: OAuth2Options, context: TokenContext) {
    this.#options = options;
    this.#context = context;
  }

  /**
   * The token; a promise only where it has to be asked for. One that expires soon is used while
   * another one is asked for. Rejects where the attempt is ended before.
   *
   * @throws {Failure} There is none.
   */
  get(stop: Stop): string | Promise<string> {
    const now = this.#context.clock.elapsed();
    const token = this.#token;
    if (token !== undefined && now < token.expiresAt) {
      if (now >= token.renewAt && now >= this.#notBefore) this.#renew();
      return token.value;
    }
    return unlessStopped(this.#ask(), stop);
  }

  /** The API has refused this token: another one is asked for, unless that has been done. */
  forget(value: string): void {
    if (this.#token?.value === value) this.#token = undefined;
  }

  /** Ends the request for a token. */
  close(): void {
    for (const stop of this.#stops) endAttempt(stop, new Error("was ended"));
  }

  #renew(): void {
    if (this.#pending !== undefined) return;
    this.#ask().catch((error) => {
      this.#notBefore = this.#context.clock.elapsed() + PAUSE;
      this.#context.logger.warn("failed to renew the token; the old one is used: {reason}", {
        reason: messageOf(error),
      });
    });
  }

  #ask(): Promise<string> {
    if (this.#pending === undefined) {
      const asking = this.#request().finally(() => this.#pending = undefined);
      this.#pending = asking;
    }
    return this.#pending;
  }

  async #request(): Promise<string> {
    const { clock, transport, timeout } = this.#context;
    const { token_url: url, client_id: id, client_secret: secret, scope } = this.#options;
    const started = clock.elapsed();
    const stop: Stop = { reason: undefined, onStop: undefined };
    this.#stops.add(stop);
    const late = () => endAttempt(stop, new Error(`took longer than ${timeout} ms`));
    const timer = setTimeout(late, timeout);
    const form = new URLSearchParams({ grant_type: "client_credentials", ...(scope && { scope }) });
    try {
      const { body } = await exchange({
        method: "POST",
        url,
        headers: {
          accept: "application/json",
          authorization: basicAuth(encodeURIComponent(id), encodeURIComponent(secret)),
          "content-type": "application/x-www-form-urlencoded",
        },
        body: form.toString(),
      }, { send: transport.send, limit: LIMIT, stop, clock });
      const [value, seconds] = readToken(body);
      const life = seconds * 1000;
      this.#token = {
        value,
        expiresAt: started + life,
        renewAt: started + Math.max(life - AHEAD, life * 0.9),
      };
      return value;
    } catch (error) {
      throw this.#explained(error, stop);
    } finally {
      clearTimeout(timer);
      this.#stops.delete(stop);
    }
  }

  #explained(error: unknown, { reason }: Stop): Failure {
    const { origin } = new URL(this.#options.token_url);
    const isFailure = error instanceof Failure;
    const why = isFailure
      ? error.message + codeOf(error.details.body)
      : reason !== undefined
      ? reason.message
      : `failed: ${reasonOf(error)}`;
    const message = `cannot be sent without a token: the request for one to ${origin} ${why}`;
    const passing = !isFailure || error.details.passing;
    return new Failure(message, {
      passing,
      unsent: true,
      retryAfter: isFailure ? error.details.retryAfter : undefined,
    });
  }
}

/** The token of a response, and how many seconds it is good for. */
function readToken(body: unknown): readonly [string, number] {
  const wrong = (message: string): never => {
    throw new Failure(`was answered with ${message}`, { passing: false });
  };
  if (!isObject(body)) return wrong("no object");
  const { access_token: token, token_type: type = "bearer", expires_in: seconds } = body;
  if (typeof token !== "string" || token === "" || whyNoValue(token) !== undefined) {
    return wrong("no access_token that can be sent");
  }
  if (String(type).toLowerCase() !== "bearer") return wrong("a token that is not a bearer token");
  const life = seconds === undefined || seconds === null ? Infinity : Number(seconds);
  return [token, life >= 0 ? life : Infinity];
}

function codeOf(body: unknown): string {
  const code = isObject(body) && CODES.includes(body.error) ? body.error : undefined;
  return code === undefined ? "" : ` (${code})`;
}
