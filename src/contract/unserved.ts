/**
 * Which requests Weir itself answers with 404. An application that embeds Weir answers such paths, and
 * what it says is not for a connector to change.
 */
const unserved = new WeakSet<object>();

/** Says that the answer in a request's context is Weir's own 404. */
export function markUnserved(context: object): void {
  unserved.add(context);
}

/** Whether it is. */
export function isUnserved(context: object): boolean {
  return unserved.has(context);
}
