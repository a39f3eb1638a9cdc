/** Delivers to neighbouring destinations with `parallel = true`, all at the same time. */
import { isPromiseLike } from "../base/promise-like.ts";
import { cancel, type Coroutine, doing } from "./coroutine.ts";
import { type FailureContext, isPermanent } from "./error-handling.ts";
import type { Group } from "./groups.ts";
import { writeTo } from "./requests.ts";
import { UNSENT } from "./results.ts";
import type { Run } from "./run.ts";
import { loggingFor } from "./run-log.ts";

/** Delivers to the members that have not succeeded yet, and waits for all of them. */
export function* deliverTogether(
  { start, members }: Group,
  run: Run,
  context: FailureContext,
): Coroutine<void> {
  const { connectors, flow } = context;
  const { results } = run;
  const failures: { readonly connector: string; readonly error: unknown }[] = [];
  const waiting: PromiseLike<void>[] = [];
  const pending: unknown[] = [];
  for (let i = 0; i < members.length; i++) {
    const position = start + i;
    // An earlier try has delivered to this one.
    if (results.length > position && results[position] !== UNSENT) continue;
    const { connector } = members[i];
    results[position] = UNSENT;
    const failed = (error: unknown): void => void failures.push({ connector, error });
    try {
      const result = writeTo(connectors, members[i], run);
      if (isPromiseLike(result)) {
        pending.push(result);
        waiting.push(result.then((value) => void (results[position] = value), failed));
      } else results[position] = result;
    } catch (error) {
      failed(error);
    }
  }
  if (waiting.length > 0) {
    yield Object.assign(Promise.all(waiting), {
      cancel: () => pending.forEach(cancel),
      doing: () => pending.map(doing).find((words) => words !== "")?.slice(2),
    });
  }
  if (failures.length === 0) return;
  // A permanent failure decides: retrying the others would not save the flow.
  const decisive = failures.find(({ error }) => isPermanent(error)) ?? failures[0];
  const { logger } = loggingFor(context, run);
  for (const { connector, error } of failures) {
    if (error === decisive.error) continue;
    logger.warn("flow {flow}: connector {connector} failed as well: {error}", {
      flow,
      connector,
      error,
    });
  }
  run.stage = decisive.connector;
  throw decisive.error;
}
