/** What every driver does alike with migrations: what is recorded of them, and what they may hold. */
import { ConnectorError } from "../../base/errors.ts";
import type { Logger } from "../../contract/connector.ts";
import { type Inspection, type Migration, MigrationError, type Syntax } from "./driver.ts";
import { transactionControl } from "./sql/mod.ts";

/**
 * Whether a migration was applied; `recorded` is the checksum that the database has for it.
 *
 * @throws {MigrationError} The file was changed after it was applied.
 */
export function wasApplied({ name, checksum }: Migration, recorded: unknown): boolean {
  if (recorded !== undefined && recorded !== checksum) {
    const reason = "was changed after it was applied; put the change into a new file";
    throw new MigrationError(name, reason);
  }
  return recorded !== undefined;
}

/**
 * Refuses a migration that would end the transaction in which it runs.
 *
 * @throws {MigrationError} It has a COMMIT or the like, or DELIMITER, which only MySQL's client knows.
 */
export function refuseTransactionControl({ name, sql }: Migration, syntax: Syntax): void {
  const control = transactionControl(sql, syntax);
  if (control !== undefined) throw new MigrationError(name, controlReason(control));
}

/** Why a migration must not have a statement that begins or ends a transaction. */
export function controlReason(control: string): string {
  return control === "DELIMITER"
    ? "must not use DELIMITER: only the mysql client knows it, and no server needs it"
    : `must not ${control}: it runs in a transaction of its own`;
}

/** Says in the log that a migration runs. Call what it returns when the migration is applied. */
export function beginMigration({ name: migration }: Migration, logger: Logger): () => void {
  logger.info("applying migration {migration}", { migration });
  const startedAt = performance.now();
  return () => {
    const duration = Math.round(performance.now() - startedAt);
    logger.info("applied migration {migration} in {duration} ms", { migration, duration });
  };
}

/** The error of a start that a migration ends; permanent. */
export function migrationFailure(connector: string, cause: MigrationError): ConnectorError {
  const options = { code: "migration-failed", cause, permanent: true };
  return new ConnectorError(connector, cause.message, options);
}

/** What `check --connect` says of a database that has been found, and of the migrations that it lacks. */
export function describeFound(
  what: string,
  pending: number,
  { prepared, waiting }: Inspection = { prepared: 0, waiting: 0 },
): string {
  const migrations = count(pending, "migration");
  const found = [what];
  if (waiting > 0) {
    const verb = waiting === 1 ? "waits" : "wait";
    found.push(`${count(waiting, "statement")} ${verb} for ${migrations}`);
  } else if (pending > 0) found.push(`${migrations} ${pending === 1 ? "waits" : "wait"}`);
  if (prepared > 0) found.push(`${count(prepared, "statement")} prepared`);
  return found.join("; ");
}

function count(amount: number, noun: string): string {
  return `${amount} ${amount === 1 ? noun : `${noun}s`}`;
}
