/** Which destinations of a flow run together. */
import type { DestinationModel, FlowModel, RejectModel } from "../model/mod.ts";

/** Neighbouring destinations that run together. */
export interface Group {
  /**
   * `plain` is one destination alone; with `each` all have the same list; those of `atomic` are one
   * transaction.
   */
  readonly kind: "plain" | "parallel" | "each" | "atomic";
  /** The position of the first one among all destinations of the flow. */
  readonly start: number;
  /** The position after the last one. */
  readonly end: number;
  /** Whether one of them has a name. */
  readonly named: boolean;
  /** In the order written. */
  readonly members: readonly DestinationModel[];
  /** The groups within a transaction. */
  readonly within: readonly Group[];
  /** Asked when the group has been delivered; those of a transaction are in `within`. */
  readonly rejects: readonly RejectModel[];
}

const NONE: readonly never[] = [];

/**
 * The groups of a flow, in the order in which they run. `rejects` are those among the destinations.
 * With `keeping` a transaction does more than its writes.
 */
export function groupsOf(
  to: readonly DestinationModel[],
  rejects: readonly RejectModel[],
  keeping = false,
): readonly Group[] {
  const asked = Map.groupBy(rejects, ({ delivered }) => delivered);
  return neighbours(to, isSameTransaction).flatMap(({ start, members }) => {
    const within = neighbours(
      members,
      (to, before, place) => !asked.has(start + place) && belongs(to, before),
    ).map((part) => {
      const after = asked.get(start + part.start + part.members.length) ?? NONE;
      return group(kindOf(part.members[0]), start + part.start, part.members, NONE, after);
    });
    const [first] = members;
    // One write is a transaction by itself, unless a `reject` can undo it.
    const isAlone = members.length === 1 && first.each === undefined && !keeping;
    const isPlain = isAlone && within[0].rejects === NONE;
    return first.atomic && !isPlain ? [group("atomic", start, members, within, NONE)] : within;
  });
}

function group(
  kind: Group["kind"],
  start: number,
  members: readonly DestinationModel[],
  within: readonly Group[],
  rejects: readonly RejectModel[],
): Group {
  const named = members.some(({ name }) => name !== undefined);
  return { kind, start, end: start + members.length, named, members, within, rejects };
}

/**
 * Parts of a list, each as long as possible, in which every destination belongs to the one before it.
 * `place` is its position.
 */
function neighbours(
  to: readonly DestinationModel[],
  belongs: (to: DestinationModel, before: DestinationModel, place: number) => boolean,
): readonly Pick<Group, "start" | "members">[] {
  const found: Pick<Group, "start" | "members">[] = [];
  for (let start = 0, end = 0; start < to.length; start = end) {
    for (end = start + 1; end < to.length && belongs(to[end], to[end - 1], end);) end++;
    found.push({ start, members: to.slice(start, end) });
  }
  return found;
}

function isSameTransaction(to: DestinationModel, before: DestinationModel): boolean {
  return to.atomic === before.atomic && (!to.atomic || to.connector === before.connector);
}

function kindOf({ parallel, each }: DestinationModel): Group["kind"] {
  if (parallel) return "parallel";
  return each === undefined ? "plain" : "each";
}

/** Whether a destination runs together with the one before it. */
function belongs(to: DestinationModel, before: DestinationModel): boolean {
  const kind = kindOf(before);
  return kind !== "plain" && kindOf(to) === kind && listOf(to) === listOf(before);
}

/** The text of a list. Equal texts are one list. */
function listOf({ each }: DestinationModel): string | undefined {
  return each?.list.source.trim();
}

/** Whether all destinations are one transaction of the connector that keeps the keys of `dedupe`. */
export function keepsTogether({ dedupe, to }: FlowModel): boolean {
  return dedupe?.store !== undefined && to.length > 0 &&
    to.every(({ atomic, connector }) => atomic && connector === dedupe.store);
}
