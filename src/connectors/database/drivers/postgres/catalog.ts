/** The tables and columns of a database, as its search path shows them. */
import type { Client } from "pg";
import { ask } from "./connecting.ts";
import { addKnownNames, explain } from "./errors.ts";

/** Milliseconds for a look at the catalog. */
const LOOKING = 5000;

/** Tables, partitioned ones, views, materialized views and foreign tables. */
const KINDS = "('r', 'p', 'v', 'm', 'f')";

const SCHEMAS = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND " +
  "n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'";

/** Those that the search path does not show have their schema before them. */
const TABLES = `
  SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname::text
    ELSE n.nspname || '.' || c.relname END AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ${KINDS} AND ${SCHEMAS}
  ORDER BY 1`;

const COLUMNS = `
  SELECT a.attname::text AS name
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = $1 AND c.relkind IN ${KINDS} AND a.attnum > 0 AND NOT a.attisdropped
    AND CASE WHEN $2::text IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname = $2 END
  ORDER BY a.attnum`;

const ALL_COLUMNS = `
  SELECT DISTINCT a.attname::text AS name
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ${KINDS} AND a.attnum > 0 AND NOT a.attisdropped AND ${SCHEMAS}`;

/** The names of the tables and views. */
export function tablesOf(client: Client): Promise<readonly string[]> {
  return namesOf(client, TABLES);
}

/** The names of the columns of all of them. */
function allColumnsOf(client: Client): Promise<readonly string[]> {
  return namesOf(client, ALL_COLUMNS);
}

/** The columns of a table, or of `schema.table`; none if it does not exist. */
export async function columnsOf(client: Client, target: string): Promise<readonly string[]> {
  const parts = target.split(".");
  if (parts.length > 2 || target.includes("\0")) return [];
  const [table, schema = null] = parts.reverse();
  return await namesOf(client, COLUMNS, [table, schema]);
}

/** Looks up the names among which one is that the server does not know, so that `explain` has them. */
export async function lookUpNames(client: Client, cause: unknown): Promise<void> {
  const kind = explain(cause).unknown?.kind;
  if (kind === undefined) return;
  addKnownNames(cause, await (kind === "table" ? tablesOf(client) : allColumnsOf(client)));
}

async function namesOf(
  client: Client,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly string[]> {
  const { rows } = await ask(client, { text, values: [...values] }, LOOKING);
  return rows.map(({ name }) => String(name));
}
