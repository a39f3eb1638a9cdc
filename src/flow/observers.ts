/** Several that watch one flow. */
import type { FlowObserver, RequestObserver, RunObserver } from "../contract/observer.ts";

/** Tells all of them. Undefined without any. */
export function observedBy(observers: readonly FlowObserver[]): FlowObserver | undefined {
  if (observers.length < 2) return observers[0];
  return {
    filtered: () => observers.forEach((one) => one.filtered()),
    skipped: () => observers.forEach((one) => one.skipped?.()),
    begin(phase, event) {
      const runs = observers.map((one) => one.begin(phase, event))
        .filter((run) => run !== undefined);
      return runs.length < 2 ? runs[0] : runObservedBy(runs);
    },
  };
}

function runObservedBy(observers: readonly RunObserver[]): RunObserver {
  return {
    traceId: observers.find(({ traceId }) => traceId !== undefined)?.traceId,
    request: (request) => requestObservedBy(observers.map((one) => one.request(request))),
    retried: () => observers.forEach((one) => one.retried()),
    ended: (outcome, ending) => observers.forEach((one) => one.ended(outcome, ending)),
  };
}

function requestObservedBy(observers: readonly RequestObserver[]): RequestObserver {
  const tracing = observers.find(({ traceparent }) => traceparent !== undefined);
  return {
    traceparent: tracing?.traceparent,
    tracestate: tracing?.tracestate,
    within: (act) => tracing?.within === undefined ? act() : tracing.within(act),
    ended: (failure) => observers.forEach((one) => one.ended(failure)),
  };
}
