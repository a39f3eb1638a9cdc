/**
 * The `database` connector: rows of a database. `drivers/mod.ts` lists the databases.
 *
 * May import base/, contract/ and expression/.
 */
import { type ConnectorType, defineConnector } from "../../contract/definition.ts";
import { attribute } from "../../contract/fields.ts";
import { oneOf } from "../../contract/value-schema.ts";
import { checkDestination, checkStep } from "./checks.ts";
import { DatabaseConnector } from "./connector.ts";
import { drivers } from "./drivers/mod.ts";
import { destinationFields, fields, stepFields } from "./options.ts";
import { OPERATIONS } from "./statements.ts";

const driver = attribute(oneOf(Object.keys(drivers)), {
  about: "The kind of database.",
  required: true,
});

/**
 * `type = "database"`: a destination that writes rows, a step that reads them, a store of keys for
 * `dedupe`. A payload's fields (a step's `params`) are a table's columns, or the `:named` parameters
 * of a query. What it returns:
 *
 * - INSERT, UPSERT: the row as it is stored.
 * - UPDATE, DELETE: the row; null where the key finds none, a list where it finds several.
 * - a query with a result: the list of its rows; in a step what `rows` says.
 * - another query: `{ changes, last_insert_id }`.
 */
export const databaseConnector: ConnectorType = defineConnector({
  fields: { driver, ...fields },
  destination: {
    fields: destinationFields,
    operations: OPERATIONS,
    check: checkDestination,
    creates: ({ operation = "INSERT", options: { query } }) =>
      operation === "INSERT" && query === undefined,
    transactions: true,
  },
  step: { fields: stepFields, operations: OPERATIONS, check: checkStep },
  keeps: true,
  files: ({ migrations: path }) =>
    path === undefined ? [] : [{ path, kind: "files", ending: ".sql" }],
  unshared: (options) => drivers[options.driver].unshared?.(options),
  /** SQLite in memory, with the test's time, replaces every database; the migrations are applied. */
  test: (options) => ({ ...options, driver: "sqlite", database: ":memory:", simulated: true }),
  async create(options, context) {
    return new DatabaseConnector(await drivers[options.driver].load(), options, context);
  },
});
