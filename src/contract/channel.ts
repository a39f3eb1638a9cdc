/** What a connector sees of the other workers of its service. No I/O. */

/** The line from a connector to the same connector in every other worker. Messages are JSON. */
export interface Channel {
  /**
   * Tells the others; each hears what one worker tells in the order in which it was told. Gives a
   * promise where they are behind: who goes on telling waits for it, or what waits for them grows.
   */
  tell(message: unknown): Promise<void> | undefined;
  /**
   * Asks the others, after everything that was told before; gives the answers of those that are
   * there until they have answered.
   */
  ask(message: unknown): Promise<readonly unknown[]>;
  /** Who hears what the others say. What it returns answers one that asks; it must not throw. */
  listen(hear: (message: unknown) => unknown): void;
}

/** The cluster as one connector sees it. */
export interface ConnectorCluster {
  /** True in one worker of all: what a connector does once for the service is done there. */
  readonly leader: boolean;
  /**
   * Calls `act` once this worker leads, now or when it takes the place of one that has led before it
   * and has ended; `takesOver` is true then. Returns the promise of `act` where it is called now, else
   * one that is resolved.
   */
  onceLeading(act: (takesOver: boolean) => Promise<void>): Promise<void>;
  /** The line to the same connector in the other workers. */
  readonly channel: Channel;
  /** The options of all blocks that write to this connector: `to`, `fallback` and every `step`. */
  readonly requests: readonly unknown[];
  /**
   * What the first worker has read under a name, as JSON; `read` is called where there is nothing
   * yet. What a connector reads beside its options goes through it, so that all workers have the same.
   */
  readOnce<T>(name: string, read: () => Promise<T>): Promise<T>;
  /** Takes one of so many seats that all workers share; false where none is free. */
  takeSeat(limit: number): Promise<boolean>;
  /** Gives a seat back. */
  leaveSeat(): void;
}
