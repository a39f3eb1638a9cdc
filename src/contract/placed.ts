/**
 * Promises of work whose place in the order is fixed before they settle: what is written later comes
 * later, and only the confirmation is missing. A source that keeps an order need not wait for it.
 */

/** Marks such a promise: of `write` of a connector, or of `run` of a flow that waits for nothing else. */
export function placed<T>(promise: Promise<T>): Promise<T> {
  return Object.assign(promise, { isPlaced: true });
}

/** Whether a promise is marked. */
export function isPlaced(promise: object): boolean {
  return (promise as { readonly isPlaced?: boolean }).isPlaced === true;
}

/** Marks a promise if it follows from one that is marked. */
export function placedAs<T>(promise: Promise<T>, from: object): Promise<T> {
  return isPlaced(from) ? placed(promise) : promise;
}
