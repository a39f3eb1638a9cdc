/** Verifies an `expect` block. */
import type { ExpectStep } from "../model/test.ts";
import { differences } from "./match.ts";
import type { FlowFailure, Occurrence, Records } from "./records.ts";
import type { Received, TestFailure } from "./report.ts";

/** Takes what matches from the records. Returns the failure if there is one. */
export function verify(step: ExpectStep, records: Records): TestFailure | undefined {
  return step.nothing ? verifyNothing(step, records) : verifySome(step, records);
}

function verifyNothing({ subject, place }: ExpectStep, records: Records): TestFailure | undefined {
  // Requests of steps are left out, since they change nothing.
  const remaining = records.remaining(subject).filter(({ fields }) => !("step" in fields));
  if (remaining.length === 0) return undefined;
  const received = remaining.map(({ fields }) => ({ value: fields, differences: [] }));
  return { place, message: `expect "${subject}": received something`, received };
}

function verifySome(step: ExpectStep, records: Records): TestFailure | undefined {
  const { subject, fields, count, place } = step;
  const remaining = records.remaining(subject).filter((one) =>
    "step" in one.fields === "step" in fields
  );
  const occurrences = remaining.filter((one) => differences(fields, one.fields).length === 0);
  const failures = failuresLike(step, occurrences, records);
  const matching = occurrences.length + failures.length;
  if (count === undefined ? matching > 0 : matching === count) {
    const wanted = count ?? 1;
    for (const one of occurrences.slice(0, wanted)) records.take(one);
    for (const one of failures.slice(0, Math.max(0, wanted - occurrences.length))) {
      one.expected = true;
    }
    return undefined;
  }
  const amount = count === undefined
    ? "nothing received matches"
    : `expected ${count} to match, but ${matching} did`;
  const tooMany = count !== undefined && matching > count;
  return {
    place,
    message: `expect "${subject}": ${amount}`,
    expected: fields,
    received: nearest(fields, tooMany ? occurrences : remaining),
  };
}

/** The failures of flows that were not reported to the sender, if the step expects an error. */
function failuresLike(
  { subject, fields }: ExpectStep,
  reported: readonly Occurrence[],
  records: Records,
): readonly FlowFailure[] {
  if (!("error" in fields)) return [];
  return records.failures.filter((failure) =>
    !failure.expected && failure.connector === subject &&
    differences(fields, { error: failure.error.code }).length === 0 &&
    !reported.some((one) => one.reports(failure))
  );
}

/** What was received, the most similar first. */
function nearest(
  expected: Occurrence["fields"],
  received: readonly Occurrence[],
): readonly Received[] {
  return received
    .map(({ fields }) => ({ value: fields, differences: differences(expected, fields) }))
    .sort((a, b) =>
      distance(expected, a.value) - distance(expected, b.value) ||
      a.differences.length - b.differences.length
    );
}

/** The types of frames that answer one frame of a client. */
const ANSWERS: readonly unknown[] = ["ack", "error"];

/** 0 for an answer where one is expected: to the frame with that `id`, if the test names one. */
function distance(expected: Occurrence["fields"], received: Occurrence["fields"]): number {
  if (!ANSWERS.includes(expected.type) && expected.id === undefined) return 0;
  if (!ANSWERS.includes(received.type)) return 2;
  return expected.id === undefined || expected.id === received.id ? 0 : 1;
}
