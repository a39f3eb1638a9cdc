/** Passes an event to the flows of its source. No I/O. */
import type { FlowEvent, FlowHandler, Outcome } from "./connector.ts";
import { FlowError } from "../base/errors.ts";
import { placedAs } from "./placed.ts";

/** The result of one flow: its outcome, or its failure, which the flow has logged. */
export type Ending = Outcome | FlowError;

/**
 * The results of an event. They are plain values if no flow waited for anything, else promises. If a
 * flow throws anything but a `FlowError`, which is a bug, the promises reject with it: always await
 * `all`.
 */
export interface Dispatched {
  /** The result of the first flow, for the response. Undefined if no flow takes the event. */
  readonly answer: Ending | undefined | Promise<Ending>;
  /** The first failure in the order of the flows, when all have ended; undefined without one. */
  readonly all: FlowError | undefined | Promise<FlowError | undefined>;
}

/**
 * Returns the flows that take an event, in their order. All filters are evaluated before any flow
 * runs. A flow whose filter fails is included, and fails with that error when it runs.
 */
export function admit(
  handlers: readonly FlowHandler[],
  event: FlowEvent,
): readonly FlowHandler[] {
  const admitted: FlowHandler[] = [];
  for (const handler of handlers) {
    try {
      if (handler.takes(event)) admitted.push(handler);
    } catch (error) {
      if (!(error instanceof FlowError)) throw error;
      admitted.push(failed(handler.flow, error));
    }
  }
  return admitted;
}

/**
 * Calls `accept` of all flows that `admit` returned, before any of them runs. Returns the first
 * refusal in their order, or undefined if all flows accept the event.
 */
export function accept(
  admitted: readonly FlowHandler[],
  event: FlowEvent,
): FlowError | undefined | Promise<FlowError | undefined> {
  if (admitted.length === 0) return undefined;
  const answers = admitted.map((handler) => {
    try {
      const answer = handler.accept?.(event);
      return answer instanceof Promise ? answer.then(() => undefined, expected) : undefined;
    } catch (error) {
      return expected(error);
    }
  });
  const first = (all: readonly (FlowError | undefined)[]) => all.find((one) => one !== undefined);
  return answers.some((answer) => answer instanceof Promise)
    ? Promise.all(answers).then(first)
    : first(answers as (FlowError | undefined)[]);
}

/** Starts all flows that `admit` returned, in their order. They run concurrently. */
export function dispatch(admitted: readonly FlowHandler[], event: FlowEvent): Dispatched {
  if (admitted.length === 0) return { answer: undefined, all: undefined };
  if (admitted.length === 1) {
    const answer = runFlow(admitted[0], event);
    return { answer, all: answer instanceof Promise ? answer.then(failure) : failure(answer) };
  }
  const runs = admitted.map((handler) => runFlow(handler, event));
  return { answer: runs[0], all: runs.some(isPromise) ? allEnded(runs) : firstFailure(runs) };
}

function failed(flow: string, error: FlowError): FlowHandler {
  return {
    flow,
    takes: () => true,
    // A broken filter must not let an event through.
    accept() {
      throw error;
    },
    run() {
      throw error;
    },
  };
}

/** Runs one flow. A `FlowError` is returned; anything else that the flow throws is a bug, and rejects. */
export function runFlow(handler: FlowHandler, event: FlowEvent): Ending | Promise<Ending> {
  try {
    const outcome = handler.run(event);
    return outcome instanceof Promise ? placedAs(outcome.catch(expected), outcome) : outcome;
  } catch (error) {
    // A bug in one flow must not keep the others from starting.
    return error instanceof FlowError ? error : Promise.reject(error);
  }
}

function expected(error: unknown): FlowError {
  if (error instanceof FlowError) return error;
  throw error;
}

function failure(ending: Ending): FlowError | undefined {
  return ending instanceof FlowError ? ending : undefined;
}

function isPromise(run: Ending | Promise<Ending>): run is Promise<Ending> {
  return run instanceof Promise;
}

function firstFailure(runs: readonly (Ending | Promise<Ending>)[]): FlowError | undefined {
  return runs.find((ending) => ending instanceof FlowError);
}

async function allEnded(
  runs: readonly (Ending | Promise<Ending>)[],
): Promise<FlowError | undefined> {
  const settled = await Promise.allSettled(runs);
  const endings = settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  return firstFailure(endings);
}
