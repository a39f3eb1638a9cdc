/** Looks whether the table of dead letters can be written, or made where it is missing. */
import type { Client } from "pg";
import { quoted } from "../../../../../base/shown.ts";
import { COLUMNS, creation, quotedTable } from "../../../changes/dead-letter-table.ts";
import { tableName } from "../../../changes/operation.ts";
import { ask } from "../connecting.ts";
import { quoteName } from "./names.ts";

/** Milliseconds for a look. */
const LOOKING = 5000;

// The user as the server knows it, which is the one who writes.
const LOOK = `
  SELECT n.nspname::text AS schema, current_user::text AS "user",
    has_schema_privilege(n.oid, 'CREATE') AS may_make, has_schema_privilege(n.oid, 'USAGE') AS may_use,
    c.oid IS NOT NULL AS exists,
    ARRAY(SELECT w FROM unnest($3::text[]) w WHERE NOT EXISTS (
      SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = w AND NOT a.attisdropped
    ))::text[] AS lacking,
    (SELECT bool_and(has_column_privilege(c.oid, a.attnum, 'INSERT')) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attname = ANY ($3::text[]) AND NOT a.attisdropped) AS may_write
  FROM pg_namespace n
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'f')
  WHERE CASE WHEN $1::text IS NULL
    THEN n.nspname = ANY (current_schemas(false)) ELSE n.nspname = $1 END
  ORDER BY c.oid IS NULL, array_position(current_schemas(false), n.nspname)
  LIMIT 1`;

interface Row {
  readonly schema: string;
  readonly user: string;
  readonly may_make: boolean;
  readonly may_use: boolean;
  readonly exists: boolean;
  readonly lacking: readonly string[];
  readonly may_write: boolean | null;
}

/** Why a dead letter could not be kept, and what an administrator runs. `table` is as configured. */
export async function problemOfDeadLetters(
  client: Client,
  table: string,
): Promise<string | undefined> {
  const { schema = null, name } = tableName(table);
  const values = [schema, name, COLUMNS];
  const { rows: [row] } = await ask(client, { text: LOOK, values }, LOOKING);
  const problem = problemOf(row as Row | undefined, table);
  return problem && `the table of dead letters ${quoted(table)} ${problem}`;
}

function problemOf(row: Row | undefined, table: string): string | undefined {
  if (row === undefined) {
    const { schema } = tableName(table);
    return schema === undefined
      ? "cannot be made: the search path names no schema that exists"
      : `cannot be made: there is no schema ${quoted(schema)}; an administrator runs: ` +
        `CREATE SCHEMA ${quoteName(schema)}`;
  }
  const user = quoteName(row.user);
  const inSchema = `ON SCHEMA ${quoteName(row.schema)} TO ${user}`;
  const found = { schema: row.schema, name: tableName(table).name };
  const written = quotedTable(found, quoteName);
  const insert = `GRANT INSERT ON ${written} TO ${user}`;
  if (!row.exists) {
    if (row.may_make && row.may_use) return undefined;
    const use = row.may_use ? "" : `; GRANT USAGE ${inSchema}`;
    return `is not there, and the user ${user} may not make it; an administrator runs: ` +
      `GRANT CREATE, USAGE ${inSchema}; or makes it: ${
        creation(found, quoteName)
      }; ${insert}${use}`;
  }
  if (row.lacking.length > 0) {
    const lacking = row.lacking.map((column) => `"${column}"`).join(", ");
    return `lacks ${lacking}; drop it, or name another one`;
  }
  if (!row.may_use) return `cannot be used; an administrator runs: GRANT USAGE ${inSchema}`;
  return row.may_write ? undefined : `cannot be written; an administrator runs: ${insert}`;
}
