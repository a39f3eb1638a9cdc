/** Hands changes to the flows, one after the other in the order of the commits, and settles them. */
import type { Clock } from "../../../base/clock.ts";
import { messageOf, shown, shownWords } from "../../../base/shown.ts";
import type { Logger } from "../../../contract/connector.ts";
import type { DeliveryFailure, Subscriptions } from "../../../contract/subscriptions.ts";
import type { DeadLetterTable } from "./dead-letters.ts";
import { ChangeEvent } from "./event.ts";
import type { Change, ChangeFeed, ChangeSink, Position } from "./feed.ts";
import { ChangeQueue, type Unreadable, type Waiting } from "./queue.ts";
import type { SourceCounts } from "./counts.ts";

/** Milliseconds between the attempts to keep a dead letter. */
const PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** What deliveries are made with. */
export interface ChangeDeliveriesContext {
  readonly subscriptions: Subscriptions;
  readonly feed: Pick<ChangeFeed, "pause" | "resume" | "confirm">;
  readonly settings: {
    /** How often a change is delivered again, at most. */
    readonly maxRetries: number;
    /** Milliseconds between two deliveries. */
    readonly retryDelay: number;
  };
  /** Undefined: a change that failed for good is logged alone. */
  readonly deadLetters: DeadLetterTable | undefined;
  readonly counts: SourceCounts;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The queue between the feed and the flows. */
export class ChangeDeliveries implements ChangeSink {
  readonly #context: ChangeDeliveriesContext;
  readonly #waiting = new ChangeQueue();
  #paused = false;
  /** Settles when the change at work has been settled or given up; undefined where none is at work. */
  #working: Promise<void> | undefined;
  /** True from the first change of a transaction to its end. */
  #inTransaction = false;
  /** Changes with each beginning: what was read before must not be settled. */
  #generation = 0;
  #stopping = false;
  /** Ends the wait for another delivery. */
  #endWait: (() => void) | undefined;
  /** Why a change holds up all that follow it. */
  #blocked: string | undefined;

  /** Hands nothing over before the feed reads. */
  constructor(context: ChangeDeliveriesContext) {
    this.#context = context;
  }

  /** Why a change holds up all others. */
  health(): string | undefined {
    return this.#blocked;
  }

  async begin(): Promise<void> {
    this.#forget();
    this.#generation++;
    this.#inTransaction = false;
    this.#endWait?.();
    await this.#working;
  }

  change(change: Change, size: number): void {
    if (this.#stopping) return;
    this.#waiting.push({ kind: "change", change, size });
    this.#work();
  }

  unreadable(change: Unreadable, reason: string): void {
    if (this.#stopping) return;
    this.#waiting.push({ kind: "unreadable", change, reason });
    this.#work();
  }

  end(position: Position): void {
    if (this.#stopping) return;
    this.#waiting.push({ kind: "end", position });
    this.#work();
  }

  /**
   * Takes no more. The changes of the transaction that is being delivered are handled where all of
   * them have been read, so that they are not delivered again; what is not confirmed will be.
   */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#endWait?.();
    if (this.#inTransaction) this.#waiting.keepTransaction();
    else this.#waiting.clear();
  }

  /** Waits for what `stop` has left. */
  async drain(): Promise<void> {
    await this.#working;
  }

  #forget(): void {
    this.#waiting.clear();
    this.#paused = false;
  }

  /** Hands over what waits. Returns at once where a change is at work already. */
  #work(): void {
    if (this.#working !== undefined) return this.#pauseIfFull();
    // Flows that have nothing to wait for end here, within the read that has brought the change.
    const left = this.#handOver();
    if (left === undefined) return;
    this.#working = left.finally(() => this.#working = undefined);
    this.#pauseIfFull();
  }

  #pauseIfFull(): void {
    if (this.#paused || !this.#waiting.full) return;
    this.#paused = true;
    this.#context.feed.pause();
  }

  #resumeIfFree(): void {
    if (!this.#paused || !this.#waiting.halfEmpty) return;
    this.#paused = false;
    this.#context.feed.resume();
  }

  /** Until a flow has to be waited for; then the promise does the rest. */
  #handOver(): Promise<void> | undefined {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const settling = this.#take(next);
      if (settling !== undefined) return this.#goOn(settling);
    }
    return undefined;
  }

  async #goOn(first: Promise<void>): Promise<void> {
    await first;
    for (;;) {
      this.#resumeIfFree();
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const settling = this.#take(next);
      if (settling !== undefined) await settling;
    }
  }

