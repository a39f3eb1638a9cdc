/** Applies migrations, once each, also where several instances start together. */
import type { Logger } from "../../../../contract/connector.ts";
import { type Migration, MigrationError, MIGRATIONS_TABLE, type Row } from "../../driver.ts";
import { beginMigration, refuseTransactionControl, wasApplied } from "../../migrations.ts";
import type { Connection } from "./connection.ts";
import { undo } from "./batch.ts";
import { DeadlineError, explain } from "./errors.ts";
import { ScriptRefusal } from "./script-refusal.ts";
import { toLiteral } from "./values.ts";

/** How many seconds an instance waits for another one that applies migrations. */
const LOCK_TIMEOUT = 30;

/**
 * Applies what has not been applied yet, in order, on a connection that takes several statements at
 * once and has nothing else to do. The server commits each change of a table by itself: a file that is
 * refused midway stays applied up to there.
 *
 * @throws {MigrationError} A file was changed after it was applied, or the server refuses it.
 * @throws {DeadlineError} Another instance has applied migrations for too long.
 */
export async function migrate(
  connection: Connection,
  migrations: readonly Migration[],
  logger: Logger,
): Promise<void> {
  if (migrations.length === 0) return;
  // Not to be changed where nothing is to be done: a replica takes no change.
  if ((await pending(connection, migrations)).length === 0) return;
  await lock(connection);
  const columns = "name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, " +
    "checksum CHAR(64) CHARACTER SET ascii NOT NULL, applied_at DATETIME(3) NOT NULL";
  await connection.run(`CREATE TABLE IF NOT EXISTS ${MIGRATIONS_TABLE} (${columns})`);
  // Another instance may have applied some while this one waited.
  for (const migration of await pending(connection, migrations)) {
    const applied = beginMigration(migration, logger);
    await apply(connection, migration);
    applied();
  }
  // The lock ends with the connection.
}

/**
 * Those that are not recorded in the database.
 *
 * @throws {MigrationError} A file was changed after it was applied.
 */
export async function pending(
  connection: Connection,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const recorded = await rows(
    connection,
    "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() " +
      `AND TABLE_NAME = '${MIGRATIONS_TABLE}'`,
  );
  if (recorded.length === 0) return migrations;
  const applied = await rows(connection, `SELECT name, checksum FROM ${MIGRATIONS_TABLE}`);
  const checksums = new Map(applied.map(({ name, checksum }) => [name, checksum]));
  return migrations.filter((migration) => !wasApplied(migration, checksums.get(migration.name)));
}

/** For one database of the server; names of locks have at most 64 characters. */
async function lock(connection: Connection): Promise<void> {
  const sql = `SELECT GET_LOCK(CONCAT('weir:', SHA1(DATABASE())), ${LOCK_TIMEOUT}) AS locked`;
  const [found] = await rows(connection, sql);
  if (found?.locked !== 1) {
    throw new DeadlineError(
      `another instance has applied migrations for more than ${LOCK_TIMEOUT} s`,
    );
  }
}

async function apply(connection: Connection, migration: Migration): Promise<void> {
  const { name, sql, checksum } = migration;
  refuseTransactionControl(migration, "mysql");
  await connection.run("START TRANSACTION");
  const { results, error } = await connection.runScript(sql);
  if (error !== undefined) {
    const refusal = new ScriptRefusal(sql, results, error);
    if (!refusal.isAtEnd) {
      // A connection that is lost says nothing of the file.
      if (connection.isLost || !explain(error).permanent) {
        await undo(connection);
        throw error;
      }
      // Its answer says whether the transaction is still the one that has begun here.
      await connection.run("DO 0");
      const reason = refusal.describe(connection.inTransaction);
      await undo(connection);
      throw new MigrationError(name, reason, { cause: error });
    }
  }
  const file = toLiteral(name, "other", "name");
  await connection.run(
    `INSERT INTO ${MIGRATIONS_TABLE} VALUES (${file}, '${checksum}', UTC_TIMESTAMP(3))`,
  );
  await connection.run("COMMIT");
}

async function rows(connection: Connection, sql: string): Promise<readonly Row[]> {
  const reply = await connection.run(sql);
  return "affectedRows" in reply ? [] : reply;
}
