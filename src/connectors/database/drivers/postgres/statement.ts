/** A statement of PostgreSQL, which each connection parses when it first needs it. */
import type { StatementOptions } from "../../driver.ts";
import type { TableWrite } from "../../table-write.ts";

/** A parameter's value that its type cannot hold, with the parameter's name. It was not sent. */
export class ValueError extends Error {
  override readonly name = "ValueError";
}

/**
 * The statements that may share a transaction. Others may have to be alone in theirs, such as VACUUM,
 * CREATE INDEX CONCURRENTLY or CALL.
 */
const SHARING = new Set(["INSERT", "UPDATE", "DELETE", "MERGE", "WITH"]);

/** Something before the first word, or that word. */
const START = /\s|--[^\n]*|\/\*[^*]*(?:\*(?!\/)[^*]*)*\*\/|([a-z]+)/iy;

/** A statement that is known by its text alone. */
export class PostgresStatement {
  /** Its text, with `$1`, `$2` … as parameters. */
  readonly sql: string;
  /** Which of its rows are needed. */
  readonly rows: StatementOptions["rows"];
  /** What its parameters are called, in their order. */
  readonly names: readonly string[];
  /** What it was made of; undefined for a query. */
  readonly write: TableWrite | undefined;
  /** Whether others may be in its transaction. */
  readonly shares: boolean;

  /** Sends nothing yet. */
  constructor(sql: string, { rows, names, write }: StatementOptions) {
    this.sql = sql;
    this.rows = rows;
    this.names = names;
    this.write = write;
    this.shares = SHARING.has(firstWord(sql));
  }

  /** The error of a value that a parameter cannot have. */
  valueError(position: number, cause: unknown): ValueError {
    const name = this.names[position] ?? String(position + 1);
    const what = this.write === undefined
      ? `parameter ":${name}"`
      : `column ${JSON.stringify(name)}`;
    return new ValueError(`${what} ${(cause as Error).message}`, { cause });
  }
}

function firstWord(sql: string): string {
  START.lastIndex = 0;
  for (let found = START.exec(sql); found !== null; found = START.exec(sql)) {
    if (found[1] !== undefined) return found[1].toUpperCase();
  }
  return "";
}
