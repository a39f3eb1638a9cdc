/**
 * The `database` connector: rows of a driver. A driver is loaded when a connector uses it.
 *
 * May import base/, contract/ and expression/.
 */
import { type ConnectorType, defineConnector } from "../../contract/definition.ts";
import { checkDestination, checkStep } from "./checks.ts";
import { destinationFields, fields, stepFields } from "./options.ts";
import { OPERATIONS } from "./statements.ts";

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
  fields,
  destination: {
    fields: destinationFields,
    operations: OPERATIONS,
    check: checkDestination,
    creates: ({ operation = "INSERT", options: { query } }) =>
      operation === "INSERT" && query === undefined,
  },
  step: { fields: stepFields, operations: OPERATIONS, check: checkStep },
  keeps: true,
  unshared: ({ database }) =>
    database === ":memory:"
      ? "each of them would have a database of its own in memory; give it a file"
      : undefined,
  /** Nothing of it is on a disk; its migrations are applied. */
  test: (options) => ({ ...options, database: ":memory:" }),
  async create(options, context) {
    const { SqliteConnector } = await import("./drivers/sqlite/mod.ts");
    return new SqliteConnector(options, context);
  },
});
