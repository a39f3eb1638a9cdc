/** Names in queries: what does not exist, what may be meant, and what is no name of a column. */
import { didYouMean } from "../../../base/nearest.ts";
import { quoted } from "../../../base/shown.ts";
import type { TextRange } from "../../../contract/probe.ts";
import type { Inspected, Syntax, UnknownName } from "../driver.ts";
import { isTarget } from "../plans.ts";
import { SYNTAXES } from "../sql/syntaxes.ts";
import { type Token, tokensOf } from "../sql/token.ts";

/** A name in a query that does not exist. */
export interface FoundName {
  readonly kind: "table" | "column";
  /** What is wrong, a sentence. */
  readonly reason: string;
  readonly hint: string | undefined;
  readonly part: TextRange | undefined;
}

/** A word or a quoted name of a query. */
interface Word {
  /** In lower case and without quotes. */
  readonly name: string;
  readonly token: Token;
}

/** The words of a query, among the tables of a database. */
export class QueryNames {
  readonly #words: readonly Word[];
  /** The columns of the tables that the query names, and the tables by what it calls them. */
  readonly #tables: ReadonlyMap<string, readonly string[]>;
  readonly #known: readonly string[];
  readonly #syntax: Syntax;

  private constructor(
    words: readonly Word[],
    tables: ReadonlyMap<string, readonly string[]>,
    known: readonly string[],
    syntax: Syntax,
  ) {
    this.#words = words;
    this.#tables = tables;
    this.#known = known;
    this.#syntax = syntax;
  }

  /** Reads a query. */
  static async read(query: string, database: Inspected): Promise<QueryNames> {
    const { syntax } = database.dialect;
    const words = wordsOf(query, syntax);
    const known = (await database.describe()).filter(isTarget);
    const tables = new Map<string, readonly string[]>();
    const called = new Map<string, readonly string[]>();
    for (const table of known) {
      if (!words.some(({ name }) => name === table.toLowerCase())) continue;
      const columns = await database.describe(table);
      tables.set(table.toLowerCase(), columns);
      for (const name of aliases(words, table)) called.set(name, columns);
    }
    // What a query calls a table hides another table of that name.
    for (const [name, columns] of called) tables.set(name, columns);
    return new QueryNames(words, tables, known, syntax);
  }

  /** What is wrong where a name does not exist; `part` is its place. */
  explain(
    { kind, name, qualifier }: UnknownName,
    part: TextRange | undefined,
  ): FoundName {
    if (kind === "table") return this.#found(kind, name, this.#known, part);
    const all = [...this.#tables.values()].flat();
    if (qualifier === undefined) return this.#found(kind, name, all, part);
    const owner = qualifier.toLowerCase();
    const columns = this.#tables.get(owner) ?? (this.#isDeclared(owner) ? all : undefined);
    if (columns !== undefined) return this.#found(kind, name, columns, part);
    const at = this.#words.findIndex(({ token }) => token.start === part?.start);
    return this.#found("table", qualifier, this.#tables.keys(), this.#words[at - 2]?.token);
  }

  /** Whether a name that is no table stands for rows: those of a query, or the one that was not inserted. */
  #isDeclared(name: string): boolean {
    const words = this.#words;
    return name === "excluded" ||
      words.some((word, at) => word.name === name && words[at + 1]?.name !== ".");
  }

  #found(
    kind: FoundName["kind"],
    name: string,
    known: Iterable<string>,
    part: TextRange | undefined,
  ): FoundName {
    // Another table may have a column of this name.
    const hint = didYouMean(name, [...known].filter((other) => other !== name));
    return { kind, reason: `there is no ${kind} ${quoted(name)}`, hint, part };
  }

  /**
   * Whether the database that SQLite plays knows no such name either: it is close to one that exists,
   * and no word that means something else there.
   */
  isCertain({ kind, name }: UnknownName, hint: string | undefined): boolean {
    if (hint === undefined) return false;
    const lower = name.toLowerCase();
    const words = this.#words;
    const places = [...words.keys()].filter((at) => words[at].name === lower);
    if (kind === "table") {
      // A table of another schema, or a function.
      return places.every((at) => {
        const before = words[at - 1]?.name;
        return before === "into" || before !== "." && words[at + 1]?.name !== "(";
      });
    }
    // `row_to_json(messages)` reads all of a row.
    const isOther = this.#tables.has(lower) || NO_COLUMNS[this.#syntax].has(lower);
    return !isOther && places.length > 0 && places.every((at) => this.#isColumn(at));
  }

  #isColumn(at: number): boolean {
    const words = this.#words;
    const before = words[at - 1]?.name ?? "";
    const next = words[at + 1];
    // `FROM messages m` makes `m` the name of a table, and `count(m)` counts its rows.
    const isTable = next?.name === "." || before === "as" || before === ")" ||
      this.#tables.has(before);
    // In `date '2026-01-31'` it is the type of a text.
    const isType = next?.token.kind === "quoted" || next?.token.kind === "open" ||
      next?.name === "(";
    return words[at].token.kind === "word" && !isTable && !isType;
  }
}

/** What a query calls a table. */
function aliases(words: readonly Word[], table: string): readonly string[] {
  return words.flatMap(({ name }, at) => {
    if (name !== table.toLowerCase()) return [];
    const next = words[words[at + 1]?.name === "as" ? at + 2 : at + 1];
    const isName = next?.token.kind === "word" || next?.token.kind === "quoted";
    return isName && !AFTER_TABLE.has(next.name) ? [next.name] : [];
  });
}

/** Words behind a table that are not what a query calls it. */
const AFTER_TABLE = setOf(`where on using join left right full inner cross natural outer order group
  having limit offset union intersect except set values select default returning window for`);

function wordsOf(query: string, syntax: Syntax): readonly Word[] {
  return [...tokensOf(query, SYNTAXES[syntax].reader())].map((token) => {
    const text = query.slice(token.start, token.end).toLowerCase();
    return { name: /^["`[]/.test(text) ? text.slice(1, -1) : text, token };
  });
}

/** What is no column in these databases, and what SQLite takes for one. */
const NO_COLUMNS: Readonly<Record<Syntax, ReadonlySet<string>>> = {
  sqlite: new Set(),
  postgres: setOf(`current_catalog current_role current_schema current_user session_user system_user
    user localtime localtimestamp default unknown ctid xmin xmax cmin cmax tableoid nfc nfd nfkc nfkd`),
  mysql: setOf(
    `current_user utc_date utc_time utc_timestamp localtime localtimestamp sysdate default
    maxvalue unknown binary char date datetime decimal double float json nchar real signed time
    timestamp unsigned year integer microsecond second minute hour day week month quarter
    sql_tsi_second sql_tsi_minute sql_tsi_hour sql_tsi_day sql_tsi_week sql_tsi_month
    sql_tsi_quarter sql_tsi_year`,
  ),
};

function setOf(words: string): ReadonlySet<string> {
  return new Set(words.trim().split(/\s+/));
}
