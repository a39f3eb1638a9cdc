/** Hands notifications to the flows, one after the other: each once at most. */
import { Fifo } from "../../../base/fifo.ts";
import { messageOf, shown, shownWords } from "../../../base/shown.ts";
import type { Logger } from "../../../contract/connector.ts";
import type { Subscriptions } from "../../../contract/subscriptions.ts";
import { NotificationEvent } from "./event.ts";
import type { NotificationFeed } from "./feed.ts";
import type { SourceCounts } from "./counts.ts";

/** How many notifications wait at most, before the feed is paused. The server holds 8000 bytes each. */
const MOST_WAITING = 500;

/** What deliveries are made with. */
export interface NotificationDeliveriesContext {
  readonly subscriptions: Subscriptions;
  readonly feed: Pick<NotificationFeed, "pause" | "resume">;
  readonly counts: SourceCounts;
  readonly logger: Logger;
}

/** The queue between the feed and the flows. */
export class NotificationDeliveries {
  readonly #context: NotificationDeliveriesContext;
  readonly #waiting = new Fifo<NotificationEvent>();
  #working: Promise<void> | undefined;
  #paused = false;

  /** Hands nothing over yet. */
  constructor(context: NotificationDeliveriesContext) {
    this.#context = context;
  }

  /** Takes what was sent to a channel. */
  readonly hear = (channel: string, payload: string): void => {
    const event = new NotificationEvent(channel, payload);
    if (this.#working === undefined) {
      const running = this.#deliver(event);
      if (running !== undefined) {
        this.#working = this.#goOn(running).finally(() => this.#working = undefined);
      }
      return;
    }
    this.#waiting.push(event);
    if (this.#paused || this.#waiting.length < MOST_WAITING) return;
    this.#paused = true;
    this.#context.feed.pause();
  };

  /** Waits for those that have arrived: the server has forgotten them. */
  async drain(): Promise<void> {
    await this.#working;
  }

  async #goOn(first: Promise<void>): Promise<void> {
    await first;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const running = this.#deliver(next);
      if (running !== undefined) await running;
      if (!this.#paused || this.#waiting.length > MOST_WAITING / 2) continue;
      this.#paused = false;
      this.#context.feed.resume();
    }
  }

  /** Runs the flows. The promise never rejects. */
  #deliver(event: NotificationEvent): Promise<void> | undefined {
    const { counts, subscriptions } = this.#context;
    counts.consumed++;
    const failure = subscriptions.deliver(event);
    if (failure === undefined) return void counts.acked++;
    if (!(failure instanceof Promise)) return void this.#discard(event, failure.reason);
    return failure.then(
      (found) => found === undefined ? void counts.acked++ : this.#discard(event, found.reason),
      (error) => this.#discard(event, messageOf(error)),
    );
  }

  #discard({ operation }: NotificationEvent, reason: string): void {
    this.#context.counts.discarded++;
    this.#context.logger.error("notification {operation} was discarded: {reason}", {
      operation: shown(operation),
      reason: shownWords(reason),
    });
  }
}
