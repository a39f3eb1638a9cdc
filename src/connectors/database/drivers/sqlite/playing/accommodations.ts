/**
 * What is changed in the SQL of a played database, so that SQLite takes more of it. Nothing else is:
 * what SQLite refuses then needs a mock. `docs/testing.md` lists all of it.
 */
import type { Syntax } from "../../../driver.ts";
import { alterTable } from "./alter-table.ts";
import { arrayLiteral } from "./array-text.ts";
import { closing } from "./create-table.ts";
import type { Tables } from "./keys.ts";
import { type Piece, pieces } from "./pieces.ts";
import { existingRows, withoutLocks } from "./queries.ts";
import { refuseDialect } from "./sqlite-dialect.ts";
import { createIndex, createTable } from "./tables.ts";

/** Statements that change nothing that another one returns. Each is the beginning of one. */
const WITHOUT_EFFECT: Readonly<Record<Syntax, readonly RegExp[]>> = {
  postgres: [
    /^CREATE EXTENSION (IF NOT EXISTS )?(PGCRYPTO|"UUID-OSSP")( |$)/,
    /^COMMENT ON /,
    /^(GRANT|REVOKE) /,
    /^CREATE PUBLICATION /,
    /^ALTER TABLE (IF EXISTS )?(ONLY )?\S+( \. \S+)? REPLICA IDENTITY /,
    // An index that says how it is stored. One that does not is SQLite's own.
    /^CREATE INDEX (.* )?(CONCURRENTLY|USING|INCLUDE|WITH) /,
  ],
  mysql: [/^CREATE (FULLTEXT|SPATIAL) INDEX /, /^CREATE INDEX .* USING /, /^(GRANT|REVOKE) /],
  sqlite: [],
};

/** The types whose values SQLite stores as the text that a literal or a parameter is. */
const TEXT_TYPES = new Set(["UUID", "JSON", "JSONB"]);

/** What means something else in SQLite, without an error. */
const OTHER_MEANINGS: Readonly<Record<Syntax, Readonly<Record<string, string>>>> = {
  postgres: {},
  mysql: {
    "||": "|| is OR in MySQL, and joins texts in SQLite; concat() joins them in both",
    "/": "5 / 2 is 2.5 in MySQL, and 2 in SQLite",
  },
  sqlite: {},
};

/**
 * The SQL of a played database for SQLite. `tables` are those that earlier migrations have made, if it
 * is a migration.
 *
 * @throws {SyntaxError} SQLite would take it for something else, or the played database would refuse
 * it. The message says what.
 */
export function accommodate(sql: string, syntax: Syntax, tables?: Tables): string {
  const all = pieces(sql, syntax);
  for (const { text } of all) {
    const meaning = OTHER_MEANINGS[syntax];
    if (Object.hasOwn(meaning, text)) throw new SyntaxError(meaning[text]);
  }
  for (const statement of statementsOf(all)) {
    const words = statement.map(({ upper }) => upper).join(" ");
    if (WITHOUT_EFFECT[syntax].some((pattern) => pattern.test(words))) {
      for (const piece of statement) piece.drop();
      continue;
    }
    refuseDialect(statement, syntax);
    callsInDefaults(statement);
    precisions(statement);
    if (syntax === "postgres") {
      casts(statement);
      publicSchema(statement);
    }
    for (const piece of statement) piece.unescape(syntax);
    if (/^CREATE (TEMP |TEMPORARY )?TABLE /.test(words)) {
      createTable(statement, syntax, tables ?? new Map());
    }
    // What becomes several statements would be no query.
    if (tables !== undefined && /^ALTER TABLE (?!IF |ONLY )/.test(words)) {
      alterTable(statement, syntax, tables);
    }
    withoutLocks(statement, syntax);
    if (syntax !== "mysql") continue;
    if (/^CREATE (UNIQUE )?INDEX /.test(words)) createIndex(statement, tables ?? new Map());
    existingRows(statement, tables !== undefined);
  }
  return all.map((piece) => piece.written).join("");
}

/** The tables of which PostgreSQL tells the whole row as it was before a change. */
export function fullIdentities(sql: string, syntax: Syntax): readonly string[] {
  return [...statementsOf(pieces(sql, syntax))].flatMap((statement) => {
    const words = statement.map(({ upper }) => upper);
    const at = words.indexOf("REPLICA");
    if (!words.join(" ").startsWith("ALTER TABLE ") || words[at + 2] !== "FULL") return [];
    const { text } = statement[at - 1];
    return [text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase()];
  });
}

function* statementsOf(all: readonly Piece[]): Generator<readonly Piece[]> {
  let start = 0;
  for (let at = 0; at <= all.length; at++) {
    if (at < all.length && all[at].text !== ";") continue;
    if (at > start) yield all.slice(start, at);
    start = at + 1;
  }
}

/** `DEFAULT now()` becomes `DEFAULT (now())`: SQLite wants parentheses around what is no literal. */
function callsInDefaults(statement: readonly Piece[]): void {
  for (const [at, { upper }] of statement.entries()) {
    const [name, open] = statement.slice(at + 1, at + 3);
    if (upper !== "DEFAULT" || name?.kind !== "word" || open?.text !== "(") continue;
    const close = closing(statement, at + 2);
    if (close === undefined || name.upper === "CURRENT_TIMESTAMP") continue;
    name.before("(");
    statement[close].after(")");
  }
}

/** `CURRENT_TIMESTAMP(6)` becomes `CURRENT_TIMESTAMP`: the type of the column has the precision, too. */
function precisions(statement: readonly Piece[]): void {
  for (const [at, { upper }] of statement.entries()) {
    if (upper !== "CURRENT_TIMESTAMP" || statement[at + 1]?.text !== "(") continue;
    const close = closing(statement, at + 1);
    if (close !== undefined) {
      for (const piece of statement.slice(at + 1, close + 1)) piece.drop();
    }
  }
}

/** `'…'::jsonb` and `:id::uuid` lose their cast: the value is the text that SQLite stores. */
function casts(statement: readonly Piece[]): void {
  for (const [at, { text }] of statement.entries()) {
    const value = statement[at - 1];
    const [type, open, close] = statement.slice(at + 1, at + 4);
    if (text !== "::" || type === undefined || !value?.isValue) continue;
    const isList = open?.text === "[" && close?.text === "]";
    const list = isList ? arrayLiteral(value.text, type.text) : undefined;
    if (list !== undefined) value.replace(list);
    const isGood = isList
      ? list !== undefined
      : TEXT_TYPES.has(type.upper) || value.kind === "string" && type.upper === "TEXT";
    if (!isGood) continue;
    for (const piece of statement.slice(at, at + (isList ? 4 : 2))) piece.drop();
  }
}

/** `public.orders` is `orders`. */
function publicSchema(statement: readonly Piece[]): void {
  for (const [at, piece] of statement.entries()) {
    const isPublic = piece.upper === "PUBLIC" || piece.text === '"public"';
    if (!isPublic || statement[at + 1]?.text !== "." || statement[at - 1]?.text === ".") continue;
    piece.drop();
    statement[at + 1].drop();
  }
}
