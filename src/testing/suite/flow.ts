/** Flows that the suite subscribes to a source. */
import { FlowError } from "../../base/errors.ts";
import type { FlowEvent, FlowHandler, Outcome } from "../../contract/connector.ts";

const DONE: Outcome = { response: undefined, result: undefined };

/** What a flow does with an event. */
export interface Behavior {
  /** Whether its filter takes an event. It takes all by default. */
  takes?(event: FlowEvent): boolean;
  /** Runs before the flow ends. */
  run?(event: FlowEvent, index: number): void | Promise<void>;
}

/** A flow that keeps its events. */
export class RecordingFlow implements FlowHandler {
  readonly flow: string;
  /** The events whose run has begun. */
  readonly events: FlowEvent[] = [];
  /** How many runs have ended. */
  ended = 0;
  readonly #behavior: Behavior;

  constructor(flow: string, behavior: Behavior = {}) {
    this.flow = flow;
    this.#behavior = behavior;
  }

  takes(event: FlowEvent): boolean {
    return this.#behavior.takes?.(event) ?? true;
  }

  run(event: FlowEvent): Outcome | Promise<Outcome> {
    const index = this.events.push(event) - 1;
    const running = this.#behavior.run?.(event, index);
    if (running === undefined) {
      this.ended++;
      return DONE;
    }
    return running.then(() => DONE).finally(() => this.ended++);
  }
}

/** The error of a flow that may succeed the next time. */
export function temporary(flow: string): FlowError {
  return failure(flow, false);
}

/** The error of a flow that can never succeed. */
export function permanent(flow: string): FlowError {
  return failure(flow, true);
}

/** If the source does not handle it, the runner shows this message, without the rule. */
function failure(flow: string, permanent: boolean): FlowError {
  const message = `flow "${flow}" failed, as the rule "failures" wants: the source must handle ` +
    "what run() throws, and what its promise rejects with";
  return new FlowError(flow, "flow_failed", { ref: "00000000", permanent, message });
}

/** A flow that waits until `release` is called. */
export function held(): { readonly wait: Promise<void>; readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { wait: promise, release: resolve };
}
