/** The database connector: its attributes and checks. The driver is loaded when one is made. */
import {
  type Complaint,
  type ConnectorType,
  defineConnector,
  type Destination,
} from "../../connector.ts";
import type { Expression } from "../../expression.ts";
import { didYouMean } from "../../nearest.ts";
import { expressionMap } from "../../expression-fields.ts";
import { attribute, type Field, path } from "../../schema.ts";
import { oneOf, text } from "../../values.ts";
import { parseQuery, type Query } from "./query.ts";
import { OPERATIONS } from "./statements.ts";

/** A destination's own attributes. */
export interface DatabaseDestination {
  /** The column that finds the row of an UPDATE, DELETE or UPSERT. */
  readonly key?: string;
  /** One SQL statement with `:named` parameters. */
  readonly query?: string;
  /** Values for the query's parameters; the payload gives the others. */
  readonly params?: Readonly<Record<string, Expression>>;
}

/**
 * `type = "database"`: a destination that writes rows. A payload's fields are a table's columns, or
 * the `:named` parameters of a query. What a write returns:
 *
 * - INSERT, UPSERT: the row as it is stored.
 * - UPDATE, DELETE: the row; null where the key finds none, a list where it finds several.
 * - a query with a result: the list of its rows.
 * - another query: `{ changes, last_insert_id }`.
 */
export const databaseConnector: ConnectorType = defineConnector({
  fields: {
    driver: attribute(oneOf(["sqlite"]), { about: "The kind of database.", required: true }),
    database: databasePath('The file of the database, or ":memory:"; its folder is made.'),
    migrations: path({ about: "A folder of *.sql files that are applied once, by name." }),
  },
  destination: {
    fields: {
      key: attribute(text(), { about: "The column that finds the row." }),
      query: attribute(text(), { about: "One SQL statement with :named parameters." }),
      params: expressionMap({ about: "Values for the parameters of the query." }),
    },
    operations: OPERATIONS,
    check: checkDestination,
    creates: ({ operation = "INSERT", options: { query } }) =>
      operation === "INSERT" && query === undefined,
  },
  async create(options, context) {
    const { SqliteConnector } = await import("./sqlite.ts");
    return new SqliteConnector(options, context);
  },
});

/** A path that must be there; `:memory:` stays as it is. */
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

function checkDestination(to: Destination<DatabaseDestination>): readonly Complaint[] {
  const { query } = to.options;
  if (query === undefined) return checkTableWrite(to);
  if (to.target !== undefined) {
    const hint = "leave one of them out";
    return [{ attribute: "query", message: "has both a target and a query", hint }];
  }
  const useless = [
    ...(to.operation === undefined ? [] : ["operation"]),
    ...(to.options.key === undefined ? [] : ["key"]),
  ].map((name) => ({ attribute: name, message: `takes no ${name} beside a query` }));
  return [...useless, ...checkQuery(query, to.options.params)];
}

function checkTableWrite(
  { operation = "INSERT", target, options: { key, params } }: Destination<DatabaseDestination>,
): readonly Complaint[] {
  const complaints: Complaint[] = [];
  if (target === undefined) {
    const hint = 'target = "table"';
    complaints.push({ message: "needs a target, which is a table, or a query", hint });
  }
  if (operation === "INSERT" && key !== undefined) {
    const hint = 'operation = "UPSERT" takes one';
    complaints.push({ attribute: "key", message: "takes no key for an INSERT", hint });
  }
  if (["UPDATE", "DELETE", "UPSERT"].includes(operation) && key === undefined) {
    const message = `needs a key for its ${operation}`;
    complaints.push({ attribute: "operation", message, hint: 'such as key = "id"' });
  }
  if (params !== undefined) {
    complaints.push({ attribute: "params", message: "takes no params without a query" });
  }
  return complaints;
}

function checkQuery(text: string, params: DatabaseDestination["params"]): readonly Complaint[] {
  let query: Query;
  try {
    query = parseQuery(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [{ attribute: "query", message: `has a query that ${error.message}` }];
  }
  return Object.keys(params ?? {})
    .filter((name) => !query.parameters.includes(name))
    .map((name) => ({
      attribute: "params",
      message: `has no parameter ":${name}" in its query`,
      hint: didYouMean(name, query.parameters),
    }));
}
