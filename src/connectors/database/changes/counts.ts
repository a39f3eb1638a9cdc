/** What a database has counted as a source of flows. */

/** Numbers since the start. */
export interface SourceCounts {
  /** Deliveries of changes and notifications, repeated ones included. */
  consumed: number;
  /** Changes and notifications that all their flows have handled. */
  acked: number;
  /** Failed deliveries after which the change is delivered again. */
  retried: number;
  /** Changes that failed for good and are kept in the table of dead letters. */
  dead_lettered: number;
  /** Changes and notifications that failed for good and are lost. */
  discarded: number;
}
