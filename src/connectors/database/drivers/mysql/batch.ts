/** Commits a batch of writes: rows of one table with one statement, all of them in one transaction. */
import type { BatchOutcome } from "../../group-commit.ts";
import type { Result } from "../../driver.ts";
import type { Connection } from "./connection.ts";
import { errnoOf, explain, isConflict, isFarewell, RefusedError } from "./errors.ts";
import { execute, insertRows, isAlone, isListable } from "./execute.ts";
import type { Call } from "./statement.ts";

/** The most characters of a list of rows: larger ones are not faster. */
const LARGEST_LIST = 1_000_000;

/** Calls that one statement does, or one call; each with its place in the batch. */
interface Unit {
  readonly calls: Call[];
  readonly places: number[];
  readonly listed: boolean;
  size: number;
}

/** What became of a unit. */
type UnitOutcome = { readonly results: readonly Result[] } | { readonly error: unknown };

/** Commits a batch. `returning` says whether the server returns the rows of an INSERT. */
export async function commitBatch(
  connection: Connection,
  calls: readonly Call[],
  returning: boolean,
): Promise<BatchOutcome> {
  const units = unitsOf(calls, returning);
  const alone = units.length === 1 && isAlone(units[0].calls[0], returning);
  const results: Result[] = [];
  let committing = alone;
  try {
    if (!alone) await connection.run("START TRANSACTION");
    for (const unit of units) {
      const outcome = await runUnit(connection, unit, returning);
      if ("error" in outcome) {
        const refused = await locate(connection, unit, outcome.error, alone, returning);
        await undo(connection);
        return refused;
      }
      outcome.results.forEach((result, index) => results[unit.places[index]] = result);
    }
    committing = true;
    if (!alone) await connection.run("COMMIT");
    return { committed: results };
  } catch (error) {
    if (!alone) await undo(connection);
    // Only an answer of the server says that nothing was written.
    const sure = !committing || (errnoOf(error) !== undefined && !isFarewell(error));
    return { failed: error, written: sure ? "no" : "unknown" };
  }
}

/** Finds the first row of a list that is refused. The transaction is undone by the caller. */
async function locate(
  connection: Connection,
  { calls, places }: Unit,
  error: unknown,
  alone: boolean,
  returning: boolean,
): Promise<BatchOutcome> {
  let reason = error;
  let [first, end] = [0, calls.length];
  try {
    if (end > 1 && alone) await connection.run("START TRANSACTION");
    while (end - first > 1) {
      const middle = (first + end) >> 1;
      const part = { calls: calls.slice(first, middle), places, listed: true, size: 0 };
      const outcome = await runUnit(connection, part, returning);
      if ("error" in outcome) {
        end = middle;
        reason = outcome.error;
      } else first = middle;
    }
    return { refused: places[first], error: reason };
  } catch (error) {
    return { failed: error, written: "no" };
  }
}

/** Ends the open transaction without any of its changes; without one it does nothing. */
export async function undo(connection: Connection): Promise<void> {
  try {
    if (!connection.isLost) await connection.run("ROLLBACK");
  } catch {
    // The server undoes it when the connection ends.
    connection.destroy();
  }
}

function unitsOf(calls: readonly Call[], returning: boolean): readonly Unit[] {
  const units: Unit[] = [];
  calls.forEach((call, place) => {
    const listed = isListable(call, returning);
    const size = listed ? sizeOf(call) : 0;
    const last = units.at(-1);
    const fits = listed && last?.listed && last.calls[0].statement === call.statement &&
      last.size + size < LARGEST_LIST;
    if (fits) {
      last.calls.push(call);
      last.places.push(place);
      last.size += size;
    } else units.push({ calls: [call], places: [place], listed, size });
  });
  return units;
}

function sizeOf({ literals }: Call): number {
  let size = 3;
  for (const literal of literals) size += literal.length + 1;
  return size;
}

/** Runs a unit. One that is refused has undone itself; any other failure rejects. */
async function runUnit(
  connection: Connection,
  { calls, listed }: Unit,
  returning: boolean,
): Promise<UnitOutcome> {
  try {
    const results = listed
      ? await insertRows(connection, calls, returning)
      : [await execute(connection, calls[0], returning)];
    return { results };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { error };
  }
}

/** Whether the write itself is the reason, and not what happens to the server at the moment. */
function isRefusal(error: unknown): boolean {
  if (error instanceof RefusedError) return true;
  return errnoOf(error) !== undefined && !isConflict(error) && explain(error).permanent;
}
