/** Judges an `expect` by what has come. */
import type { ExpectStep } from "../model/test.ts";
import { differences } from "./match.ts";
import type { FlowFailure, Occurrence, Records } from "./records.ts";
import type { Received, TestFailure } from "./result.ts";

/** Takes what matches; gives what is wrong where that is not as expected. */
export function meet(step: ExpectStep, records: Records): TestFailure | undefined {
  return step.nothing ? meetNothing(step, records) : meetSome(step, records);
}

function meetNothing({ subject, place }: ExpectStep, records: Records): TestFailure | undefined {
  // What a step asks of a connector changes nothing there.
  const left = records.left(subject).filter(({ fields }) => !("step" in fields));
  if (left.length === 0) return undefined;
  const received = left.map(({ fields }) => ({ value: fields, differences: [] }));
  return { place, message: `expect "${subject}": something has come`, received };
}

function meetSome(step: ExpectStep, records: Records): TestFailure | undefined {
  const { subject, fields, count, place } = step;
  const left = records.left(subject).filter((one) => "step" in one.fields === "step" in fields);
  const occurrences = left.filter((one) => differences(fields, one.fields).length === 0);
  const failures = failuresLike(step, occurrences, records);
  const matching = occurrences.length + failures.length;
  if (count === undefined ? matching > 0 : matching === count) {
    const wanted = count ?? 1;
    for (const one of occurrences.slice(0, wanted)) records.take(one);
    for (const one of failures.slice(0, Math.max(0, wanted - occurrences.length))) one.named = true;
    return undefined;
  }
  const amount = count === undefined
    ? "nothing that has come matches"
    : `${matching} of what has come ${matching === 1 ? "matches" : "match"}, not ${count}`;
  const tooMany = count !== undefined && matching > count;
  return {
    place,
    message: `expect "${subject}": ${amount}`,
    expected: fields,
    received: nearest(fields, tooMany ? occurrences : left),
  };
}

/** The failures of flows that the sender has not been told of, where an error is expected. */
function failuresLike(
  { subject, fields }: ExpectStep,
  told: readonly Occurrence[],
  records: Records,
): readonly FlowFailure[] {
  if (!("error" in fields)) return [];
  return records.failures.filter((failure) =>
    !failure.named && failure.connector === subject &&
    differences(fields, { error: failure.error.code }).length === 0 &&
    !told.some((one) => one.tells(failure))
  );
}

/** What came, by how far it is from what was expected. */
function nearest(expected: unknown, received: readonly Occurrence[]): readonly Received[] {
  return received
    .map(({ fields }) => ({ value: fields, differences: differences(expected, fields) }))
    .sort((a, b) => a.differences.length - b.differences.length);
}
