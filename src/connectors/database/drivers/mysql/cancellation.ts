/** Whether somebody still waits for something. Lighter than an AbortSignal, of which each read needs one. */
import type { Cancellable } from "../../../../contract/connector.ts";
import { Activity } from "../../activity.ts";
import { CancelledError } from "../../pending-write.ts";

/** One wish to end something, and what ends it. */
export class Cancellation {
  /** The statements that it would end. */
  readonly activity = new Activity();
  #reason: CancelledError | undefined;
  #act: ((reason: CancelledError) => void) | undefined;
  #cancelled: PromiseWithResolvers<never> | undefined;

  /** What a promise needs to be `Cancellable`. */
  get handles(): Pick<Cancellable, "cancel" | "doing"> {
    return { cancel: () => this.cancel(), doing: () => this.activity.describe() };
  }

  /** Why it is to end; undefined as long as somebody waits. */
  get reason(): CancelledError | undefined {
    return this.#reason;
  }

  /** What ends it from now on, instead of what did before; called at once where it is to end. */
  set act(act: ((reason: CancelledError) => void) | undefined) {
    this.#act = act;
    if (this.#reason !== undefined) act?.(this.#reason);
  }

  /** Rejects where it is to end. */
  get cancelled(): Promise<never> {
    if (this.#cancelled === undefined) {
      this.#cancelled = Promise.withResolvers();
      this.#cancelled.promise.catch(() => {});
      if (this.#reason !== undefined) this.#cancelled.reject(this.#reason);
    }
    return this.#cancelled.promise;
  }

  /** Nobody waits any more. */
  cancel(): void {
    if (this.#reason !== undefined) return;
    this.#reason = new CancelledError("was cancelled");
    this.#cancelled?.reject(this.#reason);
    this.#act?.(this.#reason);
  }
}
