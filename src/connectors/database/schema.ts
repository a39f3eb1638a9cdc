/** What `weir check` makes of migrations. */
import type { TextRange } from "../../contract/probe.ts";
import type { Inspected, Migration } from "./driver.ts";

/** The tables that migrations make, in a database in memory. */
export interface Schema {
  readonly database: Inspected;
  /** Frees it. */
  close(): void | Promise<void>;
}

/** A migration that can never be applied, and the part of its text that is wrong. */
export interface RefusedMigration {
  readonly migration: Migration;
  /** Why, a sentence without the file. */
  readonly reason: string;
  readonly part: TextRange;
  /** What may be meant. */
  readonly hint?: string | undefined;
}

/** The tables, or why there are none. */
export type OpenedSchema = Schema | RefusedMigration;
