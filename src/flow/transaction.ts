/** Delivers to neighbours with `atomic = true`: all of their writes succeed, or none. */
import { ConnectorError } from "../base/errors.ts";
import type { Transaction } from "../contract/connector.ts";
import { type Coroutine, runWithoutDeadline, waitFor } from "./coroutine.ts";
import type { Group } from "./groups.ts";
import type { Connectors } from "./requests.ts";
import type { Run } from "./run.ts";

/**
 * Delivers to a group in one transaction of its connector. `deliverMembers` writes to the connectors
 * that it gets. Where anything fails, the results of the group are forgotten, so that a retry repeats
 * all of it.
 */
export function* deliverAtomically(
  { start, members: [{ connector }] }: Group,
  run: Run,
  connectors: Connectors,
  deliverMembers: (connectors: Connectors, transaction: Transaction) => Coroutine<void>,
): Coroutine<void> {
  const { results } = run.scope;
  const forget = (): void => {
    if (run.results.length > start) run.results.length = start;
    run.scope.delivered = start;
    run.scope.results = results;
  };
  let members: Coroutine<void> | undefined;
  run.stage = connector;
  // An earlier try may have stopped within its list.
  run.each = undefined;
  try {
    const destination = connectors.get(connector);
    if (destination?.transact === undefined) {
      throw new ConnectorError(connector, "has no transactions", { permanent: true });
    }
    yield* waitFor(destination.transact((transaction) => {
      if (members !== undefined) {
        // The connector repeats it, and may have served other events in the meantime.
        forget();
        run.each = undefined;
        run.scope.renewSteps();
      }
      members = deliverMembers(new Map([[connector, transaction]]), transaction);
      return runWithoutDeadline(members);
    }));
  } catch (error) {
    // When the flow has timed out, they wait and must not go on.
    members?.return();
    forget();
    throw error;
  }
}
