/** What outboxes send to, and what they notify. */
import type { Batch } from "../../transport/socket.ts";
import type { Waiting } from "./traffic.ts";

/** Where an outbox sends its frames. */
export interface Sink extends Waiting {
  /**
   * Sends a batch. Returns the bytes that were sent and that the kernel has not taken, or a negative
   * number where nothing can be sent any more.
   */
  send(batch: Batch): number;
}

/** Is notified when an outbox can send no more. Its methods never throw. */
export interface OutboxListener {
  /** More waits than the limit, and the kernel does not take it. Called once. */
  slow(): void;
  /** The sink threw. */
  failed(error: unknown): void;
}
