/**
 * The `database` connector: rows of a database. `drivers/mod.ts` lists the databases.
 *
 * May import base/, contract/ and expression/.
 */
import { type ConnectorType, defineConnector } from "../../contract/definition.ts";
import { attribute } from "../../contract/fields.ts";
import { oneOf } from "../../contract/value-schema.ts";
import { checkDestination, checkStep } from "./checks.ts";
import { checkConnector } from "./connector-checks.ts";
import { DatabaseConnector } from "./connector.ts";
import {
  checkGiven,
  checkSource,
  everyInstance,
  givenEvent,
  loadSource,
  METADATA,
  receives,
  receivesFrom,
  whyNoSource,
} from "./changes/mod.ts";
import type { Driver, Syntax } from "./driver.ts";
import { drivers } from "./drivers/mod.ts";
import {
  type DatabaseOptions,
  destinationFields,
  fields,
  type PlayedDriver,
  stepFields,
} from "./options.ts";
import { OPERATIONS } from "./table-write.ts";

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
  check: (options) => checkConnector(options, drivers),
  telemetry: async () => (await import("./telemetry.ts")).telemetry,
  source: {
    kind: "messages",
    metadata: METADATA,
    unable: ({ driver }) => whyNoSource(driver, drivers),
    check: checkSource,
    everyInstance,
    receives,
    receivesFrom,
    given: { check: checkGiven, event: givenEvent },
  },
  destination: {
    fields: destinationFields,
    operations: OPERATIONS,
    check: (to, options) => checkDestination(to, syntaxOf(options)),
    creates: ({ operation = "INSERT", options: { query } }) =>
      operation === "INSERT" && query === undefined,
    transactions: true,
  },
  step: {
    fields: stepFields,
    operations: OPERATIONS,
    check: (step, options) => checkStep(step, syntaxOf(options)),
  },
  keeps: true,
  files: ({ migrations, tls }) => [
    ...(migrations === undefined ? [] : [
      { path: migrations, kind: "files", ending: ".sql", attribute: "migrations" } as const,
    ]),
    ...[tls?.ca, tls?.cert, tls?.key]
      .filter((path) => path !== undefined)
      .map((path) => ({ path, kind: "file" } as const)),
  ],
  async inspect(options, use) {
    const { syntax } = drivers[options.driver];
    const plays = options.driver === "sqlite" ? undefined : playedAs(drivers[options.driver]);
    await (await import("./inspection/mod.ts")).inspectUse({ options, syntax, plays }, use);
  },
  unshared: (options) => drivers[options.driver].unshared?.(options),
  /** SQLite in memory, with the test's time, plays every database; the migrations are applied. */
  test: (options) => ({
    ...options,
    driver: "sqlite",
    database: ":memory:",
    simulated: true,
    ...(options.driver !== "sqlite" && { plays: playedAs(drivers[options.driver]) }),
  }),
  testReal: (options) => options,
  async create(options, context) {
    const { title, load, loadChanges } = drivers[options.driver];
    const { simulated, plays }: DatabaseOptions = options;
    if (simulated !== true) context.played?.({ service: title, by: "real" });
    const module = await load();
    // A test starts flows itself: it must leave no slot on a server, which would keep its log for ever.
    const changes = context.played === undefined
      ? await loadChanges?.()
      : plays?.changes
      ? await module.loadPlayedChanges?.()
      : undefined;
    const makeSource = changes && await loadSource(changes);
    return new DatabaseConnector(module, options, context, makeSource);
  },
});

function playedAs({ title, syntax, loadChanges }: Driver): PlayedDriver {
  return { title, syntax, changes: loadChanges !== undefined };
}

/** Undefined where the name of the driver could not be read. */
function syntaxOf({ driver }: { readonly driver?: string | undefined }): Syntax | undefined {
  return driver === undefined ? undefined : drivers[driver]?.syntax;
}
