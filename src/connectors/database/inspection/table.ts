/** A write to a table: whether its names exist, and whether its values fit. */
import { didYouMean } from "../../../base/nearest.ts";
import { quoted } from "../../../base/shown.ts";
import type { Inspected } from "../driver.ts";
import { isTarget, type WantedWrite } from "../plans.ts";
import type { DatabaseRequest, FoundProblem } from "./request.ts";
import { wrongValue } from "./values.ts";

/** The table that a request writes to. */
export class Table {
  readonly #database: Inspected;
  readonly #request: DatabaseRequest;
  readonly #name: string;
  readonly #columns: readonly string[];

  private constructor(
    database: Inspected,
    request: DatabaseRequest,
    name: string,
    columns: readonly string[],
  ) {
    this.#database = database;
    this.#request = request;
    this.#name = name;
    this.#columns = columns;
  }

  /** Looks for the table. */
  static async find(database: Inspected, request: DatabaseRequest, name: string): Promise<Table> {
    const columns = isTarget(name) ? await database.describe(name) : [];
    return new Table(database, request, name, columns);
  }

  /** The problems of names that do not exist. */
  async unknownNames(): Promise<readonly FoundProblem[]> {
    if (this.#columns.length === 0) return await this.#unknownTable();
    const problem = (column: string, place: Pick<FoundProblem, "attribute" | "field" | "item">) => {
      const hint = didYouMean(column, this.#columns);
      return {
        code: "unknown-column" as const,
        ...place,
        message: `cannot be prepared: there is no column ${quoted(column)} in table ${
          quoted(this.#name)
        }`,
        ...(hint === undefined ? {} : { hint }),
      };
    };
    const isUnknown = (column: string) => !this.#has(column);
    const key = this.#key.filter(isUnknown);
    const fields = this.#isDelete
      ? []
      : this.#fields.filter((name) => isUnknown(name) && !key.includes(name));
    return [
      ...key.map((column) => problem(column, { attribute: "key", item: column })),
      ...fields.map((name) => problem(name, { attribute: "target", field: name })),
    ];
  }

  async #unknownTable(): Promise<readonly FoundProblem[]> {
    const tables = (await this.#database.describe()).filter(isTarget);
    const hint = didYouMean(this.#name, tables);
    // A program beside Weir may have made it, or it is in another schema.
    if (this.#isPlayed && (hint === undefined || this.#name.includes("."))) return [];
    return [{
      code: "unknown-table",
      attribute: "target",
      message: `cannot be prepared: there is no table ${quoted(this.#name)}`,
      ...(hint === undefined ? {} : { hint }),
    }];
  }

  /** The write, as far as it is known: all of it, or an UPSERT with the fields that are known. */
  write(): WantedWrite | undefined {
    const { operation = "INSERT", fields } = this.#request;
    if (this.#columns.length === 0) return undefined;
    const known = [...new Set([...this.#key, ...this.#fields])];
    if (fields === undefined && operation !== "UPSERT") return undefined;
    const { details } = this.#database;
    const { key } = this.#request.options;
    // Some tables of SQLite return no rows, which matters only where a flow uses them.
    const returning = details === undefined;
    return { operation, table: this.#name, key, columns: fields ?? known, returning };
  }

  /** The problems of values that the table cannot take. */
  wrongValues(): readonly FoundProblem[] {
    const { details, pending } = this.#database;
    if (details === undefined || pending > 0 || this.#isDelete) return [];
    const table = this.#name;
    const [notNull, required] = [details.notNull(table), details.required(table)];
    const isIn = (name: string, columns: readonly string[]) =>
      columns.some((column) => this.#same(name, column));
    // The key of an UPDATE is compared, and not stored.
    const written = this.#request.named.filter(({ name }) =>
      this.#request.operation !== "UPDATE" || !isIn(name, this.#key)
    );
    return [
      ...this.#missing(required),
      ...written.flatMap((field) => {
        const needsValue = isIn(field.name, notNull);
        const hasDefault = needsValue && !isIn(field.name, required);
        const column = { table, column: field.name, attribute: "target" as const };
        return wrongValue(field, { ...column, needsValue, hasDefault }, details) ?? [];
      }),
    ];
  }

  #missing(required: readonly string[]): readonly FoundProblem[] {
    const { operation = "INSERT", fields } = this.#request;
    if (fields === undefined || operation === "UPDATE") return [];
    const names = required.filter((column) => !fields.some((name) => this.#same(name, column)));
    if (names.length === 0) return [];
    const list = names.map(quoted).join(", ");
    const [columns, are] = names.length === 1 ? ["column", "is"] : ["columns", "are"];
    const table = quoted(this.#name);
    return [{
      code: "missing-column",
      attribute: "target",
      message: `needs a value for ${columns} ${list} of table ${table}, which ${are} NOT NULL`,
      hint: fields.length === 0 ? "it has no fields" : `its fields are ${fields.join(", ")}`,
    }];
  }

  get #isPlayed(): boolean {
    return this.#database.details?.isPlayed === true;
  }

  get #isDelete(): boolean {
    return this.#request.operation === "DELETE";
  }

  get #key(): readonly string[] {
    const { operation = "INSERT", options } = this.#request;
    return operation === "INSERT" ? [] : options.key ?? [];
  }

  /** Those that it can have, as far as they are known. */
  get #fields(): readonly string[] {
    const { named, fields = [] } = this.#request;
    return [...new Set([...named.map(({ name }) => name), ...fields])];
  }

  #has(name: string): boolean {
    return this.#columns.some((column) => this.#same(name, column));
  }

  /** The database that is played may compare names in another way. */
  #same(one: string, other: string): boolean {
    return one === other || this.#isPlayed && one.toLowerCase() === other.toLowerCase();
  }
}
