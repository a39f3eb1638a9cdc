/**
 * Changes of a database as a source of flows: operations, events, deliveries and dead letters. Drivers
 * read the changes.
 *
 * May import base/ and contract/.
 */
import type { CodedProblem } from "../../../contract/definition.ts";
import type { Driver } from "../driver.ts";
import type { DatabaseOptions } from "../options.ts";
import type { ChangesModule } from "./feed.ts";
import type { MakeSource } from "./source.ts";
import { checkOperation, parseOperation, startsWith, takesEvent } from "./operation.ts";

export { givenEvent, METADATA } from "./event.ts";

/** Why no changes of a database can start flows: the drivers are those of all databases. */
export function whyNoSource(
  name: string | undefined,
  drivers: Readonly<Record<string, Driver>>,
): string | undefined {
  const driver = name === undefined ? undefined : drivers[name];
  if (driver === undefined || driver.loadChanges !== undefined) return undefined;
  const able = Object.keys(drivers).filter((name) => drivers[name].loadChanges !== undefined);
  return `Weir reads no changes of ${driver.title}; it does with driver = "${able.join('" or "')}"`;
}

/** Loads what starts flows with the changes that a driver reads. Without such a driver nothing loads it. */
export async function loadSource(changes: ChangesModule): Promise<MakeSource> {
  const { DatabaseSource } = await import("./source.ts");
  return (context) => new DatabaseSource(changes, context);
}

/** Checks the `operation` of a `from` block. */
export function checkSource(
  operation: string | undefined,
  { changes }: Partial<DatabaseOptions>,
): readonly CodedProblem[] {
  return checkOperation(operation, changes?.dead_letter);
}

/** Whether each instance of a service hears an operation by itself: a notification, not a change. */
export function everyInstance(operation: string | undefined): boolean {
  return parseOperation(operation)?.kind === "NOTIFY";
}

/** Checks the `operation` of a `given` block: one change, not several. */
export function checkGiven(...args: Parameters<typeof checkSource>): readonly CodedProblem[] {
  const problems = checkSource(...args);
  if (problems.length > 0 || parseOperation(args[0])?.kind !== "*") return problems;
  const message = "needs the operation of one change";
  const hint = "INSERT, UPDATE or DELETE; a flow alone can take all of them";
  return [{ code: "invalid-operation", attribute: "operation", message, hint }];
}

/**
 * Whether a write to `target`, or the operation of a `given` block, starts a flow on `operation`.
 * `written` is the operation of the write; an INSERT where it is undefined.
 */
export function receives(
  operation: string | undefined,
  target: string,
  _options: DatabaseOptions,
  written?: string,
): boolean {
  if (written === undefined && takesEvent(operation, target)) return true;
  return startsWith(operation, target, written);
}

/**
 * The same where another connector, whose options are `sender`, writes to the same database. Without
 * a target: whether its dead letters start the flow.
 */
export function receivesFrom(
  operation: string | undefined,
  target: string | undefined,
  options: DatabaseOptions,
  sender: DatabaseOptions,
): boolean {
  if (addressOf(options) !== addressOf(sender)) return false;
  const table = target ?? sender.changes?.dead_letter;
  return table !== undefined && receives(operation, table, options);
}

/** What tells one database from another, as far as a configuration shows it. */
function addressOf({ driver, url, host, port, database }: DatabaseOptions): string {
  const found = url === undefined ? undefined : URL.parse(url);
  return JSON.stringify([
    driver,
    (found?.hostname ?? host ?? "localhost").toLowerCase(),
    Number(found?.port || port || 5432),
    found?.pathname.slice(1) ?? database,
  ]);
}
