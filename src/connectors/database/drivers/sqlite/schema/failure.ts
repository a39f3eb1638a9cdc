/** Where in its file a migration fails. */
import type { DatabaseSync } from "node:sqlite";
import { didYouMean } from "../../../../../base/nearest.ts";
import { quoted, shownWords } from "../../../../../base/shown.ts";
import type { TextRange } from "../../../../../contract/probe.ts";
import type { Migration, Syntax, UnknownName } from "../../../driver.ts";
import { controlReason } from "../../../migrations.ts";
import type { RefusedMigration } from "../../../schema.ts";
import { statementsOf } from "../../../sql/mod.ts";
import { attempting, placeOfError } from "../error-places.ts";
import { unknownName } from "../errors.ts";
import { Names } from "../names.ts";

/** A statement of a migration, and where it begins in its file. */
export interface PlacedStatement {
  readonly text: string;
  readonly start: number;
}

/** The statements of a file, without empty ones. */
export function placedStatements(sql: string, syntax: Syntax): readonly PlacedStatement[] {
  const found = [...statementsOf(sql, syntax)];
  return found.flatMap(({ content }, at) => {
    if (content === undefined) return [];
    return [{ text: sql.slice(content, found[at + 1]?.start ?? sql.length), start: content }];
  });
}

/** What is wrong where a migration would end the transaction in which it runs; undefined where it does not. */
export function controlIn(migration: Migration, syntax: Syntax): RefusedMigration | undefined {
  const { sql } = migration;
  for (const { control, content } of statementsOf(sql, syntax)) {
    if (control === undefined || content === undefined) continue;
    return { migration, reason: controlReason(control), part: firstWord(sql, content) };
  }
  return undefined;
}

/**
 * Where migrations fail: applies all of them once more, statement by statement. `reason` is why, if
 * no statement of a file fails, and only what all of them leave.
 */
export function failureOf(
  reason: string,
  migrations: readonly Migration[],
  open: () => DatabaseSync,
): RefusedMigration {
  const database = open();
  try {
    for (const migration of migrations) {
      const found = find(database, migration, reason);
      if (found !== undefined) return found;
    }
  } finally {
    database.close();
  }
  const last = migrations[migrations.length - 1];
  return { migration: last, reason, part: firstWord(last.sql, 0) };
}

function find(
  database: DatabaseSync,
  migration: Migration,
  reason: string,
): RefusedMigration | undefined {
  const { sql } = migration;
  let wrong: PlacedStatement | undefined;
  for (const statement of placedStatements(sql, "sqlite")) {
    const message = run(database, statement.text);
    if (message !== undefined) return refused(database, migration, statement, message);
    if (keysOf(database) === undefined) wrong = undefined;
    else wrong ??= statement;
  }
  const keys = keysOf(database);
  if (keys === undefined) return undefined;
  // Its message names the tables, and no column is missing.
  const why = keys === ORPHANS ? reason : `was refused: ${shownWords(keys)}`;
  return { migration, reason: why, part: firstWord(sql, wrong?.start ?? 0) };
}

/** Rows refer to none. */
const ORPHANS = "orphans";

/** What is wrong with the foreign keys, or `ORPHANS`; undefined where nothing is. */
function keysOf(database: DatabaseSync): string | undefined {
  const check = attempting((sql) => {
    if (database.prepare(sql).get() !== undefined) throw new Error(ORPHANS);
  });
  return check("SELECT 1 FROM pragma_foreign_key_check");
}

function refused(
  database: DatabaseSync,
  migration: Migration,
  { text, start }: PlacedStatement,
  message: string,
): RefusedMigration {
  const attempt = attempting((sql) => void database.prepare(sql));
  const part = placeOfError(text, message, "sqlite", attempt) ?? firstWord(text, 0);
  const unknown = unknownName(message);
  const words = unknown === undefined
    ? shownWords(message)
    : `there is no ${unknown.kind} ${quoted(unknown.name)}`;
  return {
    migration,
    reason: `was refused: ${words}`,
    part: { start: start + part.start, end: start + part.end },
    hint: unknown && hintFor(unknown, new Names(database), text),
  };
}

/** The nearest name that a statement could have in the place of an unknown one. */
export function hintFor(
  { kind, name }: UnknownName,
  names: Pick<Names, "describe">,
  statement: string,
): string | undefined {
  const tables = names.describe();
  if (kind === "table") return didYouMean(name, tables.filter((table) => table !== name));
  const words = new Set(statement.toLowerCase().split(/\W+/));
  const named = tables.filter((table) => words.has(table.toLowerCase()));
  const columns = (named.length > 0 ? named : tables).flatMap((table) => names.describe(table));
  return didYouMean(name, columns.filter((column) => column !== name));
}

function run(database: DatabaseSync, text: string): string | undefined {
  return attempting((sql) => database.exec(sql))(text);
}

/** The word that begins at an index. */
export function firstWord(sql: string, start: number): TextRange {
  const [word] = /^\S*/.exec(sql.slice(start)) ?? [""];
  return { start, end: start + Math.max(1, word.length) };
}
