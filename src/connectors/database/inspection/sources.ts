/** The tables whose changes start flows. */
import { didYouMean } from "../../../base/nearest.ts";
import { quoted } from "../../../base/shown.ts";
import type { ProbeSource } from "../../../contract/probe.ts";
import { parseOperation } from "../changes/operation.ts";
import type { Inspected } from "../driver.ts";

/** Reports a table that no migration makes, and whose name is close to one that a migration does make. */
export async function inspectSources(
  database: Inspected,
  sources: readonly ProbeSource[],
): Promise<void> {
  const tables = await database.describe();
  for (const { operation, report } of sources) {
    const wanted = parseOperation(operation);
    // A table of another schema is not among them.
    if (wanted === undefined || wanted.kind === "NOTIFY" || wanted.table.schema !== undefined) {
      continue;
    }
    const { name } = wanted.table;
    if (tables.some((table) => table.toLowerCase() === name.toLowerCase())) continue;
    const hint = didYouMean(name, tables);
    if (hint === undefined) continue;
    report({
      code: "unknown-table",
      attribute: "operation",
      message: `has no table ${quoted(name)}`,
      hint,
    });
  }
}
