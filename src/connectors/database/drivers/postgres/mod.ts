/** PostgreSQL as a database, through `pg`. */
import type { Client } from "pg";
import type { Database, DriverContext } from "../../driver.ts";
import { connect, destroy, disconnect } from "./connecting.ts";
import { PostgresDatabase } from "./database.ts";
import { openFailure } from "./errors.ts";
import { Heartbeat } from "./heartbeat.ts";
import { migrate } from "./migrations.ts";
import { readServer } from "./server.ts";

export { probeDatabase } from "./probing.ts";

/** Connects, applies the migrations and begins to watch the server. */
export async function openDatabase(context: DriverContext): Promise<Database> {
  const { name, options, migrations, logger } = context;
  const server = await readServer(name, options);
  const refuse = (cause: unknown): never => {
    throw openFailure(server, cause);
  };
  const client = await connect(server, { role: "heartbeat" }).catch(refuse);
  const database = new PostgresDatabase(server, context);
  const { connections } = database;
  let migrating: Client | undefined;
  const heartbeat = new Heartbeat(server, client, logger, {
    lost(error) {
      connections.lost(error);
      if (migrating !== undefined) destroy(migrating, error.message);
    },
    found: () => connections.found(),
    suspect: () => connections.suspect(),
    waiting: (milliseconds) => connections.waiting(milliseconds),
  });
  database.watch(heartbeat);
  if (migrations.length === 0) return database;
  try {
    migrating = await connect(server, { role: "migrations" });
    await migrate(migrating, migrations, logger);
  } catch (cause) {
    await database.close();
    return refuse(cause);
  } finally {
    if (migrating !== undefined) await disconnect(migrating);
    migrating = undefined;
  }
  return database;
}
