/** The flows that take a connector's messages. */
import type { FlowEvent, FlowHandler } from "../../connector.ts";
import { compilePattern, type Matcher } from "./topic.ts";

/** Why a message could not be handled. */
export interface Failure {
  /** For the log. */
  readonly reason: string;
  /** True where another delivery cannot succeed. */
  readonly permanent: boolean;
}

interface Subscription {
  readonly matches: Matcher;
  readonly handler: FlowHandler;
}

/** Gives each message to all flows that take it. */
export class Subscriptions {
  /** What the flows want, in their order; undefined stands for every event. */
  readonly operations: (string | undefined)[] = [];
  readonly #subscriptions: Subscription[] = [];

  /** Adds a flow. */
  add(operation: string | undefined, handler: FlowHandler): void {
    this.operations.push(operation);
    this.#subscriptions.push({ matches: compilePattern(operation ?? "#"), handler });
  }

  /**
   * Runs every flow that takes the event, and waits for all of them even where one has failed.
   * Gives the failure, or undefined where there was none; no promise where no flow had to wait.
   */
  deliver(event: FlowEvent): Failure | undefined | Promise<Failure | undefined> {
    const errors: unknown[] = [];
    const running: Promise<unknown>[] = [];
    for (const { matches, handler } of this.#subscriptions) {
      if (!matches(event.operation)) continue;
      try {
        if (!handler.takes(event)) continue;
        const outcome = handler.run(event);
        if (outcome instanceof Promise) running.push(outcome.catch((error) => errors.push(error)));
      } catch (error) {
        errors.push(error);
      }
    }
    if (running.length === 0) return failureOf(errors);
    return Promise.all(running).then(() => failureOf(errors));
  }
}

/** One flow that may succeed the next time is reason enough to deliver again. */
function failureOf(errors: readonly unknown[]): Failure | undefined {
  if (errors.length === 0) return undefined;
  return {
    reason: errors.map((error) => error instanceof Error ? error.message : String(error)).join(
      "; ",
    ),
    permanent: errors.every(isPermanent),
  };
}

function isPermanent(error: unknown): boolean {
  return error instanceof Error && "permanent" in error && error.permanent === true;
}