  #take(next: Waiting): Promise<void> | undefined {
    if (next.kind === "end") {
      this.#inTransaction = false;
      this.#context.feed.confirm(next.position);
      return undefined;
    }
    this.#inTransaction = true;
    if (next.kind === "unreadable") {
      this.#context.counts.consumed++;
      return this.#giveUp(next.change, { reason: next.reason, permanent: true });
    }
    const { change } = next;
    const failure = this.#attempt(change);
    if (failure === undefined) return void this.#context.counts.acked++;
    return this.#settle(change, failure);
  }

  #attempt(change: Change): ReturnType<Subscriptions["deliver"]> {
    this.#context.counts.consumed++;
    return this.#context.subscriptions.deliver(new ChangeEvent(change));
  }

  /** Delivers until it succeeds, or has failed for good. Never rejects. */
  async #settle(
    change: Change,
    first: DeliveryFailure | Promise<DeliveryFailure | undefined>,
  ): Promise<void> {
    const { settings, counts } = this.#context;
    const generation = this.#generation;
    let failure = await this.#outcome(first);
    for (let retries = 0; failure !== undefined; retries++) {
      const { permanent, maxRetries = settings.maxRetries } = failure;
      if (permanent || retries >= maxRetries) return await this.#giveUp(change, failure);
      if (this.#isAbandoned(generation)) return this.#abandon(generation);
      counts.retried++;
      this.#warn("change {change} will be delivered again in {delay} ms: {reason}", change, {
        delay: settings.retryDelay,
        reason: failure.reason,
      });
      await this.#wait(settings.retryDelay);
      if (this.#isAbandoned(generation)) return this.#abandon(generation);
      failure = await this.#outcome(this.#attempt(change));
    }
    counts.acked++;
  }

  async #outcome(
    attempt: ReturnType<Subscriptions["deliver"]>,
  ): Promise<DeliveryFailure | undefined> {
    try {
      return await attempt;
    } catch (error) {
      return { reason: messageOf(error), permanent: false };
    }
  }

  /** Whether it is not for this delivery any more: the server sends it again, here or elsewhere. */
  #isAbandoned(generation: number): boolean {
    return this.#stopping || generation !== this.#generation;
  }

  /** What follows in the same transaction, or in a later one, must not overtake it. */
  #abandon(generation: number): void {
    if (generation === this.#generation) this.#forget();
  }

  /** Keeps it among the dead letters, or logs it. Repeated until it is kept, since nothing else has it. */
  async #giveUp(change: Change | Unreadable, failure: DeliveryFailure): Promise<void> {
    const { deadLetters, counts, logger } = this.#context;
    const reason = shownWords(failure.reason);
    const named = { change: nameOf(change), reason };
    if (deadLetters === undefined) {
      counts.discarded++;
      return logger.error("change {change} was discarded: {reason}", named);
    }
    const generation = this.#generation;
    for (let pause = PAUSE;; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const lack = await deadLetters.add(change, failure).then(() => undefined, messageOf);
      this.#blocked = undefined;
      if (lack === undefined) break;
      const why = shownWords(lack);
      logger.error("change {change} cannot be kept in the table of dead letters: {reason}", {
        change: named.change,
        reason: why,
      });
      this.#blocked = `change ${named.change} cannot be kept in the table of dead letters: ${why}`;
      if (!this.#isAbandoned(generation)) await this.#wait(pause);
      if (!this.#isAbandoned(generation)) continue;
      this.#blocked = undefined;
      return this.#abandon(generation);
    }
    counts.dead_lettered++;
    logger.error("change {change} was moved to the table {table} of dead letters: {reason}", {
      ...named,
      table: deadLetters.table,
    });
  }

  /** Ends at once when the connector stops or the feed begins again. */
  #wait(milliseconds: number): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#endWait = undefined;
        resolve();
      };
      const cancel = this.#context.clock.after(milliseconds, end);
      this.#endWait = end;
    });
  }

  #warn(
    message: string,
    change: Change,
    { reason, ...values }: { readonly reason: string; readonly delay: number },
  ): void {
    const words = { change: nameOf(change), reason: shownWords(reason) };
    this.#context.logger.warn(message, { ...values, ...words });
  }
}

/** For the log: what happened where, and never a value. */
function nameOf({ operation, table, lsn }: Unreadable): string {
  return `${operation} ${shown(table)} at ${lsn}`;
}
