/** The flows that take the messages of a source which redelivers what has failed. */
import { FlowError, reasonOf } from "../base/errors.ts";
import { isObject } from "../base/json.ts";
import { messageOf } from "../base/shown.ts";
import type { FilterRefusal, FlowEvent, FlowHandler } from "./connector.ts";

/** How much of the reasons why data is not valid goes into a log or a header, in characters. */
const LONGEST_DETAILS = 300;

/** Whether the operation of an event matches that of a flow. */
export type Matcher = (operation: string) => boolean;

/** Why a message could not be handled. */
export interface DeliveryFailure {
  /** For the log. */
  readonly reason: string;
  /** The same with the causes, which the log of the flows has. No client may see them. */
  readonly causes?: string;
  /** True where another delivery cannot succeed. */
  readonly permanent: boolean;
  /** How often it may be redelivered; as often as the connector says where absent. */
  readonly maxRetries?: number;
  /** The names of the flows that failed; absent where no flow has run. */
  readonly flows?: readonly string[];
}

interface Subscription {
  readonly matches: Matcher;
  readonly handler: FlowHandler;
}

/** Hands each message to all flows that take it. */
export class Subscriptions {
  /** The operations of the flows, in their order; undefined means every event. */
  readonly operations: (string | undefined)[] = [];
  readonly #matcher: (operation: string | undefined) => Matcher;
  readonly #unmatched: (event: FlowEvent) => void;
  readonly #subscriptions: Subscription[] = [];
  #mostRequeues = 0;

  /** `matcher` compiles the operations; `unmatched` hears of events that match none of them. */
  constructor(
    matcher: (operation: string | undefined) => Matcher,
    unmatched: (event: FlowEvent) => void = () => {},
  ) {
    this.#matcher = matcher;
    this.#unmatched = unmatched;
  }

  /** Adds a flow. */
  add(operation: string | undefined, handler: FlowHandler): void {
    this.operations.push(operation);
    this.#subscriptions.push({ matches: this.#matcher(operation), handler });
    this.#mostRequeues = Math.max(this.#mostRequeues, handler.filterRefusal?.maxRequeue ?? 0);
  }

  /** How often an event that no flow takes is delivered again, at most. */
  get mostRequeues(): number {
    return this.#mostRequeues;
  }

  /**
   * Runs every flow that takes the event, and waits for all of them even where one has failed.
   * Returns the failure, or undefined where there was none; no promise where no flow had to wait. An
   * event that no flow takes has failed if a filter says reject or requeue.
   */
  deliver(event: FlowEvent): DeliveryFailure | undefined | Promise<DeliveryFailure | undefined> {
    const errors: unknown[] = [];
    const running: Promise<unknown>[] = [];
    const refusals: FilterRefusal[] = [];
    let taken = false;
    let matched = false;
    for (const { matches, handler } of this.#subscriptions) {
      if (!matches(event.operation)) continue;
      matched = true;
      try {
        if (!handler.takes(event)) {
          if (handler.filterRefusal !== undefined) refusals.push(handler.filterRefusal);
          continue;
        }
        taken = true;
        const outcome = handler.run(event);
        if (outcome instanceof Promise) running.push(outcome.catch((error) => errors.push(error)));
      } catch (error) {
        errors.push(error);
      }
    }
    if (!matched) this.#unmatched(event);
    if (!taken && errors.length === 0) return failureOfRefusals(refusals);
    if (running.length === 0) return failureOf(errors);
    return Promise.all(running).then(() => failureOf(errors));
  }
}

/** Requeue goes before reject, so that nothing is lost; reject goes before ack. */
function failureOfRefusals(refusals: readonly FilterRefusal[]): DeliveryFailure | undefined {
  const reason = "no flow takes it";
  const back = refusals.filter(({ settlement }) => settlement === "requeue");
  if (back.length > 0) {
    const maxRetries = Math.max(...back.map(({ maxRequeue }) => maxRequeue));
    return { reason, permanent: false, maxRetries };
  }
  const rejected = refusals.some(({ settlement }) => settlement === "reject");
  return rejected ? { reason, permanent: true } : undefined;
}

/** It is redelivered where at least one flow may succeed the next time. */
function failureOf(errors: readonly unknown[]): DeliveryFailure | undefined {
  if (errors.length === 0) return undefined;
  return {
    reason: errors.map(wordsOf).join("; "),
    causes: errors.map(causeOf).join("; "),
    permanent: errors.every(isPermanent),
    flows: errors.flatMap((error) => error instanceof FlowError ? [error.flow] : []),
  };
}

/**
 * The error in words: of a flow with its code and its name, and what is wrong where, which are names
 * of fields and rules and never their values.
 */
function wordsOf(error: unknown): string {
  if (!(error instanceof FlowError)) return messageOf(error);
  const { code, flow, message, details = [] } = error;
  const name = `flow "${flow}"`;
  const named = message.startsWith(name) ? message : `${name}: ${message}`;
  const words = details.filter(isObject).map(({ path, message }) => `${path} ${message}`.trim());
  const wrong = words.length === 0 ? "" : `: ${words.join(", ").slice(0, LONGEST_DETAILS)}`;
  return `${code}: ${named}${wrong}`;
}

function causeOf(error: unknown): string {
  if (!(error instanceof FlowError) || error.cause === undefined) return wordsOf(error);
  return `${wordsOf(error)}: ${reasonOf(error.cause)}`;
}

function isPermanent(error: unknown): boolean {
  return error instanceof Error && "permanent" in error && error.permanent === true;
}
