/** The attributes of a database connector and of the `to` and `step` blocks that name one. */
import { quoted } from "../../base/shown.ts";
import type { Expression } from "../../expression/mod.ts";
import { expressionMap } from "../../contract/expression-fields.ts";
import { attribute, type Field, type Fields, path, type Values } from "../../contract/fields.ts";
import { oneOf, text, textOrList, type ValueSchema } from "../../contract/value-schema.ts";

const ROWS = ["auto", "one", "all"] as const;

/**
 * The result of a query. `auto`: null, the row, or the list of several rows; `one`: the first row or
 * null; `all`: the list.
 */
export type Rows = typeof ROWS[number];

/** The attributes of a `to` or `step` block beside its operation and target. */
export interface DatabaseDestination {
  /** The columns that find the row of an UPDATE, DELETE or UPSERT: at least one, each once. */
  readonly key?: readonly string[];
  /** One SQL statement with `:named` parameters. */
  readonly query?: string;
  /** A `to` block's values for the query's parameters; the others come from the payload. */
  readonly params?: Readonly<Record<string, Expression>>;
  /** Only a step has it; `all` where it is absent. */
  readonly rows?: Rows;
}

const requestFields = {
  key: attribute(keyColumns(), { about: "The column that finds the row, or a list of columns." }),
  query: attribute(text(), { about: "One SQL statement with :named parameters." }),
};

/** The attributes of a `connector` block, beside its `driver`. */
export const fields = {
  database: databasePath('The file of the database, or ":memory:"; its folder is made.'),
  migrations: path({ about: "A folder of *.sql files that are applied once, by name." }),
} satisfies Fields;

/** The values of a `connector` block. */
export type DatabaseOptions = Values<typeof fields> & {
  /** A name in the table of drivers. */
  readonly driver: string;
  /** Milliseconds that a write waits for the lock of another process: 5000 by default. Not in HCL. */
  readonly patience?: number;
  /** Whether SQL reads the time of the connector's clock, as a test's must. Not in HCL. */
  readonly simulated?: boolean;
};

/** The attributes of a `to` block. */
export const destinationFields = {
  ...requestFields,
  params: expressionMap({ about: "Values for the parameters of the query." }),
} satisfies Fields;

/** The attributes of a `step` block, whose `params` are those of every step. */
export const stepFields = {
  ...requestFields,
  rows: attribute(oneOf(ROWS), {
    about:
      "The result of a query: null, its row or the list of several; the first row or null; the list.",
    default: "auto",
  }),
} satisfies Fields;

/** A column or a list of columns, read as a list. */
function keyColumns(): ValueSchema<readonly string[]> {
  const list = textOrList();
  return {
    ...list,
    parse(value) {
      const result = list.parse(value);
      if ("problem" in result) return result;
      const seen = new Set<string>();
      const twice = result.value.find((column) => seen.size === seen.add(column).size);
      return twice === undefined ? result : { problem: `names the column ${quoted(twice)} twice` };
    },
  };
}

/** A required path; `:memory:` stays as it is. */
function databasePath(about: string): Field<string> {
  const plain = attribute(text(), { about, required: true });
  const file = path({ about });
  return {
    ...file,
    required: true,
    read(body, name, owner, context) {
      const value = plain.read(body, name, owner, context);
      if (value === undefined || value === ":memory:") return ":memory:";
      return file.read(body, name, owner, context) ?? value;
    },
  };
}
