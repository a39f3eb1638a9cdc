/** Finds the tables of flows on the server, and says why their changes cannot be read. */
import type { Client } from "pg";
import { didYouMean } from "../../../../../base/nearest.ts";
import { quoted } from "../../../../../base/shown.ts";
import type { WantedTable } from "../../../changes/feed.ts";
import type { TableProblem } from "../../../changes/table-error.ts";
import { ask } from "../connecting.ts";
import { type FoundTable, quoteTable } from "./names.ts";

/** Milliseconds for a look at the catalog. */
const LOOKING = 5000;

/** A table of a flow that is there. */
export interface Table extends FoundTable, Pick<WantedTable, "changes"> {
  /** As the flow names it. */
  readonly written: string;
  /** As events name it: with its schema where the search path does not find it. */
  readonly shown: string;
  /** Whether its rows can be told apart, without which the server refuses to publish their changes. */
  readonly identified: boolean;
  /** Whether it has partitions, whose changes are published as its own. */
  readonly partitioned: boolean;
  /** The types of its columns. */
  readonly types: readonly number[];
}

/** What was found, and what is wrong with the others. */
export interface FoundTables {
  readonly tables: readonly Table[];
  readonly problems: readonly TableProblem[];
}

const FIND = `
  SELECT w.position::int4 AS position, n.nspname::text AS schema, c.relkind::text AS kind,
    c.relpersistence::text AS persistence,
    CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::regclass::text END AS root, pg_table_is_visible(c.oid) AS visible,
    CASE c.relreplident WHEN 'n' THEN false WHEN 'd' THEN EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary
    ) ELSE true END AS identified,
    (SELECT string_agg(DISTINCT a.atttypid::int8::text, ',') FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS types
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(schema, name, position)
    JOIN pg_class c ON c.relname = w.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    JOIN pg_namespace n ON n.oid = c.relnamespace AND
      CASE WHEN w.schema IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname = w.schema END`;

const NAMES = `
  SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname::text
    ELSE n.nspname || '.' || c.relname END AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`;

/** Kinds of relations that have no changes of their own. */
const WITHOUT_CHANGES: Readonly<Record<string, string>> = {
  v: "is a view",
  m: "is a materialized view",
  f: "is a foreign table",
};

interface Row {
  readonly position: number;
  readonly schema: string;
  readonly kind: string;
  readonly persistence: string;
  /** The partitioned table of a partition. */
  readonly root: string | null;
  readonly visible: boolean;
  readonly identified: boolean;
  readonly types: string | null;
}

/** Looks for the tables that flows want. */
export async function findTables(
  client: Client,
  wanted: readonly WantedTable[],
): Promise<FoundTables> {
  const schemas = wanted.map(({ table }) => table.schema ?? null);
  const names = wanted.map(({ table }) => table.name);
  const { rows } = await ask(client, { text: FIND, values: [schemas, names] }, LOOKING);
  const found = new Map((rows as Row[]).map((row) => [Number(row.position), row]));
  const tables: Table[] = [];
  const problems: TableProblem[] = [];
  let known: readonly string[] | undefined;
  for (const [index, { table: { written, name }, changes }] of wanted.entries()) {
    const row = found.get(index + 1);
    if (row === undefined) {
      known ??= await namesOf(client);
      problems.push({
        table: written,
        message: `there is no table ${quoted(written)}`,
        hint: known.length === 0 ? "the database has none" : didYouMean(written, known),
        unknown: true,
      });
      continue;
    }
    const problem = problemOf(quoted(written), row);
    if (problem !== undefined) {
      problems.push({ table: written, ...problem });
      continue;
    }
    tables.push({
      written,
      schema: row.schema,
      name,
      // With a point its name could be that of a table in another schema.
      shown: row.visible && !name.includes(".") ? name : `${row.schema}.${name}`,
      changes,
      identified: row.identified,
      partitioned: row.kind === "p",
      types: (row.types ?? "").split(",").filter(Boolean).map(Number),
    });
  }
  return { tables, problems };
}

async function namesOf(client: Client): Promise<readonly string[]> {
  const { rows } = await ask(client, NAMES, LOOKING);
  return rows.map(({ name }) => String(name));
}

type Problem = Omit<TableProblem, "table">;

function problemOf(table: string, { kind, persistence, root, schema }: Row): Problem | undefined {
  const what = WITHOUT_CHANGES[kind];
  if (what !== undefined) {
    return { message: `${table} ${what}, which has no changes of its own`, hint: "name its table" };
  }
  if (root !== null) {
    const message =
      `${table} is a partition of ${root}, whose changes are told as those of ${root}`;
    return { message, hint: `name ${root}; a filter can look at the row` };
  }
  if (persistence === "u") {
    const message = `${table} is unlogged, so that the server tells of no changes`;
    return { message, hint: "ALTER TABLE … SET LOGGED" };
  }
  if (persistence === "t") {
    return { message: `${table} is a temporary table, whose changes nobody else sees` };
  }
  if (schema === "pg_catalog" || schema === "information_schema") {
    return { message: `${table} is a table of the server itself, whose changes cannot be read` };
  }
  return undefined;
}

/** Why a table must not be published with updates and deletions: they would fail for everybody. */
export function lackOfIdentity(table: FoundTable): Required<Pick<Problem, "message" | "hint">> {
  const name = quoteTable(table);
  return {
    message: `${name} has no primary key, so that UPDATE and DELETE of its rows would fail for ` +
      "everybody as soon as they are published",
    hint: `give it one, or run: ALTER TABLE ${name} REPLICA IDENTITY FULL`,
  };
}
