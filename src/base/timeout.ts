/** Waiting for at most some time. */
import { type Clock, systemClock } from "./clock.ts";

/**
 * Resolves or rejects as `pending` does. If that takes longer than `milliseconds`, it ends with what
 * `late` returns or throws. The work behind `pending` goes on unless `late` ends it.
 *
 * @example
 * ```ts
 * await withTimeout(Promise.resolve("in time"), 5_000, () => "late");
 * ```
 */
export function withTimeout<T, L>(
  pending: PromiseLike<T>,
  milliseconds: number,
  late: () => L,
  clock: Clock = systemClock,
): Promise<T | L> {
  const { promise, resolve, reject } = Promise.withResolvers<T | L>();
  const cancel = clock.after(milliseconds, () => {
    // A promise settles later than this, even if `late` cancels the work behind it.
    try {
      resolve(late());
    } catch (error) {
      reject(error);
    }
  });
  Promise.resolve(pending).then(
    (value) => {
      cancel();
      resolve(value);
    },
    (error) => {
      cancel();
      reject(error);
    },
  );
  return promise;
}
