/** Which destinations of a flow run together. */
import type { DestinationModel } from "../model/mod.ts";

/** Neighbouring destinations that run together. */
export interface Group {
  /** `plain` is one destination alone; with `each` all have the same list. */
  readonly kind: "plain" | "parallel" | "each";
  /** The position of the first one among all destinations of the flow. */
  readonly start: number;
  /** The position after the last one. */
  readonly end: number;
  /** Whether one of them has a name. */
  readonly named: boolean;
  /** In the order written. */
  readonly members: readonly DestinationModel[];
}

/** The groups of a flow, in the order in which they run. */
export function groupsOf(to: readonly DestinationModel[]): readonly Group[] {
  const groups: Group[] = [];
  for (let start = 0, end = 0; start < to.length; start = end) {
    const kind = kindOf(to[start]);
    for (end = start + 1; end < to.length && belongs(to[end], to[start], kind);) end++;
    const members = to.slice(start, end);
    groups.push({
      kind,
      start,
      end,
      named: members.some(({ name }) => name !== undefined),
      members,
    });
  }
  return groups;
}

function kindOf({ parallel, each }: DestinationModel): Group["kind"] {
  if (parallel) return "parallel";
  return each === undefined ? "plain" : "each";
}

/** Whether a destination runs together with the one before it, which is of this kind. */
function belongs(to: DestinationModel, before: DestinationModel, kind: Group["kind"]): boolean {
  return kind !== "plain" && kindOf(to) === kind && listOf(to) === listOf(before);
}

/** The text of a list. Equal texts are one list. */
function listOf({ each }: DestinationModel): string | undefined {
  return each?.list.source.trim();
}
