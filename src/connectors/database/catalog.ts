/** Which tables and columns a database has. */
import { didYouMean } from "../../base/nearest.ts";
import { quoted } from "../../base/shown.ts";
import { KEYS_TABLE } from "./dedupe.ts";
import { type Database, type Explanation, MIGRATIONS_TABLE } from "./driver.ts";

/** The connector's own tables, which are no targets. */
const OWN: readonly string[] = [MIGRATIONS_TABLE, KEYS_TABLE];

/** Keeps what it has read; reads again before it says that something does not exist. */
export class Catalog {
  readonly #database: Pick<Database, "describe">;
  /** The columns of tables. */
  readonly #known = new Map<string, ReadonlySet<string>>();

  /** Reads nothing yet. */
  constructor(database: Pick<Database, "describe">) {
    this.#database = database;
  }

  /**
   * Makes sure that a table has these columns, names compared exactly.
   *
   * @throws {RangeError} It has not; the message names what is missing and what may be meant.
   */
  require(table: string, columns: readonly string[]): void | Promise<void> {
    const kept = this.#known.get(table);
    if (kept !== undefined && columns.every((column) => kept.has(column))) return;
    const found = this.#database.describe(table);
    return found instanceof Promise
      ? found.then((known) => this.#check(table, columns, known))
      : this.#check(table, columns, found);
  }

  /** The name that may be meant by one that the database does not know; known at once, or not. */
  hint({ unknown }: Explanation): string | undefined {
    if (unknown === undefined) return undefined;
    const tables = this.#database.describe();
    if (tables instanceof Promise) return undefined;
    const targets = tables.filter(isTarget);
    if (unknown.kind === "table") return didYouMean(unknown.name, targets);
    const columns = targets.flatMap((table) => {
      const found = this.#database.describe(table);
      return found instanceof Promise ? [] : found;
    });
    return didYouMean(unknown.name, columns);
  }

  #check(
    table: string,
    columns: readonly string[],
    found: readonly string[],
  ): void | Promise<void> {
    if (found.length === 0 || !isTarget(table)) {
      const tables = this.#database.describe();
      const refuse = (known: readonly string[]): never => {
        throw missing(`no table ${quoted(table)}`, table, known.filter(isTarget));
      };
      return tables instanceof Promise ? tables.then(refuse) : refuse(tables);
    }
    const known = new Set(found);
    this.#known.set(table, known);
    const absent = columns.find((column) => !known.has(column));
    if (absent === undefined) return;
    throw missing(`no column ${quoted(absent)} in table ${quoted(table)}`, absent, known);
  }
}

function isTarget(table: string): boolean {
  return !OWN.includes(table);
}

function missing(what: string, name: string, known: Iterable<string>): RangeError {
  const hint = didYouMean(name, known);
  return new RangeError(`there is ${what}${hint === undefined ? "" : `; ${hint}`}`);
}
