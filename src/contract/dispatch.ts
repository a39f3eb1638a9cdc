/** Hands one event to the flows of its source. No I/O. */
import type { FlowEvent, FlowHandler, Outcome } from "./connector.ts";
import { FlowError } from "../base/errors.ts";

/** How one flow ended. The flow has logged its own failure. */
export type Ending = Outcome | FlowError;

/**
 * One event on its way through its flows. Values stand here instead of promises where nothing had
 * to be waited for. What a flow throws beside a `FlowError` is a bug: the promises reject with it,
 * so `all` must always be awaited.
 */
export interface Dispatched {
  /** How the first flow ended: what the sender is answered. Undefined where no flow took the event. */
  readonly answer: Ending | undefined | Promise<Ending>;
  /** There once all flows have ended: the first failure in their order, undefined without one. */
  readonly all: FlowError | undefined | Promise<FlowError | undefined>;
}

/**
 * The flows that take an event, in the order given. Every filter is asked before any flow runs. A
 * flow whose filter failed counts as taken, and running it fails with that error.
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
 * Asks the `accept` of all flows that `admit` gave, before any of them runs. Gives the first refusal
 * in their order; undefined where the event is welcome.
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

/** Starts all flows that `admit` gave, in order, none waiting for another. */
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
    // At a gate nobody gets in because a filter is broken.
    accept() {
      throw error;
    },
    run() {
      throw error;
    },
  };
}

/** Starts one flow. The promise rejects with what the flow throws beside a `FlowError`: a bug. */
export function runFlow(handler: FlowHandler, event: FlowEvent): Ending | Promise<Ending> {
  try {
    const outcome = handler.run(event);
    return outcome instanceof Promise ? outcome.catch(expected) : outcome;
  } catch (error) {
    // A bug of one flow must not keep the others from starting.
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
