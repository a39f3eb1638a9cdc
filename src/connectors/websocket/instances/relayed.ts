/** What is done here for a request of another instance, as a part of its trace. */
import { isPromiseLike } from "../../../base/promise-like.ts";
import type { Shared } from "../parts.ts";
import type { Head } from "./wire.ts";

/** Calls `act`, and tells what watches when its work has begun and ended. */
export function relayed<T>(
  shared: Pick<Shared, "relayed">,
  { traceparent }: Head,
  operation: string | undefined,
  act: () => T,
): T {
  const watching = traceparent === undefined ? undefined : shared.relayed?.(traceparent, operation);
  if (watching === undefined) return act();
  let result: T;
  try {
    result = act();
  } catch (error) {
    watching.ended(error);
    throw error;
  }
  if (isPromiseLike(result)) result.then(() => watching.ended(), (error) => watching.ended(error));
  else watching.ended();
  return result;
}
