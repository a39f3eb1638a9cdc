/** A request of a flow, from its first attempt to its end. */
import type { Clock } from "../../base/clock.ts";
import type { Deadlines, Expiring } from "../../base/deadlines.ts";
import { retryDelay, type RetryDelays } from "../../base/retry.ts";
import type { Cancellable } from "../../contract/connector.ts";
import { exchange, type ExchangeContext, type Reply } from "./exchange.ts";
import { Failure, toConnectorError } from "./failure.ts";
import { reasonOf } from "./reasons.ts";
import type { Outgoing } from "./request.ts";
import type { Slots } from "./slots.ts";
import { endAttempt, type Stop } from "./stop.ts";
import type { Tokens } from "./tokens.ts";
import type { Transport } from "./transport.ts";

/** The longest time before an attempt, in milliseconds; also the longest `Retry-After` that is kept. */
export const LONGEST_DELAY = 30_000;

/** How far the time that an API names is exceeded at random, so that not all come back at once. */
const JITTER = 0.1;

/** What the requests of a connector share. */
export interface Shared {
  /** The connector's name. */
  readonly name: string;
  readonly transport: Transport;
  readonly slots: Slots;
  /** Undefined without OAuth. */
  readonly tokens: Tokens | undefined;
  readonly clock: Clock;
  /** The limit of an attempt, in milliseconds. */
  readonly timeout: number;
  /** The ends of all attempts. */
  readonly deadlines: Deadlines;
  readonly maxConnections: number;
  /** The largest body of a response, in bytes. */
  readonly limit: number;
  /** Undefined where nothing is sent again. */
  readonly retry:
    | Pick<RetryDelays, "delay" | "backoff"> & { readonly attempts: number }
    | undefined;
  /** The calls that have not ended. */
  readonly calls: Set<Call>;
  readonly counts: { requests: number; retried: number; failed: number };
  /** How many attempts in a row have got no answer. */
  unanswered: number;
}

/** What an attempt waits for: a place, a token, the response; or the next attempt. */
type Stage = "connection" | "token" | "response" | "delay";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One request of a flow. It ends its own attempts. */
export class Call implements Stop, Expiring {
  reason: Error | undefined;
  onStop: ((reason: Error) => void) | undefined;
  readonly #shared: Shared;
  readonly #outgoing: Outgoing;
  /** Ends the time between two attempts. */
  #stopWaiting: (() => void) | undefined;
  /** Why nothing is sent any more. */
  #ended: string | undefined;
  #attempt = 0;
  /** What it does now. */
  #stage: Stage = "connection";
  /** Why the last attempt failed. */
  #failure: Failure | undefined;

  /** Sends nothing before `start`. */
  constructor(shared: Shared, outgoing: Outgoing) {
    this.#shared = shared;
    this.#outgoing = outgoing;
  }

  /** Sends it. */
  start(): Cancellable {
    const { calls, counts } = this.#shared;
    calls.add(this);
    counts.requests++;
    const running = this.#run() as Promise<unknown> & Mutable<Cancellable>;
    running.cancel = () => this.end("was cancelled");
    running.doing = () => this.#doing();
    return running;
  }

  /** Ends it: the connection is closed. `reason` completes a sentence about the request. */
  end(reason: string): void {
    this.#ended = reason;
    endAttempt(this, new Error(reason));
    this.#stopWaiting?.();
  }

  /** The time of the attempt is up. */
  expire(): void {
    endAttempt(this, new Error(`took longer than ${this.#shared.timeout} ms`));
  }

  #doing(): string {
    const { retry, maxConnections } = this.#shared;
    if (this.#stage === "connection") {
      return `its request waited for one of ${maxConnections} connections`;
    }
    if (this.#stage === "token") return "its request waited for a token";
    const attempts = retry === undefined ? "" : ` (attempt ${this.#attempt} of ${retry.attempts})`;
    return this.#stage === "delay"
      ? `its request ${this.#failure?.message}${attempts}, and waited to be sent again`
      : `its request was not answered yet${attempts}`;
  }

