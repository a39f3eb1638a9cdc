/** What SQLite takes in a migration, and refuses when a statement uses the table. */
import type { DatabaseSync } from "node:sqlite";
import { didYouMean } from "../../../../../base/nearest.ts";
import { quoted } from "../../../../../base/shown.ts";
import type { Migration } from "../../../driver.ts";
import type { RefusedMigration } from "../../../schema.ts";
import { SYNTAXES } from "../../../sql/syntaxes.ts";
import { tokensOf } from "../../../sql/token.ts";
import { attempting, placeOfError } from "../error-places.ts";
import { unknownName } from "../errors.ts";
import { Names } from "../names.ts";
import { hintFor, placedStatements } from "./failure.ts";

/**
 * The first foreign key, view or trigger that names something that no migration makes; undefined where
 * there is none. Every statement that uses the table would have this error.
 */
export function brokenReference(
  database: DatabaseSync,
  migrations: readonly Migration[],
): RefusedMigration | undefined {
  return brokenKey(database, migrations) ?? brokenProgram(database, migrations);
}

function brokenKey(
  database: DatabaseSync,
  migrations: readonly Migration[],
): RefusedMigration | undefined {
  const tables = new Names(database).describe();
  const known = new Set(tables.map((table) => table.toLowerCase()));
  const keys = database.prepare('SELECT "table" AS parent FROM pragma_foreign_key_list(?)');
  const parents = tables.flatMap((table) => keys.all(table).map(({ parent }) => String(parent)));
  const parent = parents.find((name) => !known.has(name.toLowerCase()));
  if (parent === undefined) return undefined;
  for (const migration of migrations) {
    const words = wordsOf(migration.sql);
    const at = words.findIndex(({ name }, at) =>
      name === parent.toLowerCase() && words[at - 1]?.name === "references"
    );
    if (at < 0) continue;
    const reason = `refers to the table ${quoted(parent)}, which no migration makes`;
    return { migration, reason, part: words[at], hint: didYouMean(parent, tables) };
  }
  return undefined;
}

/** A view or a trigger, and the statements by which it is compiled. */
interface Program {
  readonly name: string;
  readonly kind: string;
  readonly uses: readonly string[];
}

function* programsIn(database: DatabaseSync): Generator<Program> {
  const select = "SELECT name, type, tbl_name FROM sqlite_schema WHERE type IN ('view', 'trigger')";
  const columns = database.prepare("SELECT name FROM pragma_table_info(?)");
  for (const { name, type, tbl_name } of database.prepare(select).all()) {
    const table = quoteName(String(tbl_name));
    if (type === "view") {
      yield { name: String(name), kind: "view", uses: [`SELECT * FROM ${table}`] };
      continue;
    }
    const column = quoteName(String(columns.get(String(tbl_name))?.name));
    const uses = [
      `INSERT INTO ${table} DEFAULT VALUES`,
      `UPDATE ${table} SET ${column} = ${column}`,
      `DELETE FROM ${table}`,
    ];
    yield { name: String(name), kind: "trigger", uses };
  }
}

function brokenProgram(
  database: DatabaseSync,
  migrations: readonly Migration[],
): RefusedMigration | undefined {
  const attempt = attempting((sql) => void database.prepare(sql));
  for (const program of programsIn(database)) {
    for (const message of program.uses.flatMap((sql) => attempt(sql) ?? [])) {
      const found = programError(database, migrations, program, message);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Undefined where the message names nothing that the view or trigger has in its own text. */
function programError(
  database: DatabaseSync,
  migrations: readonly Migration[],
  { name, kind }: Program,
  message: string,
): RefusedMigration | undefined {
  const unknown = unknownName(message);
  if (unknown === undefined) return undefined;
  // What cannot be read has no columns.
  const names = new Names(database);
  const others = {
    describe: (table?: string) =>
      table === undefined ? names.describe().filter((one) => one !== name) : names.describe(table),
  };
  const attempt = attempting((sql) => void database.prepare(sql));
  for (const migration of migrations.toReversed()) {
    for (const { text, start } of placedStatements(migration.sql, "sqlite")) {
      const words = wordsOf(text).slice(0, 8).map((word) => word.name);
      const makes = words[0] === "create" && words.includes(kind) &&
        words.includes(name.toLowerCase());
      const part = makes ? placeOfError(text, message, "sqlite", attempt) : undefined;
      if (part === undefined) continue;
      const reason =
        `makes the ${kind} ${quoted(name)}, which cannot be used: there is no ${unknown.kind} ` +
        quoted(unknown.name);
      return {
        migration,
        reason,
        part: { start: start + part.start, end: start + part.end },
        hint: hintFor(unknown, others, text),
      };
    }
  }
  return undefined;
}

/** The words and names of a text, in lower case and without quotes. */
function wordsOf(sql: string): readonly { name: string; start: number; end: number }[] {
  return [...tokensOf(sql, SYNTAXES.sqlite.reader())].map(({ start, end }) => {
    const text = sql.slice(start, end).toLowerCase();
    return { name: /^["`[]/.test(text) ? text.slice(1, -1) : text, start, end };
  });
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
