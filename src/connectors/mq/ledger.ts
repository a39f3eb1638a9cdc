/** What became of the messages: counted, and logged where they were not simply handled. */
import { shown } from "../../base/shown.ts";
import type { Logger } from "../../contract/connector.ts";
import type { Failure } from "./subscriptions.ts";

/** Numbers since the start. */
export interface Counts {
  /** Messages that the broker has taken charge of. */
  published: number;
  /** Deliveries, repeated ones included. */
  consumed: number;
  /** Messages that all their flows have handled. */
  acked: number;
  /** Failed deliveries after which the message was to be delivered again. */
  retried: number;
  /** Messages that failed for good and are kept in the dead-letter queue. */
  dead_lettered: number;
  /** Messages that failed for good and are gone. */
  discarded: number;
}

/** Counts messages and logs the fate of those that failed. */
export class Ledger {
  /** Numbers since the start. */
  readonly counts: Counts = {
    published: 0,
    consumed: 0,
    acked: 0,
    retried: 0,
    dead_lettered: 0,
    discarded: 0,
  };
  readonly #logger: Logger;

  /** Logs with the connector's logger. */
  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The message comes again after `delay` milliseconds. */
  retried(routingKey: string, { reason }: Failure, delay: number): void {
    this.counts.retried++;
    this.#logger.warn("message {routingKey} comes again in {delay} ms: {reason}", {
      routingKey: shown(routingKey),
      delay,
      reason,
    });
  }

  /** The message waits in `queue` for somebody to look at it. */
  deadLettered(routingKey: string, { reason }: Failure, queue: string): void {
    this.counts.dead_lettered++;
    this.#logger.error("message {routingKey} went to the dead letters in {queue}: {reason}", {
      routingKey: shown(routingKey),
      queue,
      reason,
    });
  }

  /** The message is gone. */
  discarded(routingKey: string, { reason }: Failure): void {
    this.counts.discarded++;
    this.#logger.error("message {routingKey} was discarded: {reason}", {
      routingKey: shown(routingKey),
      reason,
    });
  }
}