  /** One function for all of it, since each one that waits costs every request. */
  async #run(): Promise<unknown> {
    const { calls, counts, slots, deadlines, tokens } = this.#shared;
    for (;;) {
      this.#attempt++;
      this.reason = undefined;
      this.onStop = undefined;
      this.#stage = "connection";
      deadlines.add(this);
      let hasPlace = slots.take();
      try {
        if (!hasPlace) {
          await slots.wait(this);
          hasPlace = true;
        }
        this.#stage = "response";
        const { body, response } = tokens === undefined
          ? await exchange(this.#outgoing, this.#context)
          : await this.#withToken(tokens);
        calls.delete(this);
        this.#shared.unanswered = 0;
        if (!this.#outgoing.full) return body;
        return { status: response.status, headers: response.headers(), body };
      } catch (error) {
        this.#failure = error instanceof Failure ? error : this.#explained(error);
        this.#note(this.#failure);
      } finally {
        if (hasPlace) slots.release();
        deadlines.delete(this);
      }
      const delay = this.#delay(this.#failure);
      if (delay !== undefined) await this.#wait(delay);
      if (delay === undefined || this.#ended !== undefined) {
        calls.delete(this);
        counts.failed++;
        throw toConnectorError(this.#shared.name, this.#outgoing.operation, this.#failure);
      }
      counts.retried++;
    }
  }

  /** Takes note of whether the API has answered an attempt. One that was not sent tells nothing. */
  #note({ details: { status } }: Failure): void {
    if (status !== undefined) this.#shared.unanswered = 0;
    else if (this.#stage === "response" && this.#ended === undefined) this.#shared.unanswered++;
  }

  /** How long to wait before the next attempt; undefined where there is none. */
  #delay({ details }: Failure): number | undefined {
    const { retry } = this.#shared;
    const { passing, unsent = false, retryAfter = 0 } = details;
    if (retry === undefined || this.#attempt >= retry.attempts) return undefined;
    if (!passing || !(unsent || this.#outgoing.repeatable)) return undefined;
    // Asking again before that would be refused, and no flow waits so long.
    if (retryAfter > LONGEST_DELAY) return undefined;
    const own = retryDelay(this.#attempt, { ...retry, maxDelay: LONGEST_DELAY }, Math.random());
    return Math.max(own, retryAfter * (1 + JITTER * Math.random()));
  }

  /** Waits before the next attempt, or until the request is ended. */
  async #wait(delay: number): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#stage = "delay";
    await new Promise<void>((resolve) => {
      const stop = this.#shared.clock.after(delay, resolve);
      this.#stopWaiting = () => {
        stop();
        resolve();
      };
    });
    this.#stopWaiting = undefined;
  }

  get #context(): ExchangeContext {
    const { transport, limit, clock } = this.#shared;
    const send = this.#outgoing.repeatable ? transport.send : transport.sendOnce;
    return { send, limit, clock, stop: this };
  }

  /** Sends it with a token; once more with another one if the API refuses the first. */
  async #withToken(tokens: Tokens): Promise<Reply> {
    for (let isLast = false;; isLast = true) {
      this.#stage = "token";
      const asked = tokens.get(this);
      const token = typeof asked === "string" ? asked : await asked;
      this.#stage = "response";
      const headers = { ...this.#outgoing.headers, authorization: `Bearer ${token}` };
      try {
        return await exchange({ ...this.#outgoing, headers }, this.#context);
      } catch (error) {
        if (!(error instanceof Failure) || error.details.status !== 401) throw error;
        tokens.forget(token);
        if (isLast) throw error;
      }
    }
  }

  /** What an error means that is not a response. */
  #explained(error: unknown): Failure {
    const { reason } = this;
    if (reason === undefined) return new Failure(`failed: ${reasonOf(error)}`, { passing: true });
    const { message } = reason;
    if (this.#ended !== undefined || this.#stage === "response") {
      return new Failure(message, { passing: true });
    }
    const { maxConnections } = this.#shared;
    const why = this.#stage === "token"
      ? "waiting for a token"
      : `waiting for one of ${maxConnections} connections`;
    return new Failure(`${message}, ${why}`, { passing: true, unsent: true });
  }
}
