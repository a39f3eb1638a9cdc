/** MySQL and MariaDB as a database, through `mysql2`. */
import type { Database, DriverContext } from "../../driver.ts";
import { MysqlDatabase } from "./database.ts";
import { applyMigrations, open } from "./opening.ts";
import { readSettings } from "./settings.ts";

export { probeDatabase } from "./probing.ts";

/** Connects and applies the migrations. */
export async function openDatabase(context: DriverContext): Promise<Database> {
  const { name, options, migrations, logger } = context;
  const settings = await readSettings(name, options);
  await applyMigrations(name, settings, migrations, logger);
  return new MysqlDatabase(context, settings, await open(name, settings));
}
