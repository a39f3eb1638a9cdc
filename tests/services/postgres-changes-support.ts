/** Connectors whose flows are started by changes of a database, for tests. */
import { systemClock } from "../../src/base/clock.ts";
import { databaseConnector } from "../../src/connectors/database/mod.ts";
import type {
  Connector,
  ConnectorContext,
  FlowEvent,
  FlowHandler,
} from "../../src/contract/connector.ts";
import { flow, keepingLogger, type LogLine } from "../support/mq.ts";
import {
  dropSlot,
  type PostgresDatabase,
  PostgresServer,
  withPostgres,
} from "../support/postgres.ts";
import { service, serviceTest } from "../support/services.ts";

/** A flow of a test: what starts it, and what it does. */
export type Flows = Readonly<Record<string, FlowHandler | ((event: FlowEvent) => unknown)>>;

/** A connector at work, with what it has logged. */
export interface Source {
  readonly connector: Required<Connector>;
  readonly log: readonly LogLine[];
  /** The numbers that are not 0, without the lag. */
  readonly counts: () => Readonly<Record<string, number>>;
  /** As a shutdown does it. */
  readonly end: () => Promise<void>;
  /** As a process that is killed: nothing more is delivered or confirmed. */
  readonly drop: () => Promise<void>;
}

/** Makes one, which has not been started. */
export async function makeSource(
  options: Readonly<Record<string, unknown>>,
  flows: Flows,
  context: Partial<ConnectorContext> = {},
): Promise<Source> {
  const log: LogLine[] = [];
  const connector = await databaseConnector.create({ driver: "postgres", ...options }, {
    name: "pg",
    logger: keepingLogger(log),
    clock: systemClock,
    constants: {},
    lookUp: () => ({}),
    ...context,
  }) as Required<Connector>;
  for (const [operation, run] of Object.entries(flows)) {
    connector.subscribe(operation, typeof run === "function" ? flow(run) : run);
  }
  return {
    connector,
    log,
    counts() {
      const { change_lag_bytes: _, ...counts } = connector.counts();
      return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
    },
    async end() {
      await connector.stop();
      await connector.drain();
      await connector.close();
    },
    drop: () => connector.close(),
  };
}

/** Calls `run` with a connector that reads, and ends it. */
export async function withSource<T>(
  options: Readonly<Record<string, unknown>>,
  flows: Flows,
  run: (source: Source) => T | Promise<T>,
): Promise<T> {
  const source = await makeSource(options, flows);
  try {
    await source.connector.start();
    await source.connector.consume();
    return await run(source);
  } finally {
    await source.end();
  }
}

/** A database of a test, with a slot that no other test has. */
export type ChangesDatabase = PostgresDatabase & {
  /** The `changes` block of a connector; the slot has the database's name. */
  readonly changes: { readonly slot: string; readonly publication: string };
};

/** Registers a test with a database of its own. */
export type ChangesTest = (
  name: string,
  schema: string,
  run: (database: ChangesDatabase) => Promise<void>,
) => Promise<void>;

/** A server that tells of changes, for the tests of one file; undefined where it cannot be started. */
export async function openChanges(): Promise<{
  readonly server: PostgresServer | undefined;
  readonly changesTest: ChangesTest;
}> {
  const found = await service("postgres-server");
  const server = found.ok ? await PostgresServer.open() : undefined;
  const changesTest: ChangesTest = (name, schema, run) =>
    serviceTest("postgres-server", `changes: ${name}`, () =>
      withPostgres(async (database) => {
        const slot = database.name;
        try {
          await run({ ...database, changes: { slot, publication: "weir_app" } });
        } finally {
          // A slot keeps its database.
          await dropSlot(database.sql, slot);
        }
      }, { at: server!.url(), schema }));
  return { server, changesTest };
}

/** Keeps the events. */
export function keeping(): {
  readonly events: FlowEvent[];
  readonly keep: (event: FlowEvent) => void;
} {
  const events: FlowEvent[] = [];
  return { events, keep: (event) => void events.push(event) };
}
