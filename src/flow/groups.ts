/** Which destinations of a flow run together. */
import type { DestinationModel } from "../model/mod.ts";

/** Neighbouring destinations that run together. */
export interface Group {
  /** `plain` is one destination alone. */
  readonly kind: "plain" | "parallel";
  /** The position of the first one among all destinations of the flow. */
  readonly start: number;
  /** In the order written. */
  readonly members: readonly DestinationModel[];
}

/** The groups of a flow, in the order in which they run. */
export function groupsOf(to: readonly DestinationModel[]): readonly Group[] {
  const groups: Group[] = [];
  for (let start = 0, end = 0; start < to.length; start = end) {
    const kind = kindOf(to[start]);
    for (end = start + 1; end < to.length && belongs(to[end], kind);) end++;
    groups.push({ kind, start, members: to.slice(start, end) });
  }
  return groups;
}

function kindOf({ parallel }: DestinationModel): Group["kind"] {
  return parallel ? "parallel" : "plain";
}

/** Whether a destination runs together with those before it in a group. */
function belongs(to: DestinationModel, kind: Group["kind"]): boolean {
  return kind !== "plain" && kindOf(to) === kind;
}
