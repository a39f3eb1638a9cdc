/** The replication slot: where the server keeps what has not been confirmed. */
import type { Client } from "pg";
import { ConnectorError } from "../../../../../base/errors.ts";
import { quoted, shown } from "../../../../../base/shown.ts";
import { ask } from "../connecting.ts";
import { explain, sqlState } from "../errors.ts";
import { quoteName } from "./names.ts";

/** Milliseconds for a look. */
const LOOKING = 5000;

/**
 * Milliseconds in which a slot is made. The server waits for every transaction that had begun before,
 * which may take hours.
 */
const MAKING = 5000;

/** Who makes a slot: the connector, with a user of the server. */
export interface SlotOwner {
  readonly connector: string;
  readonly user: string;
}

/** What the server says of a slot. */
export interface SlotState {
  /** Whether it is one of this database and of the plugin that is read here. */
  readonly usable: boolean;
  /** The server's process that streams from it; undefined where none does. */
  readonly active: number | undefined;
  /** Whether the server has thrown away what was not confirmed. */
  readonly lost: boolean;
  /** How many bytes of its log the server keeps for it. */
  readonly lag: number;
}

// A version may lack some of the columns.
const LOOK = `
  SELECT plugin::text AS plugin, database::text = current_database() AS here,
    active_pid::text AS active, to_jsonb(s) ->> 'wal_status' AS wal_status,
    to_jsonb(s) ->> 'conflicting' AS conflicting,
    greatest(0, pg_wal_lsn_diff(
      CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
      confirmed_flush_lsn))::text AS lag
  FROM pg_replication_slots s WHERE slot_name = $1`;

/** Looks at a slot; undefined where there is none of this name. */
export async function lookAtSlot(client: Client, slot: string): Promise<SlotState | undefined> {
  const { rows: [row] } = await ask(client, { text: LOOK, values: [slot] }, LOOKING);
  if (row === undefined) return undefined;
  return {
    usable: row.plugin === "pgoutput" && row.here === true,
    active: row.active === null ? undefined : Number(row.active),
    lost: row.wal_status === "lost" || row.conflicting === "true",
    lag: Number(row.lag ?? 0),
  };
}

/** Whether the server can decode its log at all. */
export async function checkLogLevel(client: Client, connector: string): Promise<void> {
  const text = "SELECT current_setting('wal_level') AS level";
  const { rows: [{ level }] } = await ask(client, text, LOOKING);
  if (level === "logical") return;
  const message = `the server has wal_level = ${shown(level)}, which tells of no changes; ` +
    "an administrator runs: ALTER SYSTEM SET wal_level = logical; and restarts the server";
  throw new ConnectorError(connector, message, { permanent: true });
}

/**
 * Makes a slot, from now on. Where another instance has made it meanwhile, that is as good.
 *
 * @throws {ConnectorError} The user may not, or the server has no room for it.
 */
export async function makeSlot(client: Client, owner: SlotOwner, slot: string): Promise<void> {
  try {
    await ask(client, `SET statement_timeout = ${MAKING}`, LOOKING);
    const text = "SELECT pg_create_logical_replication_slot($1, 'pgoutput')";
    await ask(client, { text, values: [slot] }, MAKING + LOOKING);
  } catch (cause) {
    if (sqlState(cause) === "42710") return;
    throw slotError(owner, slot, cause);
  }
}

/** Removes a slot that nobody uses. */
export async function dropSlot(client: Client, owner: SlotOwner, slot: string): Promise<void> {
  try {
    await ask(client, { text: "SELECT pg_drop_replication_slot($1)", values: [slot] }, LOOKING);
  } catch (cause) {
    if (sqlState(cause) !== "42704") throw slotError(owner, slot, cause);
  }
}

/** Ends the process of the server that streams from a slot, where it is a leftover of this instance. */
export async function endLeftover(client: Client, slot: string, backend: number): Promise<void> {
  const text = "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots " +
    "WHERE slot_name = $1 AND active_pid = $2";
  await ask(client, { text, values: [slot, backend] }, LOOKING);
}

/** The slot is somebody else's. */
export function refuseForeignSlot(connector: string, slot: string): never {
  const message = `the replication slot ${quoted(slot)} is one of another database or plugin; ` +
    "name another one: changes { slot = … }";
  throw new ConnectorError(connector, message, { permanent: true });
}

function slotError({ connector, user }: SlotOwner, slot: string, cause: unknown): ConnectorError {
  const { reason, permanent } = explain(cause);
  const advice = adviceFor(cause, user);
  const message = `the replication slot ${quoted(slot)} cannot be made: ${reason}${advice}`;
  return new ConnectorError(connector, message, { cause, permanent });
}

/** What somebody can do about it. */
export function adviceFor(cause: unknown, user: string): string {
  switch (sqlState(cause)) {
    case "42501":
      return `; an administrator runs: ALTER ROLE ${quoteName(user)} REPLICATION`;
    case "53400":
      return "; an administrator drops one that is not used, or raises max_replication_slots";
    case "57014":
      return "; the server waits until the transactions end that had begun before";
    case "42602":
      return "; a name has lower case letters, digits and _ alone";
    default:
      return "";
  }
}
