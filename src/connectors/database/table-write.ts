/** What can be written to a table. */

/** What can be done to a table. */
export const OPERATIONS = ["INSERT", "UPDATE", "DELETE", "UPSERT"] as const;

/** One of `OPERATIONS`. */
export type Operation = typeof OPERATIONS[number];

/** One write to a table. */
export interface TableWrite {
  readonly operation: Operation;
  /** The table's name, unquoted. */
  readonly table: string;
  /** The columns that find the row; none for an INSERT. */
  readonly key: readonly string[];
  /** The columns that the payload has values for. */
  readonly columns: readonly string[];
  /** False if the rows are not needed. True by default. */
  readonly returning?: boolean;
}
