/** What `weir test --coverage` says, as text and as JSON. */
import type { CoverageResult, Share } from "./coverage.ts";
import { at } from "./report.ts";

/** A line for each thing that no test went through, and a summary. */
export function formatCoverage({ flows, branches, rooms, missing }: CoverageResult): string {
  const shares = [
    shown(flows, "flow"),
    ...(branches.all === 0 ? [] : [shown(branches, "branch", "branches")]),
    ...(rooms.all === 0 ? [] : [shown(rooms, "outcome of rooms", "outcomes of rooms")]),
  ];
  const lines = missing.map(({ place, message }) => `missed  ${at(place)}  ${message}`);
  return [...lines, `coverage: ${shares.join(", ")}`].join("\n");
}

/** The same as plain data. */
export function coverageJson(
  { missing, ...shares }: CoverageResult,
): Readonly<Record<string, unknown>> {
  return { ...shares, missing: missing.map(({ place, message }) => ({ ...place, message })) };
}

/** Such as `2 of 3 flows`. */
function shown({ seen, all }: Share, one: string, many = `${one}s`): string {
  return `${seen} of ${all} ${all === 1 ? one : many}`;
}
