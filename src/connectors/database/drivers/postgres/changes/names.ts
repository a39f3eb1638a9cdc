/** Names and texts in the SQL of slots and publications. */

/** Quotes a name. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table that the server has. */
export interface FoundTable {
  readonly schema: string;
  readonly name: string;
}

/** Quotes a table with its schema. */
export function quoteTable({ schema, name }: FoundTable): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}
