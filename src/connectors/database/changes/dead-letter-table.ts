/** The table of dead letters: its columns and the SQL that makes it. */
import type { TableName } from "./operation.ts";

/** The columns that are written, in their order. The database fills in the others. */
export const COLUMNS = ["table", "operation", "row", "old", "reason", "flow", "lsn"];

/** The quotes of a kind of database. */
type Quote = (name: string) => string;

/** Its name, and that of its schema. */
type Name = Pick<TableName, "schema" | "name">;

/** Its name, quoted, after that of its schema where it has one. */
export function quotedTable({ schema, name }: Name, quote: Quote): string {
  return schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`;
}

/** The statement that makes it where it is missing. */
export function creation(table: Name, quote: Quote): string {
  const columns = [
    `${quote("id")} bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY`,
    `${quote("at")} timestamptz NOT NULL DEFAULT now()`,
    ...["table", "operation"].map((name) => `${quote(name)} text NOT NULL`),
    ...["row", "old"].map((name) => `${quote(name)} jsonb`),
    ...["reason", "flow", "lsn"].map((name) => `${quote(name)} text NOT NULL`),
  ];
  return `CREATE TABLE IF NOT EXISTS ${quotedTable(table, quote)} (${columns.join(", ")})`;
}
