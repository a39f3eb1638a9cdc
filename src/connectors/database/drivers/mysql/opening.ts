/** Opens connections at the start, and says what is wrong where that fails. */
import { ConnectorError } from "../../../../base/errors.ts";
import { type Migration, MigrationError } from "../../driver.ts";
import type { Logger } from "../../../../contract/connector.ts";
import { migrationFailure } from "../../migrations.ts";
import type { Opening } from "../server-connections.ts";
import { Connection } from "./connection.ts";
import { errnoOf, explain, wordsOf } from "./errors.ts";
import { migrate } from "./migrations.ts";
import type { ConnectionSettings } from "./settings.ts";

// Access denied, in its kinds; no such database; a host or a way to log in that is not allowed.
const FINAL = new Set([1044, 1045, 1049, 1130, 1251, 1524, 1698, 1820, 1862, 3118, 4151]);

/** Codes of the library and of TLS that no other attempt changes. */
const FINAL_CODE =
  /^(?:HANDSHAKE_NO_SSL_SUPPORT|AUTH_SWITCH_PLUGIN_ERROR|ERR_TLS_CERT_\w+|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/;

/** What a runtime that has no code for it says of a certificate. */
const FINAL_WORDS = /certificate|altnames|UnknownIssuer|NotValidForName/i;

/**
 * Opens a connection.
 *
 * @throws {ConnectorError} Permanent where the server refuses the user or the database, or where its
 * certificate is not the one that is expected.
 */
export async function open(name: string, settings: ConnectionSettings): Promise<Connection> {
  try {
    return await Connection.open(settings);
  } catch (cause) {
    throw openError(name, settings, cause);
  }
}

/** How the connections after the first one are opened. */
export function openingOf(settings: ConnectionSettings): Opening<Connection> {
  return {
    open: () => Connection.open(settings),
    isPermanent: isFinal,
    describe: (error) => explain(error).reason,
  };
}

/**
 * Applies migrations on a connection of its own, without a limit of time.
 *
 * @throws {ConnectorError} One is refused, which is permanent, or the connection is lost.
 */
export async function applyMigrations(
  name: string,
  settings: ConnectionSettings,
  migrations: readonly Migration[],
  logger: Logger,
): Promise<void> {
  if (migrations.length === 0) return;
  let connection: Connection;
  try {
    connection = await Connection.open({ ...settings, statementTimeout: undefined }, {
      script: true,
    });
  } catch (cause) {
    throw openError(name, settings, cause);
  }
  try {
    await migrate(connection, migrations, logger);
  } catch (cause) {
    throw migrationError(name, cause);
  } finally {
    connection.destroy();
  }
}

/** The error of a connector for what was thrown about migrations. */
export function migrationError(name: string, cause: unknown): ConnectorError {
  if (cause instanceof MigrationError) return migrationFailure(name, cause);
  const { reason, permanent } = explain(cause);
  const message = `cannot apply the migrations: ${reason}`;
  return new ConnectorError(name, message, { code: "migration-failed", cause, permanent });
}

/** The error of a look at the database, whatever was thrown. */
export function openFailure(
  name: string,
  settings: ConnectionSettings,
  cause: unknown,
): ConnectorError {
  if (cause instanceof MigrationError) return migrationFailure(name, cause);
  return cause instanceof ConnectorError ? cause : openError(name, settings, cause);
}

function openError(name: string, settings: ConnectionSettings, cause: unknown): ConnectorError {
  const { host, port, database } = settings;
  const message = `cannot open the database "${database}" at ${host}:${port}: ${hinted(cause)}`;
  return new ConnectorError(name, message, { cause, permanent: isFinal(cause) });
}

/** Whether no other attempt to open a connection can succeed. */
export function isFinal(cause: unknown): boolean {
  const errno = errnoOf(cause);
  if (errno !== undefined) return FINAL.has(errno);
  const code = codeOf(cause);
  if (FINAL_CODE.test(code)) return true;
  return code === "HANDSHAKE_SSL_ERROR" && FINAL_WORDS.test(wordsOf(cause));
}

function hinted(cause: unknown): string {
  const words = explain(cause).reason;
  if (codeOf(cause) === "HANDSHAKE_NO_SSL_SUPPORT") {
    return "the server has no TLS, and the connector asks for it with tls";
  }
  if (codeOf(cause) === "HANDSHAKE_SSL_ERROR") return `TLS failed: ${words}`;
  return words;
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}
