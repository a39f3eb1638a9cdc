/** Keys of handled events, in a table that is made when the first is kept. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Where the keys are. */
export const KEYS_TABLE = "_weir_keys";

/** How many keys that have run out one new key removes: more than one, so that they cannot pile up. */
const MOST_REMOVED = 10;

/** Reads and writes keys; transactions are the caller's. */
export class Keys {
  readonly #database: DatabaseSync;
  readonly #table: StatementSync;
  #find: StatementSync | undefined;
  #add: readonly StatementSync[] | undefined;

  /** Makes no table yet. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#table = database.prepare(
      `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '${KEYS_TABLE}'`,
    );
  }

  /** Whether a key of this flow runs out after `now`. */
  has(flow: string, key: string, now: number): boolean {
    if (this.#find === undefined && this.#table.get() === undefined) return false;
    this.#find ??= this.#database.prepare(
      `SELECT 1 FROM ${KEYS_TABLE} WHERE flow = ? AND key = ? AND until > ?`,
    );
    return this.#find.get(flow, key, now) !== undefined;
  }

  /** Keeps a key until `until`, and removes some of those that have run out at `now`. */
  add(flow: string, key: string, now: number, until: number): void {
    // Asked each time: a transaction that is undone takes the table with it.
    if (this.#table.get() === undefined) this.#makeTable();
    this.#add ??= [
      this.#database.prepare(
        `DELETE FROM ${KEYS_TABLE} WHERE rowid IN
           (SELECT rowid FROM ${KEYS_TABLE} WHERE until <= ? ORDER BY until LIMIT ${MOST_REMOVED})`,
      ),
      this.#database.prepare(
        `INSERT INTO ${KEYS_TABLE} (flow, key, until) VALUES (?, ?, ?)
           ON CONFLICT (flow, key) DO UPDATE SET until = excluded.until`,
      ),
    ];
    const [remove, insert] = this.#add;
    remove.run(now);
    insert.run(flow, key, until);
  }

  #makeTable(): void {
    this.#database.exec(
      `CREATE TABLE ${KEYS_TABLE}
         (flow TEXT NOT NULL, key TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (flow, key));
       CREATE INDEX ${KEYS_TABLE}_until ON ${KEYS_TABLE} (until)`,
    );
  }
}
