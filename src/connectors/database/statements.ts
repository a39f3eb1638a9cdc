/** The SQL of writes to a table: names quoted, values bound. */
import type { Dialect } from "./driver.ts";
import type { TableWrite } from "./table-write.ts";

/** An SQL statement and the columns whose values it takes. */
export interface TableStatement {
  /** The text, with a placeholder for each value. */
  readonly sql: string;
  /** In the order of the placeholders. */
  readonly columns: readonly string[];
}

/** The parts of a dialect in which SQLite and PostgreSQL are alike. */
export const standardDialect: Pick<
  Dialect,
  | "quoteName"
  | "quoteTable"
  | "defaultRow"
  | "upsert"
  | "returning"
  | "keyType"
  | "longTextType"
  | "indexInTable"
> = {
  quoteName,
  quoteTable: quoteName,
  defaultRow: "DEFAULT VALUES",
  returning: " RETURNING *",
  keyType: "TEXT",
  longTextType: "TEXT",
  indexInTable: false,
  upsert(keys, set) {
    const conflict = keys.map(quoteName).join(", ");
    const assignments = set.map((column) => `${quoteName(column)} = excluded.${quoteName(column)}`);
    return ` ON CONFLICT (${conflict}) DO UPDATE SET ${assignments.join(", ")}`;
  },
};

/** The `quoteTable` of a database with schemas: `schema.table` is two names. */
export function inSchema(quoteName: (name: string) => string): Dialect["quoteTable"] {
  return (target) => target.split(".").map(quoteName).join(".");
}

/** Builds the statement of a write. */
export function tableStatement(
  { operation, table, key, columns, returning = true }: TableWrite,
  dialect: Omit<Dialect, "bind" | "syntax">,
): TableStatement {
  const quote = (name: string) => dialect.quoteName(name);
  const mark = (position: number) => dialect.placeholder(position);
  const into = dialect.quoteTable(table);
  const end = returning ? dialect.returning : "";
  const where = (first: number) =>
    key.map((column, i) => `${quote(column)} = ${mark(first + i)}`).join(" AND ");
  if (operation === "DELETE") {
    return { sql: `DELETE FROM ${into} WHERE ${where(1)}${end}`, columns: key };
  }
  const rest = columns.filter((column) => !key.includes(column));
  if (operation === "UPDATE") {
    const set = rest.map((column, i) => `${quote(column)} = ${mark(i + 1)}`).join(", ");
    const sql = `UPDATE ${into} SET ${set} WHERE ${where(rest.length + 1)}${end}`;
    return { sql, columns: [...rest, ...key] };
  }
  const names = columns.map(quote).join(", ");
  const marks = columns.map((_, i) => mark(i + 1)).join(", ");
  const row = columns.length === 0 ? dialect.defaultRow : `(${names}) VALUES (${marks})`;
  // With nothing but the key the row is set to itself, so that it is returned.
  const conflict = operation === "UPSERT"
    ? dialect.upsert(key, rest.length === 0 ? key : rest)
    : "";
  return { sql: `INSERT INTO ${into} ${row}${conflict}${end}`, columns };
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
