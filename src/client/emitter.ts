/** Handlers of events. */

/** Takes an event. */
// deno-lint-ignore no-explicit-any -- each event has arguments of its own
export type Handler = (...args: any[]) => unknown;

/** Knows the handlers of each event. */
export interface Emitter {
  /** Adds a handler; the result removes it. */
  on(event: string, handler: Handler): () => unknown;
  /** Calls the handlers. One that throws keeps no other from its event. */
  emit(event: string, ...args: unknown[]): void;
}

/** Makes one without handlers. */
export function createEmitter(): Emitter {
  const entries = new Set<[event: string, handler: Handler]>();
  return {
    on(event, handler) {
      const entry: [string, Handler] = [event, handler];
      entries.add(entry);
      return () => entries.delete(entry);
    },
    emit(event, ...args) {
      for (const [name, handler] of [...entries]) {
        try {
          if (name === event) handler(...args);
        } catch (error) {
          // The runtime reports it, as for a handler that returns a promise.
          Promise.reject(error);
        }
      }
    },
  };
}
