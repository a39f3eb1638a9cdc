/** The settings of a consumer that every broker has. */

/** How messages are consumed, with every default filled in. */
export interface ConsumerSettings {
  /** How many messages a process handles at once. */
  readonly prefetch: number;
  /** How often a message is redelivered, at most. */
  readonly maxRetries: number;
  /** Milliseconds between two deliveries. */
  readonly retryDelay: number;
  /**
   * Where messages are moved that failed for good, in the broker's words, such as `dead-letter queue
   * orders.dlq`, for the log. Undefined: they are discarded.
   */
  readonly deadLetters: string | undefined;
}
