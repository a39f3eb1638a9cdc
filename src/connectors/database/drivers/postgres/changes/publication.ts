/** The publication: which tables the server tells of. It is made where it is missing, and extended. */
import type { Client } from "pg";
import { ConnectorError } from "../../../../../base/errors.ts";
import { quoted } from "../../../../../base/shown.ts";
import { TableError, wordsOf } from "../../../changes/table-error.ts";
import { ask } from "../connecting.ts";
import { explain, sqlState } from "../errors.ts";
import { type FoundTable, quoteName, quoteTable } from "./names.ts";
import { lackOfIdentity, type Table } from "./tables.ts";

/** Milliseconds for a statement. */
const DEADLINE = 10_000;

/** How often it is looked at anew, where another instance changes it at the same moment. */
const ATTEMPTS = 5;

/** What another instance may have done meanwhile: made it, or changed it. */
const CONFLICTS = new Set(["42710", "23505", "XX000", "40001", "40P01"]);

/** What a publication of this name has. */
interface Publication {
  readonly allTables: boolean;
  readonly viaRoot: boolean;
  readonly publishes: ReadonlySet<string>;
  readonly tables: readonly FoundTable[];
}

const FIND = `
  SELECT puballtables AS all_tables, pubinsert AS insert, pubupdate AS update, pubdelete AS delete,
    pubtruncate AS truncate, pubviaroot AS via_root
  FROM pg_publication WHERE pubname = $1`;

const TABLES = `
  SELECT schemaname::text AS schema, tablename::text AS name
  FROM pg_publication_tables WHERE pubname = $1`;

const RIGHTS = `
  SELECT current_user::text AS "user",
    has_database_privilege(current_database(), 'CREATE') AS may_make,
    (SELECT pg_has_role(pubowner, 'USAGE') FROM pg_publication WHERE pubname = $1) AS owns,
    ARRAY(SELECT quote_ident(w.schema) || '.' || quote_ident(w.name)
      FROM unnest($2::text[], $3::text[]) AS w(schema, name)
        JOIN pg_namespace n ON n.nspname = w.schema
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
      WHERE NOT pg_has_role(c.relowner, 'USAGE'))::text[] AS foreign`;

const UNIDENTIFIED = `
  SELECT p.schemaname::text AS schema, p.tablename::text AS name
  FROM pg_publication_tables p
    JOIN pg_namespace n ON n.nspname = p.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
  WHERE p.pubname = $1 AND (c.relreplident = 'n' OR c.relreplident = 'd' AND NOT EXISTS (
    SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))`;

/** What was done to a publication. */
export interface Published {
  /** The tables that it did not have before. */
  readonly added: readonly FoundTable[];
  /** Whether it was made. */
  readonly made: boolean;
}

/**
 * Makes the publication have these tables. With `dry` nothing is changed.
 *
 * @throws {ConnectorError} The user may not; it says what an administrator runs.
 */
export async function publish(
  client: Client,
  connector: string,
  name: string,
  tables: readonly Table[],
  dry = false,
): Promise<Published> {
  for (let attempt = 1;; attempt++) {
    const found = await find(client, name);
    const statements = await statementsFor(client, connector, name, tables, found);
    const added = found === undefined ? tables : missing(tables, found);
    const published = { added, made: found === undefined };
    if (statements.length === 0) return published;
    if (dry) {
      const lack = await lackOfRights(client, name, added);
      if (lack === undefined) return published;
      throw refusal(connector, name, found, statements, { reason: lack });
    }
    try {
      for (const sql of statements) await ask(client, sql, DEADLINE);
      return published;
    } catch (error) {
      const code = sqlState(error);
      if (code !== undefined && CONFLICTS.has(code) && attempt < ATTEMPTS) continue;
      throw refusal(connector, name, found, statements, { cause: error });
    }
  }
}

/** What the user would have to own or be allowed, before the server is asked to do it. */
async function lackOfRights(
  client: Client,
  name: string,
  added: readonly FoundTable[],
): Promise<string | undefined> {
  const values = [name, added.map(({ schema }) => schema), added.map(({ name }) => name)];
  const { rows: [row] } = await ask(client, { text: RIGHTS, values }, DEADLINE);
  const user = `the user ${quoteName(row.user)}`;
  if (row.owns === false) return `${user} does not own it`;
  if (row.owns === null && !row.may_make) return `${user} has no right to CREATE in the database`;
  const [foreign] = row.foreign as readonly string[];
  return foreign === undefined ? undefined : `${user} does not own the table ${foreign}`;
}

