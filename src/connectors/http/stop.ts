/** Ends an attempt. It is a lighter `AbortSignal`, since every request needs one and few are ended. */
export interface Stop {
  /** Why it was ended; undefined as long as it was not. */
  reason: Error | undefined;
  /** Ends what the attempt does now. */
  onStop: ((reason: Error) => void) | undefined;
}

/** Ends an attempt. The first reason counts. */
export function endAttempt(stop: Stop, reason: Error): void {
  if (stop.reason !== undefined) return;
  stop.reason = reason;
  stop.onStop?.(reason);
}

/** The promise's value. Rejects with the reason where the attempt is ended before. */
export function unlessStopped<T>(promise: Promise<T>, stop: Stop): Promise<T> {
  if (stop.reason !== undefined) return Promise.reject(stop.reason);
  return new Promise((resolve, reject) => {
    stop.onStop = reject;
    promise.then(resolve, reject);
  });
}
