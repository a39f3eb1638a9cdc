/** The SQL of writes to a table: names quoted, values bound. SQLite and PostgreSQL take it. */

/** What can be done to a table. */
export const OPERATIONS = ["INSERT", "UPDATE", "DELETE", "UPSERT"] as const;

/** One of `OPERATIONS`. */
export type Operation = typeof OPERATIONS[number];

/** An SQL statement and the columns whose values it takes. */
export interface Statement {
  /** The text, with a placeholder for each value. */
  readonly sql: string;
  /** In the order of the placeholders. */
  readonly columns: readonly string[];
}

/** One write to a table. */
export interface TableWrite {
  /** What is done. */
  readonly operation: Operation;
  /** The table's name, unquoted. */
  readonly table: string;
  /** The column that finds the row; an INSERT has none. */
  readonly key: string;
  /** The columns that the payload has values for. */
  readonly columns: readonly string[];
  /** False where nobody reads the rows that come back as they are stored. */
  readonly returning?: boolean;
}

/** Builds the statement of a write. `placeholder` gives the mark of the nth value, from 1. */
export function tableStatement(
  { operation, table, key, columns, returning = true }: TableWrite,
  placeholder: (position: number) => string,
): Statement {
  const into = quoteName(table);
  const end = returning ? " RETURNING *" : "";
  const rest = columns.filter((column) => column !== key);
  if (operation === "DELETE") {
    const sql = `DELETE FROM ${into} WHERE ${quoteName(key)} = ${placeholder(1)}${end}`;
    return { sql, columns: [key] };
  }
  if (operation === "UPDATE") {
    const set = rest.map((column, i) => `${quoteName(column)} = ${placeholder(i + 1)}`).join(", ");
    const where = `${quoteName(key)} = ${placeholder(columns.length)}`;
    return { sql: `UPDATE ${into} SET ${set} WHERE ${where}${end}`, columns: [...rest, key] };
  }
  const names = columns.map(quoteName).join(", ");
  const marks = columns.map((_, i) => placeholder(i + 1)).join(", ");
  const row = columns.length === 0 ? "DEFAULT VALUES" : `(${names}) VALUES (${marks})`;
  if (operation === "INSERT") return { sql: `INSERT INTO ${into} ${row}${end}`, columns };
  // With nothing but the key the row is set to itself, so that it is returned.
  const set = (rest.length === 0 ? [key] : rest)
    .map((column) => `${quoteName(column)} = excluded.${quoteName(column)}`).join(", ");
  const conflict = `ON CONFLICT (${quoteName(key)}) DO UPDATE SET ${set}`;
  return { sql: `INSERT INTO ${into} ${row} ${conflict}${end}`, columns };
}

/** A name as SQL takes it, whatever is in it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