async function find(client: Client, name: string): Promise<Publication | undefined> {
  const values = [name];
  const { rows: [row] } = await ask(client, { text: FIND, values }, DEADLINE);
  if (row === undefined) return undefined;
  const { rows: tables } = await ask(client, { text: TABLES, values }, DEADLINE);
  return {
    allTables: row.all_tables,
    viaRoot: row.via_root,
    publishes: new Set(["insert", "update", "delete", "truncate"].filter((kind) => row[kind])),
    tables: tables as FoundTable[],
  };
}

function missing(tables: readonly Table[], { tables: has, allTables }: Publication) {
  if (allTables) return [];
  const known = new Set(has.map(quoteTable));
  return tables.filter((table) => !known.has(quoteTable(table)));
}

/** What has to be run; it is nothing once everything is right. */
async function statementsFor(
  client: Client,
  connector: string,
  name: string,
  tables: readonly Table[],
  found: Publication | undefined,
): Promise<readonly string[]> {
  const wanted = new Set(
    tables.flatMap(({ changes }) => [...changes]).map((kind) => kind.toLowerCase()),
  );
  const publication = quoteName(name);
  if (found === undefined) {
    refuseUnidentified(connector, tables, wanted);
    const list = tables.map(quoteTable).join(", ");
    const publishes = `publish = '${[...wanted].join(", ")}'`;
    const what = list === "" ? "" : ` FOR TABLE ${list}`;
    return [
      `CREATE PUBLICATION ${publication}${what} WITH (${publishes}, publish_via_partition_root = true)`,
    ];
  }
  const all = new Set([...found.publishes, ...wanted]);
  const statements: string[] = [];
  const added = missing(tables, found);
  refuseUnidentified(connector, added, all);
  if (all.size > found.publishes.size) {
    if (!changesRows(found.publishes) && changesRows(wanted)) {
      const { rows } = await ask(client, { text: UNIDENTIFIED, values: [name] }, DEADLINE);
      refuse(connector, rows as FoundTable[]);
    }
    statements.push(`ALTER PUBLICATION ${publication} SET (publish = '${[...all].join(", ")}')`);
  }
  if (!found.viaRoot && tables.some(({ partitioned }) => partitioned)) {
    statements.push(`ALTER PUBLICATION ${publication} SET (publish_via_partition_root = true)`);
  }
  if (added.length > 0) {
    statements.push(
      `ALTER PUBLICATION ${publication} ADD TABLE ${added.map(quoteTable).join(", ")}`,
    );
  }
  return statements;
}

function changesRows(publishes: ReadonlySet<string>): boolean {
  return publishes.has("update") || publishes.has("delete");
}

function refuseUnidentified(
  connector: string,
  tables: readonly Table[],
  publishes: ReadonlySet<string>,
): void {
  if (changesRows(publishes)) refuse(connector, tables.filter(({ identified }) => !identified));
}

function refuse(connector: string, [first]: readonly (FoundTable & Partial<Table>)[]): void {
  if (first === undefined) return;
  const problem = lackOfIdentity(first);
  // One that no flow names is published for somebody else.
  if (first.written !== undefined) {
    throw new TableError(connector, [{ table: first.written, ...problem }]);
  }
  throw new ConnectorError(connector, wordsOf(problem), { permanent: true });
}

function refusal(
  connector: string,
  name: string,
  found: Publication | undefined,
  statements: readonly string[],
  why: { readonly cause: unknown } | { readonly reason: string },
): ConnectorError {
  const cause = "cause" in why ? why.cause : undefined;
  const { reason, permanent } = "cause" in why ? explain(why.cause) : { ...why, permanent: true };
  const what = found === undefined ? "cannot be made" : "lacks something, and cannot be changed";
  const advice = cause === undefined || sqlState(cause) === "42501"
    ? `; an administrator runs: ${statements.join("; ")}`
    : "";
  const message = `the publication ${quoted(name)} ${what}: ${reason}${advice}`;
  return new ConnectorError(connector, message, { cause, permanent });
}
