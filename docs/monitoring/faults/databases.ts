/** Faults of databases, and of what flows hear of their changes. */
import { fails, type Faults, GOOD, type Line, NOT_READY, type Symptoms } from "../symptom.ts";

/** A database that does not answer, and answers again. */
function databaseAway(server: boolean, away: Line, back: Line): Symptoms {
  return {
    metrics: { 'weir_database_connected{connector="db"}': 0 },
    log: away,
    health: NOT_READY,
    alert: "WeirDatabaseDisconnected",
    over: {
      metrics: {
        'weir_database_connected{connector="db"}': 1,
        ...(server && { 'weir_database_reconnects_total{connector="db"}': "grows" }),
      },
      log: back,
    },
  };
}

const NO_ANSWER: Line = ["error", "database {database} at {where} does not answer: {reason}"];
const ANSWERS: Line = ["info", "the server answers again"];

/** A flow that fails as its database refuses a write. */
const writeFails = (reason: string) =>
  fails(reason, { 'weir_destination_failures_total{flow="work",connector="db"}': "grows" });

/** Databases, and what flows hear of their changes. */
export const databases = {
  "PostgreSQL is away": databaseAway(true, NO_ANSWER, ANSWERS),
  "PostgreSQL is away when the service starts": databaseAway(
    false,
    ["warning", "failed to open the database; trying again in {delay} ms: {reason}"],
    ["info", "the database is open"],
  ),
  "MariaDB is away": databaseAway(true, NO_ANSWER, ANSWERS),
  "a statement takes longer than `statement_timeout`": writeFails(
    'connector "db": {statement}: canceling statement due to statement timeout',
  ),
  "all connections of the pool are in use": {
    ...fails(
      'connector "db": {statement}: no connection within 0.2 s; all 1 of its pool are in use',
      {
        'weir_step_failures_total{flow="work",connector="db"}': "grows",
      },
    ),
    alert: "WeirPoolExhausted",
  },
  "another process has locked the file of SQLite": writeFails(
    'connector "db": {statement}: database is locked; another program has a transaction open in the file: end it',
  ),
  "the disk of SQLite is full": writeFails(
    'connector "db": {statement}: database or disk is full',
  ),
  "the file of SQLite is deleted": databaseAway(
    false,
    ["error", "the file {path} was deleted while it was open; put it back, or end the service"],
    ["info", "the files of the database exist again"],
  ),
  "changes are not handled as fast as they come": {
    metrics: {
      'weir_database_change_lag_bytes{connector="db"}': "grows",
      'weir_flow_in_flight{flow="work"}': 1,
    },
    log: undefined,
    health: GOOD,
    alert: "WeirChangesBehind",
  },
  "a change fails for good, and there is a `dead_letter`": {
    metrics: {
      'weir_database_changes_received_total{connector="db",settlement="requeue"}': "grows",
      'weir_database_changes_received_total{connector="db",settlement="dead_letter"}': "grows",
    },
    log: ["error", "change {change} was moved to the table {table} of dead letters: {reason}"],
    health: GOOD,
    alert: "WeirDeadLetters",
  },
  "somebody drops the replication slot": {
    metrics: { 'weir_database_gaps_total{connector="db"}': "grows" },
    log: ["error", "changes are missing: the slot was dropped"],
    health: GOOD,
    alert: "WeirMessagesMissed",
  },
} satisfies Faults;
