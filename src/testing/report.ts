/** The results of tests, as text and as JSON. */
import type { TestPlace } from "../model/test.ts";
import type { Player } from "./players.ts";
import { type Difference, show } from "./match.ts";

/** The result of one test. */
export interface TestResult {
  /** The block's label. */
  readonly name: string;
  /** The place of the block. */
  readonly place: TestPlace;
  /** In the order of their places; none if the test passed. */
  readonly failures: readonly TestFailure[];
  /** The lines that were logged. */
  readonly log: readonly string[];
}

/** One deviation from the test. */
export interface TestFailure {
  /** The block that it is about. */
  readonly place: TestPlace;
  /** One sentence. */
  readonly message: string;
  /** What was expected, if the failure is about that. */
  readonly expected?: unknown;
  /** What was received instead, the most similar first, if the failure is about that. */
  readonly received?: readonly Received[];
}

/** Something received that does not match. */
export interface Received {
  /** The whole value. */
  readonly value: unknown;
  /** Where it differs from what was expected; none if nothing was expected. */
  readonly differences: readonly Difference[];
}

/** The number of received values in the text. */
const MAX_SHOWN = 3;
/** The number of characters of a value in the text. */
const MAX_LENGTH = 500;
const INDENT = "        ";

/**
 * The lines of one test: one if it passed, else its failures with their details. `reasons` are told
 * already: a test that fails for one of them has two lines.
 */
export function formatResult(
  { name, failures, log }: TestResult,
  reasons: readonly string[] = [],
): string {
  if (failures.length === 0) return `ok      ${name}`;
  const unanswered = failures.flatMap((failure) => withoutReason(failure, reasons) ?? []);
  if (unanswered.length > 0) {
    const more = unanswered.length === 1 ? "" : ` (and ${unanswered.length - 1} more)`;
    return `FAILED  ${name}\n${INDENT}${unanswered[0]}${more}`;
  }
  const lines = [
    ...failures.flatMap(failureLines),
    ...(log.length === 0 ? [] : ["log", ...log.map((line) => `  ${line}`)]),
  ];
  return [`FAILED  ${name}`, ...lines.map((line) => `${INDENT}${line}`)].join("\n");
}

/** A failure without its reason; undefined where that is not one of these. */
function withoutReason(
  { place, message }: TestFailure,
  reasons: readonly string[],
): string | undefined {
  const reason = reasons.find((reason) => message.includes(`, since ${reason}`));
  return reason && `${at(place)}  ${message.replace(`, since ${reason}`, () => "")}`;
}

/** Such as `3 tests, 1 failed`. */
export function formatSummary(results: readonly TestResult[]): string {
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const tests = results.length === 1 ? "1 test" : `${results.length} tests`;
  return `${tests}, ${failed === 0 ? "all passed" : `${failed} failed`}`;
}

/** All results as plain data. */
export function toJson(
  results: readonly TestResult[],
  players: readonly Player[] = [],
): Readonly<Record<string, unknown>> {
  return {
    tests: results.length,
    failed: results.filter(({ failures }) => failures.length > 0).length,
    results: results.map(({ name, place, failures, log }) => ({
      name,
      ...place,
      ok: failures.length === 0,
      failures: failures.map(({ place, ...failure }) => ({ ...place, ...failure })),
      log: failures.length === 0 ? [] : log,
    })),
    ...(players.length > 0 && { played: players }),
  };
}

function failureLines({ place, message, expected, received }: TestFailure): readonly string[] {
  const shown = received?.slice(0, MAX_SHOWN) ?? [];
  const more = (received?.length ?? 0) - shown.length;
  return [
    `${at(place)}  ${message}`,
    ...(expected === undefined ? [] : [`  expected  ${short(expected)}`]),
    ...(received?.length === 0 ? ["  received  nothing"] : shown.flatMap(receivedLines)),
    ...(more === 0 ? [] : [`  and ${more} more`]),
  ];
}

function receivedLines({ value, differences }: Received): readonly string[] {
  return [
    `  received  ${short(value)}`,
    ...differences.map(({ path, message }) => `            ${path}: ${message}`),
  ];
}

function short(value: unknown): string {
  const text = show(value);
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}…`;
}

/** Such as `shop.hcl:31`. */
export function at({ file, line }: TestPlace): string {
  return `${file}:${line}`;
}
