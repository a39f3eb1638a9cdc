/** Which destinations are asked for a result: a result may cost a question to every instance. */
import type { DestinationModel, NamedExpression, RejectModel } from "../../model/mod.ts";
import { isRead, type ResultPaths } from "./destination-names.ts";

/** What reads results after the last destination, and between destinations. */
export interface ResultReaders {
  readonly rejects: readonly RejectModel[];
  readonly response: readonly NamedExpression[] | undefined;
  /** Whether the sender gets the first result where there is no `response`. */
  readonly answersFirst: boolean;
}

/** The destinations, with those marked whose results something after them reads. */
export function markUsed(
  to: readonly DestinationModel[],
  { rejects, response, answersFirst }: ResultReaders,
): readonly DestinationModel[] {
  const answer = response?.map(([, { paths }]) => paths) ?? [];
  const first = response === undefined ? answersFirst : answer.some(readsFirst);
  // One without a `when` has been reported.
  const late = rejects.filter(({ delivered, when }) => delivered > 0 && when !== undefined);
  const certain = to.findIndex(({ when }) => when === undefined);
  return to.map((one, place) => {
    const after = late.filter(({ delivered }) => delivered > place).map(({ when }) => when.paths);
    // The first result is that of the first destination that is not skipped.
    const mayBeFirst = first && (certain < 0 || place <= certain);
    return mayBeFirst || isRead(one, [...after, ...answer]) ? { ...one, resultUsed: true } : one;
  });
}

/** Whether an expression of a `response` reads `output`, the first result. */
function readsFirst(paths: ResultPaths): boolean {
  return [...paths].some((path) => path.split(".")[0] === "output");
}
